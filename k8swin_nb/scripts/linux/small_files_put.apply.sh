# Put many short files into their places, one after the other, each as `file_put` puts one; the first that fails ends it.
#
# Standard input begins with a list, a NUL byte behind each field: path, SHA-256, true or false as CONTENT of `file_put`, and
# bytes. Behind the list stand the contents. A file that is in its place has a line `put: NUMBER` behind what is said of it.
# 75: what came does not fit anywhere, and nothing was begun.
: "${LIST:?bytes of the list}"
: "${TOTAL:?bytes of standard input}"
: "${FILE_MODE:=}"
: "${FILE_OWNER:=}"
: "${VALIDATE:=}"
set -euo pipefail
# uses: put_file

all=''
trap 'rm -f -- ${all:+"$all"}' EXIT
trap 'exit 143' TERM INT HUP
all=$(mktemp) || exit 75
cat >"$all" || exit 75
[ "$(stat -c %s -- "$all")" = "$TOTAL" ] || exit 75
fields=()
while IFS= read -rd '' field; do fields+=("$field"); done < <(head -c "$LIST" -- "$all")
offset=$LIST number=0
while [ $((number * 4)) -lt ${#fields[@]} ]; do
  FILE=${fields[number * 4]} SHA256=${fields[number * 4 + 1]} CONTENT=${fields[number * 4 + 2]} size=${fields[number * 4 + 3]}
  # A shell of its own, in which an error ends it.
  set +e
  (
    set -e
    put_file < <(head -c $((offset + size)) -- "$all" | tail -c "$size")
  )
  code=$?
  set -e
  [ "$code" -eq 0 ] || exit "$code"
  number=$((number + 1)) offset=$((offset + size))
  echo "put: $number"
done
