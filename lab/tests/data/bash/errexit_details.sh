set -e
f() { false; echo "in f"; }
f || echo "not shown"
if f; then echo "then"; fi
! false
x=$(f; echo tail); echo "$x"
local_test() { local v=$(false); echo "local hides"; }
local_test
(( 0 )) || echo "zero"
false && echo no
echo "still running"
y=$(false)
echo "not reached"
