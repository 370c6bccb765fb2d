# Remove these notebooks' own records. Those of images, packages, downloads and swap stay while their subjects do.
set -euo pipefail

for path in /etc/k8swin/* /etc/k8swin/.[!.]*; do
  [ -e "$path" ] || continue
  case ${path##*/} in
    downloads | images | packages | masked) ;;
    *) rm -rf "$path" ;;
  esac
done
rmdir /etc/k8swin 2>/dev/null || true
for folder in /etc/kubernetes/manifests /etc/kubernetes/pki /etc/kubernetes /var/lib/etcd /var/lib/kubelet /etc/cni/net.d /etc/cni; do
  # A package's own folder stays; so does what somebody else uses.
  if [ -d "$folder" ] && ! dpkg -S "$folder" >/dev/null 2>&1; then rmdir "$folder" 2>/dev/null || true; fi
done
echo "the records are removed"
