# Scale the test app from two pods to three and back to two, and count the ready endpoints each time.
set -euo pipefail
: "${TEST_APP:?name of the deployment, for example win-webserver}"
: "${ENDPOINTS:?endpointslices, or endpoints for old versions}"
# uses: stuck_pods
export KUBECONFIG=/etc/kubernetes/admin.conf

ready_endpoints() {
  if [ "$ENDPOINTS" = endpointslices ]; then
    kubectl -n default get endpointslices -l "kubernetes.io/service-name=$TEST_APP" \
      -o 'jsonpath={range .items[*].endpoints[?(@.conditions.ready==true)]}{.addresses[0]}{"\n"}{end}' | grep -c . || true
  else
    kubectl -n default get endpoints "$TEST_APP" \
      -o 'jsonpath={range .subsets[*].addresses[*]}{.ip}{"\n"}{end}' | grep -c . || true
  fi
}
for replicas in 3 2; do
  kubectl -n default scale deployment "$TEST_APP" --replicas="$replicas"
  for _ in $(seq 1 80); do
    if kubectl -n default rollout status deployment "$TEST_APP" --timeout=15s; then break; fi
    stuck=$(stuck_pods default -l "app=$TEST_APP")
    if [ -n "$stuck" ]; then
      echo "no wait helps: $stuck" >&2
      exit 1
    fi
  done
  for _ in $(seq 1 90); do
    found=$(ready_endpoints)
    [ "$found" != "$replicas" ] || break
    sleep 2
  done
  if [ "$found" != "$replicas" ]; then
    echo "$found endpoints are ready, wanted $replicas" >&2
    exit 1
  fi
  echo "$found endpoints are ready"
done
uid=$(kubectl -n default get deployment "$TEST_APP" -o 'jsonpath={.metadata.uid}')
kubectl -n default annotate deployment "$TEST_APP" --overwrite "k8swin.io/scaled=$uid"
