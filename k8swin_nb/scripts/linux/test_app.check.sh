# Is the test app deployed as planned? The manifest comes on standard input.
set -euo pipefail
: "${APPLY_OPTIONS:=}"
export KUBECONFIG=/etc/kubernetes/admin.conf

read -r -a options <<<"$APPLY_OPTIONS"
code=0
difference=$(kubectl diff "${options[@]}" -f - 2>&1) || code=$?
if [ "$code" -gt 1 ]; then
  echo "kubectl diff ended with $code: $difference" >&2
  exit 1
fi
if [ "$code" = 1 ]; then
  echo "$(grep -c '^[-+][^-+]' <<<"$difference" || true) lines of the test app differ from the plan"
  exit 10
fi
echo "the test app is deployed as planned"
