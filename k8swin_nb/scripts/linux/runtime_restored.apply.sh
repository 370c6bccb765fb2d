# Put the runtime's configuration back as it was found, and remove the images that were pulled here if asked.
#
# A configuration that somebody changed after us is theirs: it stays. Docker is restarted only when no
# container runs in it, since a restart would stop them.
set -euo pipefail
: "${CONTAINER_RUNTIME:?docker or containerd}"
: "${KEEP_IMAGES:?true or false}"
# uses: full_image put_back take_back written_below

if [ "$KEEP_IMAGES" = false ] && [ -s /etc/k8swin/images ]; then
  if [ "$CONTAINER_RUNTIME" = docker ]; then
    while read -r image; do
      if docker image inspect "$image" >/dev/null 2>&1; then docker image rm "$image"; fi
    done < <(sort -u /etc/k8swin/images)
  else
    present=$(ctr -n k8s.io images ls -q)
    while read -r image; do
      image=$(full_image "$image")
      if grep -q -x -F -e "$image" <<<"$present"; then ctr -n k8s.io images rm "$image"; fi
    done < <(sort -u /etc/k8swin/images)
  fi
  rm -f /etc/k8swin/images
fi
state() { sha256sum "$@" 2>/dev/null || true; }

while IFS= read -r file; do
  take_back "$file"
  rmdir "${file%/*}" 2>/dev/null || true
done < <(written_below /etc/containerd/certs.d)
rmdir /etc/containerd/certs.d 2>/dev/null || true

config=/etc/containerd/config.toml
before=$(state "$config")
take_back "$config"
put_back /etc/cni/net.d/10-containerd-net.conflist
if [ "$(state "$config")" != "$before" ] && systemctl is-active --quiet containerd; then
  systemctl restart containerd || echo "warning: containerd does not start with the configuration that was found"
fi

addition=/etc/systemd/system/docker.service.d/k8swin.conf
before=$(state /etc/docker/daemon.json "$addition")
take_back /etc/docker/daemon.json "$addition"
if [ "$(state /etc/docker/daemon.json "$addition")" != "$before" ]; then
  rmdir "${addition%/*}" 2>/dev/null || true
  systemctl daemon-reload
  if systemctl is-active --quiet docker; then
    if [ -z "$(docker ps -q)" ]; then
      systemctl restart docker
    else
      echo "warning: containers run in Docker: it takes its own configuration back when it is restarted"
    fi
  fi
fi
echo "the container runtime is as it was found"
