# The scripts of this login that outlive their connections: first the time and their folder, then a line each, tabs between.
: "${JOB_ID:=}"
set -euo pipefail

jobs=${XDG_STATE_HOME:-$HOME/.local/state}/k8swin/jobs
[ "$(id -u)" != 0 ] || jobs=/var/lib/k8swin/jobs
printf 'now\t%s\t%s\n' "$(date +%s)" "$jobs"
for folder in "$jobs"/${JOB_ID:-*}; do
  [ -O "$folder/told" ] || continue
  told=$(head -n 1 -- "$folder/told")
  tag=$(sed -n 's/.*"tag": "\([A-Za-z0-9._-]*\)".*/\1/p' <<<"$told")
  state=gone code=- ended=-
  # How it ended is looked for before and after its processes: it may come about in between.
  for look in 1 2; do
    if [ -s "$folder/rc" ]; then
      read -r code ended <"$folder/rc"
      state=ended
      break
    fi
    [ "$look" = 1 ] || break
    if [ -n "$tag" ] && grep -qazx -e "$tag" /proc/[0-9]*/cmdline 2>/dev/null; then
      state=running
      break
    fi
  done
  last=$(tail -c 2000 -- "$folder/stdout" 2>/dev/null | tail -n 3 | base64 -w 0)
  [ -n "$last" ] || last=$(tail -c 2000 -- "$folder/stderr" 2>/dev/null | tail -n 3 | base64 -w 0)
  printf 'job\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "${folder##*/}" "$state" "$code" \
    "$(cat -- "$folder/started" 2>/dev/null || echo -)" "$ended" "$(stat -c %s -- "$folder/stdout")" \
    "$(stat -c %s -- "$folder/stderr")" "$(base64 -w 0 <<<"$told")" "$last"
done
