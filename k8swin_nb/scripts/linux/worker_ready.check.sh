# Is the worker Ready, with the planned address and a pod network? Runs on the master.
set -euo pipefail
: "${WORKER_NAME:?node name of the worker, for example winworker01}"
: "${WORKER_ADDRESS:?address of the worker, for example 192.168.160.152}"
export KUBECONFIG=/etc/kubernetes/admin.conf

if ! kubectl get node "$WORKER_NAME" >/dev/null 2>&1; then
  echo "node $WORKER_NAME is not registered yet"
  exit 10
fi
field() { kubectl get node "$WORKER_NAME" -o "jsonpath={$1}"; }
address=$(field '.status.addresses[?(@.type=="InternalIP")].address')
pods=$(field .spec.podCIDR)
ready=$(field '.status.conditions[?(@.type=="Ready")].status')
if [ "$address" != "$WORKER_ADDRESS" ]; then
  echo "node $WORKER_NAME registered the address ${address:-none}, planned $WORKER_ADDRESS"
  exit 10
fi
if [ "$ready" != True ] || [ -z "$pods" ]; then
  echo "node $WORKER_NAME is not Ready: $(field '.status.conditions[?(@.type=="Ready")].message')"
  exit 10
fi
echo "node $WORKER_NAME is Ready at $address, pods in $pods, $(field .status.nodeInfo.osImage)"
