# Install and start chrony.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive

# A fresh server has no package lists yet.
apt-cache show chrony >/dev/null 2>&1 || apt-get -o DPkg::Lock::Timeout=300 update -q
apt-get -o DPkg::Lock::Timeout=300 install -y -q chrony
systemctl enable --now chrony
echo "chrony is enabled"
