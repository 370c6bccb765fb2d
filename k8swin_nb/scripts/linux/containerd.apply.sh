# Write containerd's configuration, which comes on standard input, and start containerd with it.
#
# It is what the host has, with what Kubernetes needs of it; the file as it was found is kept.
set -euo pipefail
# uses: enable_service keep_found write_file

new=$(mktemp)
trap 'rm -f "$new"' EXIT
cat >"$new"
if ! cmp -s "$new" /etc/containerd/config.toml; then write_file 0644 /etc/containerd/config.toml <"$new"; fi
# The vendor's sample gives pods a network of its own, before flannel's in the order of names.
keep_found /etc/cni/net.d/10-containerd-net.conflist
rm -f /etc/cni/net.d/10-containerd-net.conflist
enable_service containerd
systemctl restart containerd
echo "containerd is configured"
