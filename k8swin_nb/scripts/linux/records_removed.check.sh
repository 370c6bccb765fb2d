# Is nothing left of these notebooks' own records but what a later removal of images, packages or swap needs?
set -euo pipefail
# uses: is_alike

needed=()
left=()
for path in /etc/k8swin/* /etc/k8swin/.[!.]*; do
  [ -e "$path" ] || continue
  case ${path##*/} in
    downloads | images | packages | replaced | masked | disabled | stopped | swaps) needed+=("$path") ;;
    # Whose chains are not ours is needed as long as there are any.
    chains) if iptables-save 2>/dev/null | grep -E '^:(KUBE|FLANNEL|CNI)-' >/dev/null; then needed+=("$path"); else left+=("$path"); fi ;;
    written) if [ -s "$path" ]; then needed+=("$path"); else left+=("$path"); fi ;;
    *) left+=("$path") ;;
  esac
done
if [ -d /etc/k8swin ] && [ -z "$(find /etc/k8swin -mindepth 1 -maxdepth 1 | sed -n 1p)" ]; then left+=("/etc/k8swin"); fi
theirs=()
for folder in /var/lib/k8swin/kept /var/lib/k8swin/kept-*; do
  [ -d "$folder" ] || continue
  while IFS= read -r -d '' copy; do
    path=/${copy#"$folder"/}
    if is_alike "$copy" "$path"; then
      left+=("$copy")
    elif [ "$folder" = /var/lib/k8swin/kept ] && [ ! -e "$path" ] && [ ! -L "$path" ]; then
      left+=("$copy, which has not come back")
    else
      theirs+=("$copy")
    fi
  done < <(find "$folder" ! -type d -print0)
done
if [ ${#left[@]} -gt 0 ]; then
  echo "records of the cluster: ${left[*]}"
  exit 10
fi
echo "what stays: the host name $(hostname)${needed[*]:+, records of what can still be removed: ${needed[*]}}${theirs[*]:+, what was found and is another now: ${theirs[*]}}"
