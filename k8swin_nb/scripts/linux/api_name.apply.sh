# Give the control plane's name its address in /etc/hosts, in a line of ours; without an address that line goes.
set -euo pipefail
: "${API_ENDPOINT:?host and port of the API server, for example api.site.example:6443}"
: "${CONTROL_PLANE_ADDRESS:=}"
# uses: keep_found note_written

# Lines are added, not lost: what is kept is the file as it was before the first of these changes.
[ -e /var/lib/k8swin/kept/etc/hosts ] || keep_found /etc/hosts
name=${API_ENDPOINT%:*}
new=$(mktemp)
old=$(mktemp)
cat /etc/hosts >"$old"
# Whatever ends this script before it is known that DNS has the name, the line is there again.
unproved=''
ended() {
  [ -z "$unproved" ] || cat "$old" >/etc/hosts
  rm -f "$new" "$old"
}
trap ended EXIT
sed '/# k8swin api$/d' /etc/hosts >"$new"
[ -z "$(tail -c 1 "$new")" ] || echo >>"$new"
[ -z "$CONTROL_PLANE_ADDRESS" ] || echo "$CONTROL_PLANE_ADDRESS $name # k8swin api" >>"$new"
note_written /etc/hosts "$new"
[ -n "$CONTROL_PLANE_ADDRESS" ] || unproved=yes
cat "$new" >/etc/hosts
if [ -n "$unproved" ]; then
  # systemd-resolved answers from this file as if it were DNS, and looks at it anew after two seconds.
  sleep 3
  if ! getent ahostsv4 "$name" >/dev/null; then
    echo "the site's DNS does not know $name: our line in /etc/hosts is put back; leave the address in \`control_plane_address\`" >&2
    exit 1
  fi
  unproved=''
fi
echo "$name is ${CONTROL_PLANE_ADDRESS:-what DNS says}"
