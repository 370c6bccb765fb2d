# Install containerd of the wanted series, where there is none.
set -euo pipefail
: "${CONTAINERD_SERIES:?the major version wanted, for example 2}"
: "${CONTAINERD_NEWEST:=}"
export DEBIAN_FRONTEND=noninteractive
# uses: install_packages

offered() { # PACKAGE: its newest version within the wanted series, or nothing
  apt-cache madison "$1" | awk -v oldest="$CONTAINERD_SERIES" -v newest="$CONTAINERD_NEWEST" '
    { series = $3; sub(/^[0-9]+:/, "", series); sub(/\..*/, "", series) }
    series + 0 >= oldest + 0 && (newest == "" || series + 0 <= newest + 0) { found = found ? found : $3 }
    END { print found }
  '
}
if ! command -v containerd >/dev/null; then
  wanted=
  for name in containerd.io containerd; do
    version=$(offered "$name")
    if [ -n "$version" ]; then
      wanted=$name=$version
      break
    fi
  done
  if [ -z "$wanted" ]; then
    echo "the package sources offer no containerd $CONTAINERD_SERIES.x; they offer:" >&2
    apt-cache madison containerd.io containerd | awk '{ print "  " $1 " " $3 }' >&2
    exit 1
  fi
  install_packages "$wanted"
fi
echo "containerd is installed"
