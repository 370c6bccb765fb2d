# Does the host carry the planned name, and does the name lead to address of the node?
set -euo pipefail
: "${NODE_NAME:?the planned host name, for example linuxmaster}"
: "${NODE_ADDRESS:?address of the node, for example 192.168.160.2}"
# uses: hosts_with_name would_write

found=$(hostnamectl --static)
if [ "$found" != "$NODE_NAME" ] && [ -e /etc/kubernetes/kubelet.conf ]; then
  echo "host name is $found, wanted $NODE_NAME, and a kubelet is already registered under it"
  exit 20
fi
address=$(getent ahostsv4 "$NODE_NAME" | awk 'NR == 1 { print $1 }' || true)
differs=no
if [ "$found" != "$NODE_NAME" ] || [ "$address" != "$NODE_ADDRESS" ]; then
  differs=yes
  [ "$found" = "$NODE_NAME" ] || echo "would: host name: $found -> $NODE_NAME"
  hosts_with_name "$NODE_NAME" "$NODE_ADDRESS" | would_write /etc/hosts
fi
echo "host name $found resolves to ${address:-nothing}, wanted $NODE_NAME at $NODE_ADDRESS"
[ "$differs" = no ] || exit 10
