# Is there a Ready node that the test app's pods can run on? Prints the nodes, and their Windows builds.
#
# Versions without the build's label have it in the kernel version.
set -euo pipefail
: "${TEST_OS:?windows or linux}"
: "${OS_LABEL:?the node label that names the operating system, for example kubernetes.io/os}"
export KUBECONFIG=/etc/kubernetes/admin.conf

nodes=$(kubectl get nodes -l "$OS_LABEL=$TEST_OS" \
  -o 'jsonpath={range .items[*]}{.metadata.name} {.status.conditions[?(@.type=="Ready")].status} {.status.nodeInfo.kernelVersion} {.metadata.labels.node\.kubernetes\.io/windows-build}{"\n"}{end}')
if [ "$TEST_OS" = windows ]; then
  nodes=$(awk '{ build = $NF; sub(/^([0-9]+\.){2}[0-9]+/, "&;", build); sub(/;.*/, "", build); print $1, $2, build }' <<<"$nodes")
else
  nodes=$(awk '{ print $1, $2 }' <<<"$nodes")
fi
ready=$(awk '$2 == "True"' <<<"$nodes")
if [ -z "$ready" ]; then
  echo "no $TEST_OS node is Ready: join one with 04 first"
  exit 20
fi
awk '{ print "node", $1, "is Ready", ($3 == "" ? "" : "build " $3) }' <<<"$ready"
builds=$(awk '$3 != "" { print $3 }' <<<"$ready" | sort -u | tr '\n' ' ')
echo "builds: ${builds% }"
