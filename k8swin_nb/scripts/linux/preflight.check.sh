# Look at what Kubernetes needs of this host before anything is changed.
#
# One line a check, tab-separated: name, severity when it does not hold (fail or warn), ok or no,
# what was found, what is wanted, what to do.
set -euo pipefail
: "${KUBERNETES_VERSION:?for example 1.36.4}"
: "${NODE_ADDRESS:?address of the node, for example 192.168.160.2}"
: "${NODE_ROLE:?control-plane or worker}"
: "${POD_SUBNET:?for example 10.244.0.0/16}"
: "${SERVICE_SUBNET:?for example 10.96.0.0/12}"
: "${CGROUP_V2_REQUIRED:?true or false}"
: "${CGROUP_V1_REQUIRED:=false}"
: "${ALLOW_CGROUP_V1:=false}"
: "${CONTROL_PLANE_PORTS:?ports that the control plane listens on, separated by spaces}"

report() { printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$@"; }
judge() { # NAME SEVERITY FOUND WANTED FIX COMMAND...
  local name=$1 severity=$2 found=$3 wanted=$4 fix=$5 ok=no
  shift 5
  if "$@" >/dev/null 2>&1; then ok=ok; fi
  report "$name" "$severity" "$ok" "$found" "$wanted" "$fix"
}
number() { # dotted quad to integer
  local a b c d
  IFS=. read -r a b c d <<<"$1"
  echo $(((a << 24) + (b << 16) + (c << 8) + d))
}
overlaps() { # NETWORK NETWORK
  local one=${1#*/} two=${2#*/} bits
  bits=$((one < two ? one : two))
  [ $(($(number "${1%/*}") >> (32 - bits))) -eq $(($(number "${2%/*}") >> (32 - bits))) ]
}

# shellcheck source=/dev/null
. /etc/os-release
kernel=$(uname -r)
joined=no
[ ! -e /etc/kubernetes/kubelet.conf ] || joined=yes

judge root fail "$(id -un)" "root" "give the login user sudo without a password" [ "$(id -u)" -eq 0 ]
judge distribution fail "${PRETTY_NAME:-$ID}" "Debian or Ubuntu" "use Debian 12 or Ubuntu 22.04 and newer" \
  grep -q -w -E 'debian|ubuntu' <<<"$ID ${ID_LIKE:-}"
judge architecture fail "$(uname -m)" x86_64 "use an amd64 machine" [ "$(uname -m)" = x86_64 ]
judge kernel warn "$kernel" "4.19 or newer" "upgrade the kernel" [ "$(printf '%s\n' 4.19 "$kernel" | sort -V | sed -n 1p)" = 4.19 ]
judge cpus fail "$(nproc)" "2 or more" "give the machine a second CPU" [ "$(nproc)" -ge 2 ]
memory=$(awk '$1 == "MemTotal:" { print int($2 / 1024) }' /proc/meminfo)
judge memory fail "$memory MiB" "1700 MiB or more" "give the machine 2 GiB of memory" [ "$memory" -ge 1700 ]
disk=$(df -Pm / | awk 'NR == 2 { print $4 }')
judge disk warn "$disk MiB free" "20480 MiB free" "free or add disk space" [ "$disk" -ge 20480 ]
cgroup=$(stat -fc %T /sys/fs/cgroup)
accepts_cgroup() { [ "$cgroup" = cgroup2fs ] || [ "$CGROUP_V2_REQUIRED" = false ] || [ "$ALLOW_CGROUP_V1" = true ]; }
if [ "$CGROUP_V1_REQUIRED" = true ]; then
  judge control-groups fail "$cgroup" "v1 (tmpfs)" "boot with systemd.unified_cgroup_hierarchy=0" [ "$cgroup" != cgroup2fs ]
else
  judge control-groups fail "$cgroup" cgroup2fs "boot with control groups v2, or set allow_cgroup_v1" accepts_cgroup
fi

capital() { grep -q '[A-Z]' <<<"$(hostname)"; }
lower_case() { ! capital; }
judge host-name fail "$(hostname)" "lower-case" "hostnamectl set-hostname with a lower-case name" lower_case
own=$(ip -4 -o addr show | awk '{ sub("/.*", "", $4); print $4 }')
judge address fail "${own//$'\n'/ }" "$NODE_ADDRESS on an interface" "correct the address in the parameters" grep -q -x -F "$NODE_ADDRESS" <<<"$own"

# A route that pods or services would shadow; the cluster's own interfaces do not count.
taken=
while read -r network _ rest; do
  case $rest in *cni0* | *flannel* | *kube-ipvs* | *k8swin*) continue ;; esac
  case $network in default | blackhole | unreachable | *:*) continue ;; esac
  [[ $network == */* ]] || network=$network/32
  [ "$joined" = no ] || ! overlaps "$network" "$POD_SUBNET" || continue
  if overlaps "$network" "$POD_SUBNET" || overlaps "$network" "$SERVICE_SUBNET"; then taken+=" $network"; fi
done < <(ip -4 route show)
judge routes fail "${taken:- none}" "no route inside $POD_SUBNET or $SERVICE_SUBNET" "choose other subnets" [ -z "$taken" ]

wanted_ports="10250"
[ "$NODE_ROLE" != control-plane ] || wanted_ports="$CONTROL_PLANE_PORTS 10250"
busy=
if [ "$joined" = no ]; then
  for port in $wanted_ports; do
    if ss -Hltn "sport = :$port" 2>/dev/null | grep . >/dev/null; then busy+=" $port"; fi
  done
fi
judge ports fail "${busy:- free}" "$wanted_ports free" "stop what listens there" [ -z "$busy" ]
free_of_dpkg() { [ -z "$(dpkg --audit)" ]; }
judge packages fail "$(dpkg --audit | sed -n 1p)" "no broken packages" "dpkg --configure -a" free_of_dpkg
no_reboot() { [ ! -e /var/run/reboot-required ]; }
judge reboot warn "$(no_reboot && echo "not required" || echo required)" "not required" "reboot this host" no_reboot
# shellcheck disable=SC2154
proxy=${http_proxy:-${HTTP_PROXY:-}}${https_proxy:-${HTTPS_PROXY:-}}
no_proxy_covers() { [ -z "$proxy" ] || grep -q -F "$NODE_ADDRESS" <<<"${no_proxy:-${NO_PROXY:-}}"; }
judge proxy warn "${proxy:-none}" "none, or NO_PROXY holds the cluster's networks" "set NO_PROXY" no_proxy_covers
