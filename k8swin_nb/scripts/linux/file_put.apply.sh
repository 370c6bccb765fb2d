# Put a file into its place: what standard input holds, checked before it goes there, or the rights alone of what is there.
: "${FILE:?path of the file}"
: "${SHA256:?of the content, in hexadecimal digits}"
: "${CONTENT:?true: the content follows on standard input; false: it is there already}"
: "${FILE_MODE:=}"
: "${FILE_OWNER:=}"
: "${VALIDATE:=}"
set -euo pipefail
# uses: put_file

put_file
