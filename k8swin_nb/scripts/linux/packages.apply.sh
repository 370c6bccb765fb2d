# Install kubeadm, kubelet and kubectl at the planned version and hold them there.
set -euo pipefail
: "${KUBERNETES_VERSION:?for example 1.36.4}"
export DEBIAN_FRONTEND=noninteractive

wanted=("kubeadm=$KUBERNETES_VERSION-*" "kubelet=$KUBERNETES_VERSION-*" "kubectl=$KUBERNETES_VERSION-*")
options=(-y -q --allow-change-held-packages --allow-downgrades)
# What comes new, and what is held anew, is written down first: a teardown takes back that and no more.
install -d -m 0755 /etc/k8swin
apt-get -s install "${options[@]}" "${wanted[@]}" | awk '$1 == "Inst" && $3 !~ /^\[/ { print $2 }' >>/etc/k8swin/packages
held=$(apt-mark showhold)
for name in kubeadm kubelet kubectl; do
  grep -q -x "$name" <<<"$held" || echo "$name" >>/etc/k8swin/held
done
apt-get -o DPkg::Lock::Timeout=300 install "${options[@]}" "${wanted[@]}"
apt-mark hold kubeadm kubelet kubectl
systemctl enable --now kubelet
echo "kubeadm $(kubeadm version -o short) is installed and held"
