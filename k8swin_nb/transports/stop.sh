# End the processes of one script, with all that it started; what still runs then is printed, a line each: PID USER COMMAND.
# Exit code 3: there was nothing to end but at most the shell around it, so the script had come to its own end.
: "${TAG:?the tag of the script}"
: "${PATIENCE:?seconds between the polite and the final signal}"
set -u

list() { processes | awk '$2 == ENVIRON["TAG"] { print $1, $3 }'; }

# A process that is just becoming another program shows no environment at that moment: none is none when it is so twice.
of_script() {
  local found
  found=$(list)
  if [ -z "$found" ]; then
    sleep 0.1
    found=$(list)
  fi
  printf '%s' "$found"
}

# Others' processes, such as those of a `sudo` within the script, are reached in the way in which the script reached them.
signal() {
  if kill "-$1" "$2" 2>/dev/null || ! [ -d "/proc/$2" ]; then return; fi
  sudo -n kill "-$1" "$2" 2>/dev/null
}

told=' '
met=
end=$((SECONDS + PATIENCE))
while left=$(of_script) && [ -n "$left" ] && [ "$SECONDS" -lt "$end" ]; do
  while read -r pid kind; do
    if [ "$kind" = child ]; then met=1; fi
    case $told in *" $pid "*) continue ;; esac
    told+="$pid "
    signal TERM "$pid"
    signal CONT "$pid"
  done <<<"$left"
  sleep 0.1
done

# The shell around the script is left to say how the script ended, as long as there is anything else to end.
end=$((SECONDS + 3))
while left=$(of_script) && [ -n "$left" ] && [ "$SECONDS" -lt "$end" ]; do
  case $left in *child*) role=child ;; *) role=script ;; esac
  while read -r pid kind; do
    if [ "$kind" = "$role" ]; then signal KILL "$pid"; fi
  done <<<"$left"
  sleep 0.2
done

while read -r pid _; do
  if [ -n "$pid" ]; then printf '%s %s\n' "$pid" "$(named "$pid")"; fi
done <<<"$left"
if [ -z "$met" ] && [ -z "$left" ]; then exit 3; fi
exit 0
