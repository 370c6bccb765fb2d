# Does /etc/k8swin/kubeadm-init.yaml equal the planned one, which comes on standard input?
set -euo pipefail
# uses: would_write

wanted=$(cat)
if [ "$(cat /etc/k8swin/kubeadm-init.yaml 2>/dev/null || true)" != "$wanted" ]; then
  would_write /etc/k8swin/kubeadm-init.yaml <<<"$wanted"
  echo "/etc/k8swin/kubeadm-init.yaml is missing or differs from the plan"
  exit 10
fi
echo "/etc/k8swin/kubeadm-init.yaml equals the plan"
