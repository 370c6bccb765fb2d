# Is nothing of kubeadm's work left on this host: no kubelet that runs, no pods, no configuration, no data?
set -euo pipefail
: "${CONTAINER_RUNTIME:?docker or containerd}"
# uses: needed_if_any not_of_kubeadm is_alike

left=()
# What others put among it stays, and so does what was found before and has come back.
theirs=$(not_of_kubeadm)
for file in admin.conf super-admin.conf kubelet.conf bootstrap-kubelet.conf controller-manager.conf scheduler.conf; do
  path=/etc/kubernetes/$file
  if [ -e "$path" ] && ! grep -q -x -F -e "$path" <<<"$theirs" && ! is_alike "$path" "/var/lib/k8swin/kept$path"; then left+=("$file"); fi
done
for folder in /etc/kubernetes/pki /etc/kubernetes/manifests /var/lib/etcd/member /var/lib/kubelet; do
  while IFS= read -r path; do
    if ! grep -q -x -F -e "$path" <<<"$theirs" && ! is_alike "$path" "/var/lib/k8swin/kept$path"; then
      left+=("$folder")
      break
    fi
  done < <(find "$folder" -mindepth 1 ! -type d 2>/dev/null || true)
done
if systemctl is-active --quiet kubelet || systemctl is-enabled --quiet kubelet 2>/dev/null; then left+=("the kubelet's service"); fi
if [ "$CONTAINER_RUNTIME" = docker ]; then
  containers=$(docker ps -a -q --filter name=^/k8s_ 2>/dev/null || true)
else
  containers=$(ctr -n k8s.io containers ls -q 2>/dev/null || true)
fi
[ -z "$containers" ] || left+=("$(wc -w <<<"$containers") containers of pods")
if [ -e /etc/k8swin/cluster-ca ] || [ -e /etc/k8swin/kubeadm-init.started ]; then
  :
elif [ ${#left[@]} -gt 0 ]; then
  # Without a cluster of ours here a package's own kubelet is not ours to stop.
  echo "no cluster of these notebooks on this host"
  exit 0
fi
needed_if_any "to be reset" "${left[@]}"
echo "nothing of kubeadm's work is on this host"
