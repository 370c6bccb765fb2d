# Print the cluster's certificate authority in base64, in one line; it is public.
set -euo pipefail
# uses: authority_in

if [ ! -e /etc/kubernetes/pki/ca.crt ]; then
  echo "there is no cluster on this host yet, and so no certificate authority"
  exit 10
fi
authority_in /etc/kubernetes/pki/ca.crt
echo
