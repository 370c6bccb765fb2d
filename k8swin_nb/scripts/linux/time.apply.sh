# Install and start chrony.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive

apt-get install -y -q chrony
systemctl enable --now chrony
echo "chrony is enabled"
