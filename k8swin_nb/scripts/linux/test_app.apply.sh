# Deploy the test app, whose manifest comes on standard input.
set -euo pipefail
: "${SERVER_SIDE_APPLY:?true where kubectl knows apply --server-side}"
export KUBECONFIG=/etc/kubernetes/admin.conf

server_side=()
[ "$SERVER_SIDE_APPLY" = false ] || server_side=(--server-side --force-conflicts)
kubectl apply "${server_side[@]}" -f -
