# Deploy the Dashboard, whose manifest comes on standard input.
set -euo pipefail
: "${SERVER_SIDE_APPLY:?true where kubectl knows apply --server-side}"
export KUBECONFIG=/etc/kubernetes/admin.conf

options=()
[ "$SERVER_SIDE_APPLY" = false ] || options=(--server-side --force-conflicts)
kubectl apply "${options[@]}" -f -
