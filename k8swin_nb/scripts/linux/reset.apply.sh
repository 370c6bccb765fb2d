# Take back what kubeadm did to this host, stop its kubelet, and remove the logs of its pods.
set -euo pipefail
: "${CRI_SOCKET:?for example unix:///run/containerd/containerd.sock}"
: "${CONTAINER_RUNTIME:?docker or containerd}"

systemctl stop kubelet 2>/dev/null || true
if command -v kubeadm >/dev/null; then
  kubeadm reset -f --cri-socket "$CRI_SOCKET"
else
  echo "kubeadm is not installed any more: its files are removed without it"
fi
systemctl disable --now kubelet 2>/dev/null || true
# kubeadm goes on when it could not remove a pod; without a kubelet its containers would run for ever.
if [ "$CONTAINER_RUNTIME" = docker ]; then
  left=$(docker ps -a -q --filter name=^/k8s_)
  for container in $left; do docker rm -f "$container" >/dev/null; done
else
  left=$(ctr -n k8s.io containers ls -q)
  for container in $left; do
    ctr -n k8s.io tasks rm -f "$container" >/dev/null 2>&1 || true
    ctr -n k8s.io containers rm "$container"
  done
fi
[ -z "$left" ] || echo "$(wc -w <<<"$left") containers that kubeadm left were removed"
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
