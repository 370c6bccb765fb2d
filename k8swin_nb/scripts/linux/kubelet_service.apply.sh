# Write the kubelet's unit and kubeadm's addition to it, and install the tools that kubeadm calls.
#
# Both come on standard input, one after the other; the addition begins with its second [Service].
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive
# uses: install_packages read_package_lists write_file

folder=/etc/systemd/system
[ -d "$folder/kubelet.service.d" ] || install -d -m 0755 "$folder/kubelet.service.d"
new=$(mktemp -d)
trap 'rm -rf "$new"' EXIT
awk -v unit="$new/unit" -v addition="$new/addition" '
  /^\[Service\]$/ { services++ }
  { print >(services < 2 ? unit : addition) }
'
write_file 0644 "$folder/kubelet.service" <"$new/unit"
write_file 0644 "$folder/kubelet.service.d/10-kubeadm.conf" <"$new/addition"
wanted=()
for pair in conntrack:conntrack ebtables:ebtables ethtool:ethtool ip:iproute2 iptables:iptables socat:socat; do
  command -v "${pair%%:*}" >/dev/null || wanted+=("${pair#*:}")
done
if [ ${#wanted[@]} -gt 0 ]; then
  read_package_lists
  install_packages "${wanted[@]}"
fi
systemctl daemon-reload
systemctl enable kubelet
systemctl restart kubelet
echo "the kubelet is a service"
