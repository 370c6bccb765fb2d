a="two  spaces"; echo $a; echo "$a"
echo 'single $a "x"' "double 'y' \$a \\ \`"
echo $'tab\there\n\x41\u00e9\'q\''
printf '%s|' "a b" c\ d 'e'"f"g; echo
printf '%q\n' "it's a \$x" "" plain "new
line"
echo "a\nb" 'c\d'
set -- "x y" z; printf '<%s>' "$@"; echo; printf '<%s>' $@; echo; printf '<%s>' "$*"; echo
v='*'; echo "$v"; echo "${v}x"
echo {a,b}{1..3} {01..03} {a..e..2} pre{x,}post "{a,b}"
echo ~ | grep -c '^/'; echo "~"
