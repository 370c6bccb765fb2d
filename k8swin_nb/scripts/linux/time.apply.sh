# Install and start chrony.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive

# A fresh server has no package lists yet.
apt-cache show chrony >/dev/null 2>&1 || apt-get -o DPkg::Lock::Timeout=300 update -q
install -d -m 0755 /etc/k8swin
# What comes new is written down first: a teardown removes these packages and no others.
apt-get -s install -y -q chrony | awk '$1 == "Inst" && $3 !~ /^\[/ { print $2 }' >>/etc/k8swin/packages
apt-get -o DPkg::Lock::Timeout=300 install -y -q chrony
systemctl enable --now chrony
echo "chrony is enabled"
