# Functions that the scripts of this folder share. A script names those that it uses: `# uses: NAME ...`.

# A check that finds several things to do names them all, so that one look says what its apply will change.
needed_if_any() { # WHAT ITEM...: ends the check with 10 if there is an item
  [ $# -gt 1 ] || return 0
  printf '%s:' "$1"
  printf ' %s;' "${@:2}"
  echo
  exit 10
}

# What comes new is written down first: a teardown removes these packages and no others.
note_new_packages() { # what `apt-get install` is given
  install -d -m 0755 /etc/k8swin
  apt-get -s install -y -q "$@" | awk '$1 == "Inst" && $3 !~ /^\[/ { print $2 }' >>/etc/k8swin/packages
}

# Another installation may hold a lock for some minutes, as on a server that was just made. apt waits by itself for
# dpkg's lock alone, not for those of the lists and of the archives.
apt_get() { # what `apt-get` is given
  local said code deadline=$((SECONDS + 300))
  use_proxy
  said=$(mktemp)
  while true; do
    code=0
    LC_ALL=C apt-get -o DPkg::Lock::Timeout=300 "$@" 2>&1 | tee "$said" || code=$?
    if [ "$code" -eq 0 ] || [ "$SECONDS" -ge "$deadline" ] || ! grep -q -E 'Could not get lock|Unable to (lock|acquire)' "$said"; then
      break
    fi
    echo "another program has apt's lock; trying again"
    sleep 5
  done
  [ "$code" -eq 0 ] || tail -n 5 "$said" >&2
  rm -f "$said"
  return "$code"
}

# Lists of others that cannot be had are theirs to mend: what is needed from here is enough. Sources that cannot be read
# together stop everything.
read_package_lists() {
  local said code=0
  said=$(apt_get update -q 2>&1) || code=$?
  echo "$said"
  [ "$code" -ne 0 ] || return 0
  if ! grep -q 'list of sources could not be read' <<<"$said" && [ -s /etc/apt/sources.list.d/k8swin.list ] && apt_get update -q -o Dir::Etc::SourceList=/etc/apt/sources.list.d/k8swin.list \
    -o Dir::Etc::SourceParts=- -o APT::Get::List-Cleanup=0; then
    echo "warning: other package sources of this host cannot be read, see above; they were left as they are"
    return
  fi
  tail -n 5 <<<"$said" >&2
  return 100
}

# What comes new is known before it comes.
install_packages() { # what `apt-get install` is given
  note_new_packages "$@"
  apt_get install -y -q "$@"
}

# What somebody else had there is kept once; what an earlier run of ours wrote is not taken for it.
replace_configuration() { # NEW FILE SAVED RECORD: the record holds the hash of what is ours
  if [ -e "$2" ] && [ ! -e "$3" ] && [ "$(sha256sum <"$2")" != "$(cat "$4" 2>/dev/null || true)" ]; then
    cp -p "$2" "$3.new"
    mv "$3.new" "$3"
  fi
  sha256sum <"$1" >"$4"
  install -m 0644 "$1" "$2.k8swin-new"
  mv "$2.k8swin-new" "$2"
}

# Services that make swap when they start, whatever /etc/fstab says.
swap_makers() {
  local service
  for service in zramswap.service zram-config.service dphys-swapfile.service; do
    if systemctl is-enabled --quiet "$service" 2>/dev/null; then echo "$service"; fi
  done
}

# Units that fstab or a generator made, or that are there by themselves; a masked one does not start.
swap_units() {
  { systemctl list-unit-files --type=swap --no-legend || true; } | awk '$2 != "masked" { print $1 }'
}

# Addresses are compared as numbers.
address_number() { # dotted quad to integer
  local a b c d
  IFS=. read -r a b c d <<<"$1"
  echo $(((a << 24) + (b << 16) + (c << 8) + d))
}

# A route to the pods of another node goes through a gateway, and its network lies in that of the pods.
pod_routes() { # POD-SUBNET: a line each, network and gateway
  local bits pods network via gateway
  bits=$((32 - ${1#*/}))
  pods=$(($(address_number "${1%/*}") >> bits))
  ip -4 route show | while read -r network via gateway _; do
    if [ "$via" = via ] && [[ $network =~ ^[0-9.]+(/[0-9]+)?$ ]] && [ $(($(address_number "${network%/*}") >> bits)) -eq "$pods" ]; then
      echo "$network $gateway"
    fi
  done
}

# Server-side apply leaves the fields of others alone; kubectl of old versions has only its own way.
manifest_to_kubectl() { # apply or diff, true or false: server-side; the manifest comes on standard input
  local options=()
  [ "$2" = false ] || options=(--server-side --force-conflicts)
  kubectl "$1" "${options[@]}" -f -
}

# What is told of a connection that was tried is the same from everywhere.
print_attempt() { # SHOWN COMMAND...: exit code, what is shown, and the last line that was printed, between tabs
  local code=0 said shown=$1
  shift
  # Shown as it can be typed: a shell would make file names of the star.
  shown=${shown// \* / "'*'" }
  said=$("$@" 2>&1 </dev/null) || code=$?
  said=$(grep -v '^command terminated with' <<<"$said" | tail -n 1 | tr -d '\r' | tr '\t' ' ') || true
  printf '%s\t%s\t%s\n' "$code" "$shown" "$said"
}

# An image that is refused and a program that ends again and again do not come by waiting. A pull that took too long
# goes on where it was, and a registry that is busy may answer the next time.
stuck_pods() { # NAMESPACE KUBECTL-OPTION...: a line for each pod that no wait helps: its name and why
  local namespace=$1 word pod=- restarts reason message event
  shift
  kubectl -n "$namespace" get pods "$@" -o 'jsonpath={range .items[*]}pod {.metadata.name}{"\n"}{range .status.initContainerStatuses[*]}waits {.restartCount} {.state.waiting.reason} {.state.waiting.message}{"\n"}{end}{range .status.containerStatuses[*]}waits {.restartCount} {.state.waiting.reason} {.state.waiting.message}{"\n"}{end}{end}' |
    while read -r word restarts reason message; do
      case $word:$reason in
        pod:*) pod=$restarts ;;
        waits:CrashLoopBackOff)
          if [ "$restarts" -ge 3 ]; then echo "$pod ends again and again, $restarts times so far ($reason)"; fi
          ;;
        waits:ImagePullBackOff)
          event=$(kubectl -n "$namespace" get events --field-selector "involvedObject.name=$pod,reason=Failed" \
            -o 'jsonpath={range .items[*]}{.message}{"\n"}{end}' | grep -i 'pull' | tail -n 1 || true)
          if ! grep -q -i -E 'deadline|timeout|timed out|too ?many ?requests|reset by peer|EOF|50[234] ' <<<"$event"; then
            echo "$pod has no image: ${event:-$message} ($reason)"
          fi
          ;;
        waits:ErrImageNeverPull | waits:InvalidImageName | waits:CreateContainerConfigError) echo "$pod: $message ($reason)" ;;
      esac
    done
}

# A check that waits for pods ends when one of them waits for nothing.
stop_if_stuck() { # NAMESPACE KUBECTL-OPTION...: ends the check with 30 if a pod is stuck
  local stuck
  stuck=$(stuck_pods "$@")
  [ -n "$stuck" ] || return 0
  case $stuck in
    *'has no image'*) echo "hint: make the image reachable for the node, or name its registry in the parameters; then run this notebook again" ;;
    *) echo "hint: read kubectl -n $1 logs ${stuck%% *} --previous, mend what it says, then run this notebook again" ;;
  esac
  echo "pod ${stuck//$'\n'/; pod }"
  exit 30
}

# Why an API server does not answer, as far as its own host shows it.
api_trouble() { # WHAT-KUBECTL-SAID: ends the check with 20 when something else has to be done first
  local ended=''
  if grep -q -i 'certificate has expired' <<<"$1" || ! openssl x509 -noout -checkend 0 -in /etc/kubernetes/pki/apiserver.crt >/dev/null 2>&1; then
    echo "hint: type kubeadm certs renew all on this host, then move /etc/kubernetes/manifests away for half a minute and back; see: 80_troubleshoot#credentials-expire"
    echo "the API server's certificates have expired: $1"
    exit 20
  fi
  if ! systemctl is-active --quiet kubelet; then
    # One that somebody stopped says nothing about it.
    [ "$(systemctl show -p Result --value kubelet)" = success ] || ended=$(journalctl -u kubelet -n 40 -o cat --no-pager 2>/dev/null | grep -E '^E|err=|[Ee]rror|[Ff]ailed' | tail -n 1 || true)
    echo "hint: type systemctl restart kubelet on this host and read journalctl -u kubelet -n 50; the kubelet starts the API server"
    echo "the API server does not answer, and the kubelet of this host does not run${ended:+: $ended}"
    exit 20
  fi
}

# A runtime takes the first configuration in the order of bytes. The sample of containerd's package is moved by its step.
cni_before_flannel() { # the first file that stands before flannel's, or nothing
  local file
  for file in /etc/cni/net.d/*; do
    case $file in
      */10-containerd-net.conflist) ;;
      *.conf | *.conflist | *.json) printf '%s\n' "${file##*/}" ;;
    esac
  done | { cat && echo 10-flannel.conflist; } | LC_ALL=C sort -u | sed -n 1p | grep -v -x 10-flannel.conflist || true
}

# The name under which a kubelet is known to its cluster stands in its certificate, which outlives the host's own name.
kubelet_identity() { # the node's name, or nothing
  openssl x509 -noout -subject -in /var/lib/kubelet/pki/kubelet-client-current.pem 2>/dev/null |
    sed -n 's/.*system:node:\([a-z0-9.-]*\).*/\1/p' || true
}

# A certificate of an earlier cluster is used for ever, and refused each time.
kubelet_is_known() { # AUTHORITY-IN-BASE64: did this authority sign the kubelet's certificate?
  local authority code=0
  authority=$(mktemp)
  base64 -d <<<"$1" >"$authority"
  openssl verify -no_check_time -CAfile "$authority" /var/lib/kubelet/pki/kubelet-client-current.pem >/dev/null 2>&1 || code=$?
  rm -f "$authority"
  return "$code"
}

# A cluster is ours when its authority was written down as it was made, whatever networks it has.
foreign_control_plane() { # MASTER-ADDRESS: what to do and why, when the control plane here was not made from here
  local server record=/etc/k8swin/cluster-ca
  [ -e /etc/kubernetes/admin.conf ] || return 0
  server=$(awk '$1 == "server:" { print $2; exit }' /etc/kubernetes/admin.conf)
  if [ "$server" != "https://$1:6443" ]; then
    echo "hint: clusters whose endpoint is a name or another address are not managed from here: take a fresh machine"
    echo "the cluster on this host has the endpoint $server, planned is https://$1:6443"
  elif [ ! -e "$record" ] || [ "$(cat "$record")" != "$(base64 -w 0 /etc/kubernetes/pki/ca.crt 2>/dev/null || true)" ]; then
    echo "hint: leave it, and take a fresh machine; or, if it is to be managed and one day removed from here, type: install -d /etc/k8swin && base64 -w 0 /etc/kubernetes/pki/ca.crt >$record"
    echo "the cluster on this host was not made by these notebooks"
  fi
}

# The proxy of the description, else that of this host's logins, else apt's.
web_proxy() { # PROXY-OF-THE-DESCRIPTION: a URL, or nothing
  local found=$1
  # shellcheck disable=SC2154
  found=${found:-${https_proxy:-${HTTPS_PROXY:-${http_proxy:-${HTTP_PROXY:-}}}}}
  [ -n "$found" ] || found=$(environment_setting https_proxy)
  [ -n "$found" ] || found=$(environment_setting http_proxy)
  # A cache of packages is no way to anywhere else.
  [ -n "$found" ] || found=$(grep -r -h -o -i -E '^[^/#]*Proxy[ =]+"https?://[^"]+"' /etc/apt/apt.conf /etc/apt/apt.conf.d 2>/dev/null |
    sed 's/.*"\(.*\)"/\1/' | grep -v -E ':3142/?$' | sed -n 1p || true)
  case $found in
    '') ;;
    *[[:space:]\'\"]*) echo "the address of the web proxy holds a quote or a space" >&2 && return 1 ;;
    *://*) echo "$found" ;;
    *) echo "http://$found" ;;
  esac
}

# What logins are given by PAM; the last line of a name counts.
environment_setting() { # NAME
  sed -n "s/^ *\(export *\)\?$1=//Ip" /etc/environment 2>/dev/null | tr -d "\"'" | sed -n '$p' || true
}

# Programs read these names in capitals, in small letters, or only one of both. What the site excepts stays.
proxy_settings() { # PROXY NO-PROXY: lines for systemd and for a shell
  local name except
  # shellcheck disable=SC2154
  except=${no_proxy:-${NO_PROXY:-$(environment_setting no_proxy)}}
  except=$(tr -d "'\"" <<<"$except,$2" | tr ',' '\n' | awk '{ gsub(/[ \t]/, "") } NF && !seen[$0]++' | paste -s -d ,)
  for name in http_proxy https_proxy HTTP_PROXY HTTPS_PROXY; do echo "$name='$1'"; done
  for name in no_proxy NO_PROXY; do echo "$name='$except'"; done
}

# Scripts run by sudo, which hands no proxy on.
use_proxy() {
  [ -r /etc/k8swin/proxy ] || return 0
  set -a
  # shellcheck source=/dev/null
  . /etc/k8swin/proxy
  set +a
}

# A site's own addition to a service says it with `Environment`, which a file of ours would outdo.
names_a_proxy() { # SERVICE
  systemctl show -p Environment --value "$1" 2>/dev/null | grep -i '_proxy=' >/dev/null
}
