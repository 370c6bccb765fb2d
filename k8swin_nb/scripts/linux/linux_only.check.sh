# Do kube-proxy and CoreDNS stay on Linux nodes?
set -euo pipefail
: "${OS_LABEL:?the node label that names the operating system, for example kubernetes.io/os}"
export KUBECONFIG=/etc/kubernetes/admin.conf

key=${OS_LABEL//./\\.}
open=()
for object in daemonset/kube-proxy deployment/coredns; do
  found=$(kubectl -n kube-system get "$object" -o "jsonpath={.spec.template.spec.nodeSelector.$key}")
  [ "$found" = linux ] || open+=("$object selects ${found:-every node}")
done
if [ ${#open[@]} -gt 0 ]; then
  printf '%s; ' "${open[@]}"
  echo "wanted $OS_LABEL=linux"
  exit 10
fi
echo "kube-proxy and CoreDNS select $OS_LABEL=linux"
