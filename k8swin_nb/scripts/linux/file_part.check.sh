# Print a part of a file in base64.
: "${FILE:?path of the file}"
: "${OFFSET:?bytes before the part}"
: "${LENGTH:?bytes of the part}"
set -euo pipefail

case $FILE in \~/*) FILE=$HOME${FILE#\~} ;; esac
# `head` ends before `tail` does, which is no failure.
[ -r "$FILE" ]
{ tail -c "+$((OFFSET + 1))" -- "$FILE" 2>/dev/null || true; } | head -c "$LENGTH" | base64 -w 0
