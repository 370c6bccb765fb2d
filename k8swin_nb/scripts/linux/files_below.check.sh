# The files below a folder: three lines in base64, of sizes and modes with paths, of SHA-256 with paths, and of kinds and
# paths of what is neither a file nor a folder with something in it, NUL bytes between.
: "${FOLDER:?path of the folder}"
set -euo pipefail

case $FOLDER in \~ | \~/*) FOLDER=$HOME${FOLDER#\~} ;; esac
cd -- "$FOLDER"
find . -type f -printf '%s %m %p\0' | base64 -w 0
echo
find . -type f -print0 | xargs -0 -r sha256sum -z -- | base64 -w 0
echo
find . ! -type f \( ! -type d -o -empty \) -printf '%y %p\0' | base64 -w 0
echo
