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

# Another installation may hold the lock for some minutes, as on a server that was just made. A configuration that
# is there before its package is somebody's: it stays, and nobody is asked.
install_packages() { # what `apt-get install` is given
  note_new_packages "$@"
  apt-get -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold install -y -q "$@"
}

# What somebody else made is kept before it is changed or removed: in one folder, below its own path, with mode
# and owner. What was kept there earlier and is not the same moves on to a folder with a number.
keep_found() { # PATH...
  local path copy number
  for path in "$@"; do
    if [ ! -e "$path" ] && [ ! -L "$path" ]; then continue; fi
    if is_written "$path"; then continue; fi
    copy=/var/lib/k8swin/kept$path
    if is_alike "$path" "$copy"; then continue; fi
    install -d -m 0700 /var/lib/k8swin /var/lib/k8swin/kept
    if [ -e "$copy" ] || [ -L "$copy" ]; then
      number=1
      while [ -e "/var/lib/k8swin/kept-$number$path" ] || [ -L "/var/lib/k8swin/kept-$number$path" ]; do number=$((number + 1)); done
      install -d -m 0700 "/var/lib/k8swin/kept-$number"
      mkdir -p "$(dirname "/var/lib/k8swin/kept-$number$path")"
      mv "$copy" "/var/lib/k8swin/kept-$number$path"
    fi
    mkdir -p "$(dirname "$copy")"
    rm -rf "$copy.k8swin-new"
    cp -a "$path" "$copy.k8swin-new"
    mv "$copy.k8swin-new" "$copy"
    echo "kept: $path is in $copy"
  done
}

# Files are the same when their contents are, links when they lead to the same place.
is_alike() { # PATH PATH
  if [ -L "$1" ] || [ -L "$2" ]; then
    [ -L "$1" ] && [ -L "$2" ] && [ "$(readlink "$1")" = "$(readlink "$2")" ]
  elif [ -d "$1" ] && [ -d "$2" ]; then
    diff -r -q "$1" "$2" >/dev/null 2>&1
  else
    [ -f "$1" ] && [ -f "$2" ] && cmp -s "$1" "$2"
  fi
}

# A file is ours while it is as it was written from here, which the record of hashes and paths says.
is_written() { # FILE
  [ -f "$1" ] && [ ! -L "$1" ] &&
    grep -q -s -x -F "$(sha256sum <"$1" | cut -d ' ' -f 1)  $1" /etc/k8swin/written
}

# Whether a file was written from here, whatever has become of it since.
was_written() { # FILE
  cut -s -d ' ' -f 3- /etc/k8swin/written 2>/dev/null | grep -x -F -e "$1" >/dev/null
}

# The record goes before the file: what is cut short in between leaves a file that is still taken for theirs.
note_written() { # FILE NEW: where it belongs, and where its new content is
  local hash
  hash=$(sha256sum <"$2" | cut -d ' ' -f 1)
  install -d -m 0755 /etc/k8swin
  if ! grep -q -s -x -F "$hash  $1" /etc/k8swin/written; then echo "$hash  $1" >>/etc/k8swin/written; fi
}

# A file is written beside its place and moved there, so that nobody reads half of it.
write_file() { # MODE FILE: the content comes on standard input
  install -d -m 0755 "$(dirname "$2")"
  rm -f "$2.k8swin-new"
  (umask 077 && cat >"$2.k8swin-new")
  keep_found "$2"
  note_written "$2" "$2.k8swin-new"
  chmod "$1" "$2.k8swin-new"
  mv "$2.k8swin-new" "$2"
}

# What is no longer there as it was written from here is nobody's to take back.
forget_written() { # FILE
  local rest
  rest=$(awk -v path="$1" 'substr($0, 67) != path' /etc/k8swin/written)
  printf '%s' "${rest:+$rest
}" >/etc/k8swin/written.new
  mv /etc/k8swin/written.new /etc/k8swin/written
}

# What was found comes back. A file of ours that somebody changed since is theirs: it stays, and this says so.
take_back() { # FILE...
  local path copy
  for path in "$@"; do
    copy=/var/lib/k8swin/kept$path
    was_written "$path" || continue
    if [ -e "$path" ] && ! is_written "$path"; then
      if ! is_alike "$path" "$copy"; then
        echo "warning: $path was changed since it was written from here, and stays$([ ! -e "$copy" ] || echo "; what was found is in $copy")"
      fi
    else
      rm -f "$path"
      put_back "$path"
    fi
    forget_written "$path"
  done
}

# What was kept and is gone comes back; the copies go at the very end, when all of them have come back.
put_back() { # PATH...: of a folder, all that was kept of it
  local path kept
  for path in "$@"; do
    if [ ! -e "/var/lib/k8swin/kept$path" ] && [ ! -L "/var/lib/k8swin/kept$path" ]; then continue; fi
    while IFS= read -r -d '' kept; do
      kept=${kept#/var/lib/k8swin/kept}
      if [ -z "$kept" ] || [ -e "$kept" ] || [ -L "$kept" ]; then continue; fi
      if [ -d "/var/lib/k8swin/kept$kept" ] && [ ! -L "/var/lib/k8swin/kept$kept" ]; then
        mkdir -p "$kept"
        chown --reference="/var/lib/k8swin/kept$kept" "$kept"
        chmod --reference="/var/lib/k8swin/kept$kept" "$kept"
        continue
      fi
      cp -a "/var/lib/k8swin/kept$kept" "$kept.k8swin-new"
      mv "$kept.k8swin-new" "$kept"
      echo "put back: $kept"
    done < <(find "/var/lib/k8swin/kept$path" -print0 | sort -z)
  done
}

# What lies among kubeadm's own files and is not of its making, as far as names and the authority tell: a line each.
not_of_kubeadm() {
  local folder path authority own
  own='^/etc/kubernetes/manifests/(etcd|kube-apiserver|kube-controller-manager|kube-scheduler)\.yaml$|^/etc/kubernetes/tmp/kubeadm-|^/var/lib/etcd/member/'
  own+='|^/var/lib/kubelet/((config|instance-config)\.yaml|kubeadm-flags\.env|[a-z_]+_state|pki/kubelet.*)$'
  own+='|^/etc/kubernetes/(bootstrap-)?kubelet\.conf$'
  own+='|^/var/lib/cni/(networks/cbr0/|flannel/|(cache/)?results/(cbr0|cni-loopback)-)'
  own+='|^/var/lib/kubelet/(pods|plugins|plugins_registry|pod-resources|device-plugins|checkpoints|usernamespaces)/'
  authority=$(base64 -w 0 /etc/kubernetes/pki/ca.crt 2>/dev/null || true)
  if [ -e /etc/k8swin/kubeadm-init.started ] || [ -z "$authority" ] || [ "$authority" = "$(cat /etc/k8swin/cluster-ca 2>/dev/null || true)" ]; then
    # A worker has the authority's certificate and nothing else of it; a master whose init ran from here has all.
    own+='|^/etc/kubernetes/pki/ca\.crt$'
    if [ -e /etc/k8swin/kubeadm-init.yaml ]; then
      own+='|^/etc/kubernetes/pki/(ca|sa|front-proxy-ca|front-proxy-client|apiserver|apiserver-kubelet-client|apiserver-etcd-client)\.(crt|key|pub|srl)$'
      own+='|^/etc/kubernetes/pki/etcd/(ca|server|peer|healthcheck-client)\.(crt|key|srl)$'
      own+='|^/etc/kubernetes/(admin|super-admin|controller-manager|scheduler)\.conf$'
    fi
  fi
  for folder in /etc/kubernetes/{admin,super-admin,kubelet,bootstrap-kubelet,controller-manager,scheduler}.conf \
    /etc/kubernetes/pki /etc/kubernetes/manifests /etc/kubernetes/tmp /var/lib/cni /var/lib/etcd /var/lib/kubelet; do
    [ -e "$folder" ] || continue
    while IFS= read -r path; do
      [[ $path =~ $own ]] || echo "$path"
    done < <(find "$folder" -xdev ! -type d ! -type s ! -type p)
  done
}

# kubeadm empties whole folders: what is not its own is kept first, for `put_back` to bring it back.
reset_kubernetes() { # CRI-SOCKET
  local path
  while IFS= read -r path; do keep_found "$path"; done < <(not_of_kubeadm)
  if command -v kubeadm >/dev/null; then
    kubeadm reset -f --cri-socket "$1" >/dev/null
  else
    echo "kubeadm is not installed any more: its files are removed without it"
  fi
}

# Folders that kubeadm empties; what was kept of them comes back from there.
put_back_kubernetes() {
  put_back /etc/kubernetes /var/lib/cni /var/lib/etcd /var/lib/kubelet
}

# What flannel's pods write on every node is kept before there are any.
keep_before_flannel() {
  keep_found /etc/cni/net.d/10-flannel.conflist /run/flannel/subnet.env /var/lib/cni/networks/cbr0 /var/lib/cni/flannel
  if ! dpkg -S /opt/cni/bin/flannel >/dev/null 2>&1; then keep_found /opt/cni/bin/flannel; fi
}

# Services that make swap when they start, whatever /etc/fstab says.
swap_makers() {
  local service
  for service in zramswap.service zram-config.service dphys-swapfile.service; do
    if systemctl is-enabled --quiet "$service" 2>/dev/null; then echo "$service"; fi
  done
}

# Units that fstab or a generator made, or that are there by themselves. A masked one does not start, and neither
# does one of an administrator that nothing wants any more.
swap_units() {
  local unit state
  { systemctl list-unit-files --type=swap --no-legend || true; } | while read -r unit state _; do
    [ "$state" != masked ] || continue
    if is_unit_of_host "$unit" && [[ $state != enabled* ]] && ! systemctl is-active --quiet "$unit"; then continue; fi
    echo "$unit"
  done
}

# A unit that lies where administrators put theirs, which is where a mask would have to lie.
is_unit_of_host() { # UNIT
  [ -f "/etc/systemd/system/$1" ] && [ ! -L "/etc/systemd/system/$1" ]
}

# A source that the host has for the same archive and suite is used as it is: apt refuses two with different keys.
sources_to_write() { # one-line sources on standard input; those are printed that no other file of the host offers
  local line archive offered
  offered=$(
    cat /etc/apt/sources.list 2>/dev/null || true
    for line in /etc/apt/sources.list.d/*.list; do
      if [ -e "$line" ] && [ "$line" != /etc/apt/sources.list.d/k8swin.list ]; then cat "$line"; fi
    done
    for line in /etc/apt/sources.list.d/*.sources; do
      [ ! -e "$line" ] || awk '
        function flush(  i, j) {
          if (enabled) for (i = 1; i <= uris; i++) for (j = 1; j <= suites; j++) print "deb " uri[i] " " suite[j]
          uris = suites = 0; enabled = 1; key = ""
        }
        BEGIN { enabled = 1 }
        /^[ \t]*$/ { flush(); next }
        /^#/ { next }
        /^[^ \t]/ { key = tolower($1); $1 = "" }
        key == "enabled:" && tolower($0) ~ /no|false/ { enabled = 0 }
        key == "uris:" { for (i = 1; i <= NF; i++) if ($i != "") uri[++uris] = $i }
        key == "suites:" { for (i = 1; i <= NF; i++) if ($i != "") suite[++suites] = $i }
        END { flush() }
      ' "$line"
    done
  )
  offered=$(source_archives <<<"$offered")
  while IFS= read -r line; do
    [ -n "$line" ] || continue
    archive=$(source_archives <<<"$line")
    if [ -z "$archive" ] || ! grep -q -x -F -e "$archive" <<<"$offered"; then echo "$line"; fi
  done
}

# Two sources of one archive and suite are the same to apt, whatever else stands in their lines.
source_archives() { # one-line sources on standard input: archive and suite of each, as apt tells them apart
  sed -n -E 's/^[ \t]*deb[ \t]+(\[[^]]*\][ \t]*)?([^ \t]+)[ \t]+([^ \t]+).*/\2 \3/p' | sed -E 's|/* | |'
}

# An image is spelt in full or in short: Docker lists what is on docker.io in short, and containerd in full.
full_image() { # IMAGE
  local image=$1 first
  first=${image%%/*}
  if [ "$first" = "$image" ]; then
    image=docker.io/library/$image
  elif [[ $first != *[.:]* && $first != localhost ]]; then
    image=docker.io/$image
  fi
  image=${image/#index.docker.io/docker.io}
  [[ ${image##*/} == *[:@]* ]] || image=$image:latest
  echo "$image"
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
