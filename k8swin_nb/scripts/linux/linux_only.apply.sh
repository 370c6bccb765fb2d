# Pin kube-proxy and CoreDNS to Linux nodes, where their images can run.
set -euo pipefail
: "${OS_LABEL:?the node label that names the operating system, for example kubernetes.io/os}"
export KUBECONFIG=/etc/kubernetes/admin.conf

patch='{"spec":{"template":{"spec":{"nodeSelector":{"'$OS_LABEL'":"linux"}}}}}'
for object in daemonset/kube-proxy deployment/coredns; do
  kubectl -n kube-system patch "$object" --type=strategic -p "$patch"
done
