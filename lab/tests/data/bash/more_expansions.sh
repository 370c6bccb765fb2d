words="a b  c"; set -- $words; echo $#; IFS=,; x="1,2,,3"; set -- $x; echo "$# $3|$*"; unset IFS
v=abc; echo "${v:1}" "${v:(-2)}" "${v:0:1}${v: -1}" "${v/b}" "${v/%c/!}" "${v^^[ac]}"
unset u; echo "${u+set}${u-unset}" "${u:-$(echo sub)}" "${u:-"quo ted"}" ${u:-a b} "${u:-'s'}"
arr=(x y z); echo "${arr[@]:0:2}" "${arr[*]^^}" "${#arr[1]}" "${arr[@]#x}" "${arr: -1}" "${!arr[*]}"
f() { echo "$# [$1] [$2]"; }; f "${arr[@]}"; f "${none[@]}"; f "" ; f $none; f "$none"; f pre"${arr[@]}"post
echo "${HOME%/*}x" ~root "a"~ ~/x | sed "s|$HOME|H|g"
s='a/b/c'; echo "${s//\//-}" "${s##*/}" "${s%/*}"; p='*'; echo "${s/"$p"/x}" "${s/$p/x}"
echo "$((${#s} + 1))" "${v@U}" "${v@Q}" "${arr[@]@Q}"; n=3; echo "${s:n}" "${s:1:n-1}" 
: ${q:=one two}; echo "$q"; echo "${!v*}" ; a1=1 a2=2; echo "${!a@}"; echo "${#} $0 $? $-" | tr -d 'a-zA-Z/'
text="l1
l2"; echo $text; echo "$text"; while read -r l; do echo "<$l>"; done <<< "$text"; echo "${text//$'\n'/;}"
