# Load overlay and br_netfilter and turn forwarding on, before kubeadm and flannel look for them.
#
# The settings' file comes late in the order of names, so that at boot no usual file has the last word after it.
set -euo pipefail
# uses: kernel_settings write_file

for file in /etc/modules-load.d/k8swin.conf /etc/sysctl.d/zz-k8swin.conf; do
  kernel_settings "$file" | write_file 0644 "$file"
done
modprobe overlay
modprobe br_netfilter
sysctl -q -p /etc/sysctl.d/zz-k8swin.conf
echo "kernel settings are in /etc/sysctl.d/zz-k8swin.conf"
