# Does the host carry the planned name, and does the name lead to address of the node?
set -euo pipefail
: "${NODE_NAME:?the planned host name, for example linuxmaster}"
: "${NODE_ADDRESS:?address of the node, for example 192.168.160.2}"

found=$(hostnamectl --static)
if [ "$found" != "$NODE_NAME" ] && [ -e /etc/kubernetes/kubelet.conf ]; then
  echo "host name is $found, wanted $NODE_NAME, and a kubelet is already registered under it"
  exit 20
fi
address=$(getent ahostsv4 "$NODE_NAME" | awk 'NR == 1 { print $1 }' || true)
echo "host name $found resolves to ${address:-nothing}, wanted $NODE_NAME at $NODE_ADDRESS"
if [ "$found" != "$NODE_NAME" ] || [ "$address" != "$NODE_ADDRESS" ]; then exit 10; fi
