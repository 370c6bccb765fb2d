printf 'IFS= read -r line; echo "script got: $line"\0payload line\nrest\n' > input
bash -c 'IFS= read -r -d "" s; eval "$s"' < input
echo 'echo "args: $0 $*"' | bash -s -- a "b c"
printf 'echo first\nread -r x\nvalue\necho "x=$x"\n' | bash
bash -c 'echo "$0 $1 $#"' zero one two
bash -euo pipefail -c 'echo ok; false; echo no'; echo "code $?"
bash -c 'exit 300'; echo $?
sh -c 'echo "from sh"'
bash -c $'echo a\nif then'; echo "code $?"
echo 'exit 9' > e.sh; bash e.sh; echo $?; bash nofile.sh; echo $?
