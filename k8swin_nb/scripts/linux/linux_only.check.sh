# Do kube-proxy and CoreDNS stay on Linux nodes?
set -euo pipefail
: "${OS_LABEL:?the node label that names the operating system, for example kubernetes.io/os}"
# uses: needs_control_plane
export KUBECONFIG=/etc/kubernetes/admin.conf

[ -e "$KUBECONFIG" ] || echo "would: kube-proxy and CoreDNS: not known before the control plane is made -> where $OS_LABEL=linux"
needs_control_plane
key=${OS_LABEL//./\\.}
open=()
for object in daemonset/kube-proxy deployment/coredns; do
  found=$(kubectl -n kube-system get "$object" -o "jsonpath={.spec.template.spec.nodeSelector.$key}")
  if [ "$found" != linux ]; then
    echo "would: $object: selects ${found:-every node} -> $OS_LABEL=linux"
    open+=("$object selects ${found:-every node}")
  fi
done
if [ ${#open[@]} -gt 0 ]; then
  printf '%s; ' "${open[@]}"
  echo "wanted $OS_LABEL=linux"
  exit 10
fi
echo "kube-proxy and CoreDNS select $OS_LABEL=linux"
