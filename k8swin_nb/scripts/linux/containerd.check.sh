# Is containerd installed, running, and configured for Kubernetes? The configuration comes on standard input.
#
# It is tried before it is written: what a file of its imports says otherwise would win.
# A version that the kubelet cannot work with is somebody's: it is neither upgraded nor removed.
set -euo pipefail
: "${PAUSE_IMAGE:?for example registry.k8s.io/pause:3.10.2}"
: "${CONTAINERD_SERIES:?the major version wanted, for example 2}"
: "${CONTAINERD_NEWEST:=}"
: "${CONTAINERD_ADVISED:=1}"
: "${REGISTRY_LOGINS:=false}"
# uses: needed_if_any would_restart

wanted=$(cat)
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
systemctl is-active --quiet containerd || differs+=("service containerd: not active -> active")
systemctl is-enabled --quiet containerd || differs+=("service containerd: not enabled -> enabled")
if [ "$(cat /etc/containerd/config.toml 2>/dev/null || true)" = "$wanted" ]; then
  config=$(containerd config dump 2>&1) || true
else
  differs+=("/etc/containerd/config.toml: lacks what Kubernetes needs of it -> has it")
  trial=$(mktemp)
  trap 'rm -f "$trial"' EXIT
  printf '%s\n' "$wanted" >"$trial"
  config=$(containerd --config "$trial" config dump 2>&1) || true
fi
effective=()
grep -q -F 'SystemdCgroup = true' <<<"$config" || effective+=("SystemdCgroup = true")
if grep -E '^ *disabled_plugins' <<<"$config" | grep -E "io\.containerd\.(grpc\.v1\.cri|cri\.v1)|[\"']cri[\"']" >/dev/null; then effective+=("a CRI plugin that is not disabled"); fi
grep -q -F -e "$PAUSE_IMAGE" <<<"$config" || effective+=("the pause image $PAUSE_IMAGE")
if [ ${#effective[@]} -gt 0 ]; then
  said=$(grep -E '^containerd: |level=(error|fatal)' <<<"$config" | tail -n 1 || true)
  imports=$(grep -E '^ *imports' <<<"$config" | sed -n 1p || true)
  echo "containerd $version would not take from /etc/containerd/config.toml: ${effective[*]}; ${said:-a file that it imports says otherwise: ${imports:-none}}"
  exit 20
fi
if [ "$REGISTRY_LOGINS" = true ] && [ "$(stat -c %a /etc/containerd/config.toml 2>/dev/null || echo 600)" != 600 ]; then
  differs+=("/etc/containerd/config.toml: holds passwords, and others may read it -> mode 600")
fi
[ ! -e /etc/cni/net.d/10-containerd-net.conflist ] || differs+=("/etc/cni/net.d/10-containerd-net.conflist: a sample in the way -> kept elsewhere")
would_restart containerd "${differs[@]}"
needed_if_any "containerd $version" "${differs[@]}"
advice=
[ "${version%%.*}" -ge "$CONTAINERD_ADVISED" ] || advice="; Kubernetes 1.38 will not work with it"
echo "containerd $version runs with the systemd cgroup driver$advice"
