# Create the control plane with kubeadm. What it prints holds a join token and goes to a file of root's.
#
# The marker tells an interrupted init of ours, which may be reset, from somebody else's cluster. A site's own
# authority in /etc/kubernetes/pki is used, as kubeadm documents it; it is kept before the first init, since a
# reset empties that folder.
set -euo pipefail
: "${CRI_SOCKET:?socket of the container runtime, as kubeadm spells it}"
: "${IGNORE_PREFLIGHT_ERRORS:=}"
# uses: authority_in keep_found keep_before_kubernetes put_back_kubernetes reset_kubernetes

marker=/etc/k8swin/kubeadm-init.started
log=/etc/k8swin/kubeadm-init.log
if [ -e "$marker" ]; then
  echo "clearing what the interrupted kubeadm init left"
  reset_kubernetes "$CRI_SOCKET"
  put_back_kubernetes
else
  keep_before_kubernetes
  if [ -d /etc/kubernetes/pki ]; then
    while IFS= read -r file; do keep_found "$file"; done < <(find /etc/kubernetes/pki ! -type d)
  fi
fi
install -m 0600 /dev/null "$log"
: >"$marker"
set -- --config /etc/k8swin/kubeadm-init.yaml
[ -z "$IGNORE_PREFLIGHT_ERRORS" ] || set -- "$@" --ignore-preflight-errors="$IGNORE_PREFLIGHT_ERRORS"
if ! kubeadm init "$@" >"$log" 2>&1; then
  grep -v -e '--token' -e '--discovery-token-ca-cert-hash' -e '--certificate-key' "$log" | tail -n 40 >&2
  if grep -q 'error execution phase preflight' "$log"; then
    # Nothing was changed yet; without the marker the next run starts afresh.
    rm -f "$marker"
  fi
  exit 1
fi
# The cluster's authority tells this cluster from any that may stand here later.
authority_in /etc/kubernetes/pki/ca.crt >/etc/k8swin/cluster-ca
rm -f "$marker"
echo "kubeadm init is done; its log is $log on this host"
