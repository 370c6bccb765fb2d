x=1; (x=2; echo "in $x"); echo "out $x"
(cd /; pwd); [ "$PWD" = / ] || echo "still here"
( set -e; false; echo no ); echo "code $?"
( exit 3 ) || echo "three $?"
{ x=5; }; echo $x
f() ( x=9; exit 2 ); f; echo "$? $x"
(trap 'echo sub exit' EXIT; echo body)
echo "$BASH_SUBSHELL $(echo $BASH_SUBSHELL)"
a=$( (echo one; echo two) | wc -l ); echo $a
