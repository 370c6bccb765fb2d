# Print Docker's configuration file, to be merged with what Kubernetes needs of it; nothing when there is none.
set -euo pipefail

if [ -e /etc/docker/daemon.json ]; then cat /etc/docker/daemon.json; fi
