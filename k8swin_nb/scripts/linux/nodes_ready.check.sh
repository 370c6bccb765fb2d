# Is there a Ready node that the test app's pods can run on? Prints its Windows builds, one a line.
set -euo pipefail
: "${TEST_OS:?windows or linux}"
export KUBECONFIG=/etc/kubernetes/admin.conf

nodes=$(kubectl get nodes -l "kubernetes.io/os=$TEST_OS" \
  -o 'jsonpath={range .items[*]}{.metadata.name} {.status.conditions[?(@.type=="Ready")].status} {.metadata.labels.node\.kubernetes\.io/windows-build}{"\n"}{end}')
ready=$(awk '$2 == "True"' <<<"$nodes")
if [ -z "$ready" ]; then
  echo "no $TEST_OS node is Ready: join one with 04 first"
  exit 20
fi
awk '{ print "node", $1, "is Ready", ($3 == "" ? "" : "build " $3) }' <<<"$ready"
builds=$(awk '$3 != "" { print $3 }' <<<"$ready" | sort -u | tr '\n' ' ')
echo "builds: ${builds% }"
