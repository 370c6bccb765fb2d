# Set the host name, and bind it to address of the node in /etc/hosts.
#
# Debian and Ubuntu map the host name to 127.0.1.1, which the kubelet would take for address of the node. The
# line moves to that address with all of its names in their order, so that the host's full name stays what it is.
set -euo pipefail
: "${NODE_NAME:?the planned host name, for example linuxmaster}"
: "${NODE_ADDRESS:?address of the node, for example 192.168.160.2}"
# uses: hosts_with_name keep_found note_written

# Lines are moved, not lost: what is kept is the file as it was before the first of these changes.
[ -e /var/lib/k8swin/kept/etc/hosts ] || keep_found /etc/hosts
[ "$(hostnamectl --static)" = "$NODE_NAME" ] || hostnamectl set-hostname "$NODE_NAME"

new=$(mktemp)
trap 'rm -f "$new"' EXIT
hosts_with_name "$NODE_NAME" "$NODE_ADDRESS" >"$new"
note_written /etc/hosts "$new"
cat "$new" >/etc/hosts
echo "host name $NODE_NAME is $NODE_ADDRESS in /etc/hosts"
