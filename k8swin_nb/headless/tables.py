"""The node and pod tables at the end of a run, printed as text."""

from __future__ import annotations

import sys
from pathlib import Path

from k8swin_nb.cluster.api import ClusterApi
from k8swin_nb.cluster.tables import nodes, pods
from k8swin_nb.hosts import inventory_of
from k8swin_nb.params import check_params, load_params
from k8swin_nb.scripts import Script
from k8swin_nb.transports.pool import Pool


def print_tables(params_file: Path) -> None:
    """Print all nodes and pods as kubectl would, with the login user's own kubeconfig."""
    params = check_params(load_params(params_file), source=f"`{params_file.name}`")
    inventory = inventory_of(params)
    pool = Pool()
    try:
        transport = pool.transport(inventory.select("control-plane")[0])
        answer = transport.run(Script.load("linux/read_kubeconfig.check.sh"), timeout=60)
        answer.check_returncode()
        api = ClusterApi(answer.stdout)
        for table in (nodes(api), pods(api)):
            sys.stdout.write(f"\n{table.caption}\n{table.to_string(index=False)}\n")
    finally:
        pool.close()
    sys.stdout.write("\n")
