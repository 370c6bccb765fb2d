# Start a script that outlives this connection; standard input is all that its own shell reads.
: "${JOB_ID:?word that names it}"
: "${JOB_TAG:?word by which its processes are found}"
: "${JOB_TOLD:?what is known of it, as a line of JSON}"
: "${JOB_RUNNER:?text of what runs it}"
: "${JOB_LIMIT:?seconds that it may take; 0: no limit}"
set -euo pipefail

umask 077
jobs=${XDG_STATE_HOME:-$HOME/.local/state}/k8swin/jobs
[ "$(id -u)" != 0 ] || jobs=/var/lib/k8swin/jobs
mkdir -p -- "$jobs"
# Whoever else could write there could put his own script in the place of this one.
if [ -L "$jobs" ] || [ ! -O "$jobs" ]; then
  echo "$jobs belongs to $(stat -c %U -- "$jobs"), expected $(id -un): move it away" >&2
  exit 1
fi
chmod 700 -- "$jobs"
folder=$jobs/$JOB_ID
mkdir -- "$folder"
printf '%s\n' "$JOB_TOLD" >"$folder/told"
printf '%s\n' "$JOB_RUNNER" >"$folder/runner"
{
  # By whatever starts it, the script finds what a script of this login finds.
  for name in PATH HOME USER LOGNAME SHELL LANG TZ TMPDIR XDG_RUNTIME_DIR DBUS_SESSION_BUS_ADDRESS http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY; do
    [ -z "${!name:-}" ] || printf '%s=%s\0' "$name" "${!name}"
  done
} >"$folder/environment"
cat >"$folder/input"
: >"$folder/stdout"
: >"$folder/stderr"
date +%s >"$folder/started"

# Where logind ends what a user has left when he logs out, the system's own manager starts the script.
kills=$(timeout 5 busctl get-property org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager KillUserProcesses 2>/dev/null || true)
words=(bash "$folder/runner" "$JOB_TAG" "$folder" "$JOB_LIMIT")
unit=k8swin-job-$JOB_ID
if [ "$kills" != 'b true' ]; then
  # Descriptor 99 tells the shell around this script that something of it still runs, which is not meant here.
  K8SWIN_TAG=$JOB_TAG setsid "${words[@]}" </dev/null >/dev/null 2>&1 99>&- &
elif [ "$(id -u)" = 0 ]; then
  systemd-run --quiet --collect --unit="$unit" "${words[@]}" >&2
elif [ "$(loginctl show-user "$(id -un)" -p Linger --value 2>/dev/null || true)" = yes ]; then
  systemd-run --user --quiet --collect --unit="$unit" "${words[@]}" >&2
elif sudo -n true 2>/dev/null; then
  sudo -n systemd-run --quiet --collect --unit="$unit" --uid="$(id -u)" --gid="$(id -g)" "${words[@]}" >&2
else
  rm -rf -- "$folder"
  echo "this host ends what a login has started when it logs out (KillUserProcesses of logind): use --sudo, or 'loginctl enable-linger $(id -un)'" >&2
  exit 1
fi
# It says so itself that it runs: what it was given is gone from its folder by then.
for ((try = 0; try < 100; try++)); do
  if [ ! -e "$folder/input" ]; then
    printf '%s\n' "$folder"
    exit 0
  fi
  sleep 0.1
done
echo "it did not start within 10 s; what it was given is in $folder" >&2
exit 1
