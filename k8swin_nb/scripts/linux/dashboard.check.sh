# Is the Dashboard deployed as planned, and ours? The manifest comes on standard input.
set -euo pipefail
: "${SERVER_SIDE_APPLY:?true where kubectl knows apply --server-side}"
export KUBECONFIG=/etc/kubernetes/admin.conf
# uses: manifest_to_kubectl needs_control_plane would_apply

what="would: namespace kubernetes-dashboard: not there -> the Dashboard, its account and its certificate"
[ -e "$KUBECONFIG" ] || echo "$what"
needs_control_plane
owner=$(kubectl get namespace kubernetes-dashboard --ignore-not-found \
  -o 'jsonpath={.metadata.name} {.metadata.labels.app\.kubernetes\.io/managed-by}')
if [ -z "$owner" ]; then
  echo "$what"
  echo "there is no namespace kubernetes-dashboard"
  exit 10
fi
if [ "$owner" != "kubernetes-dashboard k8swin" ]; then
  echo "the namespace kubernetes-dashboard was made by somebody else"
  exit 20
fi
code=0
difference=$(manifest_to_kubectl diff "$SERVER_SIDE_APPLY" 2>&1) || code=$?
if [ "$code" -gt 1 ]; then
  echo "kubectl diff ended with $code" >&2
  # What differs may be the key in a Secret, which is not shown.
  grep -i '^error' <<<"$difference" >&2 || true
  exit 1
fi
if [ "$code" = 1 ]; then
  would_apply "the Dashboard, as the API server has it" <<<"$difference"
  echo "$(grep -c '^[-+][^-+]' <<<"$difference" || true) lines of the Dashboard differ from the plan"
  exit 10
fi
echo "the Dashboard is deployed as planned"
