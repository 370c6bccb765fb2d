# Is nothing left of the Dashboard that was deployed from here?
set -euo pipefail
export KUBECONFIG=/etc/kubernetes/admin.conf

left=$(kubectl get namespaces,clusterroles,clusterrolebindings -o name \
  -l 'app.kubernetes.io/managed-by=k8swin,k8s-app=kubernetes-dashboard')
if [ -n "$left" ]; then
  echo "still there: ${left//$'\n'/ }"
  exit 10
fi
echo "nothing of the Dashboard is left"
