# Remove the chains of Kubernetes, flannel and the CNI plugins, and the rules that jump to them.
#
# Every other rule stays as it is: nothing is flushed but those chains, in one transaction per table.
set -euo pipefail

for family in iptables ip6tables; do
  command -v "$family-save" >/dev/null || continue
  "$family-save" 2>/dev/null | awk '
    /^\*/ { table = $0; jumps = ""; flushes = ""; deletions = ""; next }
    /^:(KUBE|FLANNEL|CNI)-/ {
      chain = substr($1, 2)
      flushes = flushes "-F " chain "\n"
      deletions = deletions "-X " chain "\n"
      next
    }
    /^-A (KUBE|FLANNEL|CNI)-/ { next }
    /^-A / && / -[jg] (KUBE|FLANNEL|CNI)-/ { sub(/^-A/, "-D"); jumps = jumps $0 "\n"; next }
    /^COMMIT/ && deletions != "" { printf "%s\n%s%s%sCOMMIT\n", table, jumps, flushes, deletions }
  ' | "$family-restore" --noflush
done
echo "the chains of Kubernetes, flannel and CNI are removed"
