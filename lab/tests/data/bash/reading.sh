printf 'one two three four\n' | { read -r a b rest; echo "$a|$b|$rest"; }
printf ' lead trail \n' | { read -r x; echo "[$x]"; }
printf ' lead trail \n' | { IFS= read -r x; echo "[$x]"; }
printf 'a:b::d\n' | { IFS=: read -r -a f; echo "${#f[@]} ${f[3]}"; }
printf 'back\\slash\n' | { read x; echo "$x"; }
printf 'no newline' | { read -r x || echo "eof $x"; }
printf 'x\0y\0' | { while IFS= read -r -d '' i; do echo "item $i"; done; }
mapfile -t lines < <(printf '1\n2\n3\n'); echo "${#lines[@]} ${lines[2]}"
mapfile -t -s 1 -n 1 some <<< $'a\nb\nc'; echo "${some[@]}"
read -r -n 3 c <<< "abcdef"; echo "$c"
{ read -r first; cat; } <<< $'head\nbody\nmore'
