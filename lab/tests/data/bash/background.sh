slow() { sleep 0.2; echo "slow done"; return 5; }
slow & pid=$!
echo "started"
wait "$pid"; echo "code $?"
for i in 1 2 3; do (sleep 0.0$i; echo "job $i" > job$i) & done
wait; cat job1 job2 job3
sleep 30 & kill $!; wait $! 2>/dev/null; echo "killed $?"
timeout 0.3 sleep 10; echo "timeout $?"
timeout 5 true; echo "fine $?"
