# Take back what kubeadm did to this host, stop its kubelet, and remove the logs of its pods.
set -euo pipefail
: "${CRI_SOCKET:?for example unix:///run/containerd/containerd.sock}"

systemctl stop kubelet 2>/dev/null || true
if command -v kubeadm >/dev/null; then
  kubeadm reset -f --cri-socket "$CRI_SOCKET"
else
  echo "kubeadm is not installed any more: its files are removed without it"
fi
systemctl disable --now kubelet 2>/dev/null || true
# What is in a folder that kubeadm could not unmount is not on this host's disk, and not to be deleted.
for folder in /etc/kubernetes/manifests /etc/kubernetes/pki /var/lib/etcd /var/lib/kubelet; do
  mounted=$(awk -v below="$folder/" 'index($2, below) == 1 { print $2 }' /proc/mounts 2>/dev/null || true)
  if [ -n "$mounted" ]; then
    echo "still mounted: ${mounted//$'\n'/ }" >&2
    exit 1
  fi
  [ ! -d "$folder" ] || find "$folder" -mindepth 1 -delete
done
for name in admin super-admin kubelet bootstrap-kubelet controller-manager scheduler; do
  rm -f "/etc/kubernetes/$name.conf"
done
rm -rf /etc/kubernetes/tmp /var/log/pods /var/log/containers
rm -f /etc/k8swin/kubeadm-init.started
echo "kubeadm reset is done"
