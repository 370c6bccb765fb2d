usage() { echo "usage: $0 [-v] [-n NAME] ARG" >&2; }
parse() {
  local OPTIND=1 opt verbose=0 name=none
  while getopts ':vn:' opt; do
    case $opt in
      v) verbose=1 ;;
      n) name=$OPTARG ;;
      :) echo "needs value: $OPTARG"; return 2 ;;
      \?) echo "unknown: $OPTARG"; return 3 ;;
    esac
  done
  shift $((OPTIND - 1))
  echo "verbose=$verbose name=$name rest=$*"
}
parse -v -n web a b; parse -vnx c; parse -n; echo $?; parse -z; echo $?; parse -- -v
set -- --flag value --switch rest
while [ $# -gt 0 ]; do
  case "$1" in
    --flag) flag=$2; shift 2 ;;
    --switch) switch=yes; shift ;;
    *) break ;;
  esac
done
echo "$flag $switch $1"; shift 5; echo $?
