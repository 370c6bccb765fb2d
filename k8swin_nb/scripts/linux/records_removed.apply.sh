# Remove these notebooks' own records. Those of images, packages, downloads and swap stay while their subjects do.
#
# What was kept of others and has not come back yet does now; a copy of what is there again is no longer needed.
set -euo pipefail
# uses: put_back is_alike

put_back ""
for folder in /var/lib/k8swin/kept /var/lib/k8swin/kept-*; do
  [ -d "$folder" ] || continue
  while IFS= read -r -d '' copy; do
    if is_alike "$copy" "/${copy#"$folder"/}"; then rm -f "$copy"; fi
  done < <(find "$folder" ! -type d -print0)
  find "$folder" -depth -type d -empty -delete
done
rmdir /var/lib/k8swin 2>/dev/null || true
for path in /etc/k8swin/* /etc/k8swin/.[!.]*; do
  [ -e "$path" ] || continue
  case ${path##*/} in
    downloads | images | packages | replaced | masked | disabled | stopped | swaps) ;;
    # Whose chains are not ours is needed as long as there are any.
    chains) iptables-save 2>/dev/null | grep -E '^:(KUBE|FLANNEL|CNI)-' >/dev/null || rm -f "$path" ;;
    written) [ -s "$path" ] || rm -f "$path" ;;
    *) rm -rf "$path" ;;
  esac
done
rmdir /etc/k8swin 2>/dev/null || true
for folder in /etc/kubernetes/manifests /etc/kubernetes/pki /etc/kubernetes /var/lib/etcd /var/lib/kubelet /etc/cni/net.d /etc/cni; do
  # A package's own folder stays; so does what somebody else uses.
  if [ -d "$folder" ] && ! dpkg -S "$folder" >/dev/null 2>&1; then rmdir "$folder" 2>/dev/null || true; fi
done
echo "the records are removed"
