# Put the runtime's configuration back as it was found, and remove the images that were pulled here if asked.
#
# A configuration that somebody changed after us is theirs: it stays. Docker is restarted only when no
# container runs in it, since a restart would stop them.
set -euo pipefail
: "${CONTAINER_RUNTIME:?docker or containerd}"
: "${KEEP_IMAGES:?true or false}"

if [ "$KEEP_IMAGES" = false ] && [ -s /etc/k8swin/images ]; then
  if [ "$CONTAINER_RUNTIME" = docker ]; then
    present=$(docker image ls --format '{{.Repository}}:{{.Tag}}')
    remove=(docker image rm)
  else
    present=$(ctr -n k8s.io images ls -q)
    remove=(ctr -n k8s.io images rm)
  fi
  while read -r image; do
    if grep -q -x -F "$image" <<<"$present"; then "${remove[@]}" "$image"; fi
  done < <(sort -u /etc/k8swin/images)
  rm -f /etc/k8swin/images
fi
saved=/etc/k8swin/saved
put_back() { # FILE SAVED RECORD: what was found, unless somebody changed it after us
  [ -e "$3" ] || return 0
  # A run that was interrupted may have put it back already.
  if [ -e "$1" ] && [ -e "$2" ] && cmp -s "$1" "$2"; then return 0; fi
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
if [ -e "$saved/10-containerd-net.conflist" ]; then
  install -d -m 0755 /etc/cni/net.d
  mv "$saved/10-containerd-net.conflist" /etc/cni/net.d/
fi
if [ -e /etc/k8swin/containerd-config.sha256 ] && systemctl is-active --quiet containerd; then systemctl restart containerd; fi
rm -f /etc/k8swin/containerd-config.sha256 "$saved/containerd-config.toml"

addition=/etc/systemd/system/docker.service.d/k8swin.conf
if [ -e /etc/k8swin/docker-daemon.sha256 ] || [ -e "$addition" ]; then
  put_back /etc/docker/daemon.json "$saved/docker-daemon.json" /etc/k8swin/docker-daemon.sha256
  rm -f "$addition"
  rmdir "${addition%/*}" 2>/dev/null || true
  systemctl daemon-reload
  if systemctl is-active --quiet docker; then
    if [ -z "$(docker ps -q)" ]; then
      systemctl restart docker
    else
      echo "warning: containers run in Docker: it takes its own configuration back when it is restarted"
    fi
  fi
  rm -f /etc/k8swin/docker-daemon.sha256 "$saved/docker-daemon.json"
fi
echo "the container runtime is as it was found"
