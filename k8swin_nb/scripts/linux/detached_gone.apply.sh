# Remove what is kept of scripts that have ended; one that runs stays.
: "${JOB_IDS:?words that name them, with spaces between}"
set -euo pipefail

jobs=${XDG_STATE_HOME:-$HOME/.local/state}/k8swin/jobs
[ "$(id -u)" != 0 ] || jobs=/var/lib/k8swin/jobs
for job in $JOB_IDS; do
  case $job in */* | .*) continue ;; esac
  folder=$jobs/$job
  [ -O "$folder/told" ] || continue
  tag=$(sed -n 's/.*"tag": "\([A-Za-z0-9._-]*\)".*/\1/p' <"$folder/told")
  if [ ! -s "$folder/rc" ] && [ -n "$tag" ] && grep -qazx -e "$tag" /proc/[0-9]*/cmdline 2>/dev/null; then
    echo "$job still runs, and stays" >&2
    continue
  fi
  rm -rf -- "$folder"
  echo "$job"
done
