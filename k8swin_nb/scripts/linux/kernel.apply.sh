# Load overlay and br_netfilter and turn forwarding on, before kubeadm and flannel look for them.
set -euo pipefail

printf '%s\n' overlay br_netfilter >/etc/modules-load.d/k8swin.conf
modprobe overlay
modprobe br_netfilter
cat >/etc/sysctl.d/90-k8swin.conf <<'END'
net.bridge.bridge-nf-call-iptables = 1
net.bridge.bridge-nf-call-ip6tables = 1
net.ipv4.ip_forward = 1
END
sysctl -q -p /etc/sysctl.d/90-k8swin.conf
echo "kernel settings are in /etc/sysctl.d/90-k8swin.conf"
