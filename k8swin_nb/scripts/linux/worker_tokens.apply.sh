# Make tokens for flanneld and kube-proxy on Windows. What this prints is a secret: neither shown nor kept.
#
# Each is its service account's, so neither program gets more rights than it has on Linux. Old versions
# keep a token of each account in a Secret, new ones make one when they are asked.
set -euo pipefail
: "${FLANNEL_NAMESPACE:?namespace of flannel, for example kube-flannel}"
: "${TOKEN_SECRETS:?true where service accounts have Secrets with tokens}"
export KUBECONFIG=/etc/kubernetes/admin.conf

token_of() { # NAMESPACE ACCOUNT
  local secret
  if [ "$TOKEN_SECRETS" = true ]; then
    secret=$(kubectl -n "$1" get serviceaccount "$2" -o 'jsonpath={.secrets[0].name}')
    kubectl -n "$1" get secret "$secret" -o 'jsonpath={.data.token}' | base64 -d
  else
    kubectl -n "$1" create token "$2" --duration=8760h
  fi
}
flannel=$(token_of "$FLANNEL_NAMESPACE" flannel)
proxy=$(token_of kube-system kube-proxy)
printf '{"flannel": "%s", "kube_proxy": "%s"}\n' "$flannel" "$proxy"
