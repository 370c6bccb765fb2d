# Are the host's settings back: kernel files, /etc/hosts, the kubeconfigs of this cluster, swap if asked?
set -euo pipefail
: "${NODE_USER:?the login user, for example ubuntu}"
: "${RESTORE_SWAP:?true or false}"
# uses: needed_if_any

left=()
for file in /etc/modules-load.d/k8swin.conf /etc/sysctl.d/90-k8swin.conf /etc/systemd/system/*.service.d/k8swin-proxy.conf /etc/k8swin/proxy; do
  [ ! -e "$file" ] || left+=("$file")
done
if grep -q '# k8swin$' /etc/hosts; then left+=("the line in /etc/hosts"); fi
ca=$(cat /etc/k8swin/cluster-ca 2>/dev/null || true)
config=$(getent passwd "$NODE_USER" | cut -d: -f6)/.kube/config
if [ -n "$ca" ] && [ -e "$config" ] && grep -q -F "certificate-authority-data: $ca" "$config"; then
  if [ "$(grep -c 'certificate-authority-data:' "$config")" = 1 ]; then left+=("$config"); fi
fi
if [ "$RESTORE_SWAP" = true ] && { grep -q '^# k8swin: ' /etc/fstab || [ -s /etc/k8swin/masked ]; }; then left+=("swap"); fi
needed_if_any "to be put back" "${left[@]}"
echo "the host's settings are back; its name, and kernel values until the next boot, stay$(grep -q '^# k8swin: ' /etc/fstab && echo ", swap stays off" || true)"
