# Run a script apart from whoever asked for it: its folder holds what it gets, what it prints and how it ends.
set -euo pipefail

folder=$2 limit=$3
cd -- "$folder"
umask 022
while IFS= read -rd '' entry; do export "${entry?}"; done <environment
rm -f environment
export K8SWIN_TAG=$1
# What ends the script must not end this shell: it still has to write down how the script ended.
trap : TERM INT HUP QUIT
# What it gets may hold secrets: it is gone from the disk once it is open.
exec 3<input
rm -f input
code=0
(
  cd -- "$HOME" 2>/dev/null || cd /
  # As in the shell around every script: variables, those that are not exported, and the script itself.
  # shellcheck disable=SC2016 # the script's own shell expands it
  exec timeout -k 5 "$limit" bash --noprofile --norc -c \
    'while IFS= read -rd "" -u 3 || exit 125; [ -n "$REPLY" ]; do export "$REPLY"; done; while IFS= read -rd "" -u 3 || exit 125; [ -n "$REPLY" ]; do IFS= read -rd "" -u 3 "$REPLY" || exit 125; done; IFS= read -rd "" -u 3 || exit 125; IFS= read -rd "" -u 3 K8SWIN_SCRIPT || exit 125; exec 3<&-; eval "unset REPLY; $REPLY"; eval "$K8SWIN_SCRIPT${K8SWIN_SCRIPT:K8SWIN_SCRIPT=0:0}"' \
    bash </dev/null >"$folder/stdout" 2>"$folder/stderr"
) || code=$?
printf '%s %s\n' "$code" "$(date +%s)" >rc.new
mv rc.new rc
