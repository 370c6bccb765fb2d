# Make tokens for flanneld and kube-proxy on Windows. What this prints is a secret: neither shown nor kept.
#
# Each is its service account's, so neither program gets more rights than it has on Linux.
set -euo pipefail
export KUBECONFIG=/etc/kubernetes/admin.conf

flannel=$(kubectl -n kube-flannel create token flannel --duration=8760h)
proxy=$(kubectl -n kube-system create token kube-proxy --duration=8760h)
printf '{"flannel": "%s", "kube_proxy": "%s"}\n' "$flannel" "$proxy"
