# Is the worker Ready, with the planned address and a pod network? Runs on the master.
set -euo pipefail
: "${WORKER_NAME:?node name of the worker, for example winworker01}"
: "${WORKER_ADDRESS:?address of the worker, for example 192.168.160.152}"
: "${FLANNEL_NAMESPACE:?namespace of flannel, for example kube-flannel}"
# uses: needs_control_plane stop_if_stuck
export KUBECONFIG=/etc/kubernetes/admin.conf

needs_control_plane
if ! kubectl get node "$WORKER_NAME" >/dev/null 2>&1; then
  echo "node $WORKER_NAME is not registered yet"
  exit 10
fi
field() { kubectl get node "$WORKER_NAME" -o "jsonpath={$1}"; }
address=$(field '.status.addresses[?(@.type=="InternalIP")].address')
pods=$(field .spec.podCIDR)
ready=$(field '.status.conditions[?(@.type=="Ready")].status')
if [ "$address" != "$WORKER_ADDRESS" ]; then
  if [ "$ready" = True ]; then
    echo "hint: give the kubelet --node-ip=$WORKER_ADDRESS: take another --node-ip out of /etc/default/kubelet or the service, or correct \`address\` under \`hosts\`; then restart it and run this notebook again"
    echo "node $WORKER_NAME registered the address ${address:-none}, planned $WORKER_ADDRESS"
    exit 30
  fi
  echo "node $WORKER_NAME registered the address ${address:-none}, planned $WORKER_ADDRESS"
  exit 10
fi
if [ "$ready" = True ] && [ -z "$pods" ]; then
  full=$(kubectl get events --field-selector "involvedObject.name=$WORKER_NAME,reason=CIDRNotAvailable" -o name | sed -n 1p)
  if [ -n "$full" ]; then
    echo "hint: delete nodes that are gone with kubectl delete node; the pod network of a cluster cannot be made larger"
    echo "no part of the pod network is left for $WORKER_NAME"
    exit 30
  fi
fi
if [ "$ready" != True ] || [ -z "$pods" ]; then
  stop_if_stuck "$FLANNEL_NAMESPACE" -l app=flannel --field-selector "spec.nodeName=$WORKER_NAME"
  echo "node $WORKER_NAME is not Ready: $(field '.status.conditions[?(@.type=="Ready")].message')"
  exit 10
fi
echo "node $WORKER_NAME is Ready at $address, pods in $pods, $(field .status.nodeInfo.osImage)"
