cat > fstab <<'END'
UUID=1 / ext4 defaults 0 1
/swap.img none swap sw 0 0
#/old none swap sw 0 0
END
sed -i.bak '/\sswap\s/ s/^\([^#]\)/#\1/' fstab; cat fstab; ls
sed -n '2p;$p' fstab
sed -e 's/defaults/noatime,&/' -e '/^#/d' fstab
sed -E 's/^#+(.*) none (.*)$/\2 -- \1/' fstab
printf 'a=1\nb=2\n' > kv; sed -i 's|^a=.*|a=/x/y|; $a c=3' kv; cat kv
printf '1\n2\n3\n4\n' | sed '2,3d'; printf 'x\ny\n' | sed '1i top' ; seq 4 | sed -n '/2/,/3/p'
printf 'one\ntwo\n' | sed ':a;N;$!ba;s/\n/,/g'; seq 3 | sed '2q'; seq 3 | sed 's/2/&&/2;s/./[&]/'
echo 'Hello World' | sed 's/\(\w*\) \(\w*\)/\U\1\E \L\2/; y/E/3/'
seq 6 | sed -n '0~3p'; printf 'k: v\n' | sed -n 's/^k: *//p'; echo abc | sed 's/b/\n/'
sed 's/a' kv; echo $?; sed -i 's/x/y/' none; echo $?
