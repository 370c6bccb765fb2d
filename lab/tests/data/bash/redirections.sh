{ echo out; echo err >&2; } > both.txt 2>&1
cat both.txt
{ echo one; echo two >&2; } 2> err.txt
cat err.txt
exec 3> three.txt
echo "to three" >&3
exec 3>&-
cat three.txt
cat < three.txt >> both.txt; wc -l < both.txt
for i in 1 2; do echo "line $i"; done > loop.txt
while read -r l; do echo "got $l"; done < loop.txt
echo hidden > /dev/null
ls missing 2>/dev/null || echo "status $?"
echo "to err" 1>&2 2>/dev/null
(echo sub; echo suberr >&2) &> all.txt; sort all.txt
cat < not-there; echo "code $?"
exec 4<loop.txt; read -r -u 4 first; read -r second <&4; echo "$first/$second"
echo x > nodir/file; echo "code $?"
