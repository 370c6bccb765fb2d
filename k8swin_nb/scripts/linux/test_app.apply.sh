# Deploy the test app, whose manifest comes on standard input.
set -euo pipefail
: "${SERVER_SIDE_APPLY:?true where kubectl knows apply --server-side}"
export KUBECONFIG=/etc/kubernetes/admin.conf
# uses: manifest_to_kubectl

manifest_to_kubectl apply "$SERVER_SIDE_APPLY"
