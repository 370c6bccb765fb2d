# Write the kubelet's unit and kubeadm's addition to it, and install the tools that kubeadm calls.
#
# Both come on standard input, one after the other; the addition begins with its second [Service].
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive

folder=/etc/systemd/system
install -d -m 0755 "$folder/kubelet.service.d"
new=$(mktemp -d)
trap 'rm -rf "$new"' EXIT
awk -v unit="$new/unit" -v addition="$new/addition" '
  /^\[Service\]$/ { services++ }
  { print >(services < 2 ? unit : addition) }
'
install -m 0644 "$new/unit" "$folder/kubelet.service"
install -m 0644 "$new/addition" "$folder/kubelet.service.d/10-kubeadm.conf"
wanted=()
for pair in conntrack:conntrack ebtables:ebtables ethtool:ethtool ip:iproute2 iptables:iptables socat:socat; do
  command -v "${pair%%:*}" >/dev/null || wanted+=("${pair#*:}")
done
if [ ${#wanted[@]} -gt 0 ]; then
  apt-get -o DPkg::Lock::Timeout=300 update -q
  # What comes new is written down first: a teardown removes these packages and no others.
  install -d -m 0755 /etc/k8swin
  apt-get -s install -y -q "${wanted[@]}" | awk '$1 == "Inst" && $3 !~ /^\[/ { print $2 }' >>/etc/k8swin/packages
  apt-get -o DPkg::Lock::Timeout=300 install -y -q "${wanted[@]}"
fi
systemctl daemon-reload
systemctl enable kubelet
systemctl restart kubelet
echo "the kubelet is a service"
