# Delete the worker's node; the cluster then forgets its pods and its pod network.
set -euo pipefail
: "${WORKER_NAME:?node name of the worker, for example winworker01}"
export KUBECONFIG=/etc/kubernetes/admin.conf

timeout 90 kubectl delete node "$WORKER_NAME"
