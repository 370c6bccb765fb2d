"""Files of /proc and /sys on disk: they come and go with what the machine says."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from k8swin_lab.bash.proc import ProcFiles


def test_an_interface_that_is_deleted_leaves_sys_with_its_folder(tmp_path: Path) -> None:
    links = ["eth0", "cni0"]

    def files() -> dict[str, bytes]:
        return {
            f"/sys/class/net/{link}/{name}": b"x\n" for link in links for name in ("mtu", "address")
        }

    machine: Any = SimpleNamespace(proc_files=files)
    shown = ProcFiles(cast(Any, machine), tmp_path)
    shown.bring_in_step()
    assert (tmp_path / "sys/class/net/cni0").is_dir()
    links.remove("cni0")
    shown.bring_in_step()
    assert [path.name for path in (tmp_path / "sys/class/net").iterdir()] == ["eth0"]
