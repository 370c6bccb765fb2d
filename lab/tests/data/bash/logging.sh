log() { local level=$1; shift; printf '[%s] %s\n' "$level" "$*" >&2; }
die() { log ERROR "$@"; exit 1; }
run() { log RUN "$*"; "$@"; local code=$?; (( code )) && log FAIL "$code"; return $code; }
run echo "hello there"
run false
run answer install --yes pkg="a b"
log INFO "multi" "args" 2>&1 | sed 's/^/  /'
[ -f /nonexistent ] || die "missing file"
