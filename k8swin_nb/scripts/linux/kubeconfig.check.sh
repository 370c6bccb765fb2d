# Can the login user talk to the cluster with a kubeconfig of their own?
set -euo pipefail
: "${NODE_USER:?the login user, for example ubuntu}"

home=$(getent passwd "$NODE_USER" | cut -d: -f6)
config=$home/.kube/config
if [ ! -e "$config" ]; then
  echo "$config does not exist"
  exit 10
fi
mode=$(stat -c '%a %U' "$config")
if ! cmp -s /etc/kubernetes/admin.conf "$config"; then
  if [ "$(awk '$1 == "server:" { print $2; exit }' "$config")" != "$(awk '$1 == "server:" { print $2; exit }' /etc/kubernetes/admin.conf)" ]; then
    echo "$config belongs to another cluster"
    exit 20
  fi
  echo "$config differs from /etc/kubernetes/admin.conf"
  exit 10
fi
if [ "$mode" != "600 $NODE_USER" ]; then
  echo "$config has mode and owner $mode, wanted 600 $NODE_USER"
  exit 10
fi
echo "$config is in place, readable by $NODE_USER alone"
