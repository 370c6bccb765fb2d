# Deploy the test app, whose manifest comes on standard input.
set -euo pipefail
: "${APPLY_OPTIONS:=}"
export KUBECONFIG=/etc/kubernetes/admin.conf

read -r -a options <<<"$APPLY_OPTIONS"
kubectl apply "${options[@]}" -f -
