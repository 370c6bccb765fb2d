# Tell the steps and the container runtime of this host's web proxy, and what must never go there.
#
# Logins get a proxy from /etc/environment; sudo and services do not. A password in it stays in a file of root's.
# A service that the site itself has told of a proxy stays as it is.
set -euo pipefail
: "${LINUX_PROXY:=}"
: "${CLUSTER_NO_PROXY:?what a proxy is never asked for, separated by commas}"
# uses: names_a_proxy proxy_settings take_back web_proxy write_file

file=/etc/k8swin/proxy
proxy=$(web_proxy "$LINUX_PROXY")
install -d -m 0755 /etc/k8swin
if [ -n "$proxy" ]; then
  install -m 0600 /dev/null "$file.new"
  proxy_settings "$proxy" "$CLUSTER_NO_PROXY" >"$file.new"
  cp -p "$file.new" "$file.put"
  mv "$file.put" "$file"
fi
for service in containerd docker; do
  addition=/etc/systemd/system/$service.service.d/k8swin-proxy.conf
  if [ -n "$proxy" ] && ! names_a_proxy "$service"; then
    printf '[Service]\nEnvironmentFile=-%s\n' "$file" | write_file 0644 "$addition"
  else
    take_back "$addition"
  fi
done
systemctl daemon-reload
for service in containerd docker; do
  # Of a service that runs the environment is that of its start.
  if systemctl is-active --quiet "$service"; then systemctl restart "$service"; fi
done
# At the very end: while they are there, a check says that services may still have what was before.
rm -f "$file.new"
[ -n "$proxy" ] || rm -f "$file"
echo "the steps and the container runtime know the web proxy of this host"
