# Do the control plane's pods run, with the planned addresses? CoreDNS waits for the pod network.
set -euo pipefail
: "${NODE_NAME:?node name of the master, for example linuxmaster}"
: "${API_SERVICE_IP:?for example 10.96.0.1}"
: "${DNS_SERVICE_IP:?for example 10.96.0.10}"
# uses: needs_control_plane stop_if_stuck
export KUBECONFIG=/etc/kubernetes/admin.conf

needs_control_plane
for name in etcd kube-apiserver kube-controller-manager kube-scheduler; do
  phase=$(kubectl -n kube-system get pod "$name-$NODE_NAME" -o 'jsonpath={.status.phase}' 2>/dev/null || true)
  if [ "$phase" != Running ]; then
    stop_if_stuck kube-system -l tier=control-plane
    echo "pod $name-$NODE_NAME is ${phase:-not there yet}"
    exit 10
  fi
done
api=$(kubectl -n default get service kubernetes -o 'jsonpath={.spec.clusterIP}')
dns=$(kubectl -n kube-system get service kube-dns -o 'jsonpath={.spec.clusterIP}')
if [ "$api $dns" != "$API_SERVICE_IP $DNS_SERVICE_IP" ]; then
  echo "services kubernetes and kube-dns are at $api and $dns, planned $API_SERVICE_IP and $DNS_SERVICE_IP"
  exit 20
fi
pods=$(kubectl get node "$NODE_NAME" -o 'jsonpath={.spec.podCIDR}')
if [ -z "$pods" ]; then
  # A pod whose program ends again and again is Running all the while.
  stop_if_stuck kube-system -l tier=control-plane
  echo "node $NODE_NAME has no pod network assigned yet"
  exit 10
fi
coredns=$(kubectl -n kube-system get pods -l k8s-app=kube-dns -o 'jsonpath={.items[*].status.phase}')
echo "control plane Running, services at $api and $dns, pods of $NODE_NAME in $pods, CoreDNS ${coredns:-not created}"
