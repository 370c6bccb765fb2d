# Print the administrator's kubeconfig. What this prints is a secret: it is neither shown nor kept.
set -euo pipefail

printf '{"kubeconfig": "%s"}\n' "$(base64 -w 0 /etc/kubernetes/admin.conf)"
