# Delete what these notebooks deployed for pods to run, by its label, and wait until it is gone.
set -euo pipefail
export KUBECONFIG=/etc/kubernetes/admin.conf

ours=app.kubernetes.io/managed-by=k8swin
timeout 180 kubectl delete deployments,services,configmaps -A -l $ours --ignore-not-found
timeout 60 kubectl delete clusterrolebindings,clusterroles -l $ours --ignore-not-found
timeout 180 kubectl delete namespaces -l $ours --ignore-not-found
echo "the test app and what belongs to it are deleted"
