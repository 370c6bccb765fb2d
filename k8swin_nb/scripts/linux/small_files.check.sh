# Print files in base64, a line each, as standard input names them with a NUL byte behind each; of one that cannot be read
# the line is `-`, and of a long one it is not all.
: "${MOST:?bytes of a file that are read}"
set -euo pipefail

while IFS= read -rd '' path; do
  case $path in \~/*) path=$HOME${path#\~} ;; esac
  if [ -f "$path" ] && [ -r "$path" ]; then
    head -c "$MOST" -- "$path" 2>/dev/null | base64 -w 0 || true
    echo
  else
    echo -
  fi
done
