cat > nodes <<'END'
NAME STATUS ROLES AGE
master Ready control-plane 5d
win1 NotReady <none> 2d
win2 Ready <none> 1d
END
awk 'NR>1 && $2=="Ready" {print $1}' nodes
awk 'NR>1 {count[$2]++} END {for (k in count) print k, count[k]}' nodes | sort
awk '{ $3=""; print NF": "$0 }' nodes | head -2
awk -F'[:=]' '{print $2+$3}' <<< 'a=1:2'
awk -v want=win2 '$1 == want { found=1; exit } END { exit !found }' nodes; echo $?
awk 'BEGIN { printf "%5.2f|%-6s|%03d\n", 3.14159, "ab", 7; print length("four"), index("abc","c"), substr("abcdef",2,3), toupper("x") }'
df_line='/dev/sda1 50% /'; echo "$df_line" | awk '{gsub("%","",$2); if ($2+0 > 40) print "full " $2; else print "ok"}'
awk 'function max(a,b){return a>b?a:b} {m=max(m,NF)} END{print m}' nodes
awk '/master/,/win1/ {print FNR}' nodes; echo "a,b;c" | awk '{n=split($0,p,/[,;]/); print n, p[3]}'
printf 'x 1\nx 2\ny 3\n' | awk '{s[$1]+=$2} END{print s["x"], s["y"]}'; awk 'END{print NR}' nodes
awk '{sub(/Ready/,"<&>")}1' nodes | tail -1; awk 'BEGIN{while(i<3) {i++; if(i==2) continue; print i}}'
awk 'match($0, /win[0-9]+/) {print RSTART, RLENGTH, substr($0,RSTART,RLENGTH)}' nodes
