# Take the lock of this host, and hold it for as long as the one who asked is heard from.
: "${LOCK_HOLDER:?a line of JSON: who asks, from where, since when, for what}"
: "${LOCK_SILENCE:?seconds without a word after which the holder counts as gone}"
set -euo pipefail

# The kernel holds the lock for this process and lets go of it when the process ends, however that comes about.
install -d -m 0755 /run/k8swin
exec 9>>/run/k8swin/lock
if ! flock -w 3 9; then
  echo held
  cat /run/k8swin/lock
  exit 75
fi
printf '%s\n' "$LOCK_HOLDER" >/run/k8swin/lock
echo taken

heard=$SECONDS
while [ $((SECONDS - heard)) -lt "$LOCK_SILENCE" ]; do
  state=0
  IFS= read -r -t 2 word || state=$?
  if [ "$state" -eq 0 ]; then
    heard=$SECONDS
    if [ "$word" = release ]; then
      : >/run/k8swin/lock
      exit 0
    fi
  elif [ "$state" -le 128 ]; then
    # The connection has ended; what stands in the file says whose it was.
    exit 0
  fi
  IFS= read -r found </run/k8swin/lock || found=
  if [ "$found" != "$LOCK_HOLDER" ]; then
    echo broken
    printf '%s\n' "$found"
    exit 76
  fi
done
echo "nothing was heard for $LOCK_SILENCE s" >&2
exit 77
