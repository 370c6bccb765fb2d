# Write the login user's kubeconfig, which nobody else can read; the file as it was found is kept.
set -euo pipefail
: "${NODE_USER:?the login user, for example ubuntu}"
: "${KUBECONFIG_TEXT:?what the file is to be}"
# uses: keep_found note_written

home=$(getent passwd "$NODE_USER" | cut -d: -f6)
group=$(id -gn "$NODE_USER")
config=$home/.kube/config
new=$config.k8swin-new
[ -d "$home/.kube" ] || install -d -m 0700 -o "$NODE_USER" -g "$group" "$home/.kube"
trap 'rm -f "$new"' EXIT
install -m 0600 -o "$NODE_USER" -g "$group" /dev/null "$new"
printf '%s\n' "${KUBECONFIG_TEXT%$'\n'}" >"$new"
keep_found "$config"
note_written "$config" "$new"
mv "$new" "$config"
echo "wrote $config"
