# Put the container runtime's configuration back as it was found, and remove the images that were pulled here if asked.
#
# A configuration that somebody changed after us is theirs: it stays.
set -euo pipefail
: "${KEEP_IMAGES:?true or false}"
: "${CONTAINER_RUNTIME:?docker or containerd}"

if [ "$KEEP_IMAGES" = false ] && [ -s /etc/k8swin/images ]; then
  present=
  [ "$CONTAINER_RUNTIME" = docker ] || present=$(ctr -n k8s.io images ls -q)
  while read -r image; do
    if [ "$CONTAINER_RUNTIME" = docker ]; then
      if docker image inspect "$image" >/dev/null 2>&1; then docker rmi "$image"; fi
    elif grep -q -x -F "$image" <<<"$present"; then
      ctr -n k8s.io images rm "$image"
    fi
  done < <(sort -u /etc/k8swin/images)
  rm -f /etc/k8swin/images
fi
saved=/etc/k8swin/saved
put_back() { # FILE SAVED RECORD: what was found, unless somebody changed it after us
  [ -e "$3" ] || return 0
  if [ -e "$1" ] && [ "$(sha256sum <"$1")" != "$(cat "$3")" ]; then
    echo "warning: $1 was changed since and stays; the one that was found is in $1.k8swin"
    [ ! -e "$2" ] || cp -p "$2" "$1.k8swin"
  elif [ -e "$2" ]; then
    cp -p "$2" "$1"
  else
    rm -f "$1"
  fi
}
put_back /etc/containerd/config.toml "$saved/containerd-config.toml" /etc/k8swin/containerd-config.sha256
put_back /etc/docker/daemon.json "$saved/docker-daemon.json" /etc/k8swin/docker-daemon.sha256
if [ -e "$saved/10-containerd-net.conflist" ]; then
  install -d -m 0755 /etc/cni/net.d
  mv "$saved/10-containerd-net.conflist" /etc/cni/net.d/
fi
if [ -e /etc/k8swin/containerd-config.sha256 ] && systemctl is-active --quiet containerd; then systemctl restart containerd; fi
addition=/etc/systemd/system/docker.service.d
if [ -e "$addition/k8swin.conf" ]; then
  rm -f "$addition/k8swin.conf"
  rmdir "$addition" 2>/dev/null || true
  systemctl daemon-reload
  if systemctl is-active --quiet docker; then systemctl restart docker; fi
fi
rm -f /etc/k8swin/containerd-config.sha256 "$saved/containerd-config.toml"
rm -f /etc/k8swin/docker-daemon.sha256 "$saved/docker-daemon.json"
echo "the container runtime is as it was found"
