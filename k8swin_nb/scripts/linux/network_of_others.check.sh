# Is the pod network that others made up: Linux nodes Ready, CoreDNS available?
set -euo pipefail
: "${POD_NETWORK:?who makes it, for example calico}"
: "${OS_LABEL:?the node label that names the operating system, for example kubernetes.io/os}"
# uses: needs_control_plane stop_if_stuck
export KUBECONFIG=/etc/kubernetes/admin.conf

needs_control_plane
waiting=$(kubectl get nodes -l "$OS_LABEL=linux" \
  -o 'jsonpath={range .items[*]}{.metadata.name} {.status.conditions[?(@.type=="Ready")].status}{"\n"}{end}' | awk '$2 != "True" { print $1 }')
if [ -n "$waiting" ]; then
  echo "hint: install $POD_NETWORK by its own instructions, with the networks that phase.handover() shows, then run this notebook again"
  echo "not Ready, for want of a pod network: ${waiting//$'\n'/ }"
  exit 10
fi
read -r available replicas < <(kubectl -n kube-system get deployment coredns -o 'jsonpath={.status.availableReplicas} {.spec.replicas}{"\n"}')
if [ "$available" != "$replicas" ]; then
  stop_if_stuck kube-system -l k8s-app=kube-dns
  echo "CoreDNS has $available available, wanted $replicas"
  exit 10
fi
echo "Linux nodes are Ready on $POD_NETWORK, CoreDNS available"
