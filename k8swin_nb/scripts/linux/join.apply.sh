# Join the cluster with kubeadm, or start the kubelet of a host that has joined already.
#
# The configuration holds the join token: it comes by standard input and lies in a file of root's only
# while kubeadm runs. kubeadm's output may repeat the token and is filtered. The marker tells an interrupted
# join of ours, which may be reset, from what others left.
set -euo pipefail
: "${JOIN_CONFIGURATION:?configuration of kubeadm join}"
: "${CRI_SOCKET:?socket of the container runtime, as kubeadm spells it}"
: "${IGNORE_PREFLIGHT_ERRORS:=}"
: "${NODE_NAME:?the planned host name, for example linuxworker01}"
: "${CLUSTER_CA:?certificate authority of the cluster in base64}"
# uses: keep_found keep_before_kubernetes put_back_kubernetes reset_kubernetes

if [ -e /etc/kubernetes/kubelet.conf ]; then
  if kubectl --kubeconfig /etc/kubernetes/kubelet.conf get node "$NODE_NAME" 2>&1 | grep NotFound >/dev/null; then
    # The node may be given another part of the pod network, and the bridge would keep the address of the old one.
    ip link delete cni0 2>/dev/null || true
  fi
  # A kubelet registers its node when it starts, and at no other time.
  systemctl enable kubelet
  systemctl restart kubelet
  echo "the kubelet is started anew"
  exit 0
fi
marker=/etc/k8swin/kubeadm-join.started
if [ -e "$marker" ]; then
  echo "clearing what the interrupted kubeadm join left"
  reset_kubernetes "$CRI_SOCKET"
  put_back_kubernetes
else
  keep_before_kubernetes
fi
if [ -e /etc/kubernetes/pki/ca.crt ]; then
  # kubeadm refuses to start over it, although it is this cluster's, which the check has seen to.
  keep_found /etc/kubernetes/pki/ca.crt
  rm -f /etc/kubernetes/pki/ca.crt
fi
file=$(mktemp)
trap 'rm -f "$file"' EXIT
chmod 0600 "$file"
printf '%s' "$JOIN_CONFIGURATION" >"$file"
# Whose cluster this host joins is written down first: a teardown removes the host from no other one.
install -d -m 0755 /etc/k8swin
printf '%s' "$CLUSTER_CA" >/etc/k8swin/cluster-ca
: >"$marker"
set -- --config "$file"
[ -z "$IGNORE_PREFLIGHT_ERRORS" ] || set -- "$@" --ignore-preflight-errors="$IGNORE_PREFLIGHT_ERRORS"
kubeadm join "$@" 2>&1 | grep -v -i token
rm -f "$marker"
echo "this host has joined the cluster"
