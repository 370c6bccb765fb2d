# Make a token that ends by itself. What this prints is a secret.
set -euo pipefail
: "${VIEWER:?name of the service account, for example k8swin-viewer}"
: "${TOKEN_SECONDS:?for how long it is good, for example 3600}"
: "${KUBECTL_CREATES_TOKENS:?true from Kubernetes 1.24 on}"
export KUBECONFIG=/etc/kubernetes/admin.conf

if [ "$KUBECTL_CREATES_TOKENS" = true ]; then
  token=$(kubectl -n kubernetes-dashboard create token "$VIEWER" --duration="${TOKEN_SECONDS}s")
else
  answer=$(kubectl create --raw "/api/v1/namespaces/kubernetes-dashboard/serviceaccounts/$VIEWER/token" -f - <<<"{\"apiVersion\":\"authentication.k8s.io/v1\",\"kind\":\"TokenRequest\",\"spec\":{\"expirationSeconds\":$TOKEN_SECONDS}}")
  token=$(sed -n 's/.*"token": *"\([^"]*\)".*/\1/p' <<<"$answer")
fi
test -n "$token"
printf '{"token":"%s"}\n' "$token"
