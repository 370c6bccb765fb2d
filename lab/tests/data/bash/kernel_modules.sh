set -euo pipefail
mkdir -p etc/modules-load.d etc/sysctl.d
cat > etc/modules-load.d/k8s.conf <<'END'
overlay
br_netfilter
END
while read -r module; do
  [[ -z $module || $module == \#* ]] && continue
  answer modprobe "$module"
done < etc/modules-load.d/k8s.conf
tee etc/sysctl.d/k8s.conf >/dev/null <<'END'
net.bridge.bridge-nf-call-iptables  = 1
net.ipv4.ip_forward                 = 1
END
awk -F= '!/^#/ && NF==2 {gsub(/ /,"",$1); gsub(/ /,"",$2); print $1, $2}' etc/sysctl.d/k8s.conf |
while read -r key value; do answer sysctl -w "$key=$value"; done
