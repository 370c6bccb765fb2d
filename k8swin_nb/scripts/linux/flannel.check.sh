# Does flannel run as planned? Its backend cannot be changed under running nodes.
set -euo pipefail
: "${NET_CONF:?the planned net-conf.json in one line}"
: "${FLANNEL_NAMESPACE:?namespace of flannel, for example kube-flannel}"
: "${FLANNEL_DAEMONSET:?name of its DaemonSet, for example kube-flannel-ds}"
: "${OS_LABEL:?the node label that names the operating system, for example kubernetes.io/os}"
: "${FLANNEL_INTERFACES:=}"
: "${FLANNEL_IMAGE:?for example ghcr.io/flannel-io/flannel:v0.28.9}"
# uses: needs_control_plane would_write
export KUBECONFIG=/etc/kubernetes/admin.conf

manifest=$(cat)
[ -e "$KUBECONFIG" ] || would_write "flannel, as the API server is given it" <<<"$manifest"
needs_control_plane
image=$(kubectl -n "$FLANNEL_NAMESPACE" get daemonset "$FLANNEL_DAEMONSET" --ignore-not-found \
  -o 'jsonpath={.spec.template.spec.containers[0].image}')
if [ -z "$image" ]; then
  would_write "flannel, as the API server is given it" <<<"$manifest"
  echo "flannel is not deployed"
  exit 10
fi
found=$(kubectl -n "$FLANNEL_NAMESPACE" get configmap kube-flannel-cfg --ignore-not-found -o 'jsonpath={.data.net-conf\.json}' | tr -d '[:space:]')
wanted=$(tr -d '[:space:]' <<<"$NET_CONF")
if [ -n "$found" ] && [ "$found" != "$wanted" ]; then
  echo "flannel runs with $found, the plan has $wanted"
  exit 20
fi
selector=$(kubectl -n "$FLANNEL_NAMESPACE" get daemonset "$FLANNEL_DAEMONSET" -o "jsonpath={.spec.template.spec.nodeSelector.${OS_LABEL//./\\.}}")
interfaces=$(kubectl -n "$FLANNEL_NAMESPACE" get daemonset "$FLANNEL_DAEMONSET" \
  -o 'jsonpath={range .spec.template.spec.containers[0].args[*]}{@}{"\n"}{end}' | sed -n 's/^--iface=//p' | grep -v 'NODE_ADDRESS' | paste -s -d ' ' || true)
differs=()
if [ "$interfaces" != "$FLANNEL_INTERFACES" ]; then
  echo "would: interfaces of flannel: ${interfaces:-those of the addresses} -> ${FLANNEL_INTERFACES:-those of the addresses}"
  differs+=("flannel takes the interfaces ${interfaces:-of the addresses}, wanted ${FLANNEL_INTERFACES:-those of the addresses}")
fi
if [ -z "$found" ] || [ "$image" != "$FLANNEL_IMAGE" ] || [ "$selector" != linux ]; then
  echo "would: flannel: $image on nodes with os ${selector:-any} -> $FLANNEL_IMAGE on linux"
  differs+=("flannel is $image on nodes with os ${selector:-any}, wanted $FLANNEL_IMAGE on linux")
fi
if [ ${#differs[@]} -gt 0 ]; then
  said=$(printf '%s; ' "${differs[@]}")
  echo "${said%; }"
  exit 10
fi
echo "flannel $image is deployed for linux nodes with $found"
