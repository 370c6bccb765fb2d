# Has this host joined this cluster, and does its kubelet run? A cluster that is not made yet has no CLUSTER_CA.
set -euo pipefail
: "${API_ENDPOINT:?host and port of the API server, for example 192.168.160.2:6443}"
: "${CLUSTER_CA:=}"
: "${NODE_NAME:?the planned host name, for example linuxworker01}"
# uses: authority_in authority_of_kubeconfig authority_recorded kubelet_identity kubelet_is_known

config=/etc/kubernetes/kubelet.conf
if [ ! -e "$config" ]; then
  left=/etc/kubernetes/pki/ca.crt
  found=$(authority_in "$left")
  ours=
  [ ! -e /etc/k8swin/kubeadm-join.started ] || ours=$(authority_recorded)
  if [ -e "$left" ] && [ "$found" != "$CLUSTER_CA" ] && [ "$found" != "$ours" ]; then
    echo "$left is another cluster's: nothing in /etc/kubernetes/pki is removed from here; move what is still needed, and the rest away"
    exit 20
  fi
  if [ -z "$ours" ] && [ -e /etc/kubernetes/bootstrap-kubelet.conf ]; then
    echo "/etc/kubernetes/bootstrap-kubelet.conf is of a join that was not begun from here: move it away, or finish that join"
    exit 20
  fi
  pods=$(find /etc/kubernetes/manifests -mindepth 1 -maxdepth 1 2>/dev/null || true)
  if [ -z "$ours" ] && [ -n "$pods" ]; then
    echo "kubeadm joins no host with pods of its own: ${pods//$'\n'/ }; move them away"
    exit 20
  fi
  if [ -n "$ours" ]; then
    echo "would: kubelet: an interrupted kubeadm join -> reset, and joined to https://$API_ENDPOINT, active"
    echo "an earlier kubeadm join was interrupted"
  else
    echo "would: kubelet: of no cluster -> joined to https://$API_ENDPOINT by kubeadm join, active"
    echo "this host has not joined a cluster"
  fi
  exit 10
fi
server=$(awk '$1 == "server:" { print $2; exit }' "$config")
ca=$(authority_of_kubeconfig "$config")
if [ "$server" != "https://$API_ENDPOINT" ]; then
  echo "this host belongs to the cluster at $server, not to https://$API_ENDPOINT, by $config"
  exit 20
fi
if [ -n "$ca" ] && [ "$ca" != "$CLUSTER_CA" ]; then
  echo "this host trusts another certificate authority than the cluster at $server has"
  exit 20
fi
identity=$(kubelet_identity)
if [ -n "$identity" ] && [ "$identity" != "$NODE_NAME" ]; then
  echo "hint: name this host $identity under \`hosts\`; or take the node $identity out of the cluster, type kubeadm reset -f here and run this notebook again"
  echo "the kubelet of this host is the node $identity, planned is $NODE_NAME"
  exit 20
fi
if [ -n "$identity" ] && ! kubelet_is_known "$CLUSTER_CA"; then
  echo "hint: when nobody needs that cluster, type kubeadm reset -f here, then run this notebook again"
  echo "the kubelet's certificate was signed by another cluster's authority"
  exit 20
fi
if ! systemctl is-active --quiet kubelet; then
  echo "would: service kubelet: not active -> active"
  echo "this host has joined, its kubelet does not run"
  exit 10
fi
echo "this host has joined $server and its kubelet runs"
