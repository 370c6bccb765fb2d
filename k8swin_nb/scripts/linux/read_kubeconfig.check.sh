# Print the login user's kubeconfig. What this prints is a secret: neither shown nor kept.
set -euo pipefail

cat "$HOME/.kube/config"
