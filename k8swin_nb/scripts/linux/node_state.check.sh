# What does the API server say of a worker? Prints `absent`, `Ready` or `NotReady since TIME`.
set -euo pipefail
: "${WORKER_NAME:?node name of the worker, for example winworker01}"
export KUBECONFIG=/etc/kubernetes/admin.conf

node=$(kubectl get node "$WORKER_NAME" --ignore-not-found -o name)
if [ -z "$node" ]; then
  echo absent
  exit 0
fi
condition() { kubectl get node "$WORKER_NAME" -o "jsonpath={.status.conditions[?(@.type==\"Ready\")].$1}"; }
if [ "$(condition status)" = True ]; then
  echo Ready
else
  echo "NotReady since $(condition lastTransitionTime)"
fi
