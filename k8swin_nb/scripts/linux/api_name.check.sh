# Does the control plane's name lead to its address on this host?
#
# An address that the description gives stands in /etc/hosts, in a line of ours; without one the site's DNS knows it.
set -euo pipefail
: "${API_ENDPOINT:?host and port of the API server, for example api.site.example:6443}"
: "${CONTROL_PLANE_ADDRESS:=}"

name=${API_ENDPOINT%:*}
found=$(getent ahostsv4 "$name" | awk 'NR == 1 { print $1 }' || true)
line=$(grep '# k8swin api$' /etc/hosts || true)
if [ -z "$CONTROL_PLANE_ADDRESS" ]; then
  if [ -n "$line" ]; then
    if ! getent -s dns ahostsv4 "$name" >/dev/null; then
      echo "hint: let the site's DNS know the name first, or leave its address in \`control_plane_address\`"
      echo "$name is known by our line in /etc/hosts alone, and no \`control_plane_address\` is described any more"
      exit 20
    fi
    echo "would: /etc/hosts: $line -> no line of ours"
    echo "/etc/hosts still has $line, and the site's DNS is to know $name"
    exit 10
  fi
  if [ -z "$found" ]; then
    echo "hint: let the site's DNS know the name, or write its address into \`control_plane_address\`"
    echo "$name leads nowhere"
    exit 20
  fi
  echo "$name leads to $found"
  exit 0
fi
others=$(awk -v name="$name" '!/# k8swin( api)?$/ && $1 !~ /^#/ { for (i = 2; i <= NF && $i !~ /^#/; i++) if ($i == name) print $1 }' /etc/hosts | grep -v -x -F -e "$CONTROL_PLANE_ADDRESS" || true)
if [ -n "$others" ]; then
  echo "hint: correct \`control_plane_address\`, or that line"
  echo "/etc/hosts has $name at ${others//$'\n'/ }, the description has it at $CONTROL_PLANE_ADDRESS"
  exit 20
fi
if [ "$found" != "$CONTROL_PLANE_ADDRESS" ]; then
  echo "would: /etc/hosts: ${line:-no line of ours} -> $CONTROL_PLANE_ADDRESS $name # k8swin api"
  echo "$name leads to ${found:-nothing}, wanted $CONTROL_PLANE_ADDRESS"
  exit 10
fi
echo "$name leads to $found"
