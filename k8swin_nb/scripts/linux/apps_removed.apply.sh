# Delete what these notebooks deployed for pods to run, by its label, and wait until it is gone.
set -euo pipefail
export KUBECONFIG=/etc/kubernetes/admin.conf

ours=app.kubernetes.io/managed-by=k8swin
kubectl delete deployments,services,configmaps -A -l $ours --ignore-not-found --timeout=120s
kubectl delete clusterrolebindings,clusterroles -l $ours --ignore-not-found
kubectl delete namespaces -l $ours --ignore-not-found --timeout=120s
echo "the test app and what belongs to it are deleted"
