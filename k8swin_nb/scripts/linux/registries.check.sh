# Does this host have the files of its registries, and none of ours that are not described any more?
#
# They come on standard input, a line each: the path and the content in base64.
set -euo pipefail
# uses: needed_if_any would_write written_below

differs=()
wanted=
while read -r path content || [ -n "$path" ]; do
  [ -n "$path" ] || continue
  wanted+="$path"$'\n'
  if [ "$(base64 -w 0 "$path" 2>/dev/null || true)" != "$content" ]; then
    differs+=("$path")
    base64 -d <<<"$content" | would_write "$path"
  fi
done
while IFS= read -r path; do
  grep -q -x -F -e "$path" <<<"$wanted" || differs+=("$path: written here, and not described any more -> taken back")
done < <(written_below /etc/containerd/certs.d)
needed_if_any "to be written or taken back" "${differs[@]}"
echo "$(grep -c . <<<"$wanted" || true) files of registries are in place"
