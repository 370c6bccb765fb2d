from __future__ import annotations

import pytest

from k8swin_nb.errors import InventoryError
from k8swin_nb.inventory import Host, Inventory

INVENTORY = Inventory(
    (
        Host("linuxmaster", "192.0.2.2", "linux", ("control-plane",), "ubuntu"),
        Host("winworker01", "192.0.2.11", "windows", ("worker",), "Administrator"),
        Host("winworker02", "192.0.2.12", "windows", ("worker",), "Administrator"),
    )
)


@pytest.mark.parametrize(
    ("selection", "names"),
    [
        ("winworker01", ["winworker01"]),
        ("windows", ["winworker01", "winworker02"]),
        ("workers", ["winworker01", "winworker02"]),
        ("control-plane", ["linuxmaster"]),
        ("winworker02,linuxmaster", ["linuxmaster", "winworker02"]),
        ("all", ["linuxmaster", "winworker01", "winworker02"]),
        ("!winworker01", ["linuxmaster", "winworker02"]),
        ("windows, !winworker01", ["winworker02"]),
        ("windows,winworker01", ["winworker01", "winworker02"]),
    ],
)
def test_a_selection_names_hosts_in_the_inventory_s_order(selection: str, names: list[str]) -> None:
    assert [host.name for host in INVENTORY.select(selection)] == names


@pytest.mark.parametrize("selection", ["", " , ", "nobody", "!nobody", "linux,!linuxmaster"])
def test_a_selection_of_nobody_is_an_error_with_a_hint(selection: str) -> None:
    with pytest.raises(InventoryError) as caught:
        INVENTORY.select(selection)
    assert caught.value.hint


def test_a_misspelt_host_is_suggested() -> None:
    with pytest.raises(InventoryError, match="winwroker01") as caught:
        INVENTORY.select("winwroker01")
    assert "did you mean `winworker01`" in (caught.value.hint or "")
    with pytest.raises(InventoryError):
        INVENTORY.host("windows")
    assert INVENTORY.host("winworker02").address == "192.0.2.12"
