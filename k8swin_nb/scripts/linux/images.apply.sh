# Pull the control plane's images that are not on this host, and only those.
set -euo pipefail
: "${CONTAINER_RUNTIME:?docker or containerd}"

wanted=$(kubeadm config images list --config /etc/k8swin/kubeadm-init.yaml)
if [ "$CONTAINER_RUNTIME" = docker ]; then
  for image in $wanted; do
    if ! docker image inspect "$image" >/dev/null 2>&1; then
      echo "$image" >>/etc/k8swin/images
      docker pull "$image"
    fi
  done
else
  present=$(ctr -n k8s.io images ls -q)
  for image in $wanted; do
    if ! grep -q -x -F "$image" <<<"$present"; then
      echo "$image" >>/etc/k8swin/images
      crictl --runtime-endpoint unix:///run/containerd/containerd.sock pull "$image"
    fi
  done
fi
echo "the control plane's images are on this host"
