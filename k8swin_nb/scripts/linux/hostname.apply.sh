# Set the host name, and bind it to address of the node in /etc/hosts.
#
# Debian and Ubuntu map the host name to 127.0.1.1, which the kubelet would take for address of the node. The
# line moves to that address with all of its names in their order, so that the host's full name stays what it is.
set -euo pipefail
: "${NODE_NAME:?the planned host name, for example linuxmaster}"
: "${NODE_ADDRESS:?address of the node, for example 192.168.160.2}"
# uses: keep_found note_written

# Lines are moved, not lost: what is kept is the file as it was before the first of these changes.
[ -e /var/lib/k8swin/kept/etc/hosts ] || keep_found /etc/hosts
[ "$(hostnamectl --static)" = "$NODE_NAME" ] || hostnamectl set-hostname "$NODE_NAME"

new=$(mktemp)
trap 'rm -f "$new"' EXIT
awk -v name="$NODE_NAME" -v address="$NODE_ADDRESS" '
  { ours = /# k8swin$/; text = $0; sub(/#.*/, ""); count = NF; for (i = 1; i <= NF; i++) field[i] = $i }
  ours || (count > 0 && (field[1] == "127.0.1.1" || field[1] == address)) {
    has = 0
    for (i = 2; i <= count; i++) if (field[i] == name) has = 1
    if (has) {
      for (i = 2; i <= count; i++) if (!seen[field[i]]++) names = names " " field[i]
      next
    }
    if (ours) next
  }
  { print text }
  END { print address (names == "" ? " " name : names) " # k8swin" }
' /etc/hosts >"$new"
note_written /etc/hosts "$new"
cat "$new" >/etc/hosts
echo "host name $NODE_NAME is $NODE_ADDRESS in /etc/hosts"
