# Is swap off, and will it stay off after the next boot?
set -euo pipefail

active=$(swapon --show=NAME --noheadings)
listed=$(awk '$1 !~ /^#/ && $3 == "swap" { print $1 }' /etc/fstab)
units=$(systemctl list-units --type=swap --state=active --plain --no-legend | awk '{ print $1 }')
if [ -n "$active$listed$units" ]; then
  echo "swap is on: active [${active//$'\n'/ }], in fstab [${listed//$'\n'/ }], units [${units//$'\n'/ }]"
  exit 10
fi
echo "swap is off and not in fstab"
