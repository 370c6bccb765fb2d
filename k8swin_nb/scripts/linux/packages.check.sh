# Are kubeadm, kubelet and kubectl installed at the planned version, and held there?
set -euo pipefail
: "${KUBERNETES_VERSION:?for example 1.36.4}"
# uses: needed_if_any

differs=()
held=$(apt-mark showhold)
for name in kubeadm kubelet kubectl; do
  version=$(dpkg-query -W -f '${Status} ${Version}' "$name" 2>/dev/null || true)
  case $version in
    "install ok installed $KUBERNETES_VERSION-"* | "hold ok installed $KUBERNETES_VERSION-"*) ;;
    *" installed "*)
      if [ -e /etc/kubernetes/kubelet.conf ]; then
        echo "$name is ${version##* } on a node of a cluster, wanted $KUBERNETES_VERSION: that is an upgrade"
        exit 20
      fi
      differs+=("$name: ${version##* } -> $KUBERNETES_VERSION")
      ;;
    *) differs+=("$name: not installed -> $KUBERNETES_VERSION") ;;
  esac
  grep -q -x "$name" <<<"$held" || differs+=("$name: not held -> held")
done
systemctl is-enabled --quiet kubelet 2>/dev/null || differs+=("service kubelet: not enabled -> enabled")
needed_if_any "wanted $KUBERNETES_VERSION" "${differs[@]}"
echo "kubeadm, kubelet and kubectl are $KUBERNETES_VERSION and held"
