# Apply flannel's manifest, which comes on standard input.
set -euo pipefail
: "${SERVER_SIDE_APPLY:?true where kubectl knows apply --server-side}"
export KUBECONFIG=/etc/kubernetes/admin.conf

set --
[ "$SERVER_SIDE_APPLY" = false ] || set -- --server-side --force-conflicts
kubectl apply "$@" -f -
