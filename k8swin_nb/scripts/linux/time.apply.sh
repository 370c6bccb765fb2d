# Install and start chrony.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive
# uses: install_packages

# A fresh server has no package lists yet.
apt-cache show chrony >/dev/null 2>&1 || apt-get -o DPkg::Lock::Timeout=300 update -q
install_packages chrony
systemctl enable --now chrony
echo "chrony is enabled"
