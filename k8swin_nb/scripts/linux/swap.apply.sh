# Turn swap off for good. The old /etc/fstab is kept once as /etc/fstab.k8swin.
set -euo pipefail
# uses: swap_makers swap_units

install -d -m 0755 /etc/k8swin
for service in $(swap_makers); do
  echo "$service" >>/etc/k8swin/masked
  systemctl mask --now "$service"
done
swapoff -a
if awk '$1 !~ /^#/ && $3 == "swap" { found = 1 } END { exit !found }' /etc/fstab; then
  [ -e /etc/fstab.k8swin ] || cp -p /etc/fstab /etc/fstab.k8swin
  new=$(mktemp)
  trap 'rm -f "$new"' EXIT
  awk '$1 !~ /^#/ && $3 == "swap" { print "# k8swin: " $0; next } { print }' /etc/fstab >"$new"
  cat "$new" >/etc/fstab
fi
# Units that fstab makes are gone with its lines; what is left would come back at the next boot.
systemctl daemon-reload
for unit in $(swap_units); do
  echo "$unit" >>/etc/k8swin/masked
  systemctl mask --now "$unit"
done
echo "swap is off"
