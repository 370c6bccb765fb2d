# Does /etc/k8swin/kubeadm-init.yaml equal the planned one, which comes on standard input?
set -euo pipefail

if ! cmp -s - /etc/k8swin/kubeadm-init.yaml; then
  echo "/etc/k8swin/kubeadm-init.yaml is missing or differs from the plan"
  exit 10
fi
echo "/etc/k8swin/kubeadm-init.yaml equals the plan"
