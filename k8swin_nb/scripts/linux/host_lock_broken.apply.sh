# Break the lock of a host, if it is still held by the one who was seen.
: "${LOCK_HOLDER:?what the holder wrote down}"
: "${LOCK_BREAKER:?a line of JSON: who breaks it}"
set -euo pipefail

IFS= read -r found </run/k8swin/lock || found=
if [ "$found" != "$LOCK_HOLDER" ]; then
  echo "the lock has changed hands meanwhile: $found" >&2
  exit 1
fi
# The holder looks at this file every few seconds, and lets go when it is no longer what it wrote.
printf '%s\n' "$LOCK_BREAKER" >/run/k8swin/lock
exec 9>>/run/k8swin/lock
if ! flock -w 15 9; then
  printf '%s\n' "$LOCK_HOLDER" >/run/k8swin/lock
  echo "the process that holds the lock does not answer; see: fuser -v /run/k8swin/lock" >&2
  exit 1
fi
: >/run/k8swin/lock
echo "the lock is free"
