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


SITE = Inventory(
    (
        Host("lin1", "192.0.2.2", "linux", ("control-plane",), "u", groups=("rack1",)),
        Host("win1", "192.0.2.11", "windows", ("worker",), "u", groups=("rack1", "north")),
        Host("win2", "192.0.2.12", "windows", ("worker",), "u", labels=(("hall", "b"),)),
        Host("win3", "192.0.2.13", "windows", ("worker",), "u"),
    )
)
LAST = {"lin1": "ok", "win1": "failed", "win2": "unreachable", "win3": "left"}


@pytest.mark.parametrize(
    ("selection", "names"),
    [
        ("rack1", "lin1 win1"),
        ("nor*", "win1"),
        ("win?", "win1 win2 win3"),
        ("*", "lin1 win1 win2 win3"),
        ("win*,!win2", "win1 win3"),
        ("windows[0:2]", "win1 win2"),
        ("windows[1:]", "win2 win3"),
        ("windows[-1]", "win3"),
        ("all,!windows[0:2]", "lin1 win3"),
        ("windows,&rack1", "win1"),
        ("&rack1", "lin1 win1"),
        ("hall=b", "win2"),
        ("@failed", "win1 win2"),
        ("@unreachable,@left", "win2 win3"),
        ("windows,!@failed", "win3"),
        ("@ok", "lin1"),
    ],
)
def test_patterns_groups_parts_and_ends_of_runs_select(selection: str, names: str) -> None:
    assert " ".join(host.name for host in SITE.select(selection, LAST)) == names


@pytest.mark.parametrize(
    ("selection", "told"),
    [
        ("rak1", "did you mean `rack1`"),
        ("windows[3]", "3 hosts: win1, win2, win3"),
        ("windows[5:]", "leaves no host"),
        ("x*", "is like `x*`"),
        ("@faild", "did you mean `@failed`"),
        ("@changed", "no host of the last run"),
        ("win1,&lin1", "leaves no host"),
        ("windows[a]", "selects nothing"),
    ],
)
def test_a_selection_that_cannot_be_is_told_with_what_there_is(selection: str, told: str) -> None:
    with pytest.raises(InventoryError) as caught:
        SITE.select(selection, LAST)
    assert told in f"{caught.value} {caught.value.hint}"
    with pytest.raises(InventoryError, match="nothing has run"):
        SITE.select("@failed")
    with pytest.raises(InventoryError, match="no cluster is open"):
        Inventory(()).select("linux")
