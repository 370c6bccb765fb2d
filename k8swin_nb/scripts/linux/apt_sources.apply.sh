# Write the package sources of Kubernetes and of the container runtime, fetch their keys, read the lists.
#
# What comes as a tarball needs no source. An empty source stands for the community repository of the
# minor version and for the vendor's own; a site mirror is given whole, as an apt source line, and its key
# as a URL unless an administrator has put the keyring there.
set -euo pipefail
: "${KUBERNETES_VERSION:?for example 1.36.4}"
: "${PACKAGE_SOURCE:?apt or tarball}"
: "${KUBERNETES_APT_SOURCE:=}"
: "${RUNTIME_APT_SOURCE:=}"
: "${KUBERNETES_APT_KEY:=}"
: "${RUNTIME_APT_KEY:=}"
export DEBIAN_FRONTEND=noninteractive
# uses: read_package_lists apt_get use_proxy

minor=${KUBERNETES_VERSION%.*}
keys=/etc/apt/keyrings
# shellcheck source=/dev/null
. /etc/os-release
install -d -m 0755 "$keys" /etc/k8swin
use_proxy

tools() { # what fetching a key takes, which a small installation lacks
  if ! command -v curl >/dev/null || ! command -v gpg >/dev/null; then
    read_package_lists
    apt_get install -y -q curl ca-certificates gnupg
  fi
}
fetch_key() { # URL FILE
  local armoured
  tools
  # A key that somebody else put there is not ours to remove one day.
  [ -e "$2" ] || echo "$2" >>/etc/k8swin/made
  armoured=$(mktemp)
  curl -fsSL --retry 3 --connect-timeout 20 -o "$armoured" "$1"
  gpg --batch --yes --dearmor -o "$2" "$armoured"
  chmod 0644 "$2"
  rm -f "$armoured"
}

fetch_named_key() { # URL SOURCE-LINE: into the keyring that the line names, unless somebody put one there
  local file
  [ -n "$1" ] || return 0
  file=$(sed -n 's|^[^]]*signed-by=\(/[^] ,]*\).*|\1|p' <<<"$2")
  if [ -e "$file" ] && ! grep -s -x -F "$file" /etc/k8swin/made >/dev/null; then return 0; fi
  install -d -m 0755 "$(dirname "$file")"
  fetch_key "$1" "$file"
}

kubernetes=$KUBERNETES_APT_SOURCE
if [ "$PACKAGE_SOURCE" = apt ] || [ "$RUNTIME_APT_SOURCE" = same ]; then
  fetch_named_key "$KUBERNETES_APT_KEY" "$kubernetes"
fi
case $RUNTIME_APT_SOURCE in
  same | tarball | '') ;;
  *) fetch_named_key "$RUNTIME_APT_KEY" "$RUNTIME_APT_SOURCE" ;;
esac
if [ -z "$kubernetes" ] && [ "$PACKAGE_SOURCE" = apt ]; then
  fetch_key "https://pkgs.k8s.io/core:/stable:/v$minor/deb/Release.key" "$keys/kubernetes.gpg"
  kubernetes="deb [signed-by=$keys/kubernetes.gpg] https://pkgs.k8s.io/core:/stable:/v$minor/deb/ /"
fi
runtime=$RUNTIME_APT_SOURCE
case $RUNTIME_APT_SOURCE in
  same) runtime=$kubernetes ;;
  tarball) runtime= ;;
  '')
    fetch_key "https://download.docker.com/linux/$ID/gpg" "$keys/docker.gpg"
    runtime="deb [arch=amd64 signed-by=$keys/docker.gpg] https://download.docker.com/linux/$ID ${VERSION_CODENAME:-} stable"
    ;;
esac
[ "$PACKAGE_SOURCE" = apt ] || kubernetes=
printf '%s\n' "$kubernetes" "$runtime" | awk 'NF && !seen[$0]++' >/etc/apt/sources.list.d/k8swin.list
read_package_lists
if [ "$PACKAGE_SOURCE" = apt ] && ! apt-cache madison kubeadm | awk '{ print $3 }' | grep -F -e "$KUBERNETES_VERSION-" >/dev/null; then
  echo "the package sources offer no kubeadm $KUBERNETES_VERSION" >&2
  exit 1
fi
echo "package sources are configured"
