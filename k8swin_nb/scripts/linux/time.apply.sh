# Install and start chrony.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive
# uses: install_packages read_package_lists

# A fresh server has no package lists yet.
apt-cache show chrony >/dev/null 2>&1 || read_package_lists
install_packages chrony
systemctl enable --now chrony
echo "chrony is enabled"
