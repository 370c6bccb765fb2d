# Write the kubelet's configuration, which is kubeadm's with the described settings, and start the kubelet anew.
#
# That it has to start is noted before the first change, so that what is cut short in between does not look done.
set -euo pipefail
: "${KUBELET_CONFIG:?the whole configuration}"

file=/var/lib/kubelet/config.yaml
: >/etc/k8swin/kubelet.restart
if [ "$(cat "$file")" != "$KUBELET_CONFIG" ]; then
  cp -p "$file" "$file.k8swin-new"
  printf '%s\n' "$KUBELET_CONFIG" >"$file.k8swin-new"
  mv "$file.k8swin-new" "$file"
fi
systemctl restart kubelet
rm -f /etc/k8swin/kubelet.restart
echo "the kubelet is started anew with its settings"
