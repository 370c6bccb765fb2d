# Has this deployment been scaled from two pods to three and back, with ready endpoints as the proof?
set -euo pipefail
: "${TEST_APP:?name of the deployment, for example win-webserver}"
# uses: needs_control_plane
export KUBECONFIG=/etc/kubernetes/admin.conf

[ -e "$KUBECONFIG" ] || echo "would: pods of $TEST_APP: 2 -> 3 -> 2"
needs_control_plane
uid=$(kubectl -n default get deployment "$TEST_APP" --ignore-not-found -o 'jsonpath={.metadata.uid}')
proven=$(kubectl -n default get deployment "$TEST_APP" --ignore-not-found -o 'jsonpath={.metadata.annotations.k8swin\.io/scaled}')
if [ -z "$uid" ] || [ "$proven" != "$uid" ]; then
  echo "would: pods of $TEST_APP: 2 -> 3 -> 2"
  echo "not scaled yet"
  exit 10
fi
echo "was scaled from 2 to 3 and back to 2"
