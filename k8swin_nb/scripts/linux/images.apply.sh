# Pull the control plane's images that are not on this host, and only those.
set -euo pipefail
: "${CONTAINER_RUNTIME:?docker or containerd}"
# uses: full_image

wanted=$(kubeadm config images list --config /etc/k8swin/kubeadm-init.yaml)
if [ "$CONTAINER_RUNTIME" = docker ]; then
  present=
else
  present=$(ctr -n k8s.io images ls -q)
fi
for image in $wanted; do
  if [ "$CONTAINER_RUNTIME" = docker ]; then
    # Docker answers for a name in each of its spellings; its list has one of them.
    if docker image inspect "$image" >/dev/null 2>&1; then continue; fi
  elif grep -q -x -F -e "$(full_image "$image")" <<<"$present"; then
    continue
  fi
  # What was not here before is written down first: a teardown may remove these images and no others.
  echo "$image" >>/etc/k8swin/images
  if [ "$CONTAINER_RUNTIME" = docker ]; then
    docker pull "$image"
  else
    crictl --runtime-endpoint unix:///run/containerd/containerd.sock pull "$image"
  fi
done
echo "the control plane's images are on this host"
