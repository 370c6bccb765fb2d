# What is there to verify? Prints nodes, pods and addresses of the cluster, a line each.
#
#   node NAME ADDRESS OS READY     pod NAME NODE ADDRESS READY     service ADDRESS NODE-PORT
#   external NAME RESOLVED CONNECTED     image IMAGE
#
# The external name is tried from this host itself: where it fails, pods cannot be blamed.
set -euo pipefail
: "${TEST_APP:?name of the deployment, for example win-webserver}"
: "${EXTERNAL_NAME:?a name outside the cluster, for example registry.k8s.io}"
# uses: needs_control_plane
export KUBECONFIG=/etc/kubernetes/admin.conf

needs_control_plane
service=$(kubectl -n default get service "$TEST_APP" --ignore-not-found \
  -o 'jsonpath={.spec.clusterIP} {.spec.ports[0].nodePort}')
if [ -z "$service" ]; then
  echo "hint: run 05_test_app first"
  echo "there is no service $TEST_APP"
  exit 30
fi
kubectl get nodes -o 'jsonpath={range .items[*]}node {.metadata.name} {.status.addresses[?(@.type=="InternalIP")].address} {.status.nodeInfo.operatingSystem} {.status.conditions[?(@.type=="Ready")].status}{"\n"}{end}'
for label in "app=$TEST_APP" k8swin.io/probe=verify; do
  kubectl -n default get pods -l "$label" --field-selector status.phase=Running \
    -o 'jsonpath={range .items[*]}pod {.metadata.name} {.spec.nodeName} {.status.podIP} {.status.conditions[?(@.type=="Ready")].status}{"\n"}{end}'
done
resolved=no connected=no
if getent ahostsv4 "$EXTERNAL_NAME" >/dev/null; then
  resolved=yes
  # Whatever it answers, it was reached.
  if curl -ksS --noproxy '*' -o /dev/null --max-time 10 "https://$EXTERNAL_NAME/"; then connected=yes; fi
fi
echo "external $EXTERNAL_NAME $resolved $connected"
kubectl -n default get deployment "$TEST_APP" -o 'jsonpath=image {.spec.template.spec.containers[0].image}{"\n"}'
echo "service $service"
