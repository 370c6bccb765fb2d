mkdir -p src/bin; echo tool > src/bin/tool; chmod 755 src/bin/tool; echo doc > src/README
tar czf p.tgz -C src bin README; tar tzf p.tgz | sort
mkdir out; tar xzf p.tgz -C out; cat out/bin/tool; stat -c %a out/bin/tool
mkdir strip; tar -xzf p.tgz -C strip --strip-components=1 bin; ls strip
tar -xf none.tgz 2>/dev/null; echo $?
echo text > t; gzip -k t; ls t*; gunzip -c t.gz; rm t; gzip -d t.gz; cat t; tar cf - src | tar tf - | wc -l
sha256sum t > sums; sha256sum -c sums; echo bad > t; sha256sum -c sums; echo $?; sha256sum --check --status sums; echo $?
echo "0000000000000000000000000000000000000000000000000000000000000000  t" | sha256sum -c -; echo $?
cmp src/README src/README && echo same; cmp -s src/README t; echo $?
