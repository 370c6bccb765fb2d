# If this host uses a web proxy: do the steps and the container runtime know it, and what must never go there?
set -euo pipefail
: "${LINUX_PROXY:=}"
: "${CLUSTER_NO_PROXY:?what a proxy is never asked for, separated by commas}"
# uses: web_proxy proxy_settings names_a_proxy was_written would_restart

file=/etc/k8swin/proxy
folder=/etc/systemd/system
proxy=$(web_proxy "$LINUX_PROXY")
if [ -z "$proxy" ]; then
  names=()
  for name in "$file" "$file.new"; do [ ! -e "$name" ] || names+=("$name"); done
  for service in containerd docker; do
    addition=$folder/$service.service.d/k8swin-proxy.conf
    if was_written "$addition"; then names+=("$addition"); fi
  done
  if [ ${#names[@]} -gt 0 ]; then
    for name in "${names[@]}"; do echo "would: $name: names a proxy -> removed"; done
    for service in containerd docker; do would_restart "$service" "${names[@]}"; done
    echo "this host uses no web proxy any more, and ${names[0]} names one"
    exit 10
  fi
  echo "this host uses no web proxy"
  exit 0
fi
shown=${proxy/\/\/*@/\/\/}
differs=()
if [ "$(cat "$file" 2>/dev/null || true)" != "$(proxy_settings "$proxy" "$CLUSTER_NO_PROXY")" ]; then
  echo "would: $file: $([ -e "$file" ] && echo another || echo not there) -> the proxy $shown, never asked for $CLUSTER_NO_PROXY"
  differs+=("the steps do not know the proxy $shown, or not what must pass it by")
fi
# apply takes it away when the services have been started anew.
[ ! -e "$file.new" ] || differs+=("an earlier change of the proxy was interrupted, the services may have another one")
for service in containerd docker; do
  if ! names_a_proxy "$service" && [ ! -e "$folder/$service.service.d/k8swin-proxy.conf" ]; then
    echo "would: $folder/$service.service.d/k8swin-proxy.conf: not there -> the proxy $shown"
    differs+=("the service $service is not told of the proxy $shown")
  fi
done
if [ ${#differs[@]} -gt 0 ]; then
  for service in containerd docker; do would_restart "$service" "${differs[@]}"; done
  said=$(printf '%s; ' "${differs[@]}")
  echo "${said%; }"
  exit 10
fi
echo "the steps and the container runtime use the proxy $shown, the cluster's addresses pass it by"
