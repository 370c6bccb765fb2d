# Install and start chrony.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive
# uses: enable_service install_packages read_package_lists

# A fresh server has no package lists yet.
apt-cache show chrony >/dev/null 2>&1 || read_package_lists
install_packages chrony
enable_service chrony
systemctl start chrony
echo "chrony is enabled"
