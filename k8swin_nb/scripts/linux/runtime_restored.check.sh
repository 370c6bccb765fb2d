# Is the container runtime as it was found: its configuration, and the images that were pulled here?
set -euo pipefail
: "${KEEP_IMAGES:?true or false}"
# uses: needed_if_any was_written written_below

left=()
for file in /etc/containerd/config.toml /etc/docker/daemon.json /etc/systemd/system/docker.service.d/k8swin.conf; do
  if was_written "$file"; then left+=("$file"); fi
done
while IFS= read -r file; do left+=("$file"); done < <(written_below /etc/containerd/certs.d)
sample=/etc/cni/net.d/10-containerd-net.conflist
if [ -e "/var/lib/k8swin/kept$sample" ] && [ ! -e "$sample" ]; then left+=("$sample"); fi
if [ "$KEEP_IMAGES" = false ] && [ -s /etc/k8swin/images ]; then left+=("$(sort -u /etc/k8swin/images | wc -l) images"); fi
needed_if_any "to be put back or removed" "${left[@]}"
trouble=
for service in containerd docker; do
  case $(systemctl is-active "$service" 2>/dev/null || true) in
    failed | activating) trouble+=", and $service does not start with what was found: see journalctl -u $service -n 20" ;;
  esac
done
echo "the container runtime is as it was found$trouble$([ -s /etc/k8swin/images ] && echo ", images that were pulled stay" || true)"
