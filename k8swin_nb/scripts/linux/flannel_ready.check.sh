# Is the pod network up: flannel on every Linux node, the master Ready, CoreDNS available?
set -euo pipefail
: "${NODE_NAME:?node name of the master, for example linuxmaster}"
: "${NODE_ADDRESS:?address of the node, for example 192.168.160.2}"
: "${FLANNEL_NAMESPACE:?namespace of flannel, for example kube-flannel}"
: "${FLANNEL_DAEMONSET:?name of its DaemonSet, for example kube-flannel-ds}"
: "${FLANNEL_INTERFACES:=}"
: "${FLANNEL_BACKEND:?host-gw, alloc or vxlan}"
# uses: cni_before_flannel needs_control_plane stop_if_stuck
export KUBECONFIG=/etc/kubernetes/admin.conf

needs_control_plane
first=$(cni_before_flannel)
if [ -n "$first" ]; then
  echo "hint: when nobody needs it, type mv /etc/cni/net.d/$first /root/ on this host, then run this notebook again; see: 80_troubleshoot#second-cni-configuration"
  echo "the CNI file $first stands before flannel's, so that pods are given another network"
  exit 30
fi
read -r ready wanted < <(kubectl -n "$FLANNEL_NAMESPACE" get daemonset "$FLANNEL_DAEMONSET" \
  --ignore-not-found -o 'jsonpath={.status.numberReady} {.status.desiredNumberScheduled}{"\n"}') || true
if [ "${wanted:-0}" -lt 1 ] || [ "$ready" != "$wanted" ]; then
  stop_if_stuck "$FLANNEL_NAMESPACE" -l app=flannel
  waiting=$(kubectl -n "$FLANNEL_NAMESPACE" get pods -l app=flannel -o 'jsonpath={.items[*].status.containerStatuses[*].state.waiting.reason}')
  gone=$(kubectl get nodes -o 'jsonpath={range .items[*]}{.metadata.name} {.status.conditions[?(@.type=="Ready")].status}{"\n"}{end}' | awk '$2 == "Unknown" { printf "%s ", $1 }')
  if [ -n "$gone" ]; then
    echo "hint: start these machines, or take them out of the cluster with kubectl delete node, then run this notebook again"
    echo "flannel is ready on ${ready:-0} of ${wanted:-0} nodes; nothing is heard of the kubelet of ${gone% }"
    exit 30
  fi
  echo "flannel is ready on ${ready:-0} of ${wanted:-0} nodes${waiting:+, waiting: $waiting}"
  exit 10
fi
annotation() { kubectl get node "$NODE_NAME" -o "jsonpath={.metadata.annotations.flannel\.alpha\.coreos\.com/$1}"; }
backend=$(annotation backend-type)
address=$(annotation public-ip)
wanted_backend=$FLANNEL_BACKEND
wanted_address=$NODE_ADDRESS
for interface in $FLANNEL_INTERFACES; do
  has=$(ip -4 -o addr show dev "$interface" 2>/dev/null | awk '{ split($4, part, "/"); print part[1]; exit }' || true)
  if [ -n "$has" ]; then
    wanted_address=$has
    break
  fi
done
# Where only networks are handed out, flannel names no backend.
[ "$FLANNEL_BACKEND" != alloc ] || wanted_backend=
if [ "$backend $address" != "$wanted_backend $wanted_address" ]; then
  echo "flannel announces ${backend:-no backend} at $address for $NODE_NAME, wanted $FLANNEL_BACKEND at $wanted_address"
  exit 10
fi
if ! grep -q '^FLANNEL_SUBNET=' /run/flannel/subnet.env 2>/dev/null; then
  echo "flannel has not written /run/flannel/subnet.env yet"
  exit 10
fi
node=$(kubectl get node "$NODE_NAME" -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status}')
if [ "$node" != True ]; then
  message=$(kubectl get node "$NODE_NAME" -o 'jsonpath={.status.conditions[?(@.type=="Ready")].message}')
  echo "node $NODE_NAME is not Ready: $message"
  exit 10
fi
read -r available replicas < <(kubectl -n kube-system get deployment coredns -o 'jsonpath={.status.availableReplicas} {.spec.replicas}{"\n"}')
if [ "$available" != "$replicas" ]; then
  stop_if_stuck kube-system -l k8s-app=kube-dns
  # The bridge of an earlier pod network keeps its address, and no pod is made beside it.
  left=$(kubectl -n kube-system get events --field-selector reason=FailedCreatePodSandBox \
    -o 'jsonpath={range .items[*]}{.involvedObject.name} {.message}{"\n"}{end}' | grep 'already has an IP address different from' | tail -n 1 || true)
  waits=$(kubectl -n kube-system get pods -l k8s-app=kube-dns -o 'jsonpath={range .items[*]}{.metadata.name} {.status.phase}{"\n"}{end}' | awk '$2 == "Pending" { print $1 }')
  if [ -n "$left" ] && grep -q -x -F "${left%% *}" <<<"$waits"; then
    echo "hint: type ip link delete cni0 on the node, which makes it anew with the next pod; see: 80_troubleshoot#bridge-of-another-network"
    echo "CoreDNS gets no network: ${left#* }"
    exit 30
  fi
  pods=$(kubectl -n kube-system get pods -l k8s-app=kube-dns --no-headers | awk '{ print $1, $3 }' | tr '\n' ';')
  echo "CoreDNS: $pods"
  exit 10
fi
echo "$NODE_NAME is Ready, ${backend:-alloc} at $address, $(grep '^FLANNEL_SUBNET=' /run/flannel/subnet.env), CoreDNS available"
