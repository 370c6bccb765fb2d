printf 'b\na\nc\na\n' | sort | uniq -c | sort -rn | head -1
true | false | true; echo "${PIPESTATUS[@]}"
set -o pipefail; false | true; echo $?; set +o pipefail
echo x | { read -r v; echo "in $v"; }; echo "out ${v-unset}"
yes | head -3
echo a b c | xargs -n 1 echo item
! true; echo $?
seq 5 | tee copy.txt | tail -n 1; cat copy.txt | paste -sd, -
printf 'a b\nc d\n' | while read -r x y; do echo "$y $x"; done | cat -n
