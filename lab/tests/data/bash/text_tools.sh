printf 'c 3\na 1\nb 2\na 1\n' > f
sort f; sort -u f; sort -k2,2nr f | head -1; sort -t' ' -k1,1 -r f | head -1; printf '10\n9\n1\n' | sort -n
printf 'v1.10\nv1.9\nv1.2\n' | sort -V; uniq -d <(sort f); cut -d' ' -f2 f; cut -c1 f | tr -d '\n'; echo
head -n 2 f; tail -n +3 f; head -n -3 f; tail -1 f; wc -l f; wc -w < f; tr ' ' '\n' < f | sort | uniq -c
echo "a:b:c" | cut -d: -f2-; echo hello | rev; seq -s, 1 5; seq 1 2 7 | paste -sd' ' -; seq -w 8 10
echo "AbC" | tr '[:upper:]' '[:lower:]'; echo "aabbcc" | tr -s 'a-c'; echo "k=v" | tr -dc 'a-z\n'
nl f | head -1; tac f | head -1; comm -12 <(sort -u f) <(printf 'a 1\n'); printf 'x\ty\n' | expand 2>/dev/null | cut -f1 | wc -l
printf 'name value\nlong-name 1\n' | column -t; echo "abc" | fold -w 2; diff <(echo a) <(echo b); echo $?
basename /a/b.txt .txt; dirname /a/b.txt; dirname file; expr 3 + 4; expr "$(echo 5)" \* 2; expr abc : 'a\(.*\)'
echo -n abc | base64; echo YWJj | base64 -d; echo; echo -n abc | sha256sum; echo -n abc | md5sum | cut -c1-8
