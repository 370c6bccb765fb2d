# Is what stands on this host the planned cluster, made by these notebooks? Anything else is left alone.
#
# The authority's certificate was written down when the cluster was made or joined; a cluster that came
# about otherwise, or that was made anew since, has another one.
set -euo pipefail
: "${NODE_ROLE:?control-plane or worker}"
: "${MASTER_ADDRESS:?address of the master, for example 192.168.160.2}"
: "${API_PORT:?port of the API server, for example 6443}"
: "${API_ENDPOINT:?host and port of the API server, for example 192.168.160.2:6443}"
: "${POD_SUBNET:?for example 10.244.0.0/16}"
: "${SERVICE_SUBNET:?for example 10.96.0.0/12}"
: "${CLUSTER_CA:=}"
# uses: authority_in authority_recorded

record=/etc/k8swin/cluster-ca
kubernetes=/etc/kubernetes
if [ -e /etc/k8swin/kubeadm-init.started ]; then
  echo "a kubeadm init that was interrupted"
  exit 0
fi
ours=$(authority_recorded)
if [ ! -e $kubernetes/admin.conf ] && [ ! -e $kubernetes/kubelet.conf ]; then
  traces=$(find $kubernetes/manifests /var/lib/etcd/member -mindepth 1 -maxdepth 1 2>/dev/null || true)
  if [ -n "$traces" ] && [ -z "$ours" ]; then
    echo "traces of a cluster that was not made by these notebooks: ${traces//$'\n'/ }"
    exit 20
  fi
  echo "no cluster on this host"
  exit 0
fi
if [ -z "$ours" ]; then
  there=$(find $kubernetes/admin.conf $kubernetes/kubelet.conf 2>/dev/null || true)
  echo "the cluster on this host was not made by these notebooks: there is ${there//$'\n'/ }, and $record is missing"
  exit 20
fi
found=$(authority_in $kubernetes/pki/ca.crt)
if [ "$found" != "$ours" ]; then
  echo "the cluster on this host has another certificate authority than the one that was made here"
  exit 20
fi
if [ -n "$CLUSTER_CA" ] && [ "$found" != "$CLUSTER_CA" ]; then
  echo "this host belongs to another cluster than the one at $MASTER_ADDRESS: its certificate authority differs"
  exit 20
fi
server=$(awk '$1 == "server:" { print $2; exit }' $kubernetes/kubelet.conf 2>/dev/null || true)
# A control plane's own kubelet may ask the API server beside it.
if [ "$NODE_ROLE" = control-plane ] && [ "$server" = "https://$MASTER_ADDRESS:$API_PORT" ]; then server=; fi
if [ -n "$server" ] && [ "$server" != "https://$API_ENDPOINT" ]; then
  echo "this host belongs to the cluster at $server, not to https://$API_ENDPOINT"
  exit 20
fi
if [ "$NODE_ROLE" != control-plane ]; then
  echo "this host is a worker of $server"
  exit 0
fi
for pair in "kube-controller-manager --cluster-cidr $POD_SUBNET" "kube-apiserver --service-cluster-ip-range $SERVICE_SUBNET"; do
  read -r name option planned <<<"$pair"
  value=$(sed -n "s/^ *- $option=//p" "$kubernetes/manifests/$name.yaml" 2>/dev/null || true)
  if [ -n "$value" ] && [ "$value" != "$planned" ]; then
    echo "the cluster on this host has $option=$value, the plan has $planned"
    exit 20
  fi
done
echo "the control plane of the cluster at $MASTER_ADDRESS"
