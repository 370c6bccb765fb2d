# Tell what shows whether a control plane's host works, as it is now, and change nothing.
#
# A line each, of a word and values with tabs between: services, swap, kernel settings now and after a boot, routes, the networks
# that the control plane was made with, and what web addresses answer. What cannot be had is left out. No secret is printed.
set -euo pipefail
# TARGETS: ADDRESS:PORT with spaces between, asked for /hostname.
: "${TARGETS:=}"
export LC_ALL=C
# uses: sysctl_at_boot

printf 'time\t%s\n' "$(date -u +%s)"
for name in kubelet containerd docker; do
  printf 'service\t%s\t%s\t%s\n' "$name" "$(systemctl is-active "$name" 2>/dev/null || true)" "$(systemctl is-enabled "$name" 2>/dev/null || true)"
done
awk 'NR > 1 { print "swap\t" $1 }' /proc/swaps
awk '$1 !~ /^#/ && $3 == "swap" { print "fstab\t" $1 }' /etc/fstab
for name in net.ipv4.ip_forward net.bridge.bridge-nf-call-iptables; do
  read -r boot _ <<<"$(sysctl_at_boot "$name")" || true
  printf 'setting\t%s\t%s\t%s\n' "$name" "$(sysctl -n "$name" 2>/dev/null || true)" "${boot:-}"
done
ip -4 route show | awk '$1 != "default" { print "route\t" $1 }'
for file in /etc/kubernetes/manifests/kube-apiserver.yaml /etc/kubernetes/manifests/kube-controller-manager.yaml; do
  [ -r "$file" ] || continue
  sed -n -E 's/^ *- --(service-cluster-ip-range|cluster-cidr)=(.*)$/network\t\1\t\2/p' "$file"
done
for target in $TARGETS; do
  said=$(curl -s --noproxy '*' --max-time 3 "http://$target/hostname" 2>/dev/null | tr -d '\r\n\t\0' || true)
  said=${said:0:200}
  printf 'answer\t%s\t%s\n' "$target" "$said"
done
