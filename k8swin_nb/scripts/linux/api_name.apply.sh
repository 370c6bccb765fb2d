# Give the control plane's name its address in /etc/hosts, in a line of ours; without an address that line goes.
set -euo pipefail
: "${API_ENDPOINT:?host and port of the API server, for example api.site.example:6443}"
: "${CONTROL_PLANE_ADDRESS:=}"
# uses: keep_found note_written

# Lines are added, not lost: what is kept is the file as it was before the first of these changes.
[ -e /var/lib/k8swin/kept/etc/hosts ] || keep_found /etc/hosts
new=$(mktemp)
trap 'rm -f "$new"' EXIT
sed '/# k8swin api$/d' /etc/hosts >"$new"
[ -z "$(tail -c 1 "$new")" ] || echo >>"$new"
[ -z "$CONTROL_PLANE_ADDRESS" ] || echo "$CONTROL_PLANE_ADDRESS ${API_ENDPOINT%:*} # k8swin api" >>"$new"
note_written /etc/hosts "$new"
cat "$new" >/etc/hosts
echo "${API_ENDPOINT%:*} is ${CONTROL_PLANE_ADDRESS:-what DNS says}"
