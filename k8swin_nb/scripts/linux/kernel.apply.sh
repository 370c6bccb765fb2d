# Load overlay and br_netfilter and turn forwarding on, before kubeadm and flannel look for them.
#
# The settings' file comes late in the order of names, so that at boot no usual file has the last word after it.
set -euo pipefail
# uses: write_file

printf '%s\n' overlay br_netfilter | write_file 0644 /etc/modules-load.d/k8swin.conf
modprobe overlay
modprobe br_netfilter
write_file 0644 /etc/sysctl.d/zz-k8swin.conf <<'END'
net.bridge.bridge-nf-call-iptables = 1
net.bridge.bridge-nf-call-ip6tables = 1
net.ipv4.ip_forward = 1
END
sysctl -q -p /etc/sysctl.d/zz-k8swin.conf
echo "kernel settings are in /etc/sysctl.d/zz-k8swin.conf"
