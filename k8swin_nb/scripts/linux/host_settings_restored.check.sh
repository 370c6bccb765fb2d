# Are the host's settings back: kernel files, /etc/hosts, swap if asked?
set -euo pipefail
: "${RESTORE_SWAP:?true or false}"
# uses: needed_if_any was_written

left=()
for file in /etc/modules-load.d/k8swin.conf /etc/sysctl.d/zz-k8swin.conf; do
  if was_written "$file"; then left+=("$file"); fi
done
for file in /etc/systemd/system/containerd.service.d/k8swin-proxy.conf /etc/systemd/system/docker.service.d/k8swin-proxy.conf; do
  if was_written "$file"; then left+=("$file"); fi
done
[ ! -s /etc/k8swin/enabled ] || left+=("$(tr '\n' ',' </etc/k8swin/enabled) which did not start with this host")
for file in /etc/k8swin/proxy /etc/k8swin/proxy.new; do [ ! -e "$file" ] || left+=("$file"); done
if grep -q -E '# k8swin( api)?$' /etc/hosts; then left+=("lines in /etc/hosts"); fi
if [ "$RESTORE_SWAP" = true ] && { grep -q '^# k8swin: ' /etc/fstab || [ -s /etc/k8swin/masked ] || [ -s /etc/k8swin/disabled ] || [ -s /etc/k8swin/stopped ] || [ -s /etc/k8swin/swaps ]; }; then left+=("swap"); fi
needed_if_any "to be put back" "${left[@]}"
echo "the host's settings are back; its name, and kernel values until the next boot, stay$(grep -q '^# k8swin: ' /etc/fstab && echo ", swap stays off" || true)"
