# Does this worker's kubelet work? Asked while its node is not Ready; 30 says that no wait makes it so.
set -euo pipefail
: "${NODE_NAME:?the planned host name, for example linuxworker01}"
: "${CLUSTER_CA:=}"
# uses: kubelet_identity kubelet_is_known

certificate=/var/lib/kubelet/pki/kubelet-client-current.pem
again="type kubeadm reset -f on this host, then run this notebook again"
identity=$(kubelet_identity)
if [ -n "$identity" ] && [ "$identity" != "$NODE_NAME" ]; then
  echo "hint: name this host $identity under \`hosts\`; or take the node $identity out of the cluster and $again"
  echo "the kubelet of this host is the node $identity, planned is $NODE_NAME"
  exit 30
fi
if [ -n "$identity" ] && [ -n "$CLUSTER_CA" ] && ! kubelet_is_known "$CLUSTER_CA"; then
  echo "hint: $again"
  echo "the kubelet's certificate $certificate was signed by another cluster's authority"
  exit 30
fi
if [ -n "$identity" ] && ! openssl x509 -noout -checkend 0 -in "$certificate" >/dev/null; then
  echo "hint: $again"
  echo "the kubelet's certificate $certificate has expired"
  exit 30
fi
said() { journalctl -u kubelet -n 60 -o cat --no-pager 2>/dev/null | grep -E "$1" | tail -n 1 || true; }
property() { systemctl show -p "$1" --value kubelet; }
if [ "$(property LoadState)" = not-found ]; then
  echo "hint: run this notebook from its top: its steps install the kubelet"
  echo "there is no service kubelet on this host"
  exit 30
fi
state=$(property ActiveState)
# Before a host joins its kubelet ends every ten seconds, and that is counted too: one that runs now is given its time.
if [ "$state" = failed ] || [ "$state" = inactive ] || { [ "$state" = activating ] && [ "$(property NRestarts)" -ge 3 ]; }; then
  why=$(said 'err=|^E[0-9]|[Ee]rror:')
  echo "hint: read journalctl -u kubelet -n 50 on this host, mend what it says, then run this notebook again"
  echo "the kubelet is $state and was started $(property NRestarts) times more: ${why:-it gives no reason}"
  exit 30
fi
refused=$(said 'Unable to register node.*(Unauthorized|forbidden|x509)')
if [ -n "$refused" ]; then
  echo "hint: $again"
  echo "the API server refuses this kubelet: $refused"
  exit 30
fi
echo "the kubelet is $state"
