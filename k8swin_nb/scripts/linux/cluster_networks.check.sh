# Has a cluster that stands on this host other networks than the planned? They cannot be changed under it.
#
# Read from the manifests, so that it is known while nothing answers. What kubeadm init was cut short is made anew.
set -euo pipefail
: "${POD_SUBNET:?for example 10.244.0.0/16}"
: "${SERVICE_SUBNET:?for example 10.96.0.0/12}"

kubernetes=/etc/kubernetes
if [ -e /etc/k8swin/kubeadm-init.started ] || [ ! -e $kubernetes/admin.conf ]; then
  echo "no cluster stands on this host"
  exit 0
fi
option() { sed -n "s/^ *- --$2=//p" "$kubernetes/manifests/$1.yaml" 2>/dev/null | sed -n 1p || true; }
pods=$(option kube-controller-manager cluster-cidr)
services=$(option kube-apiserver service-cluster-ip-range)
pods=${pods:-$POD_SUBNET} services=${services:-$SERVICE_SUBNET}
if [ "$pods $services" != "$POD_SUBNET $SERVICE_SUBNET" ]; then
  echo "hint: the networks of a cluster that stands cannot be changed, and nothing was saved: give \`pod_subnet\` and \`service_subnet\` those it has; or take it down with 90_teardown and the description that it was built by, and build it again"
  echo "a cluster stands on this host with pods in $pods and services in $services, the plan has $POD_SUBNET and $SERVICE_SUBNET"
  exit 20
fi
echo "the cluster on this host has pods in $pods and services in $services"
