# Pull the control plane's images that are not on this host, and only those.
set -euo pipefail

wanted=$(kubeadm config images list --config /etc/k8swin/kubeadm-init.yaml)
present=$(ctr -n k8s.io images ls -q)
for image in $wanted; do
  if ! grep -q -x -F "$image" <<<"$present"; then
    echo "$image" >>/etc/k8swin/images
    crictl pull "$image"
  fi
done
echo "the control plane's images are on this host"
