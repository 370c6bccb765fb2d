# Make the pods on standard input, and wait until they answer.
set -euo pipefail
export KUBECONFIG=/etc/kubernetes/admin.conf

kubectl apply -f -
# The first pull of a server image is several GiB.
kubectl -n default wait pods -l k8swin.io/probe=verify --for=condition=Ready --timeout=30m
