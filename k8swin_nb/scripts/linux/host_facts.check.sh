# What this host is: a line each of a name, a tab and its value. Nothing is changed.
: "${FACTS:=all}"
set -euo pipefail

# A fact that cannot be had leaves the others as they are.
fact() { # NAME VALUE
  local value=${2//$'\t'/ }
  [ -z "$value" ] || printf '%s\t%s\n' "$1" "${value//$'\n'/ }"
}

fact name "$(uname -n)"
fact system "$(sed -n -E 's/^PRETTY_NAME="?([^"]*)"?$/\1/p' /etc/os-release 2>/dev/null || true)"
fact kernel "$(uname -r)"
fact user "$(id -un)"
# A container boots when its first process begins; for a machine both are the same but for a second.
up=$(cut -d . -f 1 /proc/uptime 2>/dev/null || true)
ticks=$(sed 's/^.*) //' /proc/1/stat 2>/dev/null | cut -d ' ' -f 20 || true)
if [ -n "$up" ]; then
  began=$((${ticks:-0} / $(getconf CLK_TCK 2>/dev/null || echo 100)))
  if [ "$began" -le "$up" ]; then up=$((up - began)); fi
  fact booted "$(($(date +%s) - up))"
fi
fact time "$(date +%s)"
[ "$FACTS" = all ] || exit 0

fact architecture "$(uname -m)"
fact cpus "$(nproc 2>/dev/null || true)"
fact cpu "$(sed -n -E 's/^(model name|Processor)[[:space:]]*: *//p' /proc/cpuinfo 2>/dev/null | sed -n 1p || true)"
fact virtualization "$(systemd-detect-virt 2>/dev/null || true)"
for pair in memory:MemTotal memory_available:MemAvailable swap:SwapTotal; do
  kilobytes=$(sed -n -E "s/^${pair#*:}: *([0-9]+) kB$/\1/p" /proc/meminfo 2>/dev/null || true)
  [ -z "$kilobytes" ] || fact "${pair%%:*}" "$((kilobytes * 1024))"
done
{ df -P -B1 2>/dev/null || true; } | awk '$1 ~ /^\// && $6 !~ /^\/(run|proc|sys|dev)(\/|$)/ && !seen[$1]++ {
  place = $6
  for (word = 7; word <= NF; word++) place = place " " $word
  printf "disk\t%s\t%s\t%s\t%s\n", place, $2, $4, $1
}'
{ ip -o addr show 2>/dev/null || true; } | awk '$3 ~ /^inet6?$/ && $2 != "lo" { sub(/@.*/, "", $2); printf "address\t%s\t%s\n", $2, $4 }'
zone=$(cat /etc/timezone 2>/dev/null || true)
linked=$(readlink /etc/localtime 2>/dev/null || true)
case $linked in */zoneinfo/*) zone=${linked#*/zoneinfo/} ;; esac
fact time_zone "${zone:-$(date +%Z)}"
fact time_synchronized "$(timedatectl show -p NTPSynchronized --value 2>/dev/null || true)"
if [ -e /run/reboot-required ]; then
  wanted=$(sort -u /run/reboot-required.pkgs 2>/dev/null | tr '\n' ' ' || true)
  fact pending_reboot "${wanted:-the system asks for one}"
fi
for program in containerd docker kubelet kubeadm kubectl runc; do
  path=$(command -v "$program" 2>/dev/null || true)
  [ -n "$path" ] || continue
  case $program in
    kubeadm) said=$(kubeadm version -o short 2>/dev/null || true) ;;
    kubectl) said=$(kubectl version --client 2>/dev/null || true) ;;
    *) said=$("$path" --version 2>/dev/null || true) ;;
  esac
  said=$(grep -o -E -m 1 'v?[0-9]+\.[0-9]+\.[0-9]+[-+.~A-Za-z0-9]*' <<<"$said" | sed -n 1p || true)
  [ -z "$said" ] || printf 'version\t%s\t%s\n' "$program" "${said#v}"
done
exit 0
