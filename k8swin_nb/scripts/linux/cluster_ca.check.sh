# Print the cluster's certificate authority in base64, in one line; it is public.
set -euo pipefail
# uses: authority_in

authority_in /etc/kubernetes/pki/ca.crt
echo
