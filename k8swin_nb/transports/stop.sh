# End the processes that carry a tag among their arguments, with their children.
: "${TAG:?the tag of the run}"

for process in /proc/[0-9]*; do
  while IFS= read -r -d '' argument; do
    if [ "$argument" = "$TAG" ]; then
      kill -TERM "${process#/proc/}"
    fi
  done <"$process/cmdline"
done 2>/dev/null
exit 0
