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
: "${KUBERNETES_APT_FINGERPRINT:=}"
: "${RUNTIME_APT_FINGERPRINT:=}"
export DEBIAN_FRONTEND=noninteractive
# uses: install_packages read_package_lists sources_to_write use_proxy write_file

minor=${KUBERNETES_VERSION%.*}
keys=/etc/apt/keyrings
list=/etc/apt/sources.list.d/k8swin.list
# shellcheck source=/dev/null
. /etc/os-release
for folder in "$keys" /etc/k8swin; do [ -d "$folder" ] || install -d -m 0755 "$folder"; done
use_proxy

tools() { # what fetching a key takes, which a small installation lacks
  if ! command -v curl >/dev/null || ! command -v gpg >/dev/null; then
    read_package_lists
    install_packages curl ca-certificates gnupg
  fi
}
verify_key() { # FILE URL FINGERPRINT: every key in the file is the one that is expected; none expected: told
  local home found
  home=$(mktemp -d)
  found=$(gpg --homedir "$home" --batch --with-colons --import-options show-only --import "$1" 2>/dev/null |
    awk -F: '$1 == "pub" { primary = 1 } $1 == "fpr" && primary { print $10; primary = 0 }' | sort -u) || true
  rm -rf "$home"
  if [ -z "$found" ] || { [ -n "$3" ] && [ "$found" != "$3" ]; }; then
    echo "$2 holds the key ${found:-(none)}, expected ${3:-a key}" | tr '\n' ' ' >&2
    exit 1
  fi
  [ -n "$3" ] || echo "the key of $2 has the fingerprint $found: write it into the parameters, so that no other is taken"
}
fetch_key() { # URL FILE FINGERPRINT
  local armoured
  tools
  # A key that somebody else put there is not ours to remove one day.
  [ -e "$2" ] || echo "$2" >>/etc/k8swin/made
  armoured=$(mktemp)
  curl -fsSL --retry 3 --connect-timeout 20 -o "$armoured" "$1"
  verify_key "$armoured" "$1" "$3"
  gpg --batch --yes --dearmor -o "$armoured.gpg" "$armoured"
  write_file 0644 "$2" <"$armoured.gpg"
  rm -f "$armoured" "$armoured.gpg"
}

fetch_named_key() { # URL SOURCE-LINE FINGERPRINT: into the keyring that the line names, unless somebody put one there
  local file
  [ -n "$1" ] || return 0
  file=$(sed -n 's|^[^]]*signed-by=\(/[^] ,]*\).*|\1|p' <<<"$2")
  if [ -e "$file" ] && ! grep -s -x -F "$file" /etc/k8swin/made >/dev/null; then return 0; fi
  [ -d "$(dirname "$file")" ] || install -d -m 0755 "$(dirname "$file")"
  fetch_key "$1" "$file" "$3"
}

offered_here() { # SOURCE-LINE: the host has it already, in a file of somebody's, with its key
  [ -n "$1" ] && [ -z "$(sources_to_write <<<"$1")" ]
}

kubernetes=${KUBERNETES_APT_SOURCE:-deb [signed-by=$keys/k8swin-kubernetes.gpg] https://pkgs.k8s.io/core:/stable:/v$minor/deb/ /}
runtime=${RUNTIME_APT_SOURCE:-deb [arch=amd64 signed-by=$keys/k8swin-docker.gpg] https://download.docker.com/linux/$ID ${VERSION_CODENAME:-} stable}
case $RUNTIME_APT_SOURCE in
  same) runtime=$kubernetes ;;
  tarball) runtime= ;;
esac
[ "$PACKAGE_SOURCE" = apt ] || [ "$RUNTIME_APT_SOURCE" = same ] || kubernetes=
if [ -n "$kubernetes" ] && ! offered_here "$kubernetes"; then
  if [ -n "$KUBERNETES_APT_SOURCE" ]; then
    fetch_named_key "$KUBERNETES_APT_KEY" "$kubernetes" "$KUBERNETES_APT_FINGERPRINT"
  else
    fetch_key "https://pkgs.k8s.io/core:/stable:/v$minor/deb/Release.key" "$keys/k8swin-kubernetes.gpg" DE15B14486CD377B9E876E1A234654DA9A296436
  fi
fi
if [ -n "$runtime" ] && [ "$RUNTIME_APT_SOURCE" != same ] && ! offered_here "$runtime"; then
  if [ -n "$RUNTIME_APT_SOURCE" ]; then
    fetch_named_key "$RUNTIME_APT_KEY" "$runtime" "$RUNTIME_APT_FINGERPRINT"
  else
    fetch_key "https://download.docker.com/linux/$ID/gpg" "$keys/k8swin-docker.gpg" 9DC858229FC7DD38854AE2D88D81803C0EBFCD88
  fi
fi
[ "$PACKAGE_SOURCE" = apt ] || kubernetes=
before=$(cat "$list" 2>/dev/null || true)
printf '%s\n' "$kubernetes" "$runtime" | awk 'NF && !seen[$0]++' | sources_to_write | write_file 0644 "$list"
if ! read_package_lists; then
  # A source that apt refuses would take every other use of apt on this host along.
  if [ -n "$before" ]; then write_file 0644 "$list" <<<"$before"; else rm -f "$list"; fi
  echo "apt refused the package sources, which were taken back: [${kubernetes:-no source}], [${runtime:-no source}]" >&2
  exit 1
fi
if [ "$PACKAGE_SOURCE" = apt ] && ! apt-cache madison kubeadm | awk '{ print $3 }' | grep -F -e "$KUBERNETES_VERSION-" >/dev/null; then
  echo "the package sources offer no kubeadm $KUBERNETES_VERSION" >&2
  exit 1
fi
echo "package sources are configured"
