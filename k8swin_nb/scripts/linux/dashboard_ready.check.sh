# Does the Dashboard answer at its address in the cluster? The last word printed is that address.
set -euo pipefail
# uses: needs_control_plane stop_if_stuck
export KUBECONFIG=/etc/kubernetes/admin.conf

needs_control_plane
available=$(kubectl -n kubernetes-dashboard get deployment kubernetes-dashboard \
  --ignore-not-found -o 'jsonpath={.status.availableReplicas}')
if [ "${available:-0}" = 0 ]; then
  stop_if_stuck kubernetes-dashboard -l k8s-app=kubernetes-dashboard
  waiting=$(kubectl -n kubernetes-dashboard get pods -l k8s-app=kubernetes-dashboard --no-headers 2>/dev/null | awk '{ printf "%s is %s; ", $1, $3 }')
  echo "the Dashboard is not available: ${waiting:-its pod is being created}"
  exit 10
fi
address=$(kubectl -n kubernetes-dashboard get service kubernetes-dashboard -o 'jsonpath={.spec.clusterIP}')
# Its certificate is made by itself.
if ! curl -fksS --noproxy '*' -o /dev/null --max-time 10 "https://$address/"; then
  echo "no answer from https://$address/"
  exit 10
fi
echo "the Dashboard answers at $address"
