# Look at what Kubernetes needs of this host before anything is changed.
#
# One line a check, tab-separated: check, id, name, severity, ok or no, found, wanted, what to do. Severity
# is what it means when it does not hold: fail stops, warn is told, step is what a later step brings about,
# info never matters. Lines that begin with `fact` are compared between hosts and with the plan.
set -euo pipefail
: "${NODE_NAME:?the planned host name, for example linuxmaster}"
: "${NODE_ADDRESS:?address of the node, for example 192.168.160.2}"
: "${NODE_USER:?the login user, for example ubuntu}"
: "${NODE_ROLE:?control-plane or worker}"
: "${MASTER_ADDRESS:?address of the master, for example 192.168.160.2}"
: "${API_ENDPOINT:?host and port of the API server, for example 192.168.160.2:6443}"
: "${CLUSTER_PROFILE:=current}"
: "${API_PORT:=6443}"
: "${CONTROL_PLANE_ADDRESS:=}"
: "${POD_NETWORK:=flannel}"
: "${CONTROL_PLANE_PORTS:=6443 2379 2380 10257 10259}"
: "${CGROUP_V2_REQUIRED:?true or false}"
: "${CGROUP_V1_REQUIRED:=false}"
: "${ALLOW_CGROUP_V1:=false}"
: "${DOWNLOAD_HOSTS:=}"
: "${API_EXPECTED:=true}"
: "${CLUSTER_CA:=}"
: "${KUBELET_FLAGS_REMOVED:=}"
: "${LINUX_PROXY:=}"
# uses: authority_in authority_of_kubeconfig authority_recorded swap_makers swap_units without_swap cni_before_flannel kubelet_identity kubelet_is_known foreign_control_plane web_proxy environment_setting undone_at_boot broken_packages broken_here

# Bash's own clock where it has one: no process in between.
clock() { echo "${EPOCHREALTIME:-$(date +%s.%N)}"; }
printf 'fact\tclock_first\t%s\n' "$(clock)"

# shellcheck source=/dev/null
. /etc/os-release
joined=no
[ ! -e /etc/kubernetes/kubelet.conf ] || joined=yes

# Without a process of its own: more than a hundred answers pass here.
plain() { # TEXT: puts it into `told`, in one line and without blanks at its ends
  told=${1//[$'\t\r\n']/ }
  while [[ $told == *'  '* ]]; do told=${told//  / }; done
  told=${told# }
  told=${told% }
}
fact() {
  local told
  plain "$2"
  printf 'fact\t%s\t%s\n' "$1" "$told"
}
answer() { # SEVERITY FOUND WANTED FIX COMMAND...: does the command say yes?
  local severity=$1 told wanted=$3 fix=$4 state=no
  plain "$2"
  shift 4
  if "$@" >/dev/null 2>&1; then state=ok; fi
  printf '%s\t%s\t%s\t%s\t%s\n' "$severity" "$state" "${told:-none}" "$wanted" "$fix"
}
try() { # ID NAME PROBE: a probe that breaks off is one finding, and the others still run
  local output code line
  set +e
  output=$(set -e; "$3" 2>/dev/null)
  code=$?
  set -e
  if [ "$code" -ne 0 ] || [ -z "$output" ]; then
    output=$(printf 'warn\tno\tcould not be found out, exit code %s\tan answer\tlook at it on the host' "$code")
  fi
  while IFS= read -r line; do printf 'check\t%s\t%s\t%s\n' "$1" "$2" "$line"; done <<<"$output"
}
has() { command -v "$1" >/dev/null 2>&1; }
active() { systemctl is-active --quiet "$1"; }
at_least() { [ "$(printf '%s\n' "$1" "$2" | sort -V | sed -n 1p)" = "$1" ]; }

probe_root() { answer fail "$(id -un)" root "give the login user sudo without a password" [ "$(id -u)" -eq 0 ]; }
try L01 root probe_root
probe_home() {
  local home
  home=$(getent passwd "$NODE_USER" | cut -d: -f6)
  answer fail "${home:-none}" "a home of $NODE_USER, for the kubeconfig" \
    "usermod -m -d /home/$NODE_USER $NODE_USER, or log in as another user" [ -d "${home:-/nonexistent}" ]
}
[ "$NODE_ROLE" != control-plane ] || try L01 home probe_home

known_distribution() { grep -q -w -E 'debian|ubuntu' <<<"$ID ${ID_LIKE:-}" && has apt-get && has systemctl; }
probe_distribution() {
  answer fail "${PRETTY_NAME:-$ID}" "Debian or Ubuntu with systemd" "use Debian 12 or Ubuntu 22.04 and newer" known_distribution
}
try L02 distribution probe_distribution

probe_architecture() { answer fail "$(uname -m)" x86_64 "use an amd64 machine" [ "$(uname -m)" = x86_64 ]; }
try L03 architecture probe_architecture

probe_kernel() { answer warn "$(uname -r)" "4.19 or newer" "upgrade the kernel" at_least 4.19 "$(uname -r)"; }
try L04 kernel probe_kernel

# kubeadm refuses a control plane with less, and a worker with neither.
need=warn
[ "$NODE_ROLE" != control-plane ] || need=fail
probe_cpus() { answer "$need" "$(nproc)" "2 or more" "give the machine a second CPU" [ "$(nproc)" -ge 2 ]; }
try L05 cpus probe_cpus
probe_memory() {
  local memory
  memory=$(awk '$1 == "MemTotal:" { print int($2 / 1024) }' /proc/meminfo)
  answer "$need" "$memory MiB" "1700 MiB or more, better 4096" "give the machine 4 GiB of memory" [ "$memory" -ge 1700 ]
}
try L05 memory probe_memory

probe_disk() {
  local path free severity found='' worst=999999999
  for path in / /var/lib/containerd /var/lib/docker /var/lib/etcd; do
    [ -d "$path" ] || continue
    free=$(df -Pm "$path" | awk 'NR == 2 { print $4 }')
    found+="$path $free MiB, "
    [ "$free" -ge "$worst" ] || worst=$free
  done
  # A node that runs has its images already; on a fresh host nothing fits into less than this.
  severity=warn
  [ "$worst" -ge 5120 ] || [ "$joined" = yes ] || severity=fail
  answer "$severity" "${found%, } free" "20480 MiB free, at least 5120" "free or add disk space" [ "$worst" -ge 20480 ]
}
try L06 disk probe_disk
# Root may write everywhere but to what is mounted read-only or made immutable, and to a folder in the place of a file.
probe_places() {
  local path found='' severity=fail home files=(/etc/modules-load.d/k8swin.conf /etc/sysctl.d/zz-k8swin.conf
    /etc/apt/sources.list.d/k8swin.list /etc/containerd/config.toml /etc/cni/net.d/10-flannel.conflist /etc/cni/net.d/10-containerd-net.conflist)
  [ "$CLUSTER_PROFILE" != classic ] || files+=(/etc/docker/daemon.json)
  # Those that are as they are to be are not touched.
  ! awk '$1 !~ /^#/ && $3 == "swap" { found = 1 } END { exit !found }' /etc/fstab || files+=(/etc/fstab)
  [ "$(hostname)" = "$NODE_NAME" ] || files+=(/etc/hostname)
  [ "$(getent ahostsv4 "$NODE_NAME" | awk 'NR == 1 { print $1 }' || true)" = "$NODE_ADDRESS" ] || files+=(/etc/hosts)
  [ "$joined" = no ] || severity=warn
  home=$(getent passwd "$NODE_USER" | cut -d: -f6 || true)
  if [ "$NODE_ROLE" = control-plane ] && [ -n "$home" ]; then files+=("$home/.kube/config"); fi
  for path in "${files[@]}"; do
    if [ -d "$path" ]; then
      found+=" $path (a folder)"
    elif [ -e "$path" ] && [ ! -w "$path" ]; then
      found+=" $path"
    fi
  done
  for path in /etc /etc/apt/sources.list.d /etc/apt/keyrings /etc/modules-load.d /etc/sysctl.d /etc/systemd/system /etc/containerd /etc/cni/net.d \
    /etc/kubernetes /opt/cni/bin /usr/bin /usr/local/bin /var/lib /var/lib/kubelet /var/lib/cni /var/lib/etcd; do
    if [ -e "$path" ] && { [ ! -d "$path" ] || [ ! -w "$path" ]; }; then found+=" $path"; fi
  done
  answer "$severity" "${found:-all}" "files and folders that root can write" \
    "chattr -i what lsattr -d shows as immutable, mount for writing what is mounted read-only, move a folder away that has a file's name" [ -z "$found" ]
}
try L06 places probe_places
probe_inodes() {
  local total free
  read -r total free < <(stat -f -c '%c %d' /)
  # btrfs counts no inodes.
  answer warn "$free of $total free" "more than 5 %" "delete many small files, or make another file system" \
    [ $((free * 20)) -ge "$total" ]
}
try L06 inodes probe_inodes

probe_cgroup() {
  local found wanted=cgroup2fs fix="boot with control groups v2, or set allow_cgroup_v1"
  found=$(stat -fc %T /sys/fs/cgroup)
  if [ "$CGROUP_V1_REQUIRED" = true ]; then
    answer fail "$found" "tmpfs (control groups v1)" \
      "boot with systemd.unified_cgroup_hierarchy=0: Kubernetes below 1.19 does not know control groups v2" \
      [ "$found" != cgroup2fs ]
  elif [ "$CGROUP_V2_REQUIRED" = true ] && [ "$ALLOW_CGROUP_V1" = false ]; then
    answer fail "$found" "$wanted" "$fix" [ "$found" = cgroup2fs ]
  else
    answer fail "$found" "$wanted, or control groups v1 where they are accepted" "$fix" [ -n "$found" ]
  fi
}
try L07 control-groups probe_cgroup

swap_sources() { # what is on now, and what would come back at the next boot
  swapon --show=NAME --noheadings 2>/dev/null || true
  awk '$1 !~ /^#/ && $3 == "swap" { print "fstab:" $1 }' /etc/fstab
  swap_units
  swap_makers swap
}
probe_swap() {
  local found
  found=$(swap_sources | sort -u | tr '\n' ' ')
  answer step "${found:-off}" "off now and after a boot" "the step swap turns it off for good" [ -z "$found" ]
}
try L08 swap probe_swap
probe_swap_makers() {
  local found
  found=$(swap_makers other)
  answer fail "$found" "no swap by a service that does other things too" \
    "$(without_swap "$found")" [ -z "$found" ]
}
try L08 swap-makers probe_swap_makers

probe_modules() {
  local missing='' module
  for module in br_netfilter overlay; do
    [ -e "/sys/module/$module" ] || modprobe -n -q "$module" 2>/dev/null || missing+=" $module"
  done
  answer fail "${missing:-available}" "modules br_netfilter and overlay" \
    "install the kernel's full module package (linux-modules-extra-$(uname -r) on Ubuntu)" [ -z "$missing" ]
}
try L09 kernel-modules probe_modules
probe_forwarding() {
  local found
  found="ip_forward $(cat /proc/sys/net/ipv4/ip_forward), bridge $(cat /proc/sys/net/bridge/bridge-nf-call-iptables 2>/dev/null || echo absent)"
  answer step "$found" "ip_forward 1, bridge 1" "the step kernel sets it" [ "$found" = "ip_forward 1, bridge 1" ]
}
try L09 forwarding probe_forwarding
probe_forwarding_at_boot() {
  local found
  found=$(undone_at_boot /etc/sysctl.d/zz-k8swin.conf)
  answer fail "${found:-as set}" "forwarding on after a boot too" "take these lines out of the files" [ -z "$found" ]
}
try L09 forwarding-at-boot probe_forwarding_at_boot

name=$(hostname)
probe_host_name() {
  local better
  better=$(tr 'A-Z_' 'a-z-' <<<"$name")
  answer fail "$name" "lower-case letters, digits and hyphens" "hostnamectl set-hostname $better" \
    grep -E -x '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9-]+)*' <<<"$name"
}
try L10 host-name probe_host_name
probe_resolves() {
  local found
  found="$name at $(getent ahostsv4 "$name" | awk 'NR == 1 { print $1 }' || true)"
  answer step "$found" "$NODE_NAME at $NODE_ADDRESS" "the step host-name sets it" [ "$found" = "$NODE_NAME at $NODE_ADDRESS" ]
}
try L10 host-name-resolves probe_resolves
fact host_name "$name"

fact product_uuid "$(cat /sys/class/dmi/id/product_uuid 2>/dev/null || true)"
fact machine_id "$(cat /etc/machine-id 2>/dev/null || true)"
probe_machine_id() {
  local found
  found=$(cat /etc/machine-id 2>/dev/null || true)
  answer warn "${found:0:8}..." "32 digits" "systemd-machine-id-setup" [ "${#found}" -eq 32 ]
}
try L12 machine-id probe_machine_id

probe_ports() {
  local port busy='' wanted=10250
  [ "$NODE_ROLE" != control-plane ] || wanted="$CONTROL_PLANE_PORTS 10250"
  # Where a kubelet is set up already the ports are its own; L25 says whose it is.
  if [ "$joined" = no ] && [ ! -e /etc/k8swin/kubeadm-init.started ]; then
    for port in $wanted; do
      if ss -Hltn "sport = :$port" | grep . >/dev/null; then busy+=" $port"; fi
    done
  fi
  answer fail "${busy:-free}" "$wanted free" "stop what listens there: ss -ltnp" [ -z "$busy" ]
}
try L13 ports probe_ports

owner=$(ip -4 -o addr show | awk -v address="$NODE_ADDRESS" '{ split($4, part, "/") } part[1] == address && $2 != "lo" { print $2; exit }')
probe_address() {
  local own
  own=$(ip -4 -o addr show | awk '$2 != "lo" { sub("/.*", "", $4); print $4 }')
  answer fail "$own" "$NODE_ADDRESS on an interface" "correct the address in the parameters" [ -n "$owner" ]
}
try L14 address probe_address
fact addresses "$(ip -4 -o addr show | awk '$2 != "lo" { sub("/.*", "", $4); print $4 }')"
probe_default_route() {
  local devices
  devices=$(ip -4 route show default | awk '{ for (i = 1; i < NF; i++) if ($i == "dev" && !seen[$(i + 1)]++) print $(i + 1) }')
  answer fail "${devices:-none}" "through the interface of $NODE_ADDRESS${owner:+ ($owner)}" \
    "give $NODE_ADDRESS to the interface of the default route, or move the default route" \
    grep -q -x -F -e "$owner" <<<"$devices"
}
try L14 default-route probe_default_route
probe_static() {
  local found=static
  if ip -4 -o addr show dev "$owner" | grep -w dynamic >/dev/null; then found="by DHCP"; fi
  answer warn "$found" static "reserve the address at the DHCP server, or make it static" [ "$found" = static ]
}
[ -z "$owner" ] || try L15 static-address probe_static

# A route over several gateways names its network first, and then each gateway in a line of its own.
ip -4 route show | awk '
  function tell() {
    if (network != "") printf "fact\troute\t%s %s %s\n", network, (device == "" ? "-" : device), (via == "" ? "-" : via)
    network = device = via = ""
  }
  $1 != "nexthop" { tell() }
  $1 ~ /^[0-9]+(\.[0-9]+)+(\/[0-9]+)?$/ { network = $1 }
  network != "" {
    for (i = 2; i < NF; i++) {
      if ($i == "dev" && device == "") device = $(i + 1)
      if ($i == "via" && via == "") via = ($(i + 1) ~ /^inet6?$/) ? $(i + 2) : $(i + 1)
    }
  }
  END { tell() }
'

probe_search() {
  local count
  count=$(awk '$1 == "search" { n = NF - 1 } END { print n + 0 }' /etc/resolv.conf)
  answer warn "domains: $count" "6 or fewer search domains" "shorten the search list: pods add three of their own" [ "$count" -le 6 ]
}
try L17 search-list probe_search
probe_resolver() {
  local servers target
  servers=$(awk '$1 == "nameserver" { print $2 }' /etc/resolv.conf | tr '\n' ' ')
  target=yes
  case $servers in
    *127.0.0.53*) [ -e /run/systemd/resolve/resolv.conf ] || target=no ;;
    *127.*) target=no ;;
  esac
  answer warn "$servers" "name servers that pods can ask too" \
    "CoreDNS would forward to itself: name the site's own servers, or use systemd-resolved" [ "$target" = yes ]
}
try L18 resolver probe_resolver

probe_time() {
  local unit found=''
  for unit in chrony chronyd systemd-timesyncd ntp ntpsec; do
    if active "$unit"; then found=$unit; fi
  done
  if virtual=$(systemd-detect-virt --container 2>/dev/null); then found="$virtual, the machine under it keeps the clock"; fi
  answer step "${found:-none}" "a time service" "the step time installs one" [ -n "$found" ]
}
try L19 time-service probe_time

probe_firewall() {
  local found=''
  if has ufw && ufw status 2>/dev/null | grep -i 'status: active' >/dev/null; then found+=' ufw'; fi
  if active firewalld; then found+=' firewalld'; fi
  answer warn "${found:-none}" "none, or the planned ports open and forwarding accepted for pods" \
    "allow $API_PORT, 10250 and 30000-32767/tcp, with vxlan 4789/udp, and forwarding of the pod network" [ -z "$found" ]
}
try L20 firewall probe_firewall
# A rule that accepts and names no port accepts this one too, unless it is about connections that exist or about lo.
probe_input() {
  local rules port wanted=10250 closed=''
  [ "$NODE_ROLE" != control-plane ] || wanted="$API_PORT 10250"
  rules=$(iptables -S INPUT)
  if grep -E -x -e '-P INPUT (DROP|REJECT)' -e '-A INPUT -j (DROP|REJECT).*' <<<"$rules" >/dev/null; then
    for port in $wanted; do
      awk -v port="$port" '
        $1 != "-A" || !/-j ACCEPT/ || /-i lo( |$)/ || /RELATED|ESTABLISHED/ || /-p (icmp|udp)/ { next }
        !/--dports? / { open = 1 }
        {
          for (i = 1; i < NF; i++) if ($i == "--dport" || $i == "--dports") {
            count = split($(i + 1), parts, ",")
            for (j = 1; j <= count; j++) {
              last = split(parts[j], ends, ":")
              if (port + 0 >= ends[1] + 0 && port + 0 <= ends[last] + 0) open = 1
            }
          }
        }
        END { exit !open }
      ' <<<"$rules" || closed+=" $port"
    done
  fi
  answer fail "${closed:+closed:$closed}" "the chain INPUT lets the cluster's ports in: $wanted" \
    "iptables -I INPUT -p tcp -s HOSTS -m multiport --dports $API_PORT,10250,30000:32767 -j ACCEPT, and in the rules that are loaded at boot" [ -z "$closed" ]
}
if has iptables; then try L20 input-chain probe_input; fi

probe_access_control() {
  local found
  found=$(cat /sys/fs/selinux/enforce 2>/dev/null || echo 0)
  answer warn "$([ "$found" = 1 ] && echo 'SELinux enforcing' || echo none)" "no SELinux in enforcing mode" "setenforce 0, or load the containers' policy" [ "$found" = 0 ]
}
try L21 access-control probe_access_control

probe_runtimes() {
  local socket found=''
  for socket in /run/containerd/containerd.sock /run/crio/crio.sock /run/docker.sock /run/cri-dockerd.sock; do
    [ ! -S "$socket" ] || found+=" $(basename "$socket" .sock)"
  done
  answer info "${found:-none}" "the cluster's own is named to kubeadm" - true
}
try L22 container-runtimes probe_runtimes

if has containerd; then fact containerd_version "$(containerd --version | awk '{ sub(/^v/, "", $3); print $3 }' || true)"; fi
if has docker; then fact docker_version "$(docker --version | awk '{ sub(/,$/, "", $3); print $3 }' || true)"; fi
if has kubelet; then fact kubelet_version "$(kubelet --version | awk '{ sub(/^v/, "", $2); print $2 }' || true)"; fi

probe_cgroup_driver() {
  local found=systemd
  [ ! -r /var/lib/kubelet/config.yaml ] || found=$(awk '$1 == "cgroupDriver:" { print $2 }' /var/lib/kubelet/config.yaml)
  answer warn "${found:-default}" "systemd, as the runtime's" "set cgroupDriver: systemd in the kubelet's configuration" [ "${found:-systemd}" = systemd ]
}
[ ! -e /var/lib/kubelet/config.yaml ] || try L24 cgroup-driver probe_cgroup_driver

ours() { # DIRECTION: did an interrupted run of ours leave what is here?
  [ -e "/etc/k8swin/kubeadm-$1.started" ]
}
probe_other_cluster() {
  local found='' foreign='' authority='' unit server='' fix="make sure that nobody needs it, then kubeadm reset here, or take a fresh machine"
  for unit in k3s k3s-agent rke2-server rke2-agent snap.microk8s.daemon-kubelite k0scontroller k0sworker; do
    if active "$unit"; then found+=" $unit"; fi
  done
  if [ "$joined" = yes ]; then
    if [ "$NODE_ROLE" = control-plane ] && ! ours init; then
      foreign=$(foreign_control_plane "$API_ENDPOINT" "$API_PORT")
      [ -z "$foreign" ] || fix=$(sed -n 's/^hint: //p' <<<"$foreign")
      found+=$(sed '/^hint: /d' <<<"$foreign")
    fi
    server=$(awk '$1 == "server:" { print $2; exit }' /etc/kubernetes/kubelet.conf)
    authority=$(authority_of_kubeconfig /etc/kubernetes/kubelet.conf || true)
    # A control plane's own kubelet may ask the API server beside it.
    if [ "$NODE_ROLE" = control-plane ] && [ "$server" = "https://$MASTER_ADDRESS:$API_PORT" ]; then server=https://$API_ENDPOINT; fi
    if [ -n "$foreign" ]; then
      :
    elif [ "$server" != "https://$API_ENDPOINT" ]; then
      found+=" a node of $server"
      if [ "$NODE_ROLE" != control-plane ] && [ -n "$CLUSTER_CA" ] && [ "$authority" = "$CLUSTER_CA" ]; then
        fix="it is a node of the cluster that is meant: write the endpoint that it was made with into \`control_plane_endpoint\`, which cannot be changed afterwards"
      fi
    elif [ "$NODE_ROLE" != control-plane ] && [ -n "$CLUSTER_CA" ] && [ -n "$authority" ] && [ "$authority" != "$CLUSTER_CA" ]; then
      found+=" a node of an earlier cluster at $server"
    fi
  elif ! ours init && ! ours join; then
    found+=$(find /etc/kubernetes/manifests /var/lib/etcd/member -mindepth 1 -maxdepth 1 -printf ' %p' 2>/dev/null || true)
    found+=$(find /etc/kubernetes/{super-admin,bootstrap-kubelet,controller-manager,scheduler}.conf -printf ' %p' 2>/dev/null || true)
  fi
  answer fail "${found:-none}" "no traces of another cluster" "$fix" [ -z "$found" ]
}
try L25 other-cluster probe_other_cluster
probe_etcd_folder() {
  local found='' fix="move it away: kubeadm wants the folder of etcd empty"
  if [ "$joined" = no ] && ! ours init; then
    found=$(find /var/lib/etcd -mindepth 1 -maxdepth 1 ! -name member -printf '%p ' 2>/dev/null || true)
  fi
  [ "$found" != "/var/lib/etcd/lost+found " ] ||
    fix="rmdir /var/lib/etcd/lost+found: kubeadm wants the folder of etcd empty, and a check of the disk makes it anew"
  answer fail "${found:-empty or in use}" "an empty /var/lib/etcd" "$fix" [ -z "$found" ]
}
[ "$NODE_ROLE" != control-plane ] || try L25 etcd-folder probe_etcd_folder
probe_authority() {
  local file=/etc/kubernetes/pki/ca.crt found=none authority
  if [ "$joined" = no ] && [ "$NODE_ROLE" != control-plane ] && [ -e "$file" ]; then
    authority=$(authority_in "$file")
    if [ "$authority" != "$CLUSTER_CA" ] && ! { ours join && [ "$authority" = "$(authority_recorded)" ]; }; then
      found="$file of $(openssl x509 -noout -subject -in "$file" 2>/dev/null || echo 'an unknown authority')"
      [ -n "$CLUSTER_CA" ] || found+=", which may be another cluster's"
    fi
  fi
  answer "$([ -n "$CLUSTER_CA" ] && echo fail || echo warn)" "$found" "no authority of another cluster" \
    "look whether somebody needs it, then mv /etc/kubernetes/pki /root/" [ "$found" = none ]
}
try L25 authority probe_authority
# kubeadm takes an authority that is there, and what signs later takes exactly one certificate with its key.
probe_own_authority() {
  local file=/etc/kubernetes/pki/ca.crt key=/etc/kubernetes/pki/ca.key found='' count
  if [ "$joined" = no ] && [ -e "$file" ]; then
    count=$(grep -c -e '-----BEGIN CERTIFICATE-----' "$file" || true)
    if [ "$count" != 1 ]; then
      found="$file holds $count certificates"
    elif ! openssl x509 -noout -checkend 3600 -in "$file" >/dev/null 2>&1; then
      found="$file ends within an hour, or is no certificate"
    elif [ -e "$key" ] && [ "$(openssl x509 -noout -pubkey -in "$file")" != "$(openssl pkey -pubout -in "$key" 2>/dev/null || true)" ]; then
      found="$key is not the key of $file"
    elif [ ! -e "$key" ] && [ ! -e /etc/kubernetes/pki/apiserver.crt ]; then
      found="$key is missing"
    fi
  fi
  answer fail "${found:-none, or one with its key}" "no authority, or one certificate with its key" \
    "leave in $file the one certificate that belongs to $key; or move both away, and kubeadm makes new ones" [ -z "$found" ]
}
[ "$NODE_ROLE" != control-plane ] || try L25 own-authority probe_own_authority
# Whose clusters hosts belong to is held against each other.
authority=
if [ "$joined" = yes ] && [ "$NODE_ROLE" != control-plane ]; then
  authority=$(authority_of_kubeconfig /etc/kubernetes/kubelet.conf)
elif [ -e /etc/kubernetes/pki/ca.crt ] && ! ours join; then
  authority=$(authority_in /etc/kubernetes/pki/ca.crt)
fi
if [ -n "$authority" ]; then
  fact authority "$(sha256sum <<<"$authority" | cut -d ' ' -f 1)"
elif [ "$NODE_ROLE" = control-plane ]; then
  fact authority "none yet"
fi
# A kubelet goes on with the certificate that it finds, whoever gave it and under whichever name.
probe_kubelet_identity() {
  local folder=/var/lib/kubelet/pki identity found='' authority fix
  identity=$(kubelet_identity)
  authority=$(cat /etc/k8swin/cluster-ca 2>/dev/null || true)
  fix="when nobody needs that node, mv $folder /root/kubelet-pki, so that the kubelet gets a new one"
  if [ -n "$identity" ] && ! ours init && ! ours join; then
    if [ "$identity" != "$NODE_NAME" ]; then
      found="the node $identity"
      [ "$joined" = no ] || fix="name this host $identity under \`hosts\`; or take that node out of the cluster and kubeadm reset -f here"
    elif [ "$joined" = yes ] && [ -n "$CLUSTER_CA" ] && ! kubelet_is_known "$CLUSTER_CA"; then
      found="the node $identity of another cluster"
      fix="make sure that nobody needs it, then kubeadm reset -f here"
    elif [ "$joined" = no ]; then
      if [ -z "$authority" ] || ! kubelet_is_known "$authority"; then found="a node $identity of an earlier cluster"; fi
    fi
  fi
  answer fail "${found:-none or $NODE_NAME}" "no kubelet certificate in $folder of another node" "$fix" [ -z "$found" ]
}
try L25 kubelet-identity probe_kubelet_identity
# What stands there wins over what kubeadm writes.
probe_kubelet_flags() {
  local file flags flag name value found=''
  for file in /etc/default/kubelet /etc/sysconfig/kubelet; do
    [ -r "$file" ] || continue
    flags=$(sed -n 's/^ *KUBELET_EXTRA_ARGS=//p' "$file" | tr -d "\"'")
    for flag in $flags; do
      case $flag in --*) ;; *) continue ;; esac
      name=${flag%%=*}
      name=${name#--}
      value=${flag#*=}
      case $name in
        node-ip) [ "$value" = "$NODE_ADDRESS" ] || found+=" $flag" ;;
        hostname-override) [ "$value" = "$NODE_NAME" ] || found+=" $flag" ;;
        kubeconfig | bootstrap-kubeconfig | config) found+=" $flag" ;;
        *) if [[ " $KUBELET_FLAGS_REMOVED " == *" $name "* ]]; then found+=" $flag"; fi ;;
      esac
    done
  done
  answer fail "${found:-nothing in the way}" "in /etc/default/kubelet no --node-ip but $NODE_ADDRESS, no other name, no flag that this version lacks" \
    "take these flags out of KUBELET_EXTRA_ARGS in /etc/default/kubelet" [ -z "$found" ]
}
try L25 kubelet-flags probe_kubelet_flags
probe_links() {
  local link found='' bridges='' severity=warn
  for link in cali0 cilium_host weave; do
    [ ! -e "/sys/class/net/$link" ] || found+=" $link"
  done
  # flannel's own would be used again, with the addresses of the earlier network.
  for link in cni0 flannel.1 flannel.4096; do
    [ ! -e "/sys/class/net/$link" ] || bridges+=" $link"
  done
  if [ "$joined" = yes ]; then found='' bridges=''; fi
  [ -z "$bridges" ] || severity=fail
  found+=$bridges
  answer "$severity" "${found:-none}" "no interfaces of an earlier pod network" \
    "when nothing uses them: for name in${found:- NAME}; do ip link delete \$name; done" [ -z "$found" ]
}
try L25 other-links probe_links

probe_cni() {
  local file first found='' severity=warn
  for file in /etc/cni/net.d/*; do
    case $file in
      *'/*' | */10-flannel.conflist | */10-containerd-net.conflist) ;;
      *.conf | *.conflist | *.json) found+=" $file" ;;
    esac
  done
  first=
  [ "$POD_NETWORK" != flannel ] || first=$(cni_before_flannel)
  [ -z "$first" ] || severity=fail
  answer "$severity" "${found:-none}" "10-flannel.conflist alone, or first" \
    "the first name in the alphabet wins: when nobody needs it, mv /etc/cni/net.d/${first:-NAME} /root/" [ -z "$found" ]
}
try L26 cni-configuration probe_cni
probe_plugins() {
  local plugin missing=''
  for plugin in loopback portmap bridge host-local; do
    [ -x "/opt/cni/bin/$plugin" ] || missing+=" $plugin"
  done
  answer step "${missing:-all there}" "loopback portmap bridge host-local in /opt/cni/bin" "the step packages brings them" [ -z "$missing" ]
}
try L27 cni-plugins probe_plugins

# Proxies are judged where the networks are known; a password in one is not for anybody's eyes.
proxy_fact() { [ -z "$2" ] || fact "$1" "${2/\/\/*@/\/\/}"; }
# shellcheck disable=SC2154
proxy_fact proxy_session "${https_proxy:-${HTTPS_PROXY:-${http_proxy:-${HTTP_PROXY:-}}}}"
# shellcheck disable=SC2154
proxy_fact no_proxy_session "${no_proxy:-${NO_PROXY:-}}"
if [ -r /etc/environment ]; then
  both=$(environment_setting https_proxy)
  proxy_fact proxy_environment "${both:-$(environment_setting http_proxy)}"
  proxy_fact no_proxy_environment "$(environment_setting no_proxy)"
fi
for service in containerd docker kubelet; do
  settings=$(systemctl show -p Environment --value "$service" 2>/dev/null | tr ' ' '\n' || true)
  proxy_fact "proxy_$service" "$(sed -n 's/^https\?_proxy=//Ip' <<<"$settings" | sed -n '$p')"
  proxy_fact "no_proxy_$service" "$(sed -n 's/^no_proxy=//Ip' <<<"$settings" | sed -n '$p')"
done

proxy=$(web_proxy "$LINUX_PROXY" 2>/dev/null || true)
look_for_downloads() { # what cannot be had from each host, a line each
  local host images='' code through=''
  [ -z "$proxy" ] || through=" through ${proxy/\/\/*@/\/\/}"
  if has ctr; then images=$(ctr -n k8s.io images ls -q 2>/dev/null || true); fi
  for host in $DOWNLOAD_HOSTS; do
    # What is on the host already is not fetched again.
    if grep "^${host#registry-1.}/" <<<"$images" >/dev/null; then continue; fi
    # A proxy knows names that this host does not.
    if [ -z "$proxy" ] && ! getent ahostsv4 "${host%%:*}" >/dev/null; then
      echo "failed $host (no such name)"
    elif has curl; then
      code=0
      https_proxy=$proxy HTTPS_PROXY=$proxy curl -s -o /dev/null --connect-timeout 5 --max-time 10 "https://$host/" || code=$?
      case $code in
        0 | 22 | 52) ;;
        35 | 51 | 60) echo "untrusted $host" ;;
        5 | 97) echo "failed $host (no such proxy$through)" ;;
        *) echo "failed $host (curl ends with $code$through)" ;;
      esac
    fi
  done
}
downloads=$(look_for_downloads 2>/dev/null || true)
probe_downloads() {
  local failed
  failed=$(sed -n 's/^failed //p' <<<"$downloads")
  answer warn "${failed:-reached}" "${DOWNLOAD_HOSTS:-nothing to fetch}" \
    "name a mirror of the site in the parameters, or its web proxy in \`linux_proxy\`, or correct DNS and route" [ -z "$failed" ]
}
try L29 downloads probe_downloads
probe_trust() {
  local untrusted
  untrusted=$(sed -n 's/^untrusted //p' <<<"$downloads")
  answer warn "${untrusted:-none}" "no certificates of unknown authorities" \
    "something between opens TLS: install its authority with update-ca-certificates" [ -z "$untrusted" ]
}
try L30 tls-interception probe_trust

probe_dpkg() {
  local broken names
  broken=$(broken_packages)
  names=$(tr '\n' ' ' <<<"$broken")
  if broken_here "$broken"; then
    answer warn "$names" "no broken packages" "nothing: a run was stopped while it installed them, and the next one ends that" false
    return
  fi
  answer fail "${names:-none}" "no broken packages" \
    "dpkg --configure -a; what that does not mend: apt-get install --reinstall $names" [ -z "$broken" ]
}
try L31 packages probe_dpkg
probe_dpkg_lock() {
  local file inode holder found=''
  for file in /var/lib/dpkg/lock-frontend /var/lib/dpkg/lock /var/lib/apt/lists/lock /var/cache/apt/archives/lock; do
    inode=$(stat -c %i "$file" 2>/dev/null || echo none)
    holder=$(awk -v end=":$inode" 'substr($6, length($6) - length(end) + 1) == end { print $5; exit }' /proc/locks 2>/dev/null || true)
    [ -z "$holder" ] || found+="$file by $(cat "/proc/$holder/comm" 2>/dev/null || echo 'another program'), process $holder; "
  done
  answer warn "${found:-free}" free "the steps wait for up to five minutes; if it takes longer, end that program" [ -z "$found" ]
}
try L31 package-lock probe_dpkg_lock
probe_held() {
  local held missing='' package
  held=$(apt-mark showhold | tr '\n' ' ')
  if has kubelet; then
    for package in kubelet kubeadm kubectl; do [[ " $held " == *" $package "* ]] || missing+=" $package"; done
  fi
  answer step "${missing:-none left out}" "kubelet, kubeadm and kubectl held" "the step packages holds them" [ -z "$missing" ]
}
try L32 held-packages probe_held

probe_reboot() {
  local found="not required"
  [ ! -e /var/run/reboot-required ] || found=required
  answer warn "$found" "not required" "reboot this host" [ "$found" = "not required" ]
}
try L33 reboot probe_reboot

probe_tools() {
  local tool missing=''
  for tool in conntrack socat ethtool iptables; do has "$tool" || missing+=" $tool"; done
  answer step "${missing:-all there}" "conntrack socat ethtool iptables" "the step packages brings them" [ -z "$missing" ]
}
try L34 tools probe_tools
probe_iptables() {
  local found
  found=$(iptables -V)
  if [ "$CLUSTER_PROFILE" = classic ]; then
    answer warn "$found" legacy "update-alternatives --set iptables /usr/sbin/iptables-legacy where this Kubernetes is older than 1.17" \
      grep -v nf_tables <<<"$found"
  else
    answer info "$found" any - true
  fi
}
if has iptables; then try L35 iptables probe_iptables; fi

probe_certificates() {
  local file found=''
  for file in /etc/kubernetes/pki/*.crt /var/lib/kubelet/pki/kubelet-client-current.pem; do
    [ -r "$file" ] || continue
    openssl x509 -noout -checkend 2592000 -in "$file" >/dev/null || found+=" $(basename "$file")"
  done
  answer warn "${found:-none}" "none that ends within 30 days" "kubeadm certs renew all" [ -z "$found" ]
}
[ "$joined" = no ] || try L36 certificates probe_certificates

if [ -n "$owner" ]; then
  fact interface "$owner"
  fact mtu "$(cat "/sys/class/net/$owner/mtu")"
  fact mac "$(cat "/sys/class/net/$owner/address")"
  fact prefix "$(ip -4 -o addr show dev "$owner" | awk -v address="$NODE_ADDRESS" '{ split($4, part, "/") } part[1] == address { print part[2]; exit }')"
fi
probe_api_name() {
  local name=${API_ENDPOINT%:*} found
  found=$(getent ahostsv4 "$name" | awk 'NR == 1 { print $1 }' || true)
  if [ -n "$CONTROL_PLANE_ADDRESS" ]; then
    answer step "$name leads to ${found:-nothing}" "$CONTROL_PLANE_ADDRESS" "the step api-name writes it into /etc/hosts" [ "$found" = "$CONTROL_PLANE_ADDRESS" ]
  else
    answer fail "$name leads to ${found:-nothing}" "an address of the control plane" \
      "let the site's DNS know the name, or write its address into \`control_plane_address\`" [ -n "$found" ]
  fi
}
if [[ ${API_ENDPOINT%:*} =~ [a-z] ]]; then try X5 api-name probe_api_name; fi
if [ "$NODE_ADDRESS" != "$MASTER_ADDRESS" ]; then
  fact route_to_master "$(ip -4 route get "$MASTER_ADDRESS" 2>/dev/null | sed -n 1p || true)"
  if [ "$API_EXPECTED" = true ]; then
    probe_api() {
      # The name that a later step writes into /etc/hosts is not known yet.
      local found=reached code=0 port=${API_ENDPOINT#*:} host=${CONTROL_PLANE_ADDRESS:-${API_ENDPOINT%:*}}
      if has curl; then
        # Any answer will do, whatever the server thinks of one who is not logged in.
        curl -s -k -o /dev/null --noproxy '*' --connect-timeout 5 --max-time 10 "https://$host:$port/" || code=$?
        case $code in 6) found="no such name" ;; 7 | 28) found="no answer" ;; esac
      else
        timeout 5 bash -c "exec 3<>/dev/tcp/$host/$port" 2>/dev/null || found="no answer"
      fi
      answer fail "$found" "$host port $port" \
        "check the route and the firewall between this host and the master" [ "$found" = reached ]
    }
    try X4 api-server probe_api
  fi
fi
fact virtualisation "$(systemd-detect-virt 2>/dev/null || true)"
fact manufacturer "$(cat /sys/class/dmi/id/sys_vendor 2>/dev/null || true) $(cat /sys/class/dmi/id/product_name 2>/dev/null || true)"
printf 'fact\tclock_last\t%s\n' "$(clock)"
