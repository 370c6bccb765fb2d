# Remove the pods that were made to connect from.
set -euo pipefail
export KUBECONFIG=/etc/kubernetes/admin.conf

kubectl -n default delete pods -l k8swin.io/probe=verify --wait=true
