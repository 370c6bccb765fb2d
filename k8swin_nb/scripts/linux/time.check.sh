# Does a time service keep this host's clock?
set -euo pipefail

if virtual=$(systemd-detect-virt --container 2>/dev/null); then
  echo "a $virtual container: its clock is kept by the machine under it"
  exit 0
fi
for unit in chrony chronyd systemd-timesyncd ntp ntpsec; do
  if systemctl is-active --quiet "$unit"; then
    echo "$unit is active, synchronised: $(timedatectl | awk -F ': *' '/synchronized/ { print $2 }')"
    exit 0
  fi
done
echo "would: time service: none -> chrony, active"
echo "no time service is active, wanted one (chrony)"
exit 10
