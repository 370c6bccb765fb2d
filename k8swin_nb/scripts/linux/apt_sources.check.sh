# Are the package sources of Kubernetes and containerd configured for this minor version?
set -euo pipefail
: "${KUBERNETES_VERSION:?for example 1.36.4}"
: "${KUBERNETES_APT_SOURCE:=}"
: "${CONTAINERD_APT_SOURCE:=}"

minor=${KUBERNETES_VERSION%.*}
keys=/etc/apt/keyrings
# shellcheck source=/dev/null
. /etc/os-release
kubernetes=${KUBERNETES_APT_SOURCE:-deb [signed-by=$keys/kubernetes.gpg] https://pkgs.k8s.io/core:/stable:/v$minor/deb/ /}
containerd=${CONTAINERD_APT_SOURCE:-deb [arch=amd64 signed-by=$keys/docker.gpg] https://download.docker.com/linux/$ID $VERSION_CODENAME stable}
[ "$containerd" != same ] || containerd=$kubernetes
wanted=$(printf '%s\n' "$kubernetes" "$containerd" | awk '!seen[$0]++')
found=$(cat /etc/apt/sources.list.d/k8swin.list 2>/dev/null || true)
if [ "$found" != "$wanted" ]; then
  echo "package sources differ: found [${found//$'\n'/ | }], wanted [${wanted//$'\n'/ | }]"
  exit 10
fi
if ! apt-cache madison kubeadm | awk '{ print $3 }' | grep -F -e "$KUBERNETES_VERSION-" >/dev/null; then
  echo "the package lists hold no kubeadm $KUBERNETES_VERSION"
  exit 10
fi
echo "package sources are configured and hold kubeadm $KUBERNETES_VERSION"
