# Are kubeadm, kubelet and kubectl installed at the planned version, and held there?
set -euo pipefail
: "${KUBERNETES_VERSION:?for example 1.36.4}"
# uses: needed_if_any no_upgrade

no_upgrade "$KUBERNETES_VERSION"
differs=()
held=$(apt-mark showhold)
for name in kubeadm kubelet kubectl; do
  version=$(dpkg-query -W -f '${Status} ${Version}' "$name" 2>/dev/null || true)
  case $version in
    "install ok installed $KUBERNETES_VERSION-"* | "hold ok installed $KUBERNETES_VERSION-"*) ;;
    *" installed "*) differs+=("$name: ${version##* } -> $KUBERNETES_VERSION") ;;
    *) differs+=("$name: not installed -> $KUBERNETES_VERSION") ;;
  esac
  grep -q -x "$name" <<<"$held" || differs+=("$name: not held -> held")
done
systemctl is-enabled --quiet kubelet 2>/dev/null || differs+=("service kubelet: not enabled -> enabled")
needed_if_any "wanted $KUBERNETES_VERSION" "${differs[@]}"
echo "kubeadm, kubelet and kubectl are $KUBERNETES_VERSION and held"
