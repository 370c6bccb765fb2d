"""A run's folder that is an attack: it is judged in bounded time and memory, and nothing is followed out of it."""

import json
import os
import resource

import pytest

from k8swin_nb.audit.sealing import ASKED, seal_run
from k8swin_nb.audit.statement import Subject, written
from k8swin_nb.audit.verifying import verify
from k8swin_nb.errors import K8swinError, ParamsError
from tests.audit.records import RUN, begin, copy, lines


def what(verdict):
    return {finding.what for finding in verdict.findings}


def test_links_in_circles_are_named_and_not_followed(kept, trusted, tmp_path):
    folder = copy(kept, tmp_path)
    (folder / "loop").symlink_to(folder)
    (folder / "logs" / "up").symlink_to("..")
    (folder / "self").symlink_to("self")
    (folder / "passwd").symlink_to("/etc/passwd")
    verdict = verify(folder, trusted)
    assert [f.where for f in verdict.findings] == ["logs/up", "loop", "passwd", "self"]
    assert what(verdict) == {"not-a-file"}


def test_a_file_of_ten_gigabytes_is_not_read(kept, trusted, tmp_path):
    folder = copy(kept, tmp_path)
    with (folder / "huge.bin").open("wb") as file:
        file.truncate(10 * 1024**3)
    with next(folder.glob("logs/*")).open("r+b") as file:
        file.truncate(10 * 1024**3)
    before = os.times().user
    verdict = verify(folder, trusted)
    assert verdict.code == 1 and what(verdict) == {"not-a-file"}
    assert os.times().user - before < 60


@pytest.mark.parametrize(
    "place",
    ["events.jsonl", "seals/0001.json", "seals/0001.json.sig", "logs/x.log", "02_master.ipynb"],
)
def test_a_pipe_to_which_nobody_writes_holds_nobody_up(kept, trusted, tmp_path, place):
    folder = copy(kept, tmp_path)
    (folder / place).unlink(missing_ok=True)
    os.mkfifo(folder / place)
    assert verify(folder, trusted).code == 1


def test_names_that_act_on_a_terminal_are_text(kept, trusted, tmp_path, capsys):
    from k8swin_nb.__main__ import main

    folder = copy(kept, tmp_path)
    for name in (b"\x1b[2Jgone", b"two\nlines", "\u202egnp.exe".encode(), b"\xff\xfe"):
        (folder / os.fsdecode(name)).touch()
    for more in ((), ("--json",)):
        assert main(["audit", "verify", str(folder), *more]) == 1
        told = capsys.readouterr().out
        assert not [c for c in told if c in "\x1b\u202e\r" or (ord(c) < 32 and c != "\n")]
        assert "\ngone" not in told and "\nlines" not in told
    assert json.loads(told)["code"] == 1


def test_json_that_is_nested_or_long_without_end_is_no_event(kept, trusted, tmp_path):
    for number, line in enumerate(
        (b"[" * 200_000, b'{"event": "x", "a": ' + b"[" * 100_000, b"1" * 100_000)
    ):
        folder = copy(kept, tmp_path / str(number))
        with (folder / "events.jsonl").open("ab") as file:
            file.write(line + b"\n")
        assert verify(folder, trusted).code == 1
    folder = copy(kept, tmp_path / "seal")
    (folder / "seals/0002.json").write_bytes(b'{"a":' * 100_000)
    assert "seal-edited" in what(verify(folder, trusted))
    folder = copy(kept, tmp_path / "notebook")
    (folder / "02_master.ipynb").write_bytes(b"[" * 100_000)
    assert verify(folder, trusted).code == 1


def test_a_line_without_an_end_takes_no_memory(tmp_path, trusted):
    folder = tmp_path / RUN
    folder.mkdir()
    with (folder / "events.jsonl").open("wb") as file:
        file.truncate(900 * 1024**2)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ParamsError, match="than no record has"):
        verify(folder, trusted)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 * 1024


@pytest.mark.parametrize(
    "name", ["../outside.log", "/etc/passwd", "logs/../../outside.log", "logs\\x", "", "a" * 5000]
)
def test_an_event_or_a_seal_that_names_a_file_elsewhere_reads_nothing(
    kept, trusted, tmp_path, name
):
    folder = copy(kept, tmp_path)
    (tmp_path / "outside.log").write_text("secret\n")
    seal = written([Subject(name, "0" * 64, 7)], {"number": 3, "run": RUN})
    (folder / "seals/0003.json").write_bytes(seal)
    event = json.loads(lines(folder)[5]) | {
        "output": name,
        "output_sha256": "0" * 64,
        "script_file": name,
    }
    with (folder / "events.jsonl").open("a") as file:
        file.write(json.dumps(event) + "\n")
    verdict = verify(folder, trusted)
    assert verdict.code == 1
    assert not any("outside.log" in f.where and f.what == "file-changed" for f in verdict.findings)


@pytest.mark.parametrize("size", [-1, 2**70, 1.5, "7", None, True])
def test_a_seal_with_sizes_that_are_none_is_told(kept, trusted, tmp_path, size):
    folder = copy(kept, tmp_path)
    seal = json.loads((folder / "seals/0002.json").read_text())
    seal["subject"][0]["annotations"]["bytes"] = size
    (folder / "seals/0002.json").write_text(json.dumps(seal, indent=1) + "\n")
    assert "seal-edited" in what(verify(folder, trusted))


@pytest.mark.parametrize("predicate", [
    {"events": 7}, {"events": {"lines": "x"}}, {"previous": 3}, {"left_out": 9}, {"left_out": [3, {"name": []}]},
    {"time": [1]}, {"run": {}}, {"why": {"a": 1}}, {"final": "yes"},
])  # fmt: skip
def test_a_seal_of_other_kinds_of_values_is_judged_without_a_crash(
    kept, trusted, tmp_path, predicate
):
    folder = copy(kept, tmp_path)
    seal = json.loads((folder / "seals/0002.json").read_text())
    seal["predicate"] |= predicate
    (folder / "seals/0002.json").write_text(json.dumps(seal, indent=1) + "\n")
    assert verify(folder, trusted).code == 1


@pytest.mark.parametrize("event", [
    {"event": "sealed", "seal": [1], "signatures": 3}, {"event": "sealed", "seal": "x"}, {"event": "sealed", "seal": 10**30},
    {"event": "cell", "cell": 1, "source": 3, "outputs_sha256": []}, {"event": "notebook-opened", "hosts": 3, "toolkit": 3},
    {"event": "script", "output": 3, "output_sha256": {}}, {"event": "step", "time": 3, "run": []}, {"event": "x", "n": 1e400},
])  # fmt: skip
def test_events_of_other_kinds_of_values_are_judged_and_shown_without_a_crash(
    kept, trusted, tmp_path, event, capsys
):
    from k8swin_nb.__main__ import main

    folder = copy(kept, tmp_path)
    with (folder / "events.jsonl").open("a") as file:
        file.write(json.dumps(event) + "\n")
    assert verify(folder, trusted).code == 1
    for words in (
        ["show", str(folder)],
        ["show", str(folder), "--json"],
        ["diff", str(folder), str(kept)],
    ):
        assert main(["audit", *words]) == 0
        capsys.readouterr()


def test_more_files_than_a_run_has_are_refused(kept, trusted, tmp_path, monkeypatch):
    from k8swin_nb.audit import tree

    monkeypatch.setattr(tree, "FILES", 20)
    folder = copy(kept, tmp_path)
    for number in range(30):
        (folder / f"{number}").touch()
    with pytest.raises(ParamsError, match="more than 20 files"):
        verify(folder, trusted)


def test_folders_without_end_are_bounded(kept, trusted, tmp_path):
    folder = copy(kept, tmp_path)
    deep = folder
    for _ in range(40):
        deep = deep / "d"
        deep.mkdir()
    (deep / "x").touch()
    assert "not-a-file" in what(verify(folder, trusted))


def test_nothing_is_sealed_through_a_link(tmp_path, kept):
    record = begin(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    (record.folder / "seals").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(K8swinError, match="is a link"):
        seal_run(record.folder, ASKED)
    assert not list((tmp_path / "elsewhere").iterdir())


def test_links_and_pipes_that_are_there_when_it_is_sealed_are_left_out_and_told(
    tmp_path, keys, trusted
):
    record = begin(tmp_path)
    record.write("notebook-finished")
    (record.folder / "link").symlink_to("/etc/passwd")
    os.mkfifo(record.folder / "pipe")
    seal_run(record.folder, ASKED, f"ssh:{keys / 'alice'}")
    verdict = verify(record.folder, trusted)
    assert (verdict.code, what(verdict)) == (0, {"left-out"})
    assert "root:" not in (record.folder / "seals/0001.json").read_text()
