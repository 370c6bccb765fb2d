# Write standard input to a file: beside its place first, then checked, then moved there.
: "${FILE:?path of the file}"
: "${SHA256:?of the content, in hexadecimal digits}"
: "${FILE_MODE:=}"
set -euo pipefail

# A link stays one; what is neither a file nor missing (a folder, a device, a pipe) is not put a file in the place of.
if [ -L "$FILE" ]; then FILE=$(readlink -f -- "$FILE"); fi
if [ -e "$FILE" ] && ! [ -f "$FILE" ]; then
  echo "$FILE is there and is no file: $(stat -c %F -- "$FILE")" >&2
  exit 1
fi
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
