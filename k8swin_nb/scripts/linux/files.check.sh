# What is at some places, a line each: kind, mode, owner and group by name and number, size and SHA-256, tabs between.
set -euo pipefail

while IFS= read -rd '' path; do
  case $path in \~ | \~/*) path=$HOME${path#\~} ;; esac
  kind=missing rights=$'-\t-\t-\t0' hash=-
  if [ -e "$path" ]; then
    rights=$(stat -L -c $'%a\t%U:%u\t%G:%g\t%s' -- "$path" 2>/dev/null) || rights=$'-\t-\t-\t0'
    if [ -d "$path" ]; then
      kind=folder
    elif [ -f "$path" ]; then
      kind="file"
      # What a log has got since then is not counted; a file of the kernel's has another size than it says.
      if size=$(wc -c 2>/dev/null <"$path"); then
        rights=${rights%$'\t'*}$'\t'$size
        hash=$(head -c "$size" -- "$path" 2>/dev/null | sha256sum) || hash=-
      fi
    else
      kind=other
    fi
  elif [ -L "$path" ]; then
    kind=broken
  else
    # Of a folder that may not be entered nobody knows what is in it.
    above=$(dirname -- "$path")
    while [ ! -d "$above" ] && [ "$above" != / ] && [ "$above" != . ]; do above=$(dirname -- "$above"); done
    [ -x "$above" ] || kind=hidden
  fi
  printf '%s\t%s\t%s\n' "$kind" "$rights" "${hash%% *}"
done
