# Print a file's SHA-256, then its content in base64.
: "${FILE:?path of the file}"
set -euo pipefail

digest=$(sha256sum <"$FILE")
echo "${digest%% *}"
base64 <"$FILE"
