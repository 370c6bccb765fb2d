"""Records of runs as notebooks leave them, sealed by real keys, and what a forger does to one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import nbformat

from k8swin_nb.audit.sealing import RUN_ENDED, seal_run
from k8swin_nb.audit.signers import NAMESPACE
from k8swin_nb.workflow.cell_digest import outputs_digest, source_digest
from k8swin_nb.workflow.record import Record

RUN = "20261201-101112-ab12"
OTHER = "20261201-101112-cd34"
WHO = "alice@example.org"

CELLS = (
    ("phase = open_phase('02_master')", "the cluster is plant1\n"),
    ("phase.apply()", "linuxmaster: swap is off\n"),
    ("phase.summary()", "1 changed\n"),
)


def keygen(folder: Path, name: str, *more: str) -> Path:
    """Make an SSH key with the real program."""
    key = folder / name
    words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", WHO, "-f", str(key), *more]
    subprocess.run(words, check=True)
    return key


def public(key: Path) -> str:
    return " ".join(key.with_name(f"{key.name}.pub").read_text().split()[:2])


def allow(
    file: Path, key: Path, options: str = f'namespaces="{NAMESPACE}"', who: str = WHO
) -> Path:
    """Write a file of allowed signers."""
    file.write_text(f"{who} {options} {public(key)}\n")
    return file


def notebook(cells=CELLS) -> nbformat.NotebookNode:
    """Return an executed notebook."""
    made = nbformat.v4.new_notebook()
    for count, (source, printed) in enumerate(cells, 1):
        cell = nbformat.v4.new_code_cell(source, execution_count=count)
        cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=printed)]
        made.cells.append(cell)
    return made


def begin(runs: Path, run: str = RUN, *, reason: str = "CHG-4711") -> Record:
    record = Record(runs, run, "02_master", reason=reason)
    record.write("notebook-opened", reason=reason, controller="desk7",
                  parameters_file=record.keep_parameters({"cluster_name": "plant1"}),phase="02_master", cluster="plant1", target="", dry_run=False,
                  toolkit={"version": "1.2.3", "commit": "0123abc", "changed": False}, operator_by="login name",
                  parameters={"cluster_name": "plant1", "hosts": [{"name": "linuxmaster", "address": "192.0.2.10"}]},
                  hosts=[{"name": "linuxmaster", "address": "192.0.2.10"}])  # fmt: skip
    record.write("host-identified", host="linuxmaster", address="192.0.2.10", by="ssh",
                 host_key="SHA256:abc", pinned=True)  # fmt: skip
    return record


def script(
    record: Record, step: str = "swap", text: str = "swapoff -a\n", printed: str = "swap is off\n"
) -> None:
    """Write down one script as root, with its text and its output."""
    about = {"phase": "02_master", "step": step, "host": "linuxmaster", "address": "192.0.2.10", "user": "ubuntu",
             "as_root": True, "sudo": True, "tag": f"k8swin-apply-{step}", "script": f"linux/{step}.apply.sh",
             "script_file": record.keep_script(text, "bash")}  # fmt: skip
    about["sha256"] = about["script_file"][8:72]
    record.write("script-started", **about)
    output, sha256 = record.keep_output(f"{step}-linuxmaster-apply", printed)
    record.write("script", **about, exit_code=0, seconds=0.1, output=output, output_sha256=sha256)
    record.write("step", phase="02_master", step=step, host="linuxmaster", outcome="changed", seconds=0.2,
                 detail=f"{step} is as wanted", found=f"{step} was on", now=f"{step} is off",
                 difference=f"{step}: on -> off", dry_run=False)  # fmt: skip


def cells(record: Record) -> None:
    for count, (source, printed) in enumerate(CELLS, 1):
        outputs = [{"output_type": "stream", "name": "stdout", "text": printed}]
        record.write("cell", followed="whole", kernel="k1", cell=count, source=source, source_sha256=source_digest(source),
                     outputs_sha256=outputs_digest(outputs), ended="ok")  # fmt: skip


def make_record(runs: Path, sign: str | None = None, run: str = RUN) -> Path:
    """Write a run of one notebook, with seals at the notebook's end and at the run's."""
    record = begin(runs, run)
    program = Record(runs, run, "k8swin run")
    script(record)
    script(record, "kernel", "modprobe br_netfilter\n", "bridged traffic passes\n")
    cells(record)
    record.write("notebook-finished", phase="02_master", outcomes={"changed": 2}, dry_run=False)
    seal_run(record.folder, "02_master finished", sign, by="02_master")
    nbformat.write(notebook(), record.folder / "02_master.ipynb")
    (record.folder / "index.html").write_text("<h1>the page</h1>\n")
    program.write(
        "run-finished", outcome="finished", notebooks=[{"name": "02_master", "outcome": "finished"}]
    )
    seal_run(record.folder, RUN_ENDED, sign, by="k8swin run")
    return record.folder


def copy(folder: Path, into: Path) -> Path:
    """Copy a run to another place, under its name."""
    return Path(shutil.copytree(folder, into / folder.name, symlinks=True))


def lines(folder: Path) -> list[bytes]:
    return (folder / "events.jsonl").read_bytes().splitlines(keepends=True)


def write(folder: Path, changed: list[bytes]) -> None:
    (folder / "events.jsonl").write_bytes(b"".join(changed))


def rebuild(folder: Path, change) -> None:
    """Change events and make the whole chain anew behind it, as who knows how it is made would."""
    from k8swin_nb.workflow.chain import beginning, digest

    events = [json.loads(line) for line in lines(folder)]
    change(events)
    previous, made = beginning(events[0]["run"]), []
    for place, event in enumerate(events, 1):
        line = json.dumps({**event, "n": place, "previous": previous}, ensure_ascii=False).encode()
        previous = digest(line)
        made.append(line + b"\n")
    write(folder, made)


def quiet() -> dict[str, str]:
    """An environment in which no agent and no key of the developer is."""
    gone = ("SSH_AUTH_SOCK", "K8SWIN_SIGN")
    return {name: value for name, value in os.environ.items() if name not in gone}
