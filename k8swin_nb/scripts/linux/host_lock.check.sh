# Tell who holds the lock of this host: `held` or `free`, then what the holder wrote down.
set -euo pipefail

if [ ! -e /run/k8swin/lock ]; then
  echo free
  exit 0
fi
exec 9</run/k8swin/lock
if flock -n -s 9; then echo free; else echo held; fi
cat /run/k8swin/lock
