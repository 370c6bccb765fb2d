"""The chain of a record in the hands of several processes, of ones that die, and of full disks."""

import errno
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from k8swin_nb.errors import RecordError
from k8swin_nb.workflow import log_file
from k8swin_nb.workflow.record import Record, read_events
from tests.workflow.chains import broken

pytestmark = pytest.mark.usefixtures("forgotten_secrets")


def write(folder: Path, step: str = "one", **more: object) -> dict[str, object]:
    return Record(folder, "run", "02_master").write("step", step=step, **more)


def start(code: str, folder: Path, *more: str) -> subprocess.Popen[str]:
    head = "import os, signal, sys\nfrom pathlib import Path\nfrom k8swin_nb.workflow import log_file\n"
    head += "from k8swin_nb.workflow.record import Record\nrecord = Record(Path(sys.argv[1]), 'run', sys.argv[2])\n"
    return subprocess.Popen(
        [sys.executable, "-c", head + code, str(folder), *more],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


MANY = """
print("ready", flush=True)
sys.stdin.readline()
for number in range(60):
    record.write("step", step=str(number), detail="x" * (number * 97 % 7000))
"""

NO_LOCKS = """
def none(descriptor, how):
    raise OSError(37, "No locks available")
log_file.fcntl.flock = none
"""


@pytest.mark.parametrize("before", ["", NO_LOCKS, "log_file.fcntl = None\n"])
def test_processes_that_write_at_once_make_one_chain(tmp_path: Path, before: str) -> None:
    writers = [start(before + MANY, tmp_path, f"join-{number}") for number in range(5)]
    for one in writers:
        assert one.stdout is not None and one.stdout.readline() == "ready\n"
    for one in writers:
        one.communicate("go\n")
    assert [one.returncode for one in writers] == [0] * 5
    path = tmp_path / "run" / "events.jsonl"
    assert broken(path) == []
    events = read_events(path)
    assert [event["n"] for event in events] == list(range(1, 301))
    for number in range(5):
        steps = [event["step"] for event in events if event["notebook"] == f"join-{number}"]
        assert steps == [str(step) for step in range(60)]
    assert sorted(file.name for file in path.parent.iterdir()) == ["events.jsonl", "logs"]


ENDLESS = """
print("ready", flush=True)
while True:
    record.write("step", step="endless", detail="x" * 200_000)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs kill -9")
def test_processes_that_are_killed_while_they_write_leave_a_chain(tmp_path: Path) -> None:
    for turn in range(6):
        writers = [start(ENDLESS, tmp_path, f"killed-{number}") for number in range(2)]
        for one in writers:
            assert one.stdout is not None and one.stdout.readline() == "ready\n"
        write(tmp_path, step=f"beside-{turn}")
        for one in writers:
            one.kill()
            one.communicate()
            assert one.returncode == -signal.SIGKILL
        write(tmp_path, step=f"after-{turn}")
    path = tmp_path / "run" / "events.jsonl"
    assert broken(path) == []
    assert [e["step"] for e in read_events(path) if e.get("step", "").startswith("after")] == [
        f"after-{turn}" for turn in range(6)
    ]


HALF = """
def half(descriptor, data, write=os.write):
    write(descriptor, data[: int(sys.argv[3])])
    os.kill(os.getpid(), signal.SIGKILL)
record.write("step", step="whole")
log_file.os.write = half
record.write("step", step="half", detail="ä" * 50)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs kill -9")
@pytest.mark.parametrize("size", [0, 1, 40, 200, -30, -2, -1, 10_000])
def test_half_a_line_of_a_process_that_died_is_counted_and_vouched_for(
    tmp_path: Path, size: int
) -> None:
    died = start(HALF, tmp_path, "dies", str(size))
    died.communicate()
    assert died.returncode == -signal.SIGKILL
    written = write(tmp_path, step="after")
    path = tmp_path / "run" / "events.jsonl"
    assert broken(path) == []
    assert written["n"] == path.read_bytes().count(b"\n")
    kinds = [event["event"] for event in read_events(path)]
    # An event that lacks nothing but its end is one.
    whole = {0: ["step"] * 2, -1: ["step"] * 3, 10_000: ["step"] * 3}
    assert kinds == whole.get(size, ["step", "record-continued", "step"])


def test_a_record_of_a_version_without_a_chain_is_continued_in_a_way_that_can_be_told(
    tmp_path: Path,
) -> None:
    path = Record(tmp_path, "run", "02_master").path
    old = [{"time": "2026", "event": "step", "step": str(number)} for number in range(3)]
    path.write_text("".join(json.dumps(event) + "\n" for event in old))
    write(tmp_path, step="new")
    write(tmp_path, step="newer")
    events = read_events(path)
    assert [event.get("n") for event in events] == [None, None, None, 4, 5, 6]
    assert events[3]["event"] == "record-continued" and events[3]["lines"] == 3
    assert "another version" in events[3]["why"]
    assert broken(path) == []
    changed = path.read_bytes().replace(b'"step": "1"', b'"step": "7"')
    path.write_bytes(changed)
    assert broken(path) == ["what stands before line 4 is not what it was"]


@pytest.mark.parametrize("seed", range(60))
def test_whatever_damage_is_there_the_chain_goes_on_behind_it(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    path = Record(tmp_path, "run", "02_master").path
    for number in range(4):
        write(tmp_path, step=str(number))
    content = bytearray(path.read_bytes())
    at = chance.randrange(len(content) * 2 // 3, len(content))
    rubbish = bytes(chance.choice(b'\n\0{}"[]1\xff\xe9n:,') for _ in range(chance.randrange(60)))
    how = chance.randrange(4)
    content[at : at + (0, 1, len(content), 30)[how]] = rubbish
    path.write_bytes(content)
    first, second = write(tmp_path, step="a"), write(tmp_path, step="b")
    lines = path.read_bytes().split(b"\n")
    assert lines[-1] == b"" and json.loads(lines[-2]) == second
    assert second["n"] == first["n"] + 1  # type: ignore[operator]
    # Each names the line that stands before it, whatever that is; an edit further up stays told.
    links = [json.loads(line) for line in lines[-3:-1]]
    assert [link["step"] for link in links] == ["a", "b"]
    assert [link["previous"] for link in links] == [
        hashlib.sha256(line).hexdigest() for line in lines[-4:-2]
    ]
    if how == 2:  # nothing but the end was cut or replaced
        assert not [one for one in broken(path) if "vouches" in one or "follow" in one]


@pytest.mark.parametrize("number", ["-1", "0", "true", '"3"', "1.0", "1e400", "9" * 400, "null"])
def test_a_number_that_is_none_is_not_counted_from(tmp_path: Path, number: str) -> None:
    path = Record(tmp_path, "run", "02_master").path
    path.write_text(f'{{"n": {number}, "previous": "", "event": "step"}}\n')
    assert write(tmp_path)["n"] == 3
    assert [event["event"] for event in read_events(path)][1:] == ["record-continued", "step"]


def test_an_endless_line_is_neither_kept_in_memory_nor_taken_for_an_event(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_file, "LONGEST_LINE", 10_000)
    path = Record(tmp_path, "run", "02_master").path
    event = json.dumps({"n": 1, "event": "step", "detail": "x" * 100_000})
    path.write_text(event)
    assert write(tmp_path)["n"] == 3
    assert read_events(path)[1]["lines"] == 1


def test_a_long_record_costs_no_more_for_each_event(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = Record(tmp_path, "run", "02_master")
    record.write("step", step="first")
    line = json.loads(record.path.read_text())
    with record.path.open("a") as log:
        log.writelines(json.dumps({**line, "n": number}) + "\n" for number in range(2, 100_001))
    read: list[int] = []
    pread = os.pread

    def counted(descriptor: int, size: int, at: int) -> bytes:
        read.append(size)
        return pread(descriptor, size, at)

    monkeypatch.setattr(log_file.os, "pread", counted)
    assert [record.write("step", step="more")["n"] for _ in range(20)] == list(
        range(100_001, 100_021)
    )
    assert sum(read) <= 20 * 4096
    listed: list[Path] = []
    iterdir = Path.iterdir
    monkeypatch.setattr(Path, "iterdir", lambda self: [listed.append(self), *iterdir(self)][1:])
    for _ in range(20):
        record.keep_output("a", "text")
    assert listed == [record.logs]


FULL = """
import json, errno
from k8swin_nb.errors import RecordError
record.write("step", step="first")
refused = 0
number = 0
while refused < 5:
    number += 1
    try:
        record.write("step", step=str(number), detail="x" * (200 * number % 3001))
    except RecordError as error:
        refused += 1
        print(error)
        if refused == 3:
            (record.folder / "ballast").unlink()
"""


@pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() != 0, reason="a file system of its own takes root"
)
def test_a_full_file_system_leaves_whole_lines_and_is_gone_on_with_when_there_is_room(
    tmp_path: Path,
) -> None:
    place = Path(tempfile.mkdtemp(dir=tmp_path))
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", place], capture_output=True, text=True
    )
    if made.returncode:
        pytest.skip(f"no file system can be mounted here: {made.stderr.strip()}")
    try:
        (place / "run").mkdir()
        (place / "run" / "ballast").write_bytes(b"x" * 16_384)
        writer = start(FULL, place, "02_master")
        said, _ = writer.communicate()
        assert writer.returncode == 0
        assert said.count("No space left on device") == 5
        path = place / "run" / "events.jsonl"
        assert broken(path) == [] and path.read_bytes().endswith(b"\n")
        assert "record-continued" not in path.read_text()
        assert len(read_events(path)) > 3
    finally:
        subprocess.run(["umount", place], check=True)


def test_what_a_sync_refuses_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, step="one")

    def refused(descriptor: int) -> None:
        raise OSError(errno.EDQUOT, "Disk quota exceeded")

    with monkeypatch.context() as broken_disk:
        broken_disk.setattr(log_file.os, "fsync", refused)
        with pytest.raises(RecordError, match="Disk quota exceeded"):
            write(tmp_path, step="two")
    write(tmp_path, step="three")
    path = tmp_path / "run" / "events.jsonl"
    assert [event["step"] for event in read_events(path)] == ["one", "three"]
    assert broken(path) == []


@pytest.mark.parametrize("holder", ["dead", "elsewhere", ""])
def test_a_lock_that_a_process_has_left_is_taken_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, holder: str
) -> None:
    monkeypatch.setattr(log_file, "fcntl", None)
    record = Record(tmp_path, "run", "02_master")
    lock = record.folder / log_file.LOCK_NAME
    if holder == "dead":
        ended = subprocess.run(
            [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True
        )
        lock.write_text(f"{log_file.platform.node()} {ended.stdout}")
        # Nobody would wait for it, however long.
        monkeypatch.setattr(log_file, "ABANDONED_SECONDS", float("inf"))
    else:
        lock.write_text("another-computer 17\n" if holder else "")
        monkeypatch.setattr(log_file, "ABANDONED_SECONDS", 0.2)
    record.write("step", step="one")
    assert not lock.exists() and broken(record.path) == []
