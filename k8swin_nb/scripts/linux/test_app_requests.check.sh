# Send twenty web requests to the test app's node port, to one node after the other, each on a new connection.
#
# A line per request says which pod on which node answered; the last one sums up.
set -euo pipefail
: "${TEST_APP:?name of the deployment, for example win-webserver}"
: "${TEST_NODE_PORT:?for example 30080}"
: "${NODE_ADDRESSES:?addresses of all nodes, separated by spaces}"
export KUBECONFIG=/etc/kubernetes/admin.conf

declare -A node_of seen
while read -r pod node; do node_of[$pod]=$node; done < <(
  kubectl -n default get pods -l "app=$TEST_APP" -o 'jsonpath={range .items[*]}{.metadata.name} {.spec.nodeName}{"\n"}{end}'
)
read -r -a addresses <<<"$NODE_ADDRESSES"
answered=0
for number in $(seq 1 20); do
  address=${addresses[$(((number - 1) % ${#addresses[@]}))]}
  if pod=$(curl -fsS --noproxy '*' --no-keepalive --max-time 10 "http://$address:$TEST_NODE_PORT/hostname"); then
    answered=$((answered + 1))
    seen[$pod]=$((${seen[$pod]:-0} + 1))
    echo "request $number through $address: $pod on ${node_of[$pod]:-an unknown node}"
  else
    echo "request $number through $address: no answer"
  fi
done
nodes=$(for pod in "${!seen[@]}"; do echo "${node_of[$pod]:-unknown}"; done | sort -u | wc -l)
echo "$answered of 20 requests answered by ${#seen[@]} pods on $nodes nodes"
if [ "$answered" != 20 ] || [ "${#seen[@]}" != "${#node_of[@]}" ]; then exit 10; fi
