# Which chains of Kubernetes, flannel and the CNI plugins are left in iptables?
#
# Those that other networks' CNI plugins had made before, which is written down, are theirs.
set -euo pipefail

if [ ! -d /etc/k8swin ]; then
  echo "this host was not prepared by these notebooks"
  exit 0
fi
count=0
for family in iptables ip6tables; do
  command -v "$family-save" >/dev/null || continue
  found=$("$family-save" 2>/dev/null | sed -n -E 's/^:((KUBE|FLANNEL|CNI)-[^ ]*) .*/\1/p' |
    grep -c -v -x -F -f <(cat /etc/k8swin/chains 2>/dev/null || true) || true)
  count=$((count + found))
done
if [ "$count" -gt 0 ]; then
  echo "$count chains of Kubernetes, flannel and CNI are left"
  exit 10
fi
echo "no chain of Kubernetes, flannel or CNI is left"
