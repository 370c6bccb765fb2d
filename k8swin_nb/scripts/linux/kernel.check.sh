# Are the kernel modules and settings in place that pod traffic needs, now and after a boot?
#
# At boot the last file in the order of names decides, and that may be somebody else's.
set -euo pipefail
# uses: kernel_settings sysctl_at_boot undone_at_boot would_write

missing=()
ours=/etc/sysctl.d/zz-k8swin.conf
for file in /etc/modules-load.d/k8swin.conf "$ours"; do
  [ -s "$file" ] || missing+=("$file")
done
undone=$(undone_at_boot "$ours")
if [ -n "$undone" ]; then
  echo "hint: take these lines out: ${undone//$'\n'/; }"
  echo "at every boot, after $ours: ${undone//$'\n'/; }"
  exit 20
fi
for name in net.bridge.bridge-nf-call-iptables net.bridge.bridge-nf-call-ip6tables net.ipv4.ip_forward; do
  read -r value _ <<<"$(sysctl_at_boot "$name")"
  if [ -e "$ours" ] && [ "$value" != 1 ]; then missing+=("$name after a boot"); fi
  [ "$(sysctl -n "$name" 2>/dev/null || true)" = 1 ] || missing+=("$name")
done
if [ ${#missing[@]} -gt 0 ]; then
  for file in /etc/modules-load.d/k8swin.conf "$ours"; do
    wanted=$(kernel_settings "$file")
    [ "$(cat "$file" 2>/dev/null || true)" = "$wanted" ] || would_write "$file" <<<"$wanted"
  done
  for name in net.bridge.bridge-nf-call-iptables net.bridge.bridge-nf-call-ip6tables net.ipv4.ip_forward; do
    value=$(sysctl -n "$name" 2>/dev/null || true)
    [ "$value" = 1 ] || echo "would: $name: ${value:-not there} -> 1"
  done
  echo "not set: ${missing[*]}"
  exit 10
fi
others=$(grep -l -s -E '^[^#;]*(ip_forward|bridge-nf-call-ip6?tables)[ \t]*=[ \t]*0' /etc/sysctl.d/*.conf /usr/lib/sysctl.d/*.conf || true)
echo "bridged traffic passes iptables and forwarding is on${others:+, also at boot, against what ${others//$'\n'/ } says}"
