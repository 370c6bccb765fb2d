# Who am I, and on what? Proves that the login works and that root can be had.
set -euo pipefail

# shellcheck source=/dev/null
. /etc/os-release
echo "$(hostname): $PRETTY_NAME, kernel $(uname -r), $(id -un)"
