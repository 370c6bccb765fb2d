date -u -d @0 +%Y-%m-%dT%H:%M:%SZ; date -u -d '2024-02-28 12:00:00 UTC' +%s; date -u -d '2024-01-01 UTC +1 day' +%F
[ "$(date +%Y)" -ge 2024 ] && echo year; true; echo $?; false; echo $?; : ignored; [ "$SECONDS" -lt 60 ] && echo seconds
sleep 0.01; hash -r; umask; pwd -P >/dev/null && echo pwd; test 5 -gt 3 && echo gt; wait; echo $#
printf '%s\n' b a | sort -o sorted.txt; cat sorted.txt; truncate -s 5 five; stat -c %s five; seq 3 > s; od -An -tx1 s
cd /tmp && cd - >/dev/null && echo back; cd /nonexistent; echo $?; pushd /tmp >/dev/null; popd >/dev/null; echo ok
[ -t 0 ] || echo "no terminal"; echo "${BASH_VERSINFO[0]}" ; uname -s; nproc >/dev/null && echo cpus; echo "$-" | grep -c e
