# Write containerd's configuration, which comes on standard input, and start containerd with it.
#
# It is what the host has, with what Kubernetes needs of it; the file as it was found is kept.
set -euo pipefail
: "${REGISTRY_LOGINS:=false}"
# uses: enable_service keep_found write_file

new=$(mktemp)
trap 'rm -f "$new"' EXIT
cat >"$new"
config=/etc/containerd/config.toml
mode=0644
if [ "$REGISTRY_LOGINS" = true ]; then
  # Passwords are in it: what was found is kept, with its rights, before they are narrowed.
  mode=0600
  keep_found "$config"
  [ ! -e "$config" ] || chmod "$mode" "$config"
fi
if ! cmp -s "$new" "$config"; then write_file "$mode" "$config" <"$new"; fi
# The vendor's sample gives pods a network of its own, before flannel's in the order of names.
keep_found /etc/cni/net.d/10-containerd-net.conflist
rm -f /etc/cni/net.d/10-containerd-net.conflist
enable_service containerd
systemctl restart containerd
echo "containerd is configured"
