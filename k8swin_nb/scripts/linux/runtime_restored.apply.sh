# Put containerd's configuration back as it was found, and remove the images that were pulled here if asked.
#
# A configuration that somebody changed after us is theirs: it stays.
set -euo pipefail
: "${KEEP_IMAGES:?true or false}"

if [ "$KEEP_IMAGES" = false ] && [ -s /etc/k8swin/images ]; then
  present=$(ctr -n k8s.io images ls -q)
  while read -r image; do
    if grep -q -x -F "$image" <<<"$present"; then ctr -n k8s.io images rm "$image"; fi
  done < <(sort -u /etc/k8swin/images)
  rm -f /etc/k8swin/images
fi
config=/etc/containerd/config.toml
saved=/etc/k8swin/saved
if [ -e /etc/k8swin/containerd-config.sha256 ]; then
  if [ -e "$config" ] && [ "$(sha256sum <"$config")" != "$(cat /etc/k8swin/containerd-config.sha256)" ]; then
    echo "warning: $config was changed since and stays; the one that was found is in $config.k8swin"
    [ ! -e "$saved/containerd-config.toml" ] || cp -p "$saved/containerd-config.toml" "$config.k8swin"
  elif [ -e "$saved/containerd-config.toml" ]; then
    cp -p "$saved/containerd-config.toml" "$config"
  else
    rm -f "$config"
  fi
fi
if [ -e "$saved/10-containerd-net.conflist" ]; then
  install -d -m 0755 /etc/cni/net.d
  mv "$saved/10-containerd-net.conflist" /etc/cni/net.d/
fi
if systemctl is-active --quiet containerd; then systemctl restart containerd; fi
rm -f /etc/k8swin/containerd-config.sha256 "$saved/containerd-config.toml"
echo "the container runtime is as it was found"
