# Is the test app deployed as planned? The manifest comes on standard input.
set -euo pipefail
: "${SERVER_SIDE_APPLY:?true where kubectl knows apply --server-side}"
export KUBECONFIG=/etc/kubernetes/admin.conf
# uses: manifest_to_kubectl

code=0
difference=$(manifest_to_kubectl diff "$SERVER_SIDE_APPLY" 2>&1) || code=$?
if [ "$code" -gt 1 ]; then
  echo "kubectl diff ended with $code: $difference" >&2
  exit 1
fi
if [ "$code" = 1 ]; then
  echo "$(grep -c '^[-+][^-+]' <<<"$difference" || true) lines of the test app differ from the plan"
  exit 10
fi
echo "the test app is deployed as planned"
