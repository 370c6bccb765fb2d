# Install containerd and configure it for Kubernetes, starting from its own default configuration.
#
# The vendor's package ships with the CRI plugin disabled. The default configuration is asked of the
# installed version, because the keys moved between configuration versions 2 and 3.
set -euo pipefail
: "${PAUSE_IMAGE:?for example registry.k8s.io/pause:3.10.2}"
export DEBIAN_FRONTEND=noninteractive

install -d -m 0755 /etc/containerd /etc/k8swin/saved
if ! command -v containerd >/dev/null; then
  # What comes new is written down first: a teardown removes these packages and no others.
  apt-get -s install -y -q containerd.io | awk '$1 == "Inst" && $3 !~ /^\[/ { print $2 }' >>/etc/k8swin/packages
  apt-get install -y -q containerd.io
fi
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
if [ -e /etc/containerd/config.toml ] && [ ! -e /etc/k8swin/saved/containerd-config.toml ]; then
  cp -p /etc/containerd/config.toml /etc/k8swin/saved/containerd-config.toml
fi
sha256sum <"$new" >/etc/k8swin/containerd-config.sha256
cat "$new" >/etc/containerd/config.toml
if [ -e /etc/cni/net.d/10-containerd-net.conflist ]; then
  mv /etc/cni/net.d/10-containerd-net.conflist /etc/k8swin/saved/
fi
systemctl enable containerd
systemctl restart containerd
echo "containerd is configured"
