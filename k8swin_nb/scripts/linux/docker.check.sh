# Does Docker run at the planned version, configured for Kubernetes? Its configuration comes on standard input.
#
# Docker of another series is somebody's: it is neither upgraded nor removed. Since 1.13 it forbids
# forwarding, which pods on other nodes need.
set -euo pipefail
: "${DOCKER_VERSION:?for example 18.06.3}"
: "${DOCKER_SOURCE:?apt or tarball}"
# uses: needed_if_any would_restart would_write

wanted=$(cat)
if ! command -v dockerd >/dev/null; then
  echo "would: Docker: not installed -> $DOCKER_VERSION, from $DOCKER_SOURCE, enabled and active"
  printf %s "$wanted" | would_write /etc/docker/daemon.json
  echo "Docker is not installed"
  exit 10
fi
version=$(dockerd --version | awk '{ sub(/,$/, "", $3); print $3 }')
case $version in
  "${DOCKER_VERSION%.*}."*) ;;
  *)
    echo "Docker is $version, wanted $DOCKER_VERSION; set docker_version to one that fits, or remove it from this host"
    exit 20
    ;;
esac
differs=()
if [ "$(cat /etc/docker/daemon.json 2>/dev/null || true)" != "$wanted" ]; then
  differs+=("/etc/docker/daemon.json: it differs -> as planned")
  printf %s "$wanted" | would_write /etc/docker/daemon.json
fi
[ -s /etc/systemd/system/docker.service.d/k8swin.conf ] || differs+=("/etc/systemd/system/docker.service.d/k8swin.conf: not there -> forwarding is opened at its start")
if [ "$DOCKER_SOURCE" = tarball ] && [ ! -s /etc/systemd/system/docker.service ]; then differs+=("/etc/systemd/system/docker.service: not there -> a service"); fi
systemctl is-enabled --quiet docker 2>/dev/null || differs+=("service docker: not enabled -> enabled")
driver=
if systemctl is-active --quiet docker; then
  driver=$(docker info --format '{{.CgroupDriver}} {{.Driver}}')
  [ "$driver" = "systemd overlay2" ] || differs+=("drivers: $driver -> systemd overlay2")
else
  differs+=("service docker: not active -> active")
fi
policy=$(iptables -S FORWARD | sed -n 1p)
[ "$policy" = "-P FORWARD ACCEPT" ] || differs+=("iptables: ${policy:-unknown} -> -P FORWARD ACCEPT")
[ ! -e /etc/cni/net.d/10-containerd-net.conflist ] || differs+=("/etc/cni/net.d/10-containerd-net.conflist: a sample in the way -> kept elsewhere")
would_restart docker "${differs[@]}"
needed_if_any "Docker $version" "${differs[@]}"
echo "Docker $version runs with $driver, forwarding is open"
