set -x
name="a b"
echo "$name" plain
for i in 1 2; do :; done
[ -n "$name" ] && true
{ set +x; } 2>/dev/null
echo quiet
PS4='> '
set -x
echo 'it'"'"'s'
