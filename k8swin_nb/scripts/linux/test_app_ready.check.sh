# Are all pods of the test app available? Says what each of the others waits for.
set -euo pipefail
: "${TEST_APP:?name of the deployment, for example win-webserver}"
: "${TEST_REPLICAS:=2}"
# uses: needs_control_plane stop_if_stuck
export KUBECONFIG=/etc/kubernetes/admin.conf

needs_control_plane
available=$(kubectl -n default get deployment "$TEST_APP" --ignore-not-found -o 'jsonpath={.status.availableReplicas}')
updated=$(kubectl -n default get deployment "$TEST_APP" --ignore-not-found -o 'jsonpath={.status.updatedReplicas}')
if [ "${available:-0}" != "$TEST_REPLICAS" ] || [ "${updated:-0}" != "$TEST_REPLICAS" ]; then
  stop_if_stuck default -l "app=$TEST_APP"
  left_out=$(kubectl -n default get pods -l "app=$TEST_APP" \
    -o 'jsonpath={range .items[*]}{.status.conditions[?(@.reason=="Unschedulable")].lastTransitionTime} {.status.conditions[?(@.reason=="Unschedulable")].message}{"\n"}{end}' | awk 'NF' | sed -n 1p)
  # A node that has just become Ready is found within seconds.
  if [ -n "$left_out" ] && [ $(($(date +%s) - $(date -d "${left_out%% *}" +%s))) -gt 60 ]; then
    echo "hint: free or add what the message names on a node, then run this notebook again"
    echo "no node takes a pod of $TEST_APP: ${left_out#* }"
    exit 30
  fi
  waiting=$(kubectl -n default get pods -l "app=$TEST_APP" --no-headers | awk '$2 != "1/1" { printf "%s is %s; ", $1, $3 }')
  # The first address of a Windows node's pods belongs to its bridge; the kubelet's next try takes another one.
  taken=$(kubectl -n default get events -o 'jsonpath={range .items[*]}{.message}{"\n"}{end}' | grep -c '0x1392' || true)
  if [ "$taken" -gt 0 ]; then waiting+="an address was taken (0x1392), which the next try gets over; "; fi
  echo "${available:-0} of $TEST_REPLICAS pods are available; ${waiting:-pods are being created}"
  exit 10
fi
where=$(kubectl -n default get pods -l "app=$TEST_APP" -o 'jsonpath={range .items[*]}{.metadata.name} on {.spec.nodeName}{"; "}{end}')
echo "$available pods are available: ${where%; }"
