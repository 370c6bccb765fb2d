# Upgrade the installed packages; configuration files that were edited here are kept.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive
# uses: read_package_lists apt_get

read_package_lists
apt_get upgrade -y -q -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold
if [ -e /var/run/reboot-required ]; then
  echo "warning: the upgrade asks for a reboot of this host"
fi
echo "packages are up to date"
