# Is the test app deployed as planned? The manifest comes on standard input.
set -euo pipefail
: "${SERVER_SIDE_APPLY:?true where kubectl knows apply --server-side}"
export KUBECONFIG=/etc/kubernetes/admin.conf
# uses: manifest_to_kubectl needs_control_plane would_apply would_write

manifest=$(cat)
[ -e "$KUBECONFIG" ] || would_write "the test app, as the API server is given it" <<<"$manifest"
needs_control_plane
code=0
difference=$(manifest_to_kubectl diff "$SERVER_SIDE_APPLY" 2>&1 <<<"$manifest") || code=$?
if [ "$code" -gt 1 ]; then
  echo "kubectl diff ended with $code: $difference" >&2
  exit 1
fi
if [ "$code" = 1 ]; then
  would_apply "the test app, as the API server has it" <<<"$difference"
  echo "$(grep -c '^[-+][^-+]' <<<"$difference" || true) lines of the test app differ from the plan"
  exit 10
fi
echo "the test app is deployed as planned"
