# Is the kubelet of the tarball a service, with the tools that kubeadm calls, at the planned version?
#
# The unit and its addition come on standard input, as the packages of that time had them.
set -euo pipefail
: "${KUBERNETES_VERSION:?for example 1.13.12}"

folder=/etc/systemd/system
wanted=$(cat)
found=$(cat "$folder/kubelet.service" "$folder/kubelet.service.d/10-kubeadm.conf" 2>/dev/null || true)
differs=()
[ "$found" = "$wanted" ] || differs+=("the unit: missing or another -> as its packages had it")
for tool in conntrack ebtables ethtool ip iptables socat; do
  command -v "$tool" >/dev/null || differs+=("$tool: not installed -> installed")
done
systemctl is-enabled --quiet kubelet 2>/dev/null || differs+=("service kubelet: not enabled -> enabled")
if [ "$found" != "$wanted" ]; then
  echo "would write: $folder/kubelet.service with kubelet.service.d/10-kubeadm.conf"
  awk 'NF || NR > 1 { print "-|" $0 }' <<<"$found"
  awk '{ print "+|" $0 }' <<<"$wanted"
fi
[ ${#differs[@]} -eq 0 ] || printf 'would: %s\n' "${differs[@]}"
for tool in kubeadm kubelet kubectl; do
  if ! command -v "$tool" >/dev/null; then
    echo "$tool is not installed, wanted a kubelet service of v$KUBERNETES_VERSION"
    exit 10
  fi
done
kubeadm=$(kubeadm version -o short)
kubelet=$(kubelet --version | awk '{ print $2 }')
kubectl=$(kubectl version --client -o yaml | awk '$1 == "gitVersion:" { print $2 }')
for version in "kubeadm $kubeadm" "kubelet $kubelet" "kubectl $kubectl"; do
  if [ "${version#* }" != "v$KUBERNETES_VERSION" ]; then
    echo "$version answers, wanted v$KUBERNETES_VERSION: another one is on the PATH"
    exit 20
  fi
done
if [ ${#differs[@]} -gt 0 ]; then
  printf '%s; ' "${differs[@]}"
  echo "wanted a kubelet service of v$KUBERNETES_VERSION"
  exit 10
fi
echo "kubeadm, kubelet and kubectl are v$KUBERNETES_VERSION, and the kubelet is a service"
