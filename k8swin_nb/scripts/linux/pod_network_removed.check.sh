# Is the pod network gone from this host: its interfaces, its routes, flannel's and the CNI plugins' files?
set -euo pipefail
: "${POD_SUBNET:?for example 10.244.0.0/16}"
# uses: needed_if_any pod_routes is_alike

if [ ! -d /etc/k8swin ]; then
  echo "this host was not prepared by these notebooks"
  exit 0
fi
left=()
for link in cni0 flannel.1 flannel.4096; do
  if ip link show dev "$link" >/dev/null 2>&1; then left+=("interface $link"); fi
done
while read -r network _; do
  left+=("route $network")
done < <(pod_routes "$POD_SUBNET")
for path in /etc/cni/net.d/10-flannel.conflist /run/flannel/subnet.env /var/lib/cni/networks/cbr0 /var/lib/cni/flannel; do
  if [ -e "$path" ] && ! is_alike "$path" "/var/lib/k8swin/kept$path"; then left+=("$path"); fi
done
needed_if_any "of the pod network" "${left[@]}"
echo "nothing of the pod network is on this host"
