# Apply flannel's manifest, which comes on standard input.
set -euo pipefail
export KUBECONFIG=/etc/kubernetes/admin.conf

kubectl apply --server-side --force-conflicts -f -
