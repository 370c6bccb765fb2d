# Has this deployment been scaled from two pods to three and back, with ready endpoints as the proof?
set -euo pipefail
: "${TEST_APP:?name of the deployment, for example win-webserver}"
export KUBECONFIG=/etc/kubernetes/admin.conf

uid=$(kubectl -n default get deployment "$TEST_APP" -o 'jsonpath={.metadata.uid}')
proven=$(kubectl -n default get deployment "$TEST_APP" -o 'jsonpath={.metadata.annotations.k8swin\.io/scaled}')
if [ "$proven" != "$uid" ]; then
  echo "not scaled yet"
  exit 10
fi
echo "was scaled from 2 to 3 and back to 2"
