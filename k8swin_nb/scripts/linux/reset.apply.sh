# Take back what kubeadm did to this host, stop its kubelet, and remove the logs of its pods.
#
# What is not of kubeadm's making comes back, such as a site's own authority or somebody's static pod.
set -euo pipefail
: "${CRI_SOCKET:?for example unix:///run/containerd/containerd.sock}"
: "${CONTAINER_RUNTIME:?docker or containerd}"
# uses: put_back_kubernetes reset_kubernetes

systemctl stop kubelet 2>/dev/null || true
reset_kubernetes "$CRI_SOCKET"
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
for folder in /etc/kubernetes/manifests /etc/kubernetes/pki /var/lib/etcd/member /var/lib/kubelet; do
  mounted=$(awk -v below="$folder/" 'index($2, below) == 1 { print $2 }' /proc/mounts 2>/dev/null || true)
  if [ -n "$mounted" ]; then
    echo "still mounted: ${mounted//$'\n'/ }" >&2
    exit 1
  fi
  [ ! -d "$folder" ] || find -H "$folder" -mindepth 1 -delete
done
if [ -d /var/lib/etcd/member ]; then rmdir /var/lib/etcd/member; fi
for name in admin super-admin kubelet bootstrap-kubelet controller-manager scheduler; do
  rm -f "/etc/kubernetes/$name.conf"
done
if [ -d /etc/kubernetes/tmp ]; then
  find /etc/kubernetes/tmp -mindepth 1 -maxdepth 1 -name 'kubeadm-*' -exec rm -rf {} +
  rmdir /etc/kubernetes/tmp 2>/dev/null || true
fi
# The kubelet names a pod's folder NAMESPACE_NAME_ID, and links to each of its logs.
if [ -d /var/log/pods ]; then
  find /var/log/pods -mindepth 1 -maxdepth 1 -type d -name '*_*_*' -exec rm -rf {} +
  rmdir /var/log/pods 2>/dev/null || true
fi
if [ -d /var/log/containers ]; then
  find /var/log/containers -mindepth 1 -maxdepth 1 -type l -name '*_*_*.log' -exec rm -f {} +
  rmdir /var/log/containers 2>/dev/null || true
fi
put_back_kubernetes
rm -f /etc/k8swin/kubeadm-init.started /etc/k8swin/kubeadm-join.started
echo "kubeadm reset is done"
