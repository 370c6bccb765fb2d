# Give a node labels and taints, and take taints from it. Runs on the master; what others gave the node stays.
set -euo pipefail
: "${WORKER_NAME:?node name, for example winworker01}"
: "${NODE_LABELS:=}"
: "${NODE_TAINTS:=}"
export KUBECONFIG=/etc/kubernetes/admin.conf

for _ in 1 2 3 4 5 6 7 8 9 10; do
  # A kubelet registers its node some seconds after its start.
  if kubectl get node "$WORKER_NAME" >/dev/null 2>&1; then break; fi
  sleep 3
done
read -r -a labels <<<"$NODE_LABELS"
read -r -a taints <<<"$NODE_TAINTS"
[ ${#labels[@]} -eq 0 ] || kubectl label node "$WORKER_NAME" --overwrite "${labels[@]}"
[ ${#taints[@]} -eq 0 ] || kubectl taint node "$WORKER_NAME" --overwrite "${taints[@]}"
echo "node $WORKER_NAME has its labels and taints"
