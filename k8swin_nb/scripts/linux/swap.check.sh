# Is swap off, and will it stay off after the next boot?
#
# It comes back by a line in fstab, by a unit of its own or of a generator (partition types, zram), or by a
# service that makes it; a masked unit does not start.
set -euo pipefail
# uses: fstab_without_swap swap_makers swap_units without_swap would_write

active=$(swapon --show=NAME --noheadings)
listed=$(awk '$1 !~ /^#/ && $3 == "swap" { print $1 }' /etc/fstab)
units=$(swap_units)
others=$(swap_makers other)
if [ -n "$others" ]; then
  echo "hint: $(without_swap "$others")"
  echo "swap would come back at the next boot by ${others//$'\n'/; }, of which it is not known what else it does"
  exit 20
fi
makers=$(swap_makers swap)
if [ -n "$active$listed$units$makers" ]; then
  [ -z "$active" ] || echo "would: swap: on, ${active//$'\n'/ } -> off"
  for unit in $units $makers; do echo "would: $unit: starts at boot -> disabled or masked"; done
  [ -z "$listed" ] || fstab_without_swap | would_write /etc/fstab
  echo "swap is on: active [${active//$'\n'/ }], in fstab [${listed//$'\n'/ }], units [${units//$'\n'/ }${makers:+ ${makers//$'\n'/ }}]"
  exit 10
fi
echo "swap is off, now and after a boot"
