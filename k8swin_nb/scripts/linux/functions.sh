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

# Another installation may hold the lock for some minutes, as on a server that was just made.
install_packages() { # what `apt-get install` is given
  note_new_packages "$@"
  apt-get -o DPkg::Lock::Timeout=300 install -y -q "$@"
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
