# Give the login user a kubeconfig that nobody else can read.
set -euo pipefail
: "${NODE_USER:?the login user, for example ubuntu}"

home=$(getent passwd "$NODE_USER" | cut -d: -f6)
group=$(id -gn "$NODE_USER")
install -d -m 0700 -o "$NODE_USER" -g "$group" "$home/.kube"
install -m 0600 -o "$NODE_USER" -g "$group" /etc/kubernetes/admin.conf "$home/.kube/config"
echo "wrote $home/.kube/config"
