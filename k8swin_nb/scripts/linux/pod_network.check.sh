# Is flannel deployed with the planned backend? Workers need its configuration.
set -euo pipefail
: "${NET_CONF:?the planned net-conf.json in one line}"
: "${FLANNEL_NAMESPACE:?namespace of flannel, for example kube-flannel}"
# uses: needs_control_plane
export KUBECONFIG=/etc/kubernetes/admin.conf

needs_control_plane
found=$(kubectl -n "$FLANNEL_NAMESPACE" get configmap kube-flannel-cfg --ignore-not-found -o 'jsonpath={.data.net-conf\.json}' | tr -d '[:space:]')
if [ -z "$found" ]; then
  echo "hint: run 03_flannel first"
  echo "flannel is not deployed yet"
  exit 30
fi
if [ "$found" != "$(tr -d '[:space:]' <<<"$NET_CONF")" ]; then
  echo "flannel runs with $found, the plan has $NET_CONF"
  exit 20
fi
echo "flannel is deployed with $found"
