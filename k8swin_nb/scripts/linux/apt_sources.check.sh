# Are the package sources of Kubernetes and of the container runtime configured for this version?
#
# What comes as a tarball needs no source. An empty source stands for the community repository of the
# minor version and for the vendor's own; `same` takes the runtime from Kubernetes' source.
set -euo pipefail
: "${KUBERNETES_VERSION:?for example 1.36.4}"
: "${PACKAGE_SOURCE:?apt or tarball}"
: "${KUBERNETES_APT_SOURCE:=}"
: "${RUNTIME_APT_SOURCE:=}"
# uses: no_upgrade sources_to_write would_write

[ "$PACKAGE_SOURCE" != apt ] || no_upgrade "$KUBERNETES_VERSION"
for line in "$KUBERNETES_APT_SOURCE" "$RUNTIME_APT_SOURCE"; do
  case $line in
    *$'\n'* | *$'\r'*)
      echo "a package source has to be one line, found ${line@Q}"
      exit 20
      ;;
  esac
done
minor=${KUBERNETES_VERSION%.*}
keys=/etc/apt/keyrings
# shellcheck source=/dev/null
. /etc/os-release
kubernetes=${KUBERNETES_APT_SOURCE:-deb [signed-by=$keys/k8swin-kubernetes.gpg] https://pkgs.k8s.io/core:/stable:/v$minor/deb/ /}
runtime=${RUNTIME_APT_SOURCE:-deb [arch=amd64 signed-by=$keys/k8swin-docker.gpg] https://download.docker.com/linux/$ID ${VERSION_CODENAME:-} stable}
case $RUNTIME_APT_SOURCE in
  same) runtime=$kubernetes ;;
  tarball) runtime= ;;
esac
[ "$PACKAGE_SOURCE" = apt ] || kubernetes=
all=$(printf '%s\n' "$kubernetes" "$runtime" | awk 'NF && !seen[$0]++')
wanted=$(sources_to_write <<<"$all")
found=$(cat /etc/apt/sources.list.d/k8swin.list 2>/dev/null || true)
if [ "$found" != "$wanted" ] || { [ -z "$wanted" ] && [ ! -e /etc/apt/sources.list.d/k8swin.list ]; }; then
  would_write /etc/apt/sources.list.d/k8swin.list <<<"$wanted"
  echo "package sources differ: found [${found//$'\n'/ | }], wanted [${wanted//$'\n'/ | }]"
  exit 10
fi
while read -r file; do
  if [ ! -e "$file" ]; then
    echo "would: $file: not there -> the source's key"
    echo "the keyring $file is not there"
    exit 10
  fi
done < <(sed -n 's|^[^]]*signed-by=\(/[^] ,]*\).*|\1|p' <<<"$wanted")
if [ "$PACKAGE_SOURCE" != apt ]; then
  echo "package sources are configured; Kubernetes comes as a tarball"
  exit 0
fi
if ! apt-cache madison kubeadm | awk '{ print $3 }' | grep -F -e "$KUBERNETES_VERSION-" >/dev/null; then
  echo "would: package lists: without kubeadm $KUBERNETES_VERSION -> read anew"
  echo "the package lists hold no kubeadm $KUBERNETES_VERSION"
  exit 10
fi
there=$(grep -v -x -F -e "$wanted" <<<"$all" || true)
[ -n "$wanted" ] || there=$all
echo "package sources are configured and hold kubeadm $KUBERNETES_VERSION${there:+; used as the host has them: ${there//$'\n'/ | }}"
