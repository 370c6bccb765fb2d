# Remove the pod network from this host: interfaces, routes to other nodes' pods, files of flannel and CNI.
set -euo pipefail
: "${POD_SUBNET:?for example 10.244.0.0/16}"
# uses: pod_routes

for link in cni0 flannel.1 flannel.4096; do
  if ip link show dev "$link" >/dev/null 2>&1; then ip link delete dev "$link"; fi
done
routes=$(pod_routes "$POD_SUBNET")
while read -r network gateway; do
  [ -z "$network" ] || ip route delete "$network" via "$gateway"
done <<<"$routes"
rm -f /etc/cni/net.d/10-flannel.conflist
rm -rf /run/flannel /var/lib/cni
# flannel's DaemonSet put it there; a package's own file stays.
if [ -e /opt/cni/bin/flannel ] && ! dpkg -S /opt/cni/bin/flannel >/dev/null 2>&1; then rm -f /opt/cni/bin/flannel; fi
echo "the pod network is removed"
