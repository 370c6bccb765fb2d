# Write the configuration of kubeadm init, which comes on standard input, and let kubeadm check it.
set -euo pipefail

install -d -m 0755 /etc/k8swin
new=$(mktemp /etc/k8swin/.kubeadm-init.XXXXXX)
trap 'rm -f "$new"' EXIT
cat >"$new"
if kubeadm config --help 2>/dev/null | grep '^ *validate ' >/dev/null; then
  kubeadm config validate --config "$new"
fi
chmod 0644 "$new"
mv "$new" /etc/k8swin/kubeadm-init.yaml
echo "wrote /etc/k8swin/kubeadm-init.yaml"
