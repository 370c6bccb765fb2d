# List the processes of our scripts on this host, a line each: PID TAG ROLE START USER COMMAND.
set -u

processes | while read -r pid rest; do
  who=$(named "$pid")
  if [ -n "$who" ]; then printf '%s %s %s\n' "$pid" "$rest" "$who"; fi
done
exit 0
