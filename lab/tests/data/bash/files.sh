mkdir -p a/b/c; touch a/1 a/b/2; echo hi > a/b/c/3
find a -type f | sort; find a -name '[12]' | sort; find a -mindepth 1 -maxdepth 1 | sort; find a -type d -name c
cp -r a copy; ls copy; mv copy moved; [ -d copy ] || echo moved; rm -r moved; ls moved; echo $?
cp a/1 a/new && ls a; rm a/none; echo $?; rm -f a/none; echo $?; rmdir a; echo $?
ln -s b/c/3 a/link; readlink a/link; cat a/link; [ -L a/link ] && echo link; ln -sfn 1 a/link; readlink a/link
chmod 640 a/1; stat -c '%a' a/1; chmod u+x,g-r a/1; stat -c '%a %A' a/1; install -m 0600 a/b/c/3 inst; stat -c '%a %s' inst
install -d -m 0750 x/y; stat -c %a x/y; find a -type f -exec basename {} \; | sort; find a -empty -type f | sort
find a -name 3 -delete; find a -type f | wc -l; umask 077; touch priv; stat -c %a priv; mkdir -p a/b/c; echo $?
mkdir a; echo $?; cp nofile x; echo $?; cat nofile a 2>&1; echo $?; touch -d 2020-01-02 old; [ old -ot a/1 ] && echo older
cp -p old old2; mv -n old old2; ls old; realpath --relative-to=. a/b | cat; ls -1 a; ls -d a/*
