# Put the host's settings back: kernel files, /etc/hosts, the kubeconfig of this cluster, swap if asked.
#
# Kernel values that are in force stay until the next boot: other programs may rely on them by now.
set -euo pipefail
: "${NODE_USER:?the login user, for example ubuntu}"
: "${NODE_ADDRESS:?address of the node, for example 192.168.160.2}"
: "${RESTORE_SWAP:?true or false}"

rm -f /etc/modules-load.d/k8swin.conf /etc/sysctl.d/90-k8swin.conf

if grep -q '# k8swin$' /etc/hosts; then
  name=$(hostname)
  new=$(mktemp)
  trap 'rm -f "$new"' EXIT
  # The host name stays and has to lead somewhere, or every sudo waits for a name server: to 127.0.1.1 where
  # that was Debian's way on this host, else to its address.
  own=$NODE_ADDRESS
  if grep -q '^127\.0\.1\.1' /etc/k8swin/saved/hosts 2>/dev/null; then own=127.0.1.1; fi
  awk -v name="$name" -v own="$own" '
    /# k8swin$/ { next }
    $1 !~ /^#/ { for (i = 2; i <= NF; i++) if ($i == name) found = 1 }
    { print }
    END { if (!found) print own " " name }
  ' /etc/hosts >"$new"
  cat "$new" >/etc/hosts
fi

ca=$(cat /etc/k8swin/cluster-ca 2>/dev/null || true)
for home in "$(getent passwd "$NODE_USER" | cut -d: -f6)" "$(getent passwd root | cut -d: -f6)"; do
  config=$home/.kube/config
  if [ -n "$ca" ] && [ -e "$config" ] && grep -q -F "certificate-authority-data: $ca" "$config"; then
    if [ "$(grep -c 'certificate-authority-data:' "$config")" = 1 ]; then
      rm -f "$config"
    else
      echo "warning: $config holds other clusters as well and stays as it is"
    fi
  fi
  # kubectl's cache of what this cluster offered; nothing else lives there.
  if [ -d "$home/.kube" ] && [ -z "$(find "$home/.kube" -mindepth 1 -maxdepth 1 ! -name cache | sed -n 1p)" ]; then
    rm -rf "$home/.kube"
  fi
done

for addition in /etc/systemd/system/{containerd,docker}.service.d/k8swin-proxy.conf; do
  [ -e "$addition" ] || continue
  rm -f "$addition"
  rmdir --ignore-fail-on-non-empty "$(dirname "$addition")"
  systemctl daemon-reload
done
rm -f /etc/k8swin/proxy

if [ "$RESTORE_SWAP" = true ]; then
  if grep -q '^# k8swin: ' /etc/fstab; then
    sed -i 's/^# k8swin: //' /etc/fstab
    rm -f /etc/fstab.k8swin
    systemctl daemon-reload
  fi
  if [ -s /etc/k8swin/masked ]; then
    while read -r unit; do systemctl unmask "$unit"; done < <(sort -u /etc/k8swin/masked)
    rm -f /etc/k8swin/masked
  fi
  # An entry that could not be turned on before cannot be now.
  swapon -a || echo "warning: not every entry of /etc/fstab could be turned on"
fi
echo "the host's settings are back"
