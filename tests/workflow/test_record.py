"""The record of a run, which several kernels write at the same time."""

import hashlib
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from k8swin_nb.errors import K8swinError, RecordError
from k8swin_nb.headless.page import write_page
from k8swin_nb.reading import Unreadable
from k8swin_nb.secret import Secret
from k8swin_nb.workflow.record import Record, read_events
from k8swin_nb.workflow.unfinished import unfinished

pytestmark = pytest.mark.usefixtures("forgotten_secrets")


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
    (record.logs / "0002-c.log").write_text("of a kernel that is a step ahead")
    second, _ = record.keep_output("c", "two")
    assert (first, second) == ("logs/0001-a.log", "logs/0003-c.log")
    assert (record.logs / "0002-c.log").read_text() == "of a kernel that is a step ahead"


WORDS = [
    *("true", "null", "false", "time", "event", "step", "host", "operator", "check", "windows"),
    *("0.00", "2026", "script", "10.244", "kubeadm", "sha256", '": "', '", "', "logs"),
    *("exit_code", "seconds", "changed", "outcome", "notebook-opened", "01_network"),
]


@pytest.mark.parametrize("word", WORDS)
def test_a_secret_that_is_a_word_of_the_record_does_not_break_it(word: str, tmp_path: Path) -> None:
    Secret(word)
    record = Record(tmp_path, "run", "01_network")
    opened = record.opened(hosts=[{"name": "h", "address": "10.244.0.1"}], dry_run=True)
    assert {"time", "operator", "controller", "hosts"} <= set(opened)
    step = {"step": "s", "host": "h", "outcome": "changed", "seconds": 0.001, "exit_code": 0}
    record.write("step", **step, detail=f"it said {word} twice", none=None)
    (first, second) = read_events(record.path)
    assert first["event"] == "notebook-opened" and second["outcome"] == "changed"
    assert (second["seconds"], second["exit_code"], second["none"]) == (0.001, 0, None)
    assert second["detail"] == "it said ***** twice"
    assert "<main" in write_page(record.folder, []).read_text(encoding="utf-8")


def test_the_record_holds_no_secret_and_nothing_that_a_terminal_acts_on(tmp_path: Path) -> None:
    Secret("Nicht-in-die-Akte-7")
    record = Record(tmp_path, "run", "notebook")
    evil = "\x1b]0;t\x07\x9b2J\u202e Nicht-in-die-Akte-7 \ud800"
    record.write("step", detail=evil, deep=[{"a": evil}], named={evil: 1})
    path, digest = record.keep_output("a", evil)
    log = record.open_log("b")
    log.write("\x1b]0;t\x07")
    log.close()
    assert hashlib.sha256((record.folder / path).read_bytes()).hexdigest() == digest
    for file in (record.path, record.folder / path, *record.logs.iterdir()):
        text = file.read_text(encoding="utf-8")
        assert not [raw for raw in ("\x1b", "\x9b", "\u202e", "Nicht-in-die") if raw in text]


def test_an_event_begins_a_line_of_its_own_after_half_a_line(tmp_path: Path) -> None:
    record = Record(tmp_path, "run", "notebook")
    record.write("step", step="one")
    with record.path.open("a") as log:
        log.write('{"time": "2026", "event": "st')
    record.write("step", step="two")
    with record.path.open("a") as log:
        log.write('"text"\n[1]\n{"no": "event"}\n\n{"event": "step", "step": "thr')
    assert [event.get("step") for event in read_events(record.path)] == ["one", None, "two"]
    assert read_events(tmp_path / "not there") == []


FULL = """
import resource, signal, sys
from pathlib import Path
from k8swin_nb.errors import RecordError
from k8swin_nb.workflow.record import Record, read_events
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
record = Record(Path(sys.argv[1]), "run", "notebook")
record.write("step", step="one")
room = record.path.stat().st_size + 50
resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
for work in (
    lambda: record.write("step", step="two", detail="x" * 500),
    lambda: record.keep_output("out", "y" * 5000),
    lambda: record.keep_script("y" * 5000, "bash"),
):
    try:
        work()
    except RecordError as error:
        print("\\n".join(error.lines()))
log = record.open_log("long")
log.write("z" * 50_000)
print(log.close())
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
record.write("step", step="three")
print([event["step"] for event in read_events(record.path)], record.path.read_bytes().count(b"\\n"))
print(*(sorted(path.name for path in folder.iterdir()) for folder in (record.logs, record.scripts)))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on the size of files")
def test_a_full_disk_is_a_clear_error_and_leaves_no_half_line(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path)], capture_output=True, text=True, check=True
    )
    lines = done.stdout.splitlines()
    assert lines[0].startswith("RecordError: the run's record cannot be written to ")
    assert lines[1].startswith("hint: make room") and lines[2].startswith("RecordError: ")
    assert "/run/scripts: " in lines[4] and "(not whole: " in lines[6]
    assert lines[7] == "['one', 'three'] 2"
    assert lines[8] == "['0001-long.log'] []"


def test_a_folder_that_is_gone_or_read_only_is_a_clear_error(tmp_path: Path) -> None:
    record = Record(tmp_path, "run", "notebook")
    shutil.rmtree(record.folder)
    for work in (
        lambda: record.write("step", step="one"),
        lambda: record.keep_output("a", "text"),
        lambda: record.open_log("a"),
        lambda: record.keep_script("text", "bash"),
    ):
        with pytest.raises(RecordError, match="No such file"):
            work()
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RecordError, match=r"File exists|Not a directory"):
        Record(tmp_path, "file", "notebook")


@pytest.mark.skipif(sys.platform == "win32", reason="needs pipes with names")
@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_a_record_that_is_no_file_is_neither_waited_for_nor_read_without_end(
    tmp_path: Path, kind: str
) -> None:
    record = Record(tmp_path, "run", "notebook")
    if kind == "pipe":
        os.mkfifo(record.path)
    else:
        record.path.symlink_to("/dev/full")
    with pytest.raises(RecordError, match="it is no file"):
        record.write("step", step="one")
    with pytest.raises(Unreadable, match=kind):
        read_events(record.path)
    assert unfinished(tmp_path) == []


def test_an_error_that_is_being_raised_stays_what_it_is_when_the_disk_is_full(
    tmp_path: Path,
) -> None:
    record = Record(tmp_path, "run", "notebook")
    shutil.rmtree(record.folder)
    error = K8swinError("it broke", hint="mend it")
    record.write_beside(error, "failed", error=str(error))
    assert str(error) == "it broke"
    assert (error.hint or "").startswith("mend it; not in the record: ")


def test_several_kernels_write_whole_lines(tmp_path: Path) -> None:
    records = [Record(tmp_path, "run", f"join-{number}") for number in range(4)]
    with ThreadPoolExecutor(len(records)) as pool:
        list(pool.map(lambda r: [r.write("step", detail="x" * 5000) for _ in range(10)], records))
    assert len(read_events(records[0].path)) == 40


def test_a_script_is_kept_once_masked_and_named_by_what_is_kept(tmp_path: Path) -> None:
    Secret("Nicht-in-die-Akte-8")
    text = "echo 'Nicht-in-die-Akte-8'\n"
    names = {
        Record(tmp_path, "run", f"join-{number}").keep_script(text, "bash") for number in range(3)
    }
    (name,) = names
    content = (tmp_path / "run" / name).read_bytes()
    assert b"Nicht-in-die" not in content and b"echo" in content
    assert name == f"scripts/{hashlib.sha256(content).hexdigest()}.sh"
    assert [file.name for file in (tmp_path / "run" / "scripts").iterdir()] == [Path(name).name]
    assert Record(tmp_path, "run", "a").keep_script("'x'", "powershell").endswith(".ps1")


@pytest.mark.parametrize("left", [b"", b"echo", b"something else", b"echo hello\nand more"])
def test_a_kept_script_that_is_damaged_is_written_again(tmp_path: Path, left: bytes) -> None:
    file = tmp_path / "run" / Record(tmp_path, "run", "a").keep_script("echo hello\n", "bash")
    file.write_bytes(left)
    again = Record(tmp_path, "run", "b").keep_script("echo hello\n", "bash")
    assert (tmp_path / "run" / again) == file and file.read_bytes() == b"echo hello\n"


def test_kernels_that_keep_the_same_script_at_once_never_show_half_of_it(tmp_path: Path) -> None:
    records = [Record(tmp_path, "run", f"join-{number}") for number in range(8)]
    text = "echo hello\n" * 20_000
    with ThreadPoolExecutor(len(records)) as pool:
        (name,) = set(pool.map(lambda record: record.keep_script(text, "bash"), records))
    assert [file.name for file in records[0].scripts.iterdir()] == [Path(name).name]
    assert (tmp_path / "run" / name).read_text() == text
