# Is the container runtime as it was found: its configuration, and the images that were pulled here?
set -euo pipefail
: "${KEEP_IMAGES:?true or false}"
# uses: needed_if_any

left=()
config=/etc/containerd/config.toml
ours=$(cat /etc/k8swin/containerd-config.sha256 2>/dev/null || true)
[ -z "$ours" ] || left+=("$config")
[ ! -e /etc/k8swin/saved/10-containerd-net.conflist ] || left+=("10-containerd-net.conflist")
[ ! -e /etc/k8swin/docker-daemon.sha256 ] || left+=("/etc/docker/daemon.json")
[ ! -e /etc/systemd/system/docker.service.d/k8swin.conf ] || left+=("docker.service.d/k8swin.conf")
if [ "$KEEP_IMAGES" = false ] && [ -s /etc/k8swin/images ]; then left+=("$(sort -u /etc/k8swin/images | wc -l) images"); fi
needed_if_any "to be put back or removed" "${left[@]}"
echo "the container runtime is as it was found$([ -s /etc/k8swin/images ] && echo ", images that were pulled stay" || true)"
