# Pull the control plane's images that are not on this host, and only those.
set -euo pipefail
: "${CONTAINER_RUNTIME:?docker or containerd}"

wanted=$(kubeadm config images list --config /etc/k8swin/kubeadm-init.yaml)
if [ "$CONTAINER_RUNTIME" = docker ]; then
  for image in $wanted; do
    docker image inspect "$image" >/dev/null 2>&1 || docker pull "$image"
  done
else
  present=$(ctr -n k8s.io images ls -q)
  for image in $wanted; do
    grep -q -x -F "$image" <<<"$present" || crictl --runtime-endpoint unix:///run/containerd/containerd.sock pull "$image"
  done
fi
echo "the control plane's images are on this host"
