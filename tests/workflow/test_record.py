"""The record of a run, which several kernels write at the same time."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from k8swin_nb.workflow.record import Record


def test_notebooks_that_run_side_by_side_keep_every_output(tmp_path: Path) -> None:
    # Each kernel has a record of its own, with a lock of its own, over the one folder.
    records = [Record(tmp_path, "run", f"join-{number}") for number in range(8)]
    with ThreadPoolExecutor(len(records)) as pool:

        def keep(record: Record) -> list[tuple[str, str]]:
            return [
                record.keep_output("worker-ready-master-check", record.notebook) for _ in range(25)
            ]

        kept = [pair for pairs in pool.map(keep, records) for pair in pairs]
    assert len({path for path, _ in kept}) == 200
    for path, digest in kept:
        assert hashlib.sha256((tmp_path / "run" / path).read_bytes()).hexdigest() == digest


def test_a_name_that_is_taken_is_left_alone(tmp_path: Path) -> None:
    record = Record(tmp_path, "run", "notebook")
    first, _ = record.keep_output("a", "one")
    (record.logs / "0003-c.log").write_text("of a kernel that is a step ahead")
    second, _ = record.keep_output("c", "two")
    assert (first, second) == ("logs/0001-a.log", "logs/0004-c.log")
    assert (record.logs / "0003-c.log").read_text() == "of a kernel that is a step ahead"
