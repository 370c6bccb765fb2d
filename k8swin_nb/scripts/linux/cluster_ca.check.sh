# Print the cluster's certificate authority in base64, in one line; it is public.
set -euo pipefail

base64 -w 0 /etc/kubernetes/pki/ca.crt
echo
