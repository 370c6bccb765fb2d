# Would an upgrade of the installed packages change anything? Held packages stay as they are.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive

pending=$(apt-get -s -o Debug::NoLocking=true upgrade | grep -c '^Inst ' || true)
lists=$(find /var/lib/apt/lists -maxdepth 1 -name '*Packages*' -mtime -1 | sed -n 1p)
echo "$pending packages can be upgraded, package lists ${lists:+are less than a day old}"
if [ "$pending" -gt 0 ] || [ -z "$lists" ]; then exit 10; fi
