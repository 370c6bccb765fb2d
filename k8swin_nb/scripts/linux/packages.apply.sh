# Install kubeadm, kubelet and kubectl at the planned version and hold them there.
set -euo pipefail
: "${KUBERNETES_VERSION:?for example 1.36.4}"
export DEBIAN_FRONTEND=noninteractive

apt-get -o DPkg::Lock::Timeout=300 install -y -q --allow-change-held-packages --allow-downgrades \
  "kubeadm=$KUBERNETES_VERSION-*" "kubelet=$KUBERNETES_VERSION-*" "kubectl=$KUBERNETES_VERSION-*"
apt-mark hold kubeadm kubelet kubectl
systemctl enable --now kubelet
echo "kubeadm $(kubeadm version -o short) is installed and held"
