# Is there a Ready node that the test app's pods can run on? Prints each, with its Windows build.
set -euo pipefail
: "${TEST_OS:?windows or linux}"
: "${OS_LABEL:?kubernetes.io/os, or beta.kubernetes.io/os before Kubernetes 1.14}"
# uses: needs_control_plane
export KUBECONFIG=/etc/kubernetes/admin.conf

needs_control_plane
# The kernel's version is 10.0.BUILD.UPDATE on Windows; the label that names the build is younger than 1.13.
nodes=$(kubectl get nodes -l "$OS_LABEL=$TEST_OS" \
  -o 'jsonpath={range .items[*]}{.metadata.name} {.status.conditions[?(@.type=="Ready")].status} {.status.nodeInfo.kernelVersion}{"\n"}{end}')
ready=$(awk '$2 == "True"' <<<"$nodes")
if [ -z "$ready" ]; then
  echo "hint: run 04_join_$TEST_OS first"
  echo "no $TEST_OS node is Ready"
  exit 30
fi
builds=""
while read -r name _ kernel; do
  build=""
  if [ "$TEST_OS" = windows ]; then
    IFS=. read -r _ _ build _ <<<"$kernel"
    builds+=" $build"
  fi
  echo "node $name is Ready${build:+, build $build}"
done <<<"$ready"
echo "builds:$builds"
