# Make a short-lived join token. What this prints is a secret: it is neither shown nor kept.
set -euo pipefail
export KUBECONFIG=/etc/kubernetes/admin.conf

token=$(kubeadm token create --ttl 2h --description 'k8swin join')
hash=$(openssl x509 -pubkey -noout -in /etc/kubernetes/pki/ca.crt |
  openssl pkey -pubin -outform der | openssl dgst -sha256 -hex | sed 's/^.* //')
printf '{"token": "%s", "ca_hash": "sha256:%s"}\n' "$token" "$hash"
