set -euo pipefail
printf '127.0.0.1 localhost\n10.0.0.5 old-name\n' > hosts
declare -A wanted=([master]=10.0.0.1 [worker]=10.0.0.2)
for name in master worker; do
  line="${wanted[$name]} $name"
  if grep -qF -- "$line" hosts; then echo "keep $name"; continue; fi
  sed -i "/[[:space:]]$name\$/d" hosts
  echo "$line" >> hosts
done
cat hosts
tmp=$(mktemp); trap 'rm -f "$tmp"' EXIT
awk '!seen[$0]++' hosts > "$tmp" && cat "$tmp" > hosts; wc -l < hosts
awk '$2 == "worker" {print $1}' hosts
