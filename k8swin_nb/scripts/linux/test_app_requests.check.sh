# Send twenty web requests to the test app, to one address after the other, each on a new connection.
#
# A line per request says which pod on which node answered; the last one sums up. Everybody who is listed as
# ready behind the Service must have answered, and nobody else. TARGETS are ADDRESS:PORT of the Service, one or several,
# separated by spaces.
set -euo pipefail
: "${TEST_APP:?name of the deployment, for example win-webserver}"
: "${TARGETS:=}"
: "${ENDPOINTS:?endpointslices, or endpoints before Kubernetes 1.21}"
# uses: needs_control_plane
export KUBECONFIG=/etc/kubernetes/admin.conf

needs_control_plane
if [ -z "$TARGETS" ]; then
  echo "there is no address yet to send a request to"
  exit 10
fi
if [ "$ENDPOINTS" = endpoints ]; then
  ready=$(kubectl -n default get endpoints "$TEST_APP" --ignore-not-found \
    -o 'jsonpath={range .subsets[*].addresses[*]}{.targetRef.name} {.nodeName}{"\n"}{end}')
else
  ready=$(kubectl -n default get endpointslices -l "kubernetes.io/service-name=$TEST_APP" \
    -o 'jsonpath={range .items[*].endpoints[?(@.conditions.ready==true)]}{.targetRef.name} {.nodeName}{"\n"}{end}')
fi
declare -A node_of seen
while read -r pod node; do
  if [ -n "$pod" ]; then node_of[$pod]=$node; fi
done <<<"$ready"
read -r -a targets <<<"$TARGETS"
answered=0
strangers=0
for number in $(seq 1 20); do
  target=${targets[$(((number - 1) % ${#targets[@]}))]}
  if pod=$(curl -fsS --noproxy '*' --no-keepalive --max-time 10 "http://$target/hostname"); then
    answered=$((answered + 1))
    seen[$pod]=$((${seen[$pod]:-0} + 1))
    if [ -z "${node_of[$pod]:-}" ]; then strangers=$((strangers + 1)); fi
    echo "request $number through $target: $pod on ${node_of[$pod]:-an unknown node}"
  else
    echo "request $number through $target: no answer"
  fi
done
nodes=$(for pod in "${!seen[@]}"; do echo "${node_of[$pod]:-unknown}"; done | sort -u | wc -l)
where=$(for pod in "${!seen[@]}"; do echo "${seen[$pod]} by $pod on ${node_of[$pod]:-an unknown node}"; done | sort | tr '\n' ';')
echo "$answered of 20 requests answered by ${#seen[@]} of ${#node_of[@]} endpoints on $nodes nodes: ${where%;}"
if [ "$answered" != 20 ] || [ "${#seen[@]}" != "${#node_of[@]}" ] || [ "$strangers" != 0 ]; then exit 10; fi
