# Take a cluster out of the login user's kubeconfig: what is left of it comes as a value, nothing when it goes.
#
# A file that is still as it was written from here becomes what was found before. One that somebody changed since is
# kept before it loses the cluster.
set -euo pipefail
: "${NODE_USER:?the login user, for example ubuntu}"
: "${KUBECONFIG_TEXT:=}"
# uses: forget_written is_written keep_found take_back was_written

config=$(getent passwd "$NODE_USER" | cut -d: -f6)/.kube/config
if is_written "$config"; then
  take_back "$config"
elif [ -e "$config" ]; then
  keep_found "$config"
  if [ -n "$KUBECONFIG_TEXT" ]; then
    printf '%s\n' "${KUBECONFIG_TEXT%$'\n'}" >"$config"
  else
    rm -f "$config"
  fi
  if was_written "$config"; then forget_written "$config"; fi
fi
echo "$config holds nothing of this cluster"
