set -e
work=$(mktemp -d)
cleanup() { local code=$?; rm -rf "$work"; echo "cleaned, code $code"; }
trap cleanup EXIT
touch "$work/file"
[ -f "$work/file" ] && echo "file is there"
cp "$work/missing" "$work/other" 2>/dev/null
echo "not reached"
