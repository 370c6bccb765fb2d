"""A record that is as it was written is proven, and every way to forge one is found, by what it is."""

import json
import os
import random
import shutil
import subprocess
import sys
import zipfile

import nbformat
import pytest

from k8swin_nb.audit.sealing import ASKED, seal_run
from k8swin_nb.audit.signatures import Trusted
from k8swin_nb.audit.verifying import verify
from k8swin_nb.errors import ParamsError
from k8swin_nb.workflow.record import Record
from tests.audit.forgeries import FORGERIES
from tests.audit.records import (
    OTHER,
    RUN,
    allow,
    begin,
    cells,
    copy,
    lines,
    make_record,
    notebook,
    public,
    script,
)


def told(verdict):
    return [(finding.weight, finding.what, str(finding)) for finding in verdict.findings]


def test_a_signed_run_is_proven(kept, trusted):
    verdict = verify(kept, trusted)
    assert told(verdict) == []
    assert (verdict.code, verdict.word) == (0, "intact and signed")
    assert "alice@example.org" in verdict.who[0]
    assert [(seal.number, seal.final) for seal in verdict.seals] == [(1, False), (2, True)]
    assert not any("without a signature" in text for text in verdict.cannot_know)


@pytest.mark.parametrize("forgery", FORGERIES, ids=lambda forgery: forgery.name)
def test_a_forgery_is_found(kept, keys, trusted, tmp_path, forgery):
    folder = copy(kept, tmp_path)
    folder = forgery.forge(folder, keys) or folder
    verdict = verify(folder, trusted)
    assert forgery.expected in [finding.what for finding in verdict.findings], told(verdict)
    assert verdict.code == forgery.code, told(verdict)
    assert all(finding.text for finding in verdict.findings)


def test_any_flipped_byte_of_a_sealed_file_is_found(kept, trusted, tmp_path):
    folder = copy(kept, tmp_path)
    draw = random.Random(12)
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    assert len(files) > 8
    # Where a byte may stand that nothing covers: the record's last line, the last seal, its signature.
    tail = (folder / "events.jsonl").stat().st_size - len(lines(folder)[-1])
    for path in files:
        content = path.read_bytes()
        places = {draw.randrange(len(content)) for _ in range(6)} | {0, len(content) - 1}
        if path.name == "events.jsonl":
            places |= {draw.randrange(tail, len(content)) for _ in range(40)}
        for place in places:
            changed = bytearray(content)
            changed[place] ^= 1 << draw.randrange(8)
            path.write_bytes(changed)
            assert verify(folder, trusted).code == 1, (path.name, place)
        path.write_bytes(content)
    assert verify(folder, trusted).code == 0


def test_without_a_list_of_signers_nothing_is_proven_and_the_key_is_told(kept):
    verdict = verify(kept)
    assert verdict.code == 3
    assert any("SHA256:" in finding.text for finding in verdict.findings)


def test_without_a_key_a_run_is_sealed_and_not_proven(tmp_path, trusted):
    verdict = verify(make_record(tmp_path), trusted)
    assert verdict.code == 3
    assert [finding.what for finding in verdict.findings] == ["unsigned"]


def test_without_seals_the_chain_alone_is_looked_at(tmp_path, trusted):
    record = begin(tmp_path)
    script(record)
    verdict = verify(record.folder, trusted)
    assert verdict.code == 3
    assert [finding.what for finding in verdict.findings] == ["no-seal", "notebook-not-ended"]


def test_a_notebook_that_was_killed_is_told(tmp_path, keys, trusted):
    record = begin(tmp_path)
    seal_run(record.folder, ASKED, f"ssh:{keys / 'alice'}")
    script(record)
    verdict = verify(record.folder, trusted)
    assert verdict.code == 3
    assert {f.what for f in verdict.findings} == {
        "events-not-sealed", "file-not-sealed", "notebook-not-ended",
    }  # fmt: skip


def test_what_goes_on_after_a_seal_is_no_alarm_once_a_later_seal_covers_it(tmp_path, keys, trusted):
    sign = f"ssh:{keys / 'alice'}"
    folder = make_record(tmp_path, sign)
    (folder / "index.html").write_text("<h1>another page</h1>\n")
    (folder / "notes.md").write_text("a note\n")
    record = begin(tmp_path)
    record.write("notebook-finished", phase="02_master", outcomes={}, dry_run=False)
    assert verify(folder, trusted).code == 1
    seal_run(folder, ASKED, sign)
    assert told(verify(folder, trusted)) == []


def test_a_log_that_grows_is_covered_by_a_later_seal(tmp_path, keys, trusted):
    sign = f"ssh:{keys / 'alice'}"
    record = begin(tmp_path)
    log = record.open_log("watch")
    log.write("first\n")
    log._file.flush()
    seal_run(record.folder, "01 finished", sign)
    log.write("second\n")
    log.close()
    assert verify(record.folder, trusted).code == 3
    record.write("notebook-finished")
    seal_run(record.folder, ASKED, sign)
    assert told(verify(record.folder, trusted)) == []


def test_a_page_at_a_desk_that_is_written_after_an_open_seal_is_not_sealed_and_no_forgery(
    tmp_path, keys, trusted
):
    record = begin(tmp_path)
    record.write("notebook-finished")
    (record.folder / "index.html").write_text("1")
    seal_run(record.folder, "02_master finished", f"ssh:{keys / 'alice'}")
    (record.folder / "index.html").write_text("2")
    verdict = verify(record.folder, trusted)
    assert (verdict.code, [f.what for f in verdict.findings]) == (3, ["file-not-sealed"])


def test_a_folder_nobody_may_write_is_verified_and_stays_as_it_is(kept, trusted, tmp_path):
    folder = copy(kept, tmp_path)
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o500 if path.is_dir() else 0o400)
    before = {p: (p.stat().st_mtime_ns, p.stat().st_size) for p in folder.rglob("*")}
    try:
        assert verify(folder, trusted).code == 0
        assert {p: (p.stat().st_mtime_ns, p.stat().st_size) for p in folder.rglob("*")} == before
    finally:
        for path in [folder, *folder.rglob("*")]:
            path.chmod(0o700 if path.is_dir() else 0o600)


def test_a_copy_under_a_name_of_its_own_is_no_forgery(kept, trusted, tmp_path):
    folder = copy(kept, tmp_path).rename(tmp_path / "evidence")
    verdict = verify(folder, trusted)
    assert (verdict.code, [f.what for f in verdict.findings]) == (0, ["renamed"])


def test_a_clock_that_went_back_is_a_remark(tmp_path, keys, trusted):
    record = begin(tmp_path)
    record.write("host-locked", time="2020-01-01T00:00:00.000Z")
    record.write("notebook-finished")
    seal_run(record.folder, ASKED, f"ssh:{keys / 'alice'}")
    verdict = verify(record.folder, trusted)
    assert (verdict.code, [f.what for f in verdict.findings]) == (0, ["clock"])


def test_a_record_that_an_older_toolkit_began_is_told(tmp_path, keys, trusted):
    folder = tmp_path / RUN
    folder.mkdir()
    old = {
        "time": "2026-11-01T00:00:00.000Z",
        "run": RUN,
        "notebook": "01_network",
        "event": "notebook-opened",
    }
    (folder / "events.jsonl").write_text(
        json.dumps(old) + "\n" + json.dumps(old | {"event": "notebook-finished"}) + "\n"
    )
    Record(tmp_path, RUN, "02_master").write("notebook-finished")
    seal_run(folder, ASKED, f"ssh:{keys / 'alice'}")
    verdict = verify(folder, trusted)
    assert (verdict.code, [f.what for f in verdict.findings]) == (0, ["older-version"])
    text = (folder / "events.jsonl").read_text()
    (folder / "events.jsonl").write_text(text.replace("01_network", "09_network", 1))
    assert verify(folder, trusted).code == 1


def test_half_a_line_of_a_dead_kernel_is_told_and_what_comes_behind_it_is_chained(
    tmp_path, keys, trusted
):
    record = begin(tmp_path)
    with (record.folder / "events.jsonl").open("a") as file:
        file.write('{"n": 3, "previous": "ab')
    verdict = verify(record.folder, trusted)
    assert (verdict.code, "half-line") == (3, verdict.findings[0].what)
    record.write("notebook-finished")
    seal_run(record.folder, ASKED, f"ssh:{keys / 'alice'}")
    verdict = verify(record.folder, trusted)
    assert (verdict.code, [f.what for f in verdict.findings]) == (0, ["half-line"])


def test_an_executed_notebook_elsewhere_is_compared(kept, trusted, tmp_path):
    out = tmp_path / "out.ipynb"
    shutil.copy(kept / "02_master.ipynb", out)
    assert verify(kept, trusted, [out]).code == 0
    out.write_text(out.read_text().replace("swap is off", "swap is on"))
    verdict = verify(kept, trusted, [out])
    assert (verdict.code, verdict.findings[0].what) == (1, "notebook-output")
    assert str(out) in verdict.findings[0].where
    with pytest.raises(ParamsError, match="cannot be read"):
        verify(kept, trusted, [tmp_path / "nothing.ipynb"])


def test_a_notebook_without_recorded_cells_is_not_proven(tmp_path, keys, trusted, kept):
    record = begin(tmp_path)
    record.write("notebook-finished")
    seal_run(record.folder, ASKED, f"ssh:{keys / 'alice'}")
    verdict = verify(record.folder, trusted, [kept / "02_master.ipynb"])
    assert (verdict.code, verdict.findings[0].what) == (3, "notebook-unknown")


def test_a_whole_run_of_somebody_else_in_its_place_is_found(kept, keys, trusted, tmp_path):
    other = make_record(tmp_path, f"ssh:{keys / 'alice'}", OTHER)
    shutil.rmtree(tmp_path / RUN, ignore_errors=True)
    other.rename(tmp_path / RUN)
    assert [f.what for f in verify(tmp_path / RUN, trusted).findings] == ["renamed"]


def test_the_findings_of_a_wrecked_record_are_bounded(kept, trusted, tmp_path):
    folder = copy(kept, tmp_path)
    for number in range(600):
        (folder / f"logs/{number}.bad").write_text("x")
    verdict = verify(folder, trusted)
    assert verdict.code == 1
    assert len(verdict.findings) < 400


def test_what_is_no_run_is_no_verdict(tmp_path):
    with pytest.raises(ParamsError, match=r"no `events\.jsonl`"):
        verify(tmp_path, Trusted())


def test_lists_of_whom_to_trust_that_are_none_are_told(kept, keys, tmp_path):
    for trusted, text in (
        (Trusted(allowed_signers=tmp_path / "none"), "cannot be read"),
        (Trusted(ca=keys / "allowed"), "no certificate"),
        (Trusted(allowed_signers=keys / "alice"), "holds a private key"),
        (Trusted(identity="x"), "go together"),
    ):
        with pytest.raises(ParamsError, match=text):
            verify(kept, trusted)


def killed(runs, keys, *, saved=False):
    """Write a run whose command was killed in its last cell, which the kernel then ended and sealed, and its file."""
    sign = f"ssh:{keys / 'alice'}"
    record = begin(runs)
    program = Record(runs, RUN, "k8swin run")
    program.write("run-begun", notebooks=["02_master"], dry_run=False)
    cells(record)
    record.write("interrupted", phase="02_master")
    seal_run(record.folder, "02_master stopped", sign, by="02_master")
    if saved:
        seal_run(record.folder, "02_master saved", sign, by="k8swin run")
    return record.folder


def with_outputs(folder, change):
    made = notebook()
    change(made.cells)
    nbformat.write(made, folder / "02_master.ipynb")


def bare(cells):
    cells[-1].execution_count, cells[-1].outputs = None, []


def begun(cells):
    cells[-1].outputs[0].text = "1 cha"


def first(cells):
    cells[0].outputs[0].text = "the cluster is plant2\n"


@pytest.mark.parametrize("change", [bare, begun])
def test_a_notebook_that_a_killed_command_saved_for_the_last_time_before_its_cell_ended_is_no_forgery(
    tmp_path, keys, trusted, change
):
    folder = killed(tmp_path, keys)
    with_outputs(folder, change)
    verdict = verify(folder, trusted)
    assert verdict.code == 3, told(verdict)
    assert "notebook-not-saved" in [finding.what for finding in verdict.findings]
    assert "02_master.ipynb cell [3]" in str(verdict.findings)


def test_other_outputs_of_a_killed_run_are_a_forgery(tmp_path, keys, trusted):
    folder = killed(tmp_path / "earlier", keys)
    with_outputs(folder, first)
    assert verify(folder, trusted).code == 1
    folder = killed(tmp_path / "saved", keys, saved=True)
    with_outputs(folder, bare)
    verdict = verify(folder, trusted)
    assert verdict.code == 1, told(verdict)
    assert "notebook-not-saved" not in [finding.what for finding in verdict.findings]


def test_a_run_that_ended_has_saved_all_of_its_cells(tmp_path, keys, trusted):
    folder = killed(tmp_path, keys)
    Record(tmp_path, RUN, "k8swin run").write("run-finished", outcome="finished", notebooks=[])
    with_outputs(folder, bare)
    assert verify(folder, trusted).code == 1


def test_files_of_notebooks_that_never_began_are_no_forgery(tmp_path, keys, trusted):
    """As a run leaves them that was stopped when it had just begun with the next notebook."""
    folder = make_record(tmp_path / "stopped", f"ssh:{keys / 'alice'}")
    begun = notebook()
    for cell in begun.cells:
        cell.outputs, cell.execution_count = [], None
    nbformat.write(begun, folder / "03_flannel.ipynb")
    seal_run(folder, ASKED, f"ssh:{keys / 'alice'}")
    assert told(verify(folder, trusted)) == []
    folder = killed(tmp_path / "killed", keys)
    nbformat.write(begun, folder / "02_master.ipynb")
    verdict = verify(folder, trusted)
    assert verdict.code == 3, told(verdict)
    assert "notebook-not-saved" in [finding.what for finding in verdict.findings]


def broken_off(runs, keys, how):
    """Write a run whose notebook another program executed, which was killed in the middle of a cell."""
    record = begin(runs)
    cells(record)
    if how:
        record.write(how, phase="02_master")
    seal_run(record.folder, "02_master stopped", f"ssh:{keys / 'alice'}", by="02_master")
    return record.folder


@pytest.mark.parametrize(("how", "change", "code"), [
    ("interrupted", bare, 3), ("", bare, 3), ("interrupted", begun, 3), ("interrupted", first, 1),
    ("failed", begun, 1), ("notebook-finished", bare, 1),
])  # fmt: skip
def test_what_papermill_did_not_save_any_more_is_no_forgery(
    tmp_path, keys, trusted, how, change, code
):
    folder = broken_off(tmp_path, keys, how)
    out = tmp_path / "out.ipynb"
    made = notebook()
    change(made.cells)
    nbformat.write(made, out)
    verdict = verify(folder, trusted, [out])
    assert verdict.code == code, told(verdict)


@pytest.mark.parametrize(("change", "code"), [(bare, 3), (first, 1), (begun, 1)])
def test_a_cell_that_ended_after_its_notebook_was_saved_at_a_desk_is_no_forgery(
    tmp_path, keys, trusted, change, code
):
    folder = broken_off(tmp_path, keys, "notebook-finished")
    (folder / "desk.json").write_text('{"params": "params/lab.yaml"}')
    with_outputs(folder, change)
    verdict = verify(folder, trusted)
    assert verdict.code == code, told(verdict)


def test_a_record_is_the_same_for_whoever_has_it(kept, keys, tmp_path):
    """Packed and unpacked by others, without rights and times, elsewhere in the world, with nobody's key and home."""
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as zipped:
        for path in sorted(p for p in kept.rglob("*") if p.is_file()):
            info = zipfile.ZipInfo(f"{RUN}/{path.relative_to(kept)}", (1980, 1, 1, 0, 0, 0))
            zipped.writestr(info, path.read_bytes())
    (tmp_path / "unpacked").mkdir()
    with zipfile.ZipFile(tmp_path / "x.zip") as zipped:
        zipped.extractall(tmp_path / "unpacked")
    folder = tmp_path / "unpacked" / RUN
    for path in [*folder.rglob("*"), folder]:
        os.utime(path, (10**9, 10**9))
        path.chmod(0o555 if path.is_dir() else 0o444)
    shutil.copy(keys / "allowed", tmp_path / "allowed")
    (tmp_path / "home").mkdir()
    words = [sys.executable, "-m", "k8swin_nb", "audit", "verify", str(folder), str(tmp_path / "x.zip")]  # fmt: skip
    try:
        for zone in ("Pacific/Kiritimati", "America/Adak"):
            environment = {
                "PATH": os.environ["PATH"],
                "HOME": str(tmp_path / "home"),
                "TZ": zone,
                "LC_ALL": "C",
                "PYTHONPATH": os.pathsep.join(sys.path),
            }
            done = subprocess.run(
                [*words, "--allowed-signers", str(tmp_path / "allowed")],
                env=environment,
                cwd=tmp_path / "home",
                capture_output=True,
                text=True,
            )
            assert done.returncode == 0, done.stdout + done.stderr
            assert "2 runs: 2 intact and signed" in done.stdout
    finally:
        for path in [folder, *folder.rglob("*")]:
            path.chmod(0o755 if path.is_dir() else 0o644)


def test_whose_key_it_is_says_the_list_alone(kept, keys, tmp_path):
    """A list in which another's key stands under the operator's name trusts nobody who signed."""
    allow(tmp_path / "allowed", keys / "mallory")
    verdict = verify(kept, Trusted(allowed_signers=tmp_path / "allowed"))
    assert verdict.code == 3 and "signer-unknown" in [f.what for f in verdict.findings]
    forged = make_record(tmp_path, f"ssh:{keys / 'mallory'}")
    verdict = verify(forged, Trusted(allowed_signers=tmp_path / "allowed"))
    assert verdict.code == 0 and public(keys / "alice") not in str(verdict.who)
    assert "whether the key was somebody else's by then" in str(verdict.cannot_know)
