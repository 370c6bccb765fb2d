# Remove the chains of Kubernetes, flannel and the CNI plugins, and the rules that jump to them.
#
# Every other rule stays as it is: nothing is flushed but those chains, in one transaction per table. Chains that CNI
# plugins of other networks had made before stay too, but for their jumps to those that go.
set -euo pipefail

for family in iptables ip6tables; do
  command -v "$family-save" >/dev/null || continue
  "$family-save" 2>/dev/null | awk -v theirs="$(tr '\n' ' ' 2>/dev/null </etc/k8swin/chains || true)" '
    function ours(chain) { return chain ~ /^(KUBE|FLANNEL|CNI)-/ && index(" " theirs, " " chain " ") == 0 }
    function target(  i) {
      for (i = NF - 1; i > 2; i--) if ($i == "-j" || $i == "-g") return $(i + 1)
      return ""
    }
    /^\*/ { table = $0; jumps = ""; flushes = ""; deletions = ""; next }
    /^:/ && ours(substr($1, 2)) {
      chain = substr($1, 2)
      flushes = flushes "-F " chain "\n"
      deletions = deletions "-X " chain "\n"
      next
    }
    /^-A / && ours($2) { next }
    /^-A / && ours(target()) { sub(/^-A/, "-D"); jumps = jumps $0 "\n"; next }
    /^COMMIT/ && deletions != "" { printf "%s\n%s%s%sCOMMIT\n", table, jumps, flushes, deletions }
  ' | "$family-restore" --noflush
done
echo "the chains of Kubernetes, flannel and CNI are removed"
