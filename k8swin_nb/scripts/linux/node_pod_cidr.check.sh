# Is the worker a node of the cluster? Prints the pod network that the control plane gave it. Runs on the master.
set -euo pipefail
: "${WORKER_NAME:?node name of the worker, for example winworker01}"
export KUBECONFIG=/etc/kubernetes/admin.conf

if [ ! -e "$KUBECONFIG" ]; then
  echo "there is no control plane on $HOSTNAME, and so no node $WORKER_NAME"
  exit 10
fi
if ! found=$(kubectl get node "$WORKER_NAME" --ignore-not-found -o 'jsonpath={.metadata.name} {.spec.podCIDR}'); then
  echo "the control plane does not answer" >&2
  exit 1
fi
read -r name pods <<<"$found" || true
if [ -z "${name:-}" ]; then
  echo "the control plane has no node $WORKER_NAME"
  exit 10
fi
echo "${pods:-}"
