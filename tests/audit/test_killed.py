"""What a kill leaves of an honest run is never called a forgery: it is told what was broken off, and the next seal mends it."""

import subprocess
import sys

import pytest

from k8swin_nb.audit.sealing import ASKED, RUN_ENDED, seal_run
from k8swin_nb.audit.verdict import CHANGED
from k8swin_nb.audit.verifying import verify
from k8swin_nb.workflow.record import Record
from tests.audit.records import RUN, begin, make_record, quiet, script

SEALS = """
import os, signal, sys
from pathlib import Path
from k8swin_nb.audit import sealing
from k8swin_nb.workflow.record import Record
def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)
def interrupted(*_):
    raise KeyboardInterrupt
write, rename, put = Record.write, Path.rename, sealing._put
times = 0
def then(end, call, number=1):
    def wrapped(*args, **more):
        global times
        found = call(*args, **more)
        times += 1
        if times == number:
            end()
        return found
    return wrapped
{moment}
sealing.seal_run(Path(sys.argv[1]), sealing.ASKED, sys.argv[2])
"""

MOMENTS = {
    "its file is there": "sealing._put = then(die, put)",
    "its signature is there": "sealing._put = then(die, put, 2)",
    "the record tells of it": "Record.write = then(die, write)",
    "the record tells of it and somebody pressed Ctrl-C": "Record.write = then(interrupted, write)",
    "its signature has its own name": "Path.rename = then(die, rename)",
    "it has its own name": "Path.rename = then(die, rename, 2)",
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_seal_that_is_broken_off_is_no_forgery_and_the_next_one_mends_it(
    tmp_path, keys, trusted, moment
):
    sign = f"ssh:{keys / 'alice'}"
    record = begin(tmp_path)
    seal_run(record.folder, "01_network finished", sign)
    script(record)
    record.write("notebook-finished")
    words = [sys.executable, "-c", SEALS.format(moment=MOMENTS[moment])]
    done = subprocess.run([*words, str(record.folder), sign], env=quiet(), capture_output=True)
    assert done.returncode == (-2 if "Ctrl-C" in moment else -9), done.stderr
    verdict = verify(record.folder, trusted)
    found = [finding.what for finding in verdict.findings]
    assert verdict.of(CHANGED) == []
    if moment == "it has its own name":
        assert (verdict.code, found) == (0, [])
    else:
        assert verdict.code == 3 and "seal-not-whole" in found
    if "record" not in moment:
        assert not any("tail-cut" in what for what in found)
    seal_run(record.folder, ASKED, sign)
    verdict = verify(record.folder, trusted)
    assert (verdict.code, verdict.findings) == (0, [])
    assert not list(record.folder.glob("seals/.*"))
    told = any(word in moment for word in ("record", "name"))
    assert len(verdict.seals) == (3 if told else 2)


def test_a_seal_put_back_to_the_name_that_it_had_before_proves_nothing(tmp_path, keys, trusted):
    folder = make_record(tmp_path, f"ssh:{keys / 'alice'}")
    for ending in ("", ".sig"):
        seal = folder / f"seals/0002.json{ending}"
        seal.rename(seal.with_name(f".{seal.name}"))
    assert verify(folder, trusted).code == 3
    (folder / "seals/.0002.json").write_text("another")
    verdict = verify(folder, trusted)
    assert verdict.code == 1 and "seal-missing" in [f.what for f in verdict.findings]


def test_a_run_that_was_ended_went_on_and_was_killed_is_no_forgery(tmp_path, keys, trusted):
    sign = f"ssh:{keys / 'alice'}"
    folder = make_record(tmp_path, sign)
    assert verify(folder, trusted).code == 0
    Record(tmp_path, RUN, "k8swin desk").write("desk-continued")
    (folder / "index.html").write_text("the page of what goes on")
    (folder / "03_flannel.ipynb").write_text('{"cells": []}')
    record = begin(tmp_path)
    script(record, "late")
    verdict = verify(folder, trusted)
    assert verdict.code == 3, verdict.findings
    assert {"events-not-sealed", "file-not-sealed", "notebook-not-ended"} <= {
        finding.what for finding in verdict.findings
    }
    # What is written once stays as it was sealed, whoever goes on.
    next(folder.glob("logs/0001*")).write_text("another\n")
    assert verify(folder, trusted).code == 1
    next(folder.glob("logs/0001*")).write_text("swap is off\n")
    record.write("interrupted")
    seal_run(folder, RUN_ENDED, sign)
    (folder / "index.html").write_text("another page")
    assert verify(folder, trusted).code == 1
