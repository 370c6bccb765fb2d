# Print containerd's version in the first line, nothing where there is none, and its configuration file behind it.
set -euo pipefail

if command -v containerd >/dev/null; then
  containerd --version | awk '{ sub(/^v/, "", $3); print $3 }'
else
  echo
fi
if [ -e /etc/containerd/config.toml ]; then cat /etc/containerd/config.toml; fi
