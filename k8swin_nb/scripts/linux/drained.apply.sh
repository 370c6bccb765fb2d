# Drain a worker: no new pods, and those that it runs are evicted, as far as disruption budgets let them go.
#
# All workers that are to be removed stop taking pods first, so that nothing moves twice. Pods without a
# controller are only deleted when the whole cluster goes.
set -euo pipefail
: "${WORKER_NAME:?node name of the worker, for example winworker01}"
: "${CLOSED_NODES:?all nodes that are to be removed, separated by spaces}"
: "${EMPTYDIR_FLAG:?--delete-emptydir-data, or its older name}"
: "${WHOLE_CLUSTER:?true or false}"
: "${DRAIN_SECONDS:?for example 300}"
export KUBECONFIG=/etc/kubernetes/admin.conf

read -r -a nodes <<<"$CLOSED_NODES"
for node in "${nodes[@]}"; do
  [ -z "$(kubectl get node "$node" --ignore-not-found -o name)" ] || kubectl cordon "$node"
done
options=(--ignore-daemonsets "$EMPTYDIR_FLAG" "--timeout=${DRAIN_SECONDS}s")
[ "$WHOLE_CLUSTER" = false ] || options+=(--force)
if ! kubectl drain "$WORKER_NAME" "${options[@]}"; then
  budgets=$(kubectl get poddisruptionbudgets -A -o 'jsonpath={range .items[?(@.status.disruptionsAllowed==0)]}{.metadata.namespace}/{.metadata.name} {end}' 2>/dev/null || true)
  echo "node $WORKER_NAME was not drained in $DRAIN_SECONDS s; disruption budgets that allow nothing: ${budgets:-none}" >&2
  exit 1
fi
echo "node $WORKER_NAME is drained"
