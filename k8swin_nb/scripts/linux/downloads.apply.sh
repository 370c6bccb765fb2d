# Download tarballs, compare their hashes with the lock's, and install the programs that they hold.
#
# A download that differs is deleted and nothing of it is installed. The record is begun before the first
# program is in place and finished after the last, so that an interrupted run is known as ours.
set -euo pipefail
: "${LINUX_ARTIFACTS:?one download a line: name, url, kind of hash, hash, folder, programs}"
export DEBIAN_FRONTEND=noninteractive
# uses: install_packages keep_found note_written read_package_lists use_proxy

records=/etc/k8swin/downloads
cache=/var/cache/k8swin
install -d -m 0755 "$records" "$cache"
use_proxy
unpacked=
trap '[ -z "$unpacked" ] || rm -rf "$unpacked"' EXIT
if ! command -v curl >/dev/null; then
  read_package_lists
  install_packages curl ca-certificates
fi

hash_of() { # KIND FILE
  "${1}sum" "$2" | awk '{ print $1 }'
}
fetch() { # NAME URL KIND HASH FILE
  local found
  if [ -e "$5" ] && [ "$(hash_of "$3" "$5")" = "$4" ]; then return; fi
  rm -f "$5" "$5.part"
  echo "downloading $2"
  curl -fsSL --retry 3 --retry-delay 2 --connect-timeout 20 -o "$5.part" "$2"
  found=$(hash_of "$3" "$5.part")
  if [ "$found" != "$4" ]; then
    rm -f "$5.part"
    echo "$1 from $2 has the $3 $found, the lock has $4: the download was deleted, nothing was installed" >&2
    exit 1
  fi
  mv "$5.part" "$5"
}
program_file() { # NAME: its path in the unpacked archive
  find "$unpacked" -type f -name "$1" | sort | sed -n 1p
}

while read -r name url kind hash folder programs; do
  record=$records/$name
  if [ "$(sed -n 1p "$record" 2>/dev/null || true)" = "# $kind $hash" ] && sha256sum --status -c "$record" 2>/dev/null; then
    continue
  fi
  archive=$cache/$name.${url##*.}
  fetch "$name" "$url" "$kind" "$hash" "$archive"
  unpacked=$(mktemp -d "$cache/unpack.XXXXXX")
  tar -xf "$archive" -C "$unpacked" --no-same-owner
  files=()
  for program in $programs; do
    if [ "$program" = others ]; then
      while IFS= read -r file; do files+=("$file"); done < <(find "$unpacked" -type f -perm -u+x | sort)
      continue
    fi
    file=$(program_file "$program")
    if [ -z "$file" ]; then
      echo "$name from $url holds no $program" >&2
      exit 1
    fi
    files+=("$file")
  done
  echo "# started $kind $hash" >"$record"
  [ -d "$folder" ] || install -d -m 0755 "$folder"
  {
    echo "# $kind $hash"
    for file in "${files[@]}"; do
      target=$folder/${file##*/}
      # A program that runs cannot be written, but its name can be given to a new file.
      install -m 0755 "$file" "$target.k8swin-new"
      keep_found "$target" >&2
      note_written "$target" "$target.k8swin-new"
      mv "$target.k8swin-new" "$target"
      sha256sum "$target"
    done | sort -u
  } >"$record.new"
  mv "$record.new" "$record"
  rm -rf "$unpacked"
  unpacked=
  rm -f "$archive"
  echo "$name is installed in $folder"
done <<<"$LINUX_ARTIFACTS"
