# Install containerd and configure it for Kubernetes, starting from its own default configuration.
#
# The vendor's package ships with the CRI plugin disabled. The default configuration is asked of the
# installed version, because the keys moved between configuration versions 2 and 3.
set -euo pipefail
: "${PAUSE_IMAGE:?for example registry.k8s.io/pause:3.10.2}"
: "${CONTAINERD_SERIES:?the major version wanted, for example 2}"
: "${CONTAINERD_NEWEST:=}"
export DEBIAN_FRONTEND=noninteractive
# uses: install_packages replace_configuration

offered() { # PACKAGE: its newest version within the wanted series, or nothing
  apt-cache madison "$1" | awk -v oldest="$CONTAINERD_SERIES" -v newest="$CONTAINERD_NEWEST" '
    { series = $3; sub(/^[0-9]+:/, "", series); sub(/\..*/, "", series) }
    series + 0 >= oldest + 0 && (newest == "" || series + 0 <= newest + 0) { found = found ? found : $3 }
    END { print found }
  '
}
if ! command -v containerd >/dev/null; then
  wanted=
  for name in containerd.io containerd; do
    version=$(offered "$name")
    if [ -n "$version" ]; then
      wanted=$name=$version
      break
    fi
  done
  if [ -z "$wanted" ]; then
    echo "the package sources offer no containerd $CONTAINERD_SERIES.x; they offer:" >&2
    apt-cache madison containerd.io containerd | awk '{ print "  " $1 " " $3 }' >&2
    exit 1
  fi
  install_packages "$wanted"
fi

install -d -m 0755 /etc/containerd /etc/k8swin/saved
new=$(mktemp)
trap 'rm -f "$new"' EXIT
containerd config default | awk -v pause="$PAUSE_IMAGE" '
  /SystemdCgroup *=/ { sub(/=.*/, "= true") }
  /^ *sandbox(_image)? *=/ { sub(/=.*/, "= \"" pause "\"") }
  /^ *disabled_plugins *=/ { sub(/=.*/, "= []") }
  { print }
' >"$new"
grep -q 'SystemdCgroup = true' "$new" || {
  echo "this containerd's default configuration has no SystemdCgroup setting" >&2
  exit 1
}
replace_configuration "$new" /etc/containerd/config.toml \
  /etc/k8swin/saved/containerd-config.toml /etc/k8swin/containerd-config.sha256
if [ -e /etc/cni/net.d/10-containerd-net.conflist ]; then
  mv /etc/cni/net.d/10-containerd-net.conflist /etc/k8swin/saved/
fi
systemctl enable containerd
systemctl restart containerd
echo "containerd is configured"
