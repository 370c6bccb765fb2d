"""An operator whose process is killed while a script of his changes a host. `python two_operators.py PARAMS RUNS`."""

import sys
import threading
import time

from k8swin_nb.api import open_cluster
from k8swin_nb.shells import new_tag

cluster = open_cluster(sys.argv[1], runs=sys.argv[2])
host = cluster.hosts("control-plane")[0]
run = cluster.phase("02_master").run
cluster.locks.take(run.at(host, "swap"))
work = threading.Thread(
    target=cluster.pool.transport(host).run,
    args=("sleep 8 & wait",),
    kwargs={"sudo": host.user != "root", "tag": new_tag(cluster.run_id, "apply")},
    daemon=True,
)
work.start()
time.sleep(2)
sys.stdout.write(f"{cluster.run_id}\n")
sys.stdout.flush()
time.sleep(600)
