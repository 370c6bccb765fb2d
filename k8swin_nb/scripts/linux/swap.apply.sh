# Turn swap off for good. Lines of /etc/fstab become comments, and the file as it was is kept once.
set -euo pipefail
# uses: fstab_without_swap is_unit_of_host keep_found note_written swap_makers swap_units

# What was done is written down first, for the removal to undo it.
switch_off() { # UNIT: neither runs now nor starts with the host
  if systemctl is-active --quiet "$1"; then echo "$1" >>/etc/k8swin/stopped; fi
  if is_unit_of_host "$1"; then
    if [[ $(systemctl is-enabled "$1" 2>/dev/null || true) == enabled* ]]; then
      echo "$1" >>/etc/k8swin/disabled
      systemctl disable "$1"
    fi
    # A unit that cannot be loaded cannot be stopped either.
    systemctl stop "$1" || ! systemctl is-active --quiet "$1"
    echo "disabled $1, whose file in /etc/systemd/system stays"
  else
    echo "$1" >>/etc/k8swin/masked
    systemctl mask --now "$1"
  fi
}

install -d -m 0755 /etc/k8swin
active=$(swapon --show=NAME,PRIO --noheadings)
[ -z "$active" ] || echo "$active" >>/etc/k8swin/swaps
for service in $(swap_makers swap); do switch_off "$service"; done
# Not those of fstab that are off, which may not even be there.
for name in $(swapon --show=NAME --noheadings); do swapoff "$name"; done
if awk '$1 !~ /^#/ && $3 == "swap" { found = 1 } END { exit !found }' /etc/fstab; then
  [ -e /var/lib/k8swin/kept/etc/fstab ] || keep_found /etc/fstab
  new=$(mktemp)
  trap 'rm -f "$new"' EXIT
  fstab_without_swap >"$new"
  note_written /etc/fstab "$new"
  cat "$new" >/etc/fstab
fi
# Units that fstab makes are gone with its lines; what is left would come back at the next boot.
systemctl daemon-reload
for unit in $(swap_units); do switch_off "$unit"; done
echo "swap is off"
