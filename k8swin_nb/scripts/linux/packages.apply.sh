# Install kubeadm, kubelet and kubectl at the planned version and hold them there.
set -euo pipefail
: "${KUBERNETES_VERSION:?for example 1.36.4}"
export DEBIAN_FRONTEND=noninteractive
# uses: apt_get keep_found note_new_packages

wanted=("kubeadm=$KUBERNETES_VERSION-*" "kubelet=$KUBERNETES_VERSION-*" "kubectl=$KUBERNETES_VERSION-*")
options=(--allow-change-held-packages --allow-downgrades)
note_new_packages "${options[@]}" "${wanted[@]}"
# dpkg writes over files that belong to no package without a word.
for file in /opt/cni/bin/* /usr/bin/kubeadm /usr/bin/kubelet /usr/bin/kubectl /usr/bin/crictl; do
  if [ -e "$file" ] && ! dpkg -S "$file" >/dev/null 2>&1; then keep_found "$file"; fi
done
# A version that was there and is replaced is told, and written down for whoever wants it back.
for name in kubeadm kubelet kubectl; do
  found=$(dpkg-query -W -f '${db:Status-Status} ${Version}' "$name" 2>/dev/null || true)
  case $found in
    "installed $KUBERNETES_VERSION-"* | "") ;;
    "installed "*)
      grep -q -s -x -F "$name=${found#* }" /etc/k8swin/replaced || echo "$name=${found#* }" >>/etc/k8swin/replaced
      echo "kept: $name ${found#* } was installed here and is replaced; its version is in /etc/k8swin/replaced"
      ;;
  esac
done
# What is held anew is written down first as well.
held=$(apt-mark showhold)
for name in kubeadm kubelet kubectl; do
  grep -q -x "$name" <<<"$held" || echo "$name" >>/etc/k8swin/held
done
apt_get install -y -q "${options[@]}" "${wanted[@]}"
apt-mark hold kubeadm kubelet kubectl
systemctl enable --now kubelet
echo "kubeadm $(kubeadm version -o short) is installed and held"
