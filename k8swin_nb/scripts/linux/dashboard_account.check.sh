# Which account may look at the cluster? Prints the id that its tokens name.
set -euo pipefail
: "${VIEWER:?name of the service account, for example k8swin-viewer}"
# uses: needs_control_plane
export KUBECONFIG=/etc/kubernetes/admin.conf

needs_control_plane
uid=$(kubectl -n kubernetes-dashboard get serviceaccount "$VIEWER" --ignore-not-found -o 'jsonpath={.metadata.uid}')
if [ -z "$uid" ]; then
  echo "would: token of the account $VIEWER: none -> one for an hour, in a file of yours"
  echo "there is no account $VIEWER yet"
  exit 10
fi
echo "$uid"
