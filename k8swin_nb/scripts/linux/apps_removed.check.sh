# Is anything left in the cluster that these notebooks deployed for pods to run: the test app, the dashboard?
set -euo pipefail
export KUBECONFIG=/etc/kubernetes/admin.conf

ours=app.kubernetes.io/managed-by=k8swin
namespaces=$(kubectl get namespaces -l $ours -o name)
objects=$(kubectl get deployments,services,configmaps -A -l $ours -o 'jsonpath={range .items[*]}{.kind}/{.metadata.name}{"\n"}{end}')
roles=$(kubectl get clusterroles,clusterrolebindings -l $ours -o name)
left=$(printf '%s\n' "$namespaces" "$objects" "$roles" | grep . || true)
if [ -n "$left" ]; then
  echo "deployed by these notebooks: ${left//$'\n'/ }"
  exit 10
fi
echo "nothing of these notebooks' own runs in the cluster"
