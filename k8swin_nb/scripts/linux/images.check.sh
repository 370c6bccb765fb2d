# Are the control plane's images on this host?
set -euo pipefail

if [ ! -e /etc/k8swin/kubeadm-init.yaml ]; then
  echo "the configuration of kubeadm init is not written yet"
  exit 10
fi
wanted=$(kubeadm config images list --config /etc/k8swin/kubeadm-init.yaml)
present=$(ctr -n k8s.io images ls -q)
missing=()
for image in $wanted; do
  grep -q -x -F "$image" <<<"$present" || missing+=("$image")
done
if [ ${#missing[@]} -gt 0 ]; then
  echo "not on this host: ${missing[*]}"
  exit 10
fi
echo "$(wc -w <<<"$wanted") images are on this host"
