# Functions that the scripts of this folder share. A script names those that it uses: `# uses: NAME ...`.

# A check that finds several things to do names them all, so that one look says what its apply will change. An item of the
# form `WHAT: FOUND -> WANTED` is told as a difference too.
needed_if_any() { # WHAT ITEM...: ends the check with 10 if there is an item
  [ $# -gt 1 ] || return 0
  printf '%s\n' "${@:2}" | sed -n '/ -> /s/^/would: /p'
  local found
  found=$(printf '%s; ' "${@:2}")
  echo "$1: ${found%; }"
  exit 10
}

# What a check finds to differ in a file is told line by line, and compared by whoever asked. Of a long one those lines
# are that the other side does not have.
would_write() { # FILE: the content that is wanted comes on standard input
  local wanted
  wanted=$(cat && printf .)
  echo "would write: $1"
  if [ -f "$1" ] && [ "$(wc -c <"$1")" -gt 60000 ]; then
    { LC_ALL=C grep -a -v -x -F -f <(printf %s "${wanted%.}") "$1" | LC_ALL=C sed -n 1,500p | file_lines '-|'; } || true
    { printf %s "${wanted%.}" | LC_ALL=C grep -a -v -x -F -f "$1" | LC_ALL=C sed -n 1,500p | file_lines '+|'; } || true
    return
  fi
  [ ! -f "$1" ] || file_lines '-|' <"$1"
  printf %s "${wanted%.}" | LC_ALL=C sed -n 1,2500p | file_lines '+|'
}

# A line that ends otherwise than others do, or a file that is no text, is no line that looks the same.
file_lines() { # SIDE: the file comes on standard input
  { tr '\000' '?' && printf .; } | LC_ALL=C awk -v side="$1" '
    NR > 1 { print side line }
    { gsub(/\r/, "^M"); line = $0 }
    END { if (line != ".") { print side substr(line, 1, length(line) - 1); print side "\\ No newline at end of file" } }
  '
}

# What kubectl finds to differ in a manifest's objects, with the lines around it. What is in a Secret is not told.
would_apply() { # WHAT: the output of `kubectl diff` comes on standard input
  echo "would write: $1"
  awk '
    /^diff / { head = 2; secret = /[.]Secret[.]/; if (secret) { print "+|a Secret that differs, which is not shown" } next }
    head > 0 && /^(---|[+][+][+]) / { head--; next }
    secret || /^@@ / || /^[\\]/ { next }
    /^-/ { print "-|" substr($0, 2) }
    /^[+]/ { print "+|" substr($0, 2) }
    /^ / { print "-|" substr($0, 2); print "+|" substr($0, 2) }
  '
}

# What only a control plane can tell is not known before there is one.
needs_control_plane() { # ends the check with 10 where this host has none
  [ ! -e /etc/kubernetes/admin.conf ] || return 0
  echo "there is no control plane yet, which 02_master makes"
  exit 10
}

# The line that maps the host's name moves to the node's address, with all of its names in their order.
hosts_with_name() { # NAME ADDRESS: prints /etc/hosts as it is to be
  awk -v name="$1" -v address="$2" '
    { ours = /# k8swin$/; text = $0; sub(/#.*/, ""); count = NF; for (i = 1; i <= NF; i++) field[i] = $i }
    ours || (count > 0 && (field[1] == "127.0.1.1" || field[1] == address)) {
      has = 0
      for (i = 2; i <= count; i++) if (field[i] == name) has = 1
      if (has) {
        for (i = 2; i <= count; i++) if (!seen[field[i]]++) names = names " " field[i]
        next
      }
      if (ours) next
    }
    { print text }
    END { print address (names == "" ? " " name : names) " # k8swin" }
  ' /etc/hosts
}

# What a check shows and an apply writes is one text.
fstab_without_swap() { # prints /etc/fstab with its lines of swap as comments
  awk '$1 !~ /^#/ && $3 == "swap" { print "# k8swin: " $0; next } { print }' /etc/fstab
}

# What pod traffic needs of the kernel: its modules, and that bridged packets pass iptables and are passed on.
kernel_settings() { # FILE: what is to be in it
  case $1 in
    /etc/modules-load.d/*) printf '%s\n' overlay br_netfilter ;;
    *) printf '%s = 1\n' net.bridge.bridge-nf-call-iptables net.bridge.bridge-nf-call-ip6tables net.ipv4.ip_forward ;;
  esac
}

# What comes new is written down first: a teardown removes these packages and no others.
note_new_packages() { # what `apt-get install` is given
  local simulated removed pins
  if ! simulated=$(LC_ALL=C apt-get -s -o APT::Get::AutomaticRemove=false install -y -q "$@" 2>&1); then
    tail -n 12 <<<"$simulated" >&2
    pins=$(grep -r -l -i -E '^Pin-Priority: *-' /etc/apt/preferences /etc/apt/preferences.d 2>/dev/null || true)
    [ -z "$pins" ] || echo "packages are forbidden by a priority below zero in ${pins//$'\n'/, }: take the lines out that name what is missing above" >&2
    return 1
  fi
  removed=$(awk '$1 == "Remv" { print $2 }' <<<"$simulated")
  if [ -n "$removed" ]; then
    echo "to install $* apt would remove ${removed//$'\n'/, }: nothing was installed; remove that yourself when nobody needs it" >&2
    return 1
  fi
  install -d -m 0755 /etc/k8swin
  awk '$1 == "Inst" && $3 !~ /^\[/ { print $2 }' <<<"$simulated" >>/etc/k8swin/packages
}

# broken_packages: those that dpkg has begun and not ended, or lost files of; a line each.
broken_packages() {
  { dpkg --audit 2>/dev/null || true; } | sed -n 's/^ \([^ ]*\).*/\1/p' | LC_ALL=C sort -u
}

# broken_here BROKEN: whether all of them came from here. An installation of ours that was stopped is ours to end; what
# somebody else has left broken is not.
broken_here() {
  [ -n "$1" ] && [ -s /etc/k8swin/packages ] && ! grep -q -v -x -F -f /etc/k8swin/packages <<<"$1"
}

# Another installation may hold a lock for some minutes, as on a server that was just made. apt waits by itself for
# dpkg's lock alone, not for those of the lists and of the archives. A configuration that is there before its package is
# somebody's: it stays, and nobody is asked. What nothing needs any more is not for these scripts to remove.
apt_get() { # what `apt-get` is given
  local said code deadline=$((SECONDS + 300))
  # dpkg that was ended in the middle keeps apt from doing anything until this has run; apt installs again what is lost.
  if broken_here "$(broken_packages)"; then
    echo "an earlier run was stopped while it installed packages; that is ended first"
    dpkg --force-confdef --force-confold --configure -a || true
  fi
  use_proxy
  said=$(mktemp)
  while true; do
    code=0
    LC_ALL=C apt-get -o DPkg::Lock::Timeout=300 -o APT::Get::AutomaticRemove=false -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@" 2>&1 | tee "$said" || code=$?
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

# A service that did not start with the host is written down first, for the removal to undo it.
enable_service() { # SERVICE
  if ! systemctl is-enabled --quiet "$1" 2>/dev/null; then
    install -d -m 0755 /etc/k8swin
    if ! grep -q -s "^$1 " /etc/k8swin/enabled; then echo "$1 $(systemctl is-active "$1" || true)" >>/etc/k8swin/enabled; fi
  fi
  systemctl enable "$1"
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

# Files below a folder that were written from here, whatever has become of them since.
written_below() { # FOLDER
  cut -s -d ' ' -f 3- /etc/k8swin/written 2>/dev/null | grep -F -e "$1/" | sort -u || true
}

# The record goes before the file: what is cut short in between leaves a file that is still taken for theirs.
note_written() { # FILE NEW: where it belongs, and where its new content is
  local hash
  hash=$(sha256sum <"$2" | cut -d ' ' -f 1)
  install -d -m 0755 /etc/k8swin
  if ! grep -q -s -x -F "$hash  $1" /etc/k8swin/written; then echo "$hash  $1" >>/etc/k8swin/written; fi
}

# A file is written beside its place and moved there, so that nobody reads half of it. A file or a folder that is there
# keeps its owner and its rights: what is in it may not be for everybody.
write_file() { # MODE FILE: the content comes on standard input
  if [ -d "$2" ]; then
    echo "$2 is a folder, wanted a file: move it away" >&2
    return 1
  fi
  [ -d "$(dirname "$2")" ] || install -d -m 0755 "$(dirname "$2")"
  rm -f "$2.k8swin-new"
  if [ -f "$2" ]; then
    cp -p "$2" "$2.k8swin-new"
    cat >"$2.k8swin-new"
  else
    (umask 077 && cat >"$2.k8swin-new")
    chmod "$1" "$2.k8swin-new"
  fi
  keep_found "$2"
  note_written "$2" "$2.k8swin-new"
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

# kubeadm writes a cluster's authority in one form into whatever it makes. The file of a site may hold it with text before
# it, with other line ends or with further certificates: it is the same authority.
first_certificate() { # a certificate's text on standard input; in base64, as kubeadm would write it
  local text pem
  text=$(tr -d '\r\0')
  pem=$(awk '/^-----BEGIN CERTIFICATE-----/ { inside = 1 } inside { print } inside && /^-----END/ { exit }' <<<"$text")
  if [ -n "$pem" ]; then
    base64 -w 0 <<<"$pem"
  else
    printf '%s' "$text" | base64 -w 0
  fi
}

# What a cluster is told by.
authority_in() { # FILE: the certificate in it, or nothing
  [ ! -e "$1" ] || first_certificate <"$1"
}

# kubeadm writes the authority into each kubeconfig, and no path to it.
authority_of_kubeconfig() { # FILE: the certificate in it, or nothing
  local data
  data=$(awk '$1 == "certificate-authority-data:" { print $2; exit }' "$1" 2>/dev/null || true)
  [ -z "$data" ] || base64 -d <<<"$data" | first_certificate
}

# It was written down before this host became a part of its cluster.
authority_recorded() { # that of the cluster which was made or joined from here, or nothing
  [ ! -s /etc/k8swin/cluster-ca ] || base64 -d /etc/k8swin/cluster-ca | first_certificate
}

# What lies among kubeadm's own files and is not of its making, as far as names and the authority tell: a line each.
not_of_kubeadm() {
  local folder path authority own
  own='^/etc/kubernetes/manifests/(etcd|kube-apiserver|kube-controller-manager|kube-scheduler)\.yaml$|^/etc/kubernetes/tmp/kubeadm-|^/var/lib/etcd/member/'
  own+='|^/var/lib/kubelet/((config|instance-config)\.yaml|kubeadm-flags\.env|[a-z_]+_state|pki/kubelet.*)$'
  own+='|^/etc/kubernetes/(bootstrap-)?kubelet\.conf$'
  own+='|^/var/lib/cni/(networks/cbr0/|flannel/|(cache/)?results/(cbr0|cni-loopback)-)'
  own+='|^/var/lib/kubelet/(pods|plugins|plugins_registry|pod-resources|device-plugins|checkpoints|usernamespaces)/'
  authority=$(authority_in /etc/kubernetes/pki/ca.crt)
  if [ -e /etc/k8swin/kubeadm-init.started ] || [ -z "$authority" ] || [ "$authority" = "$(authority_recorded)" ]; then
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
    done < <(find -H "$folder" -xdev ! -type d ! -type s ! -type p)
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

# What kubeadm writes over without a word, and what flannel's pods write on every node, is kept before.
keep_before_kubernetes() {
  local family
  keep_found /var/lib/kubelet/{config.yaml,instance-config.yaml,kubeadm-flags.env}
  # Other networks' CNI plugins name their chains in the same way.
  install -d -m 0755 /etc/k8swin
  [ -e /etc/k8swin/chains ] || for family in iptables ip6tables; do
    "$family-save" 2>/dev/null | sed -n 's/^:\(CNI-[^ ]*\) .*/\1/p' || true
  done | sort -u >/etc/k8swin/chains
  keep_found /etc/cni/net.d/10-flannel.conflist /run/flannel/subnet.env /var/lib/cni/networks/cbr0 /var/lib/cni/flannel
  if ! dpkg -S /opt/cni/bin/flannel >/dev/null 2>&1; then keep_found /opt/cni/bin/flannel; fi
}

# Services that make swap when they start, whatever /etc/fstab says: with `swapon` in their command or in the script
# that it names. Whoever is named after swap does nothing else; what else another one does is not known.
swap_makers() { # swap or other: a line each, of others with the file
  local unit start found
  starts_of_services | while read -r unit start; do
    runs_swapon "$start"
    if [ -z "$found" ] || ! systemctl is-enabled --quiet "$unit" 2>/dev/null; then continue; fi
    case $1:$unit in
      swap:*swap* | swap:*zram*) echo "$unit" ;;
      *:*swap* | *:*zram* | swap:*) ;;
      *) echo "$unit by $found" ;;
    esac
  done | sort -u
}

# What a generator enabled, such as rc-local, cannot be disabled, and a unit in the administrators' folder not be masked.
without_swap() { # what swap_makers printed of others: how to do without the first
  local unit=${1%% *} verb=mask
  ! is_unit_of_host "$unit" || verb=disable
  echo "take swapon out of it, or, when it does nothing else, type systemctl $verb --now $unit"
}

# The properties of a unit come in an order of systemd's own; an empty line ends them.
starts_of_services() { # a line for each command of each service: its unit and the command
  systemctl list-units --type=service --all --plain --no-legend | awk '$2 == "loaded" { print $1 }' |
    xargs -r systemctl show -p Id -p ExecStart |
    awk '
      function tell(  i) {
        for (i = 1; i <= count; i++) print unit " " start[i]
        count = 0
        unit = ""
      }
      /^Id=/ { unit = substr($0, 4) }
      /^ExecStart=/ { sub(/.*argv\[\]=/, ""); sub(/ ; .*/, ""); start[++count] = $0 }
      /^$/ { tell() }
      END { tell() }
    '
}

# A script that is named in a command is read too, a program is not. A host has a hundred services and more: no process is
# started for one that names no script.
runs_swapon() { # COMMAND: puts into `found` the command or its scripts in which swapon stands, or nothing
  local word words head
  found=
  if [[ $1 =~ (^|[^A-Za-z0-9_])swapon([^A-Za-z0-9_]|$) ]]; then
    found=$1
    return
  fi
  read -r -a words <<<"$1"
  for word in "${words[@]}"; do
    if [[ $word != /* ]] || [ ! -f "$word" ]; then continue; fi
    head=
    IFS= read -r -N 2 head <"$word" || true
    [ "$head" = '#!' ] || continue
    if awk '!/^ *#/ && /(^|[^A-Za-z0-9_])swapon([^A-Za-z0-9_]|$)/ { found = 1 } END { exit !found }' "$word"; then found+=${found:+$'\n'}$word; fi
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

# An image that is refused and a program that ends again and again do not come by waiting. A pull that took too long
# goes on where it was, and a registry that is busy may answer the next time.
stuck_pods() { # NAMESPACE KUBECTL-OPTION...: a line for each pod that no wait helps: its name and why
  local namespace=$1 word pod=- leaving='' restarts reason message event
  shift
  kubectl -n "$namespace" get pods "$@" -o 'jsonpath={range .items[*]}pod {.metadata.name} {.metadata.deletionTimestamp}{"\n"}{range .status.initContainerStatuses[*]}waits {.restartCount} {.state.waiting.reason} {.state.waiting.message}{"\n"}{end}{range .status.containerStatuses[*]}waits {.restartCount} {.state.waiting.reason} {.state.waiting.message}{"\n"}{end}{end}' |
    while read -r word restarts reason message; do
      case $word:$reason in
        pod:*) pod=$restarts leaving=$reason ;;
        *) [ -z "$leaving" ] || continue ;;
      esac
      case $word:$reason in
        waits:CrashLoopBackOff)
          if [ "$restarts" -ge 3 ]; then echo "$pod ends again and again, $restarts times so far ($reason)"; fi
          ;;
        waits:ImagePullBackOff)
          event=$(kubectl -n "$namespace" get events --field-selector "involvedObject.name=$pod,reason=Failed" \
            -o 'jsonpath={range .items[*]}{.message}{"\n"}{end}' | grep 'Failed to pull' | tail -n 1 || true)
          if ! grep -q -i -E 'deadline|timeout|timed out|too ?many ?requests|reset by peer|EOF|50[234] ' <<<"${event:-$message}"; then
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
  # Those that are being replaced are gone in a moment.
  sleep 5
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
foreign_control_plane() { # ENDPOINT PORT: what to do and why, when the control plane here is not the one of the description
  local server port record=/etc/k8swin/cluster-ca
  [ -e /etc/kubernetes/admin.conf ] || return 0
  server=$(awk '$1 == "server:" { print $2; exit }' /etc/kubernetes/admin.conf)
  port=$(sed -n 's/.*--secure-port=\([0-9]*\).*/\1/p' /etc/kubernetes/manifests/kube-apiserver.yaml 2>/dev/null || true)
  port=${port:-$2}
  if [ "$server" != "https://$1" ]; then
    echo "hint: if this is the cluster that is meant, write what it has: \`control_plane_endpoint: ${server#https://}\`, \`api_port: $port\`; neither can be changed afterwards"
    echo "the cluster on this host has the endpoint $server, planned is https://$1"
  elif [ "$port" != "$2" ]; then
    echo "hint: if this is the cluster that is meant, write what it has: \`api_port: $port\`; it cannot be changed afterwards"
    echo "the API server of the cluster on this host listens on port $port, planned is $2"
  elif [ ! -e "$record" ] || [ "$(authority_recorded)" != "$(authority_in /etc/kubernetes/pki/ca.crt)" ]; then
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

# Upgrades are not made here, and that is told before the first thing is changed for one: ends with drift.
no_upgrade() { # KUBERNETES_VERSION
  local name version
  if [ ! -e /etc/kubernetes/kubelet.conf ]; then return; fi
  for name in kubeadm kubelet kubectl; do
    version=$(dpkg-query -W -f '${Status} ${Version}' "$name" 2>/dev/null || true)
    case $version in
      *" installed $1-"*) ;;
      *" installed "*)
        echo "$name is ${version##* } on a node of a cluster, wanted $1: that is an upgrade"
        exit 20
        ;;
    esac
  done
}

# Programs that talk to a service hear of its end: a start anew is part of what is changed.
would_restart() { # SERVICE [DIFFERENCE...]: nothing where nothing differs, or where the service does not run
  local service=$1
  shift
  if [ "$#" -gt 0 ] && systemctl is-active --quiet "$service"; then echo "would: service $service: runs -> started anew"; fi
}

# A site's own addition to a service says it with `Environment`, which a file of ours would outdo.
names_a_proxy() { # SERVICE
  systemctl show -p Environment --value "$1" 2>/dev/null | grep -i '_proxy=' >/dev/null
}

# Values that systemd sets at boot: of files of one name the first folder's counts, of settings the last one.
sysctl_at_boot() { # NAME: value and file, or nothing
  local folder file name
  for folder in /etc/sysctl.d /run/sysctl.d /usr/local/lib/sysctl.d /usr/lib/sysctl.d /lib/sysctl.d; do
    for file in "$folder"/*.conf; do
      [ ! -e "$file" ] || echo "${file##*/} $file"
    done
  done | LC_ALL=C sort -s -k 1,1 | awk '!seen[$1]++ { print $2 }' | while read -r file; do
    awk -F = -v wanted="$1" -v file="$file" '
      /^[ \t]*[#;]/ { next }
      NF > 1 {
        name = $1; gsub(/[ \t]/, "", name); sub(/^-/, "", name); gsub(/\//, ".", name)
        value = $2; gsub(/[ \t]/, "", value)
        if (name == wanted) print value " " file
      }
    ' "$file"
  done | tail -n 1
}

# A file of somebody's whose name sorts after ours has the last word at every boot.
undone_at_boot() { # FILE-OF-OURS: a line each, file and setting
  local name value file
  for name in net.bridge.bridge-nf-call-iptables net.bridge.bridge-nf-call-ip6tables net.ipv4.ip_forward; do
    read -r value file <<<"$(sysctl_at_boot "$name")"
    if [ -n "$file" ] && [ "$value" != 1 ] && [[ ${file##*/} > ${1##*/} ]]; then echo "$file sets $name = $value"; fi
  done
}

# A file goes to its place whole or not at all, and what somebody else made is kept. It ends the shell that it runs in: where
# others follow, that is one of its own.
put_file() { # with FILE, SHA256, CONTENT, FILE_MODE, FILE_OWNER and VALIDATE: what standard input holds, or the rights alone
  local folder new keeping found theirs place kept record path copy number links
  case $FILE in \~/*) FILE=$HOME${FILE#\~} ;; esac
  # A link stays one; what is neither a file nor missing is not put a file in the place of.
  if [ -L "$FILE" ]; then FILE=$(readlink -f -- "$FILE"); fi
  if [ -e "$FILE" ] && [ ! -f "$FILE" ]; then
    echo "$FILE is there and is no file: $(stat -c %F -- "$FILE")" >&2
    exit 1
  fi
  folder=$(dirname -- "$FILE")
  if [ "$CONTENT" = true ]; then
    [ -d "$folder" ] || mkdir -p -- "$folder"
    # A script that is stopped takes away what it has begun.
    new='' keeping=''
    trap 'rm -f -- ${new:+"$new"} ${keeping:+"$keeping"}' EXIT
    trap 'exit 143' TERM INT HUP
    new=$(mktemp -- "$folder/.k8swin.XXXXXX")
    cat >"$new"
    found=$(sha256sum <"$new")
    if [ "${found%% *}" != "$SHA256" ]; then
      echo "SHA-256 is ${found%% *}, expected $SHA256" >&2
      exit 1
    fi
    if [ -e "$FILE" ]; then
      theirs=$(stat -c %u:%g -- "$FILE")
      chown -- "$theirs" "$new" 2>/dev/null || true
      if [ -z "$FILE_OWNER" ] && [ "$(stat -c %u:%g -- "$new")" != "$theirs" ]; then
        echo "$FILE belongs to $(stat -c %U:%G -- "$FILE"), which $(id -un) cannot keep: use --sudo, or say --owner" >&2
        exit 1
      fi
      # With an access list the mode says of the group what others have by the list: the list goes with it.
      cp --attributes-only --preserve=mode -- "$FILE" "$new"
    else
      chmod 0644 -- "$new"
    fi
  else
    new=$FILE
  fi
  # The owner first: to change it takes special bits of the mode away.
  [ -z "$FILE_OWNER" ] || chown -- "$FILE_OWNER" "$new"
  [ -z "$FILE_MODE" ] || chmod -- "$FILE_MODE" "$new"
  [ "$CONTENT" = true ] || exit 0

  if [ -n "$VALIDATE" ]; then
    # Quotes around it are not needed, and would keep it from being seen.
    VALIDATE=${VALIDATE//\'%s\'/%s}
    VALIDATE=${VALIDATE//\"%s\"/%s}
    # shellcheck disable=SC2016 # the shell that validates expands it
    place='"$1"'
    bash -c "${VALIDATE//%s/$place}" validate "$new" >&2 || {
      echo "it did not pass \`$VALIDATE\` ($?); $FILE is as it was" >&2
      exit 1
    }
  fi

  # What somebody else made is kept, with mode and owner. Whose a file is, the record of hashes and paths says.
  kept=/var/lib/k8swin/kept record=/etc/k8swin/written
  if [ "$(id -u)" != 0 ]; then
    kept=${XDG_STATE_HOME:-$HOME/.local/state}/k8swin/kept record=${XDG_STATE_HOME:-$HOME/.local/state}/k8swin/written
  fi
  path=$(cd -- "$folder" && pwd -P)/$(basename -- "$FILE")
  if [ -f "$FILE" ] && ! grep -q -s -x -F -e "$(sha256sum <"$FILE" | cut -d ' ' -f 1)  $path" "$record"; then
    copy=$kept$path
    if ! cmp -s -- "$FILE" "$copy"; then
      (umask 077 && mkdir -p -- "$(dirname -- "$copy")")
      if [ -e "$copy" ]; then
        number=1
        while [ -e "$kept-$number$path" ]; do number=$((number + 1)); done
        (umask 077 && mkdir -p -- "$(dirname -- "$kept-$number$path")")
        mv -- "$copy" "$kept-$number$path"
      fi
      keeping=$copy.k8swin-new
      cp -a -- "$FILE" "$keeping"
      mv -- "$keeping" "$copy"
      keeping=''
      echo "kept: $FILE is in $copy"
    fi
  fi
  # The record goes before the file: what is cut short in between leaves a file that is still taken for theirs.
  mkdir -p -- "$(dirname -- "$record")"
  grep -q -s -x -F -e "$SHA256  $path" "$record" || printf '%s\n' "$SHA256  $path" >>"$record"
  links=1
  [ ! -e "$FILE" ] || links=$(stat -c %h -- "$FILE")
  mv -f -- "$new" "$FILE"
  [ "$links" = 1 ] || echo "left: another name of it (a hard link) has what was there"
  new=''
}
