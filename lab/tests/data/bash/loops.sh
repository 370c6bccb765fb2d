for i in 1 2 3; do [ $i = 2 ] && continue; echo "for $i"; done
i=0
while (( i < 3 )); do ((i++)) || true; echo "while $i"; done
until [ "$i" -eq 0 ]; do i=$((i-1)); [ $i -eq 1 ] && break; done
echo "i=$i"
for ((n=10; n>0; n-=4)); do echo "n=$n"; done
for a in x y; do for b in 1 2; do [ $b = 2 ] && continue 2; echo "$a$b"; done; done
printf 'k1=v1\nk2=v2\n' | while IFS='=' read -r k v; do echo "$k -> $v"; done
while read -r line; do last=$line; done < <(printf 'a\nb\n')
echo "last=$last"
for f in *.none; do echo "$f"; done
