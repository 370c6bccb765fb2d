# Is nothing left of these notebooks' own records but what a later removal of images, packages or swap needs?
set -euo pipefail

kept=()
left=()
for path in /etc/k8swin/* /etc/k8swin/.[!.]*; do
  [ -e "$path" ] || continue
  case ${path##*/} in
    downloads | images | packages | masked) kept+=("$path") ;;
    *) left+=("$path") ;;
  esac
done
[ -e /etc/fstab.k8swin ] && kept+=(/etc/fstab.k8swin)
if [ -d /etc/k8swin ] && [ -z "$(find /etc/k8swin -mindepth 1 -maxdepth 1 | sed -n 1p)" ]; then left+=("/etc/k8swin"); fi
if [ ${#left[@]} -gt 0 ]; then
  echo "records of the cluster: ${left[*]}"
  exit 10
fi
echo "what stays: the host name $(hostname)${kept[*]:+, records of what can still be removed: ${kept[*]}}"
