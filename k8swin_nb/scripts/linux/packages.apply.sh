# Install kubeadm, kubelet and kubectl at the planned version and hold them there.
set -euo pipefail
: "${KUBERNETES_VERSION:?for example 1.36.4}"
export DEBIAN_FRONTEND=noninteractive
# uses: note_new_packages apt_get

wanted=("kubeadm=$KUBERNETES_VERSION-*" "kubelet=$KUBERNETES_VERSION-*" "kubectl=$KUBERNETES_VERSION-*")
options=(--allow-change-held-packages --allow-downgrades)
note_new_packages "${options[@]}" "${wanted[@]}"
# What is held anew is written down first as well.
held=$(apt-mark showhold)
for name in kubeadm kubelet kubectl; do
  grep -q -x "$name" <<<"$held" || echo "$name" >>/etc/k8swin/held
done
apt_get install -y -q "${options[@]}" "${wanted[@]}"
apt-mark hold kubeadm kubelet kubectl
systemctl enable --now kubelet
echo "kubeadm $(kubeadm version -o short) is installed and held"
