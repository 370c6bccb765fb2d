# Write standard input to a file: beside its place first, then checked, then moved there.
: "${FILE:?path of the file}"
: "${SHA256:?of the content, in hexadecimal digits}"
: "${FILE_MODE:=}"
set -euo pipefail

# A script that is stopped takes away what it has begun.
new=''
trap 'if [ -n "$new" ]; then rm -f -- "$new"; fi' EXIT
trap 'exit 143' TERM INT HUP
new=$(mktemp "$(dirname -- "$FILE")/.k8swin.XXXXXX")
cat >"$new"
found=$(sha256sum <"$new")
if [ "${found%% *}" != "$SHA256" ]; then
  echo "SHA-256 is ${found%% *}, expected $SHA256" >&2
  exit 1
fi
if [ -n "$FILE_MODE" ]; then
  chmod "$FILE_MODE" "$new"
elif [ -e "$FILE" ]; then
  chmod "$(stat -c %a -- "$FILE")" "$new"
else
  chmod 0644 "$new"
fi
mv -f -- "$new" "$FILE"
