# Is the worker's node gone from the cluster?
set -euo pipefail
: "${WORKER_NAME:?node name of the worker, for example winworker01}"
export KUBECONFIG=/etc/kubernetes/admin.conf

if [ -n "$(kubectl get node "$WORKER_NAME" --ignore-not-found -o name)" ]; then
  echo "node $WORKER_NAME is in the cluster"
  exit 10
fi
echo "there is no node $WORKER_NAME"
