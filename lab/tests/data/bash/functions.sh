greet() {
  local who=${1:-nobody} code=$2
  printf 'hello %s\n' "$who"
  return "$code"
}
greet you 0 && echo ok
greet there 4 || echo "code $?"
outer() { local x=1; inner; echo "outer $x"; }
inner() { x=2; }
x=0; outer; echo "global $x"
function sum { local t=0 n; for n; do t=$((t+n)); done; echo $t; }
sum 1 2 3
echo "$(sum 4 5)"
recursive() { [ "$1" -le 1 ] && { echo 1; return; }; echo $(( $1 * $(recursive $(($1-1))) )); }
recursive 5
type -t greet; unset -f greet; greet 2>/dev/null || echo "gone $?"
