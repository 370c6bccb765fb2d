# Does this host hold a control plane that answers? Later notebooks need it.
set -euo pipefail
: "${KUBERNETES_VERSION:?for example 1.36.4}"
: "${READY_PATH:?readiness path of the API server, for example /readyz}"
: "${API_ENDPOINT:?host and port of the API server, for example 192.168.160.2:6443}"
: "${API_PORT:=6443}"
# uses: api_trouble foreign_control_plane

if [ ! -e /etc/kubernetes/admin.conf ]; then
  echo "hint: run 02_master first"
  echo "there is no control plane on this host yet"
  exit 30
fi
foreign=$(foreign_control_plane "$API_ENDPOINT" "$API_PORT")
if [ -n "$foreign" ]; then
  echo "$foreign"
  exit 20
fi
if ! ready=$(kubectl --kubeconfig /etc/kubernetes/admin.conf get --raw "$READY_PATH" 2>&1); then
  api_trouble "$ready"
  # The kubelet of a host that was just started is still bringing it up.
  echo "hint: look at the containers of this host with crictl ps -a, and at journalctl -u kubelet -n 50"
  echo "the API server does not answer: $ready"
  exit 10
fi
version=$(kubectl --kubeconfig /etc/kubernetes/admin.conf get --raw /version | sed -n 's/.*"gitVersion": *"\([^"]*\)".*/\1/p')
if [ "$version" != "v$KUBERNETES_VERSION" ]; then
  echo "the cluster runs ${version:-an unknown version}, the parameters say v$KUBERNETES_VERSION; nodes of one cluster have one version"
  exit 20
fi
echo "the API server answers: $ready, $version"
