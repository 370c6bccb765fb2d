export A=1; B=2
bash -c 'echo "A=$A B=${B-unset}"'
C=3 bash -c 'echo "C=$C"'; echo "${C-unset}"
env D=4 bash -c 'echo "$D"'
env -i X=1 /usr/bin/env
(export E=5; cd /; echo "$E"); echo "${E-unset}"
export -n A; bash -c 'echo "${A-gone}"'
readonly R=1; R=2; echo "code $?"
echo "$R"
printenv A >/dev/null; echo $?
declare -i n=5; n+=3; echo $n; declare -p n; declare -r q="a b"; declare -p q
