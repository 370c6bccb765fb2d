# Set the host name, and bind it to address of the node in /etc/hosts.
#
# Debian and Ubuntu map the host name to 127.0.1.1, which the kubelet would take for address of the node.
# Only lines of that kind lose the name; everything else in the file stays as it is.
set -euo pipefail
: "${NODE_NAME:?the planned host name, for example linuxmaster}"
: "${NODE_ADDRESS:?address of the node, for example 192.168.160.2}"

install -d -m 0755 /etc/k8swin/saved
[ -e /etc/k8swin/saved/hosts ] || cp -p /etc/hosts /etc/k8swin/saved/hosts
[ "$(hostnamectl --static)" = "$NODE_NAME" ] || hostnamectl set-hostname "$NODE_NAME"

new=$(mktemp)
trap 'rm -f "$new"' EXIT
awk -v name="$NODE_NAME" -v address="$NODE_ADDRESS" '
  /# k8swin$/ { next }
  $1 == "127.0.1.1" || $1 == address {
    kept = ""
    for (i = 2; i <= NF && $i !~ /^#/; i++) if ($i != name) kept = kept " " $i
    if (kept != "") print $1 kept
    next
  }
  { print }
  END { print address " " name " # k8swin" }
' /etc/hosts >"$new"
cat "$new" >/etc/hosts
echo "host name $NODE_NAME is $NODE_ADDRESS in /etc/hosts"
