# Does this host have the files of its registries, and none of ours that are not described any more?
#
# They come on standard input, a line each: the path and the content in base64.
set -euo pipefail
# uses: needed_if_any written_below

differs=()
wanted=
while read -r path content || [ -n "$path" ]; do
  [ -n "$path" ] || continue
  wanted+="$path"$'\n'
  [ "$(base64 -w 0 "$path" 2>/dev/null || true)" = "$content" ] || differs+=("$path")
done
while IFS= read -r path; do
  grep -q -x -F -e "$path" <<<"$wanted" || differs+=("$path, which is not described any more")
done < <(written_below /etc/containerd/certs.d)
needed_if_any "to be written or taken back" "${differs[@]}"
echo "$(grep -c . <<<"$wanted" || true) files of registries are in place"
