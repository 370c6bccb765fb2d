# Is the pod network gone from this host: its interfaces, its routes, flannel's and the CNI plugins' files?
set -euo pipefail
: "${POD_SUBNET:?for example 10.244.0.0/16}"

if [ ! -d /etc/k8swin ]; then
  echo "this host was not prepared by these notebooks"
  exit 0
fi
left=()
for link in cni0 flannel.1 flannel.4096; do
  if ip link show dev "$link" >/dev/null 2>&1; then left+=("interface $link"); fi
done
number() { # dotted quad to integer
  local a b c d
  IFS=. read -r a b c d <<<"$1"
  echo $(((a << 24) + (b << 16) + (c << 8) + d))
}
bits=$((32 - ${POD_SUBNET#*/}))
pods=$(($(number "${POD_SUBNET%/*}") >> bits))
while read -r network via _; do
  if [ "$via" = via ] && [[ $network =~ ^[0-9.]+(/[0-9]+)?$ ]] && [ $(($(number "${network%/*}") >> bits)) -eq "$pods" ]; then
    left+=("route $network")
  fi
done < <(ip -4 route show)
for path in /etc/cni/net.d/10-flannel.conflist /run/flannel /var/lib/cni; do
  [ ! -e "$path" ] || left+=("$path")
done
if [ ${#left[@]} -gt 0 ]; then
  printf 'of the pod network:'
  printf ' %s;' "${left[@]}"
  echo
  exit 10
fi
echo "nothing of the pod network is on this host"
