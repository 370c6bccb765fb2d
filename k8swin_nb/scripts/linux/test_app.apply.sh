# Deploy the test app, whose manifest comes on standard input.
set -euo pipefail
export KUBECONFIG=/etc/kubernetes/admin.conf

kubectl apply --server-side --force-conflicts -f -
