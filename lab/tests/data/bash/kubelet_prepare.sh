#!/usr/bin/env bash
# Prepares a host; prints what it changes.
set -o errexit -o nounset -o pipefail
shopt -s inherit_errexit
readonly VERSION=${VERSION:-1.36.4}
declare -a changed=()
step() { printf '==> %s\n' "$*"; }
ensure_line() {
  local file="$1" line="$2"
  [[ -e "$file" ]] || install -D -m 0644 /dev/null "$file"
  grep -qxF -- "$line" "$file" || { printf '%s\n' "$line" >>"$file"; changed+=("$file"); }
}
ensure_file() {
  local path=$1 mode=${2:-0644} tmp
  tmp=$(mktemp "${path}.XXXXXX")
  cat >"$tmp"
  if [[ -f $path ]] && cmp -s "$tmp" "$path"; then rm -f "$tmp"; return 0; fi
  chmod "$mode" "$tmp"; mv "$tmp" "$path"; changed+=("$path")
}
step "directories"; install -d -m 0755 etc var/lib/kubelet
step "lines"; for line in overlay br_netfilter overlay; do ensure_line etc/modules "$line"; done
step "file"; ensure_file etc/kubelet.yaml 0600 <<YAML
kind: KubeletConfiguration
version: ${VERSION}
cgroupDriver: $(answer systemd | awk '{print $2}')
YAML
ensure_file etc/kubelet.yaml 0600 < etc/kubelet.yaml
stat -c '%a %n' etc/kubelet.yaml; cat etc/kubelet.yaml etc/modules
if ((${#changed[@]})); then printf 'changed: %s\n' "${changed[@]}"; else echo "nothing changed"; fi
ANSWER_CODE=7 answer init --v=5 |& tee log.txt || { rc=${PIPESTATUS[0]}; echo "init failed with $rc"; exit "$rc"; }
