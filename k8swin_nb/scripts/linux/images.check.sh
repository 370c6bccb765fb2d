# Are the control plane's images on this host?
set -euo pipefail
: "${CONTAINER_RUNTIME:?docker or containerd}"
# uses: full_image

if [ ! -e /etc/k8swin/kubeadm-init.yaml ]; then
  echo "would: images of the control plane: not known before kubeadm is installed and configured -> pulled"
  echo "the configuration of kubeadm init is not written yet"
  exit 10
fi
for program in kubeadm "$([ "$CONTAINER_RUNTIME" = docker ] && echo docker || echo ctr)"; do
  if ! command -v "$program" >/dev/null; then
    echo "$program is not installed yet"
    exit 10
  fi
done
present() { # IMAGE
  if [ "$CONTAINER_RUNTIME" = docker ]; then
    docker image inspect "$1" >/dev/null 2>&1
  else
    grep -q -x -F -e "$(full_image "$1")" <<<"$images"
  fi
}
wanted=$(kubeadm config images list --config /etc/k8swin/kubeadm-init.yaml)
images=
[ "$CONTAINER_RUNTIME" = docker ] || images=$(ctr -n k8s.io images ls -q)
missing=()
for image in $wanted; do
  present "$image" || missing+=("$image")
done
if [ ${#missing[@]} -gt 0 ]; then
  printf 'would: %s: not on this host -> pulled\n' "${missing[@]}"
  echo "not on this host: ${missing[*]}"
  exit 10
fi
echo "$(wc -w <<<"$wanted") images are on this host"
