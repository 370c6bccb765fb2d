"""What magics work on where no description is open: hosts that are named as they are used, `ubuntu@192.168.160.150`."""

from __future__ import annotations

from typing import Any

from k8swin_nb.adhoc import runs_folder
from k8swin_nb.api import Cluster
from k8swin_nb.errors import InventoryError
from k8swin_nb.inventory import Inventory
from k8swin_nb.machines import Machines
from k8swin_nb.selection import OPEN


class Undescribed(Cluster):
    """Connections and a record without a description; what needs one says so."""

    def __init__(self) -> None:
        Machines.__init__(self, Inventory(()), runs=runs_folder(), name="notebook")

    def __getattr__(self, name: str) -> Any:
        if name in ("description", "plan"):
            raise InventoryError("no cluster is open in this notebook", hint=OPEN)
        raise AttributeError(name)
