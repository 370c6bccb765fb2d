# Is the worker free of pods that belong elsewhere? Those of DaemonSets stay until the node is gone.
#
# A dry run looks before anything was made: what an earlier step deletes, and that the first worker's drain closes all
# nodes, counts as done.
set -euo pipefail
: "${WORKER_NAME:?node name of the worker, for example winworker01}"
: "${CLOSED_BEFORE:?true or false}"
: "${APPS_GONE_BEFORE:?true or false}"
export KUBECONFIG=/etc/kubernetes/admin.conf

if [ -z "$(kubectl get node "$WORKER_NAME" --ignore-not-found -o name)" ]; then
  echo "there is no node $WORKER_NAME"
  exit 0
fi
closed=$(kubectl get node "$WORKER_NAME" -o 'jsonpath={.spec.unschedulable}')
ours=''
if [ "$APPS_GONE_BEFORE" = true ]; then
  label=app.kubernetes.io/managed-by=k8swin
  ours=$(kubectl get deployments -A -l $label -o 'jsonpath={range .items[*]}{.metadata.namespace}/{.metadata.name}{"\n"}{end}')
  ours+=$'\n'$(kubectl get namespaces -l $label -o 'jsonpath={range .items[*]}{.metadata.name}/{"\n"}{end}')
fi
# A Deployment's pods belong to a ReplicaSet that has its name, with a word behind it.
pods=$(kubectl get pods -A --field-selector "spec.nodeName=$WORKER_NAME" \
  -o 'jsonpath={range .items[*]}{.metadata.namespace}/{.metadata.name} {.status.phase} {.metadata.ownerReferences[0].kind} {.metadata.ownerReferences[0].name}{"\n"}{end}' |
  OURS=$ours awk '
    BEGIN { count = split(ENVIRON["OURS"], lines, "\n"); for (i = 1; i <= count; i++) goes[lines[i]] = 1 }
    !NF || $2 == "Succeeded" || $2 == "Failed" || $3 == "DaemonSet" || $3 == "Node" { next }
    {
      namespace = $1; sub(/\/.*/, "/", namespace)
      owner = $4; sub(/-[^-]*$/, "", owner)
      if (namespace in goes || ($3 == "ReplicaSet" && (namespace owner) in goes)) next
      print $1
    }')
if [ -z "$pods" ] && [ "$closed" != true ] && [ "$CLOSED_BEFORE" = true ]; then
  echo "node $WORKER_NAME runs nothing that has to go, and is closed with the first worker"
  exit 0
fi
if [ "$closed" != true ] || [ -n "$pods" ]; then
  echo "node $WORKER_NAME takes new pods: $([ "$closed" = true ] && echo no || echo yes), it runs: ${pods//$'\n'/ }"
  exit 10
fi
echo "node $WORKER_NAME is drained"
