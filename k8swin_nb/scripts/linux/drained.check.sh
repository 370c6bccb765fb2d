# Is the worker free of pods that belong elsewhere? Those of DaemonSets stay until the node is gone.
set -euo pipefail
: "${WORKER_NAME:?node name of the worker, for example winworker01}"
export KUBECONFIG=/etc/kubernetes/admin.conf

if [ -z "$(kubectl get node "$WORKER_NAME" --ignore-not-found -o name)" ]; then
  echo "there is no node $WORKER_NAME"
  exit 0
fi
closed=$(kubectl get node "$WORKER_NAME" -o 'jsonpath={.spec.unschedulable}')
pods=$(kubectl get pods -A --field-selector "spec.nodeName=$WORKER_NAME" \
  -o 'jsonpath={range .items[*]}{.metadata.namespace}/{.metadata.name} {.status.phase} {.metadata.ownerReferences[0].kind}{"\n"}{end}' |
  awk 'NF && $2 != "Succeeded" && $2 != "Failed" && $3 != "DaemonSet" && $3 != "Node" { print $1 }')
if [ "$closed" != true ] || [ -n "$pods" ]; then
  echo "node $WORKER_NAME takes new pods: $([ "$closed" = true ] && echo no || echo yes), it runs: ${pods//$'\n'/ }"
  exit 10
fi
echo "node $WORKER_NAME is drained"
