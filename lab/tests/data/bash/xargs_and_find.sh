mkdir t; for n in a b "c d"; do echo "$n" > "t/$n.txt"; done
find t -name '*.txt' -print0 | sort -z | xargs -0 -n1 basename
printf '1 2 3 4\n' | xargs -n2 echo pair; printf 'x\ny\n' | xargs -I{} echo "<{}>"
echo "" | xargs -r echo never; printf 'a\nb\n' | xargs sh -c 'echo "$# $*"' _
find t -type f -exec sh -c 'echo "$(wc -c < "$1") bytes"' _ {} \; | sort | uniq -c | tr -s ' '
find t -name 'a*' -o -name 'b*' | sort; find t ! -name 'a*' -type f | sort; find nowhere; echo $?
printf 'false\n' | xargs -n1 sh -c '$0; exit 3'; echo $?; find t -type f -size -1k | wc -l
echo t/*.txt | xargs ls -1 2>/dev/null; echo "done"
