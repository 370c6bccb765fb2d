"""The example of the README in an empty notebook: a real kernel, OpenSSH's own server, and a PowerShell behind WinRM."""

from __future__ import annotations

import getpass
import re
import shutil
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT
from tests.notebook.test_in_a_kernel import Kernel
from tests.test_description import MASTER, WORKER, described
from tests.transports.openssh import OpenSsh, needs_sshd, openssh
from tests.wire.machine import PASSWORD, Wire

__all__ = ["openssh"]

pytestmark = [pytest.mark.wire, needs_sshd]


def readme_cells() -> list[str]:
    section = (ROOT / "README.md").read_text(encoding="utf-8").split("## Magics\n")[1]
    text = section.split("\n## ")[0]
    blocks = re.findall(r"(?:^    .*\n(?:\n(?=    ))?)+", text, flags=re.M)
    lines = "".join(blocks).replace("    ", "", 1).replace("\n    ", "\n")
    return [cell.strip("\n") for cell in lines.split("\n\n")]


def test_the_example_of_the_readme_runs_in_an_empty_notebook(
    tmp_path: Path, openssh: OpenSsh, wire: Wire
) -> None:
    port = openssh.start()
    home = tmp_path / "home"
    (home / ".ssh").mkdir(parents=True)
    shutil.copy(openssh.key("user"), home / ".ssh" / "id_ed25519")
    public = (openssh.folder / "host.pub").read_text().split()
    (home / ".ssh" / "known_hosts").write_text(f"[127.0.0.1]:{port} {public[0]} {public[1]}\n")
    (tmp_path / "params").mkdir()
    master = {**MASTER, "user": getpass.getuser(), "ssh_host": "127.0.0.1", "ssh_port": port}
    way = {"winrm_host": "127.0.0.1", "winrm_port": wire.http, "winrm_scheme": "http"}
    worker = {**WORKER, **way, "user": "Administrator", "credential": "env:WIN_PASSWORD"}
    worker["name"] = "winworker01"
    keys = {"known_hosts": str(home / ".ssh" / "known_hosts")}
    values = described(
        hosts=[{**master, "identity": str(home / ".ssh/id_ed25519")}, worker], **keys
    )
    (tmp_path / "params" / "mine.yaml").write_text(yaml.safe_dump(values))
    load, use, bash, ps, alone = readme_cells()
    kernel = Kernel(tmp_path, HOME=str(home), WIN_PASSWORD=PASSWORD, SSH_AUTH_SOCK="")
    try:
        assert kernel.run(load) == ""
        assert "No" in kernel.run("print('No' if not __import__('os').path.exists('runs') else '')")
        kernel.run(use)
        told = kernel.run(bash)
        assert told.startswith(f"will run on: {MASTER['name']}\n[{MASTER['name']}] "), told
        seen = kernel.run("print(kernels.host, kernels.exit_code, kernels.strip())")
        assert seen.split()[:2] == [MASTER["name"], "0"]
        assert "will run on: winworker01" in kernel.run(ps)
        assert (
            kernel.run("print(list(_.columns), len(_))") == "['host', 'Folder', 'PowerShell'] 1\n"
        )
        kernel.run("%k8swin close")
        there = f"{getpass.getuser()}@127.0.0.1:{port}"
        told = kernel.run(alone.replace("ubuntu@192.168.160.150", there))
        assert told.startswith("will run on: 127.0.0.1\n[127.0.0.1] ") and "load" in told, told
        assert "record:" in kernel.run("print(repr(get_ipython().run_line_magic('k8swin', '')))")
    finally:
        kernel.close()
