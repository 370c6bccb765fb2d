# Turn swap off for good. The old /etc/fstab is kept once as /etc/fstab.k8swin.
set -euo pipefail

# Units that fstab makes go with its line; any other (zram, for example) would come back at the next boot.
others=()
for unit in $(systemctl list-units --type=swap --state=active --plain --no-legend | awk '{ print $1 }'); do
  [ "$(systemctl show -p UnitFileState --value "$unit")" = generated ] || others+=("$unit")
done

swapoff -a
if awk '$1 !~ /^#/ && $3 == "swap" { found = 1 } END { exit !found }' /etc/fstab; then
  [ -e /etc/fstab.k8swin ] || cp -p /etc/fstab /etc/fstab.k8swin
  new=$(mktemp)
  trap 'rm -f "$new"' EXIT
  awk '$1 !~ /^#/ && $3 == "swap" { print "# k8swin: " $0; next } { print }' /etc/fstab >"$new"
  cat "$new" >/etc/fstab
  systemctl daemon-reload
fi
install -d -m 0755 /etc/k8swin
for unit in "${others[@]}"; do
  echo "$unit" >>/etc/k8swin/masked
  systemctl mask --now "$unit"
done
echo "swap is off"
