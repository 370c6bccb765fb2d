# Is swap off, and will it stay off after the next boot?
#
# It comes back by a line in fstab, by a unit of its own or of a generator (partition types, zram), or by a
# service that makes it; a masked unit does not start.
set -euo pipefail

active=$(swapon --show=NAME --noheadings)
listed=$(awk '$1 !~ /^#/ && $3 == "swap" { print $1 }' /etc/fstab)
units=$({ systemctl list-unit-files --type=swap --no-legend || true; } | awk '$2 != "masked" { print $1 }')
makers=
for service in zramswap.service zram-config.service dphys-swapfile.service; do
  if systemctl is-enabled --quiet "$service" 2>/dev/null; then makers+=" $service"; fi
done
if [ -n "$active$listed$units$makers" ]; then
  echo "swap is on: active [${active//$'\n'/ }], in fstab [${listed//$'\n'/ }], units [${units//$'\n'/ }$makers]"
  exit 10
fi
echo "swap is off, now and after a boot"
