# Put the host's settings back: kernel files, /etc/hosts, swap if asked.
#
# Kernel values that are in force stay until the next boot: other programs may rely on them by now.
set -euo pipefail
: "${NODE_USER:?the login user, for example ubuntu}"
: "${NODE_ADDRESS:?address of the node, for example 192.168.160.2}"
: "${API_ENDPOINT:?host and port of the API server, for example 192.168.160.2:6443}"
: "${RESTORE_SWAP:?true or false}"
# uses: forget_written is_written take_back was_written

take_back /etc/modules-load.d/k8swin.conf /etc/sysctl.d/zz-k8swin.conf

found=/var/lib/k8swin/kept/etc/hosts
if grep -q -E '# k8swin( api)?$' /etc/hosts; then
  name=$(hostname)
  new=$(mktemp)
  trap 'rm -f "$new"' EXIT
  # The host name stays and has to lead somewhere, or every sudo waits for a name server: to where it led before,
  # else to 127.0.1.1 where that was Debian's way on this host, else to its address.
  own="$NODE_ADDRESS $name"
  if grep -q '^127\.0\.1\.1' "$found" 2>/dev/null; then own="127.0.1.1 $name"; fi
  was=$(awk -v name="$name" '{ for (i = 2; i <= NF && $i !~ /^#/; i++) if ($i == name && $1 !~ /^#/ && !/# k8swin( api)?$/) { print; next } }' "$found" 2>/dev/null || true)
  if [ -n "$was" ] && is_written /etc/hosts && ! grep -q -E '# k8swin( api)?$' "$found"; then
    cat "$found" >"$new"
  elif [ -n "$was" ] && is_written /etc/hosts; then
    grep -v -E '# k8swin( api)?$' "$found" >"$new" || true
  else
    own=${was:-$own} awk -v name="$name" '
      /# k8swin( api)?$/ { next }
      $1 !~ /^#/ { for (i = 2; i <= NF; i++) if ($i == name) found = 1 }
      { print }
      END { if (!found) print ENVIRON["own"] }
    ' /etc/hosts >"$new"
  fi
  cat "$new" >/etc/hosts
fi
if was_written /etc/hosts; then forget_written /etc/hosts; fi
# Its lines are back in their place, beside what was added since.
rm -f "$found"

# kubectl's cache of what this cluster offered; those of other clusters are theirs.
for home in "$(getent passwd "$NODE_USER" | cut -d: -f6)" "$(getent passwd root | cut -d: -f6)"; do
  cache=$home/.kube/cache
  rm -rf "$cache/discovery/${API_ENDPOINT/:/_}"
  if [ -d "$cache" ] && [ -z "$(find "$cache/discovery" -mindepth 1 -maxdepth 1 2>/dev/null | sed -n 1p)" ]; then rm -rf "$cache"; fi
  rmdir "$home/.kube" 2>/dev/null || true
done

for addition in /etc/systemd/system/containerd.service.d/k8swin-proxy.conf /etc/systemd/system/docker.service.d/k8swin-proxy.conf; do
  was_written "$addition" || continue
  take_back "$addition"
  rmdir "$(dirname "$addition")" 2>/dev/null || true
  systemctl daemon-reload
done
rm -f /etc/k8swin/proxy /etc/k8swin/proxy.new

if [ -s /etc/k8swin/enabled ]; then
  while read -r service state; do
    systemctl disable "$service" || echo "warning: $service starts with this host, and did not before"
    [ "$state" = active ] || systemctl stop "$service" || echo "warning: $service runs, and did not before"
  done </etc/k8swin/enabled
  rm -f /etc/k8swin/enabled
fi

if [ "$RESTORE_SWAP" = true ]; then
  if grep -q '^# k8swin: ' /etc/fstab; then
    # The file itself stays, with its rights and whatever links lead to it.
    new=$(mktemp)
    trap 'rm -f "$new"' EXIT
    if is_written /etc/fstab && [ -f /var/lib/k8swin/kept/etc/fstab ]; then
      cat /var/lib/k8swin/kept/etc/fstab >"$new"
    else
      sed 's/^# k8swin: //' /etc/fstab >"$new"
    fi
    cat "$new" >/etc/fstab
    systemctl daemon-reload
  fi
  if was_written /etc/fstab; then forget_written /etc/fstab; fi
  rm -f /var/lib/k8swin/kept/etc/fstab
  if [ -s /etc/k8swin/masked ]; then
    while read -r unit; do systemctl unmask "$unit"; done < <(sort -u /etc/k8swin/masked)
    rm -f /etc/k8swin/masked
  fi
  if [ -s /etc/k8swin/disabled ]; then
    while read -r unit; do systemctl enable "$unit"; done < <(sort -u /etc/k8swin/disabled)
    rm -f /etc/k8swin/disabled
  fi
  if [ -s /etc/k8swin/stopped ]; then
    while read -r unit; do systemctl start "$unit" || echo "warning: $unit ran and could not be started"; done < <(sort -u /etc/k8swin/stopped)
    rm -f /etc/k8swin/stopped
  fi
  # What was on without an entry anywhere is turned on by its name.
  if [ -s /etc/k8swin/swaps ]; then
    while read -r name priority; do
      # Those that the kernel gave itself are below zero.
      [ "$priority" -ge 0 ] || priority=
      grep -q -x -F -e "$name" <<<"$(swapon --show=NAME --noheadings)" || swapon ${priority:+--priority "$priority"} "$name" || echo "warning: the swap $name could not be turned on"
    done < <(sort -u /etc/k8swin/swaps)
    rm -f /etc/k8swin/swaps
  fi
fi
echo "the host's settings are back"
