# Print the login user's kubeconfig and the administrator's. What this prints is a secret: neither shown nor kept.
#
# Four lines: the user's file, its mode and owner, and both contents in base64; what is not there is an empty line.
set -euo pipefail
: "${NODE_USER:?the login user, for example ubuntu}"

config=$(getent passwd "$NODE_USER" | cut -d: -f6)/.kube/config
echo "$config"
stat -L -c '%a %U' "$config" 2>/dev/null || echo
for file in /etc/kubernetes/admin.conf "$config"; do
  if [ -e "$file" ]; then base64 -w 0 "$file"; fi
  echo
done
