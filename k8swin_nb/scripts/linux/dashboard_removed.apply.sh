# Remove the Dashboard that was deployed from here; one that somebody else deployed stays.
set -euo pipefail
export KUBECONFIG=/etc/kubernetes/admin.conf

kubectl delete namespaces,clusterrolebindings,clusterroles --wait=true --timeout=2m \
  -l 'app.kubernetes.io/managed-by=k8swin,k8s-app=kubernetes-dashboard'
