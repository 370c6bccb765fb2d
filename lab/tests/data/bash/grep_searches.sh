printf 'apple\nBanana\ncherry pie\n# comment\n\napple pie\n' > f
grep apple f; grep -c apple f; grep -n pie f; grep -v '^#' f | grep -v '^$'; grep -i BANANA f
grep -E '^(apple|cherry)' f; grep -o 'p[a-z]*' f; grep -w pie f | wc -l; grep -q nothing f; echo $?
grep -l apple f nofile 2>/dev/null; echo $?; grep -F '.' f; echo $?; grep -x apple f; grep -A1 cherry f
mkdir d; cp f d/g; grep -rn Banana d; grep -h apple f d/g; grep -m1 apple f; grep -E 'p{2}' f | head -1
grep -Eo '[0-9]+(\.[0-9]+){3}' <<< 'inet 10.0.0.5/24 brd 10.0.0.255'; grep -c . f; grep -e apple -e pie f | wc -l
grep '[[:upper:]]' f; grep pattern missing; echo $?; echo "a.b" | grep -q 'a\.b' && echo dot
grep -L apple f; grep -P '^\w+$' f
