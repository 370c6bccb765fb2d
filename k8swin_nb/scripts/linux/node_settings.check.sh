# Print a node, with its labels and taints, as JSON. Runs on the master.
set -euo pipefail
: "${WORKER_NAME:?node name, for example winworker01}"
# uses: needs_control_plane
export KUBECONFIG=/etc/kubernetes/admin.conf

needs_control_plane
if ! found=$(kubectl get node "$WORKER_NAME" -o json 2>&1); then
  if grep NotFound <<<"$found" >/dev/null; then
    echo "node $WORKER_NAME is not registered yet"
    exit 10
  fi
  echo "$found" >&2
  exit 1
fi
echo "$found"
