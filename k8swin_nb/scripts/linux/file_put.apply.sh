# Put a file into its place: what standard input holds, checked before it goes there, or the rights alone of what is there.
: "${FILE:?path of the file}"
: "${SHA256:?of the content, in hexadecimal digits}"
: "${CONTENT:?true: the content follows on standard input; false: it is there already}"
: "${FILE_MODE:=}"
: "${FILE_OWNER:=}"
: "${VALIDATE:=}"
set -euo pipefail

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
