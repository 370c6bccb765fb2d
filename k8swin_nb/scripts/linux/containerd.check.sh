# Is containerd installed, running, and configured for Kubernetes?
#
# A version that the kubelet cannot work with is somebody's: it is neither upgraded nor removed.
set -euo pipefail
: "${PAUSE_IMAGE:?for example registry.k8s.io/pause:3.10.2}"
: "${CONTAINERD_SERIES:?the major version wanted, for example 2}"
: "${CONTAINERD_NEWEST:=}"
: "${CONTAINERD_ADVISED:=1}"
# uses: needed_if_any

if ! command -v containerd >/dev/null; then
  echo "containerd is not installed"
  exit 10
fi
version=$(containerd --version | awk '{ sub(/^v/, "", $3); print $3 }')
if [ "${version%%.*}" -lt "$CONTAINERD_SERIES" ]; then
  echo "containerd is $version, wanted $CONTAINERD_SERIES.x or newer"
  exit 20
fi
if [ -n "$CONTAINERD_NEWEST" ] && [ "${version%%.*}" -gt "$CONTAINERD_NEWEST" ]; then
  echo "containerd is $version, and this kubelet works with $CONTAINERD_NEWEST.x at most"
  exit 20
fi
differs=()
systemctl is-active --quiet containerd || differs+=("the service is not active")
systemctl is-enabled --quiet containerd || differs+=("the service is not enabled")
config=$(containerd config dump 2>/dev/null || true)
grep -q 'SystemdCgroup = true' <<<"$config" || differs+=("SystemdCgroup is not true")
if grep -E '^ *disabled_plugins' <<<"$config" | grep 'cri' >/dev/null; then differs+=("its CRI plugin is disabled"); fi
grep -q -F "$PAUSE_IMAGE" <<<"$config" || differs+=("the pause image is not $PAUSE_IMAGE")
[ ! -e /etc/cni/net.d/10-containerd-net.conflist ] || differs+=("a sample CNI configuration is in the way")
needed_if_any "containerd $version" "${differs[@]}"
advice=
[ "${version%%.*}" -ge "$CONTAINERD_ADVISED" ] || advice="; Kubernetes 1.38 will not work with it"
echo "containerd $version runs with the systemd cgroup driver$advice"
