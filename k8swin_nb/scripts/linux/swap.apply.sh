# Turn swap off for good. The old /etc/fstab is kept once as /etc/fstab.k8swin.
set -euo pipefail

for service in zramswap.service zram-config.service dphys-swapfile.service; do
  if systemctl is-enabled --quiet "$service" 2>/dev/null; then systemctl disable --now "$service"; fi
done
swapoff -a
if awk '$1 !~ /^#/ && $3 == "swap" { found = 1 } END { exit !found }' /etc/fstab; then
  [ -e /etc/fstab.k8swin ] || cp -p /etc/fstab /etc/fstab.k8swin
  new=$(mktemp)
  trap 'rm -f "$new"' EXIT
  awk '$1 !~ /^#/ && $3 == "swap" { print "# k8swin: " $0; next } { print }' /etc/fstab >"$new"
  cat "$new" >/etc/fstab
fi
install -d -m 0755 /etc/k8swin
# Units that fstab makes are gone with its lines; what is left would come back at the next boot.
systemctl daemon-reload
for unit in $({ systemctl list-unit-files --type=swap --no-legend || true; } | awk '$2 != "masked" { print $1 }'); do
  echo "$unit" >>/etc/k8swin/masked
  systemctl mask --now "$unit"
done
echo "swap is off"
