# Are the kernel modules and settings in place that pod traffic needs, now and after a boot?
#
# At boot the last file in the order of names decides, and that may be somebody else's.
set -euo pipefail
# Values that systemd sets at boot: of files of one name the first folder's counts, of settings the last one.
sysctl_at_boot() { # NAME: value and file, or nothing
  local folder file name
  for folder in /etc/sysctl.d /run/sysctl.d /usr/local/lib/sysctl.d /usr/lib/sysctl.d /lib/sysctl.d; do
    for file in "$folder"/*.conf; do
      [ ! -e "$file" ] || echo "${file##*/} $file"
    done
  done | LC_ALL=C sort -s -k 1,1 | awk '!seen[$1]++ { print $2 }' | while read -r file; do
    awk -F = -v wanted="$1" -v file="$file" '
      /^[ \t]*[#;]/ { next }
      NF > 1 {
        name = $1; gsub(/[ \t]/, "", name); sub(/^-/, "", name); gsub(/\//, ".", name)
        value = $2; gsub(/[ \t]/, "", value)
        if (name == wanted) print value " " file
      }
    ' "$file"
  done | tail -n 1
}

missing=()
ours=/etc/sysctl.d/zz-k8swin.conf
for file in /etc/modules-load.d/k8swin.conf "$ours"; do
  [ -s "$file" ] || missing+=("$file")
done
for name in net.bridge.bridge-nf-call-iptables net.bridge.bridge-nf-call-ip6tables net.ipv4.ip_forward; do
  read -r value file <<<"$(sysctl_at_boot "$name")"
  if [ -n "$file" ] && [ "$value" != 1 ] && [[ ${file##*/} > ${ours##*/} ]]; then
    echo "$file sets $name = $value at every boot, after $ours: take that line out of it"
    exit 20
  fi
  if [ -e "$ours" ] && [ "$value" != 1 ]; then missing+=("$name after a boot"); fi
  [ "$(sysctl -n "$name" 2>/dev/null || true)" = 1 ] || missing+=("$name")
done
if [ ${#missing[@]} -gt 0 ]; then
  echo "not set: ${missing[*]}"
  exit 10
fi
others=$(grep -l -s -E '^[^#;]*(ip_forward|bridge-nf-call-ip6?tables)[ \t]*=[ \t]*0' /etc/sysctl.d/*.conf /usr/lib/sysctl.d/*.conf || true)
echo "bridged traffic passes iptables and forwarding is on${others:+, also at boot, against what ${others//$'\n'/ } says}"
