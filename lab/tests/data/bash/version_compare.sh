set -euo pipefail
at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n1)" = "$2" ]; }
for pair in "1.36.4 1.36.0" "1.9.0 1.10.0" "2.3.4 2.3.4"; do
  read -r have want <<< "$pair"
  if at_least "$have" "$want"; then echo "$have >= $want"; else echo "$have < $want"; fi
done
raw='Kubernetes v1.36.4'
ver=$(echo "$raw" | grep -oE 'v[0-9]+\.[0-9]+\.[0-9]+')
echo "${ver#v}"; IFS=. read -ra parts <<< "${ver#v}"; echo "${parts[0]}.${parts[1]}"
(( ${parts[1]} >= 30 )) && echo modern
