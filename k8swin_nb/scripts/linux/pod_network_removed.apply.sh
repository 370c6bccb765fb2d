# Remove the pod network from this host: interfaces, routes to other nodes' pods, files of flannel and CNI.
set -euo pipefail
: "${POD_SUBNET:?for example 10.244.0.0/16}"
# uses: pod_routes put_back

for link in cni0 flannel.1 flannel.4096; do
  if ip link show dev "$link" >/dev/null 2>&1; then ip link delete dev "$link"; fi
done
routes=$(pod_routes "$POD_SUBNET")
while read -r network gateway; do
  [ -z "$network" ] || ip route delete "$network" via "$gateway"
done <<<"$routes"
rm -f /etc/cni/net.d/10-flannel.conflist
rm -f /run/flannel/subnet.env
rmdir /run/flannel 2>/dev/null || true
# host-local and the CRI runtime keep pods' addresses and results by network; other networks have folders of their own.
rm -rf /var/lib/cni/networks/cbr0 /var/lib/cni/flannel
rm -f /var/lib/cni/results/cbr0-* /var/lib/cni/results/cni-loopback-* /var/lib/cni/cache/results/cbr0-* /var/lib/cni/cache/results/cni-loopback-*
if [ -d /var/lib/cni ]; then find /var/lib/cni -depth -type d -empty -delete; fi
# flannel's DaemonSet put it there; a package's own file stays.
if [ -e /opt/cni/bin/flannel ] && ! dpkg -S /opt/cni/bin/flannel >/dev/null 2>&1; then rm -f /opt/cni/bin/flannel; fi
put_back /etc/cni/net.d/10-flannel.conflist /opt/cni/bin/flannel /run/flannel /var/lib/cni
echo "the pod network is removed"
