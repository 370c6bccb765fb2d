echo "$(echo "nested $(echo "deep \"q\"")")"
x=`echo back \`echo tick\``; echo $x
y=$(printf 'lines\n\n\n'); echo "[$y]"
z=$(false); echo $?
echo "$(cat <<END
in here
END
)"
n=$(seq 3); echo $n; echo "$n"
w=$(echo out; echo err >&2) 2>/dev/null; echo "$w"
echo "$(<f.txt)" 2>/dev/null; echo content > f.txt; echo "$(<f.txt)"
files=$(ls -1); echo "$files"
