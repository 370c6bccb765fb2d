set -euo pipefail
echo lower | upper
answer one "two three"
ANSWER_CODE=3 answer fails || echo "code $?"
out=$(echo mixed Case | upper | tr -d ' '); echo "$out"
answer a | while read -r line; do echo "read: $line"; done
for i in 1 2; do answer loop $i; done > collected; cat collected
command -v answer >/dev/null && echo present
xargs -n1 answer <<< "p q"
env K=v answer envtest; answer ignores input < <(printf 'z\n')
{ answer err >&2; } 2>&1 | upper
