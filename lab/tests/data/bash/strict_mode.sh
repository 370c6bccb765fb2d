set -euo pipefail
echo start
value=$(printf 'a\nb\n' | grep b)
echo "value=$value"
if grep -q nothing /dev/null; then echo found; else echo absent; fi
false || echo "recovered"
printf 'x\n' | grep y | cat
echo "not reached"
