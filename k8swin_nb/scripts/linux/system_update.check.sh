# Would an upgrade of the installed packages change anything? Held packages stay as they are.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive

upgrades=$(apt-get -s -o Debug::NoLocking=true upgrade | grep '^Inst ' || true)
pending=$(grep -c . <<<"$upgrades" || true)
lists=$(find /var/lib/apt/lists -maxdepth 1 -name '*Packages*' -mtime -1 | sed -n 1p)
awk 'NF { found = new = ""; for (i = 3; i <= NF; i++) { if ($i ~ /^\[/ && found == "") found = $i; if ($i ~ /^\(/ && new == "") new = $i }; gsub(/[][]/, "", found); sub(/^\(/, "", new); print "would: " $2 ": " found " -> " new }' <<<"$upgrades"
[ -n "$lists" ] || echo "would: package lists: older than a day -> read anew"
echo "$pending packages can be upgraded, package lists ${lists:+are less than a day old}"
if [ "$pending" -gt 0 ] || [ -z "$lists" ]; then exit 10; fi
