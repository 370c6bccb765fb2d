# Are the kernel modules and settings in place that pod traffic needs, now and after a boot?
set -euo pipefail

missing=()
for name in net.bridge.bridge-nf-call-iptables net.bridge.bridge-nf-call-ip6tables net.ipv4.ip_forward; do
  [ "$(sysctl -n "$name" 2>/dev/null || true)" = 1 ] || missing+=("$name")
done
for file in /etc/modules-load.d/k8swin.conf /etc/sysctl.d/90-k8swin.conf; do
  [ -s "$file" ] || missing+=("$file")
done
if [ ${#missing[@]} -gt 0 ]; then
  echo "not set: ${missing[*]}"
  exit 10
fi
echo "bridged traffic passes iptables and forwarding is on"
