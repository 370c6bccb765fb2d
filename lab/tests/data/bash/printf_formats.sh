printf '%5d|%-5d|%05d|%x|%X|%o|%e\n' 42 42 42 255 255 8 12345.678
printf '%s %s\n' a b c
printf '%-10s|%10s|%.3s\n' left right truncated
printf '%b\n' 'a\tb\\n'; printf '%%|%c|\n' xyz
printf -v var '%03d' 7; echo "$var"
printf 'no newline'; echo
printf '%d\n' abc; echo $?
printf '%s\n' "${x[@]-}" ; printf '%(%Y)T\n' 0 | wc -c
printf '\e[1mbold\e[0m\n' | od -c | head -1
echo -e 'a\tb\c'; echo; echo -n x; echo -E 'a\tb'
