set -uo pipefail
attempt=0
probe() { attempt=$((attempt+1)); [ "$attempt" -ge 3 ]; }
wait_for() {
  local tries=$1; shift
  local i
  for ((i = 1; i <= tries; i++)); do
    if "$@"; then echo "ready after $i"; return 0; fi
    sleep 0.01
  done
  echo "gave up after $tries" >&2
  return 1
}
wait_for 5 probe
attempt=-10
wait_for 2 probe || echo "code $?"
ANSWER_CODE=4 answer is-active kubelet || echo "inactive: $?"
state=$(answer status) && echo "state: $state"
if out=$(ANSWER_CODE=1 answer broken 2>&1); then echo yes; else echo "no: $? $out"; fi
