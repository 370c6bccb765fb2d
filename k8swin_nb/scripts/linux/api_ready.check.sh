# Does this host hold a control plane that answers? Later notebooks need it.
set -euo pipefail
: "${KUBERNETES_VERSION:?for example 1.36.4}"
: "${READY_PATH:?readiness path of the API server, for example /readyz}"

if [ ! -e /etc/kubernetes/admin.conf ]; then
  echo "there is no control plane on this host yet: run 02_master first"
  exit 20
fi
if ! ready=$(kubectl --kubeconfig /etc/kubernetes/admin.conf get --raw "$READY_PATH" 2>&1); then
  echo "the API server does not answer: $ready: run 02_master again"
  exit 20
fi
version=$(kubectl --kubeconfig /etc/kubernetes/admin.conf get --raw /version | tr '{,' '\n' | awk -F '"' '$2 == "gitVersion" { print $4 }')
if [ "$version" != "v$KUBERNETES_VERSION" ]; then
  echo "the cluster runs ${version:-an unknown version}, the parameters say v$KUBERNETES_VERSION; nodes of one cluster have one version"
  exit 20
fi
echo "the API server answers: $ready, $version"
