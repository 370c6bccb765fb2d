unset a; b=; c=value
echo "[${a-1}] [${a:-2}] [${b-3}] [${b:-4}] [${c-5}] [${c:+6}] [${a+7}] [${b+8}] [${b:+9}]"
: "${a:=assigned}"
echo "$a"
echo "${a:1:3} ${a: -3} ${a:0:-4} ${#a}"
set -- one two three four
echo "${@:2:2} | ${*: -1} | $# | ${1%e} | ${!#}"
