"""Files to and from OpenSSH's own server: names, rights, links, what grows, and what a host says when it cannot."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from k8swin_nb.errors import ParamsError, TransferFailed
from k8swin_nb.host_tools import pulling, pushing, putting
from k8swin_nb.host_tools.host_files import PER_FILE, SMALL_BYTES
from k8swin_nb.host_tools.places import advice, refused
from k8swin_nb.inventory import Host, Inventory
from k8swin_nb.machines import Machines
from tests.transports.openssh import OpenSsh, needs_sshd, openssh

__all__ = ["openssh"]

pytestmark = [pytest.mark.wire, needs_sshd, pytest.mark.timeout(120)]

NAMES = ("-dash", "a b'\"$x `d`\\e", "co:lon?*<|>", "ümlaut ☃", "lat\udce91", "empty")


@pytest.fixture
def box(openssh: OpenSsh, tmp_path: Path) -> Iterator[Machines]:
    """A host whose logins have a home of their own."""
    (tmp_path / "home").mkdir()
    port = openssh.start(f"SetEnv HOME={tmp_path}/home XDG_STATE_HOME={tmp_path}/state")
    with Machines(Inventory((openssh.host(port),)), runs=tmp_path / "runs") as machines:
        yield machines


def ends(report: Any) -> list[tuple[str, str]]:
    return [(Path(row.file).name, row.outcome) for row in report]


def test_a_folder_of_odd_names_goes_there_and_back_and_what_is_left_out_is_told(
    box: Machines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    for name in NAMES:
        (here / name).write_bytes(b"" if name == "empty" else os.fsencode(name) + b"\0\r\n")
    (here / "nowhere").symlink_to("gone")
    (here / "to-a-folder").symlink_to("/etc")
    (here / "nothing").mkdir()
    os.mkfifo(here / "pipe")
    (here / "line\nend").write_bytes(b"x")
    left = [
        (name, "skipped") for name in ("line\nend", "nothing", "nowhere", "pipe", "to-a-folder")
    ]
    files = sorted(NAMES, key=lambda name: Path(name))
    there = tmp_path / "there"
    report = box.push(here, str(there), "box")
    assert ends(report) == [*((name, "changed") for name in files), *left]
    assert ends(box.push(here, str(there), "box"))[: len(files)] == [(n, "ok") for n in files]
    (there / "link").symlink_to("empty")
    (there / "line\nend").write_bytes(b"x")
    (there / "a" / "nothing").mkdir(parents=True)
    back = tmp_path / "back"
    # Small files are read at once, and not by a script each.
    with monkeypatch.context() as all_at_once:
        all_at_once.setattr(pulling, "parts", None)
        report = box.pull(str(there), back, "box")
    left = [(name, "skipped") for name in ("nothing", "line\nend", "link")]
    assert ends(report) == [*((name, "changed") for name in files), *left]
    for name in NAMES:
        assert (back / name).read_bytes() == (here / name).read_bytes()


def test_of_each_file_that_is_changed_it_is_recorded_what_it_was_and_what_it_is(
    box: Machines, tmp_path: Path
) -> None:
    here, there, back = tmp_path / "here", tmp_path / "there", tmp_path / "back"
    here.write_bytes(b"new\n")
    there.write_bytes(b"old one\n")
    there.chmod(0o640)

    def of(content: bytes) -> dict[str, Any]:
        return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}

    def told(kind: str) -> list[dict[str, Any]]:
        return [event for event in box.record.events if event["event"] == kind]

    box.push(here, str(there), "box")
    (pushed,) = told("pushed")
    assert pushed.items() >= {"file": str(there), **of(b"new\n"), "mode": "640"}.items()
    assert pushed["before"].items() >= of(b"old one\n").items()
    box.push(here, str(there), "box", dry_run=True)
    box.push(here, str(there), "box")
    assert [event["outcomes"] for event in told("push")] == [{"changed": 1}, {"ok": 1}]
    assert len(told("push-started")) == 2 and len(told("pushed")) == 1
    box.pull(str(there), back, "box")
    (pulled,) = told("pulled")
    assert pulled.items() >= {"file": str(back), "remote": str(there), **of(b"new\n")}.items()
    assert pulled["before"] == {}
    back.write_bytes(b"mine")
    with pytest.raises(TransferFailed):
        box.pull(str(there), back, "box")
    assert told("pull")[-1]["error_kind"] == "TransferFailed"
    assert len(told("pull")) == len(told("pull-started")) == 2


def wait_for(done: Callable[[], bool]) -> None:
    until = time.monotonic() + 100
    while not done():
        assert time.monotonic() < until
        time.sleep(0.02)


def scripts(box: Machines) -> list[str]:
    """Return the scripts that may have changed something, and forget them."""
    events = [e for e in box.record.events if e["event"] == "script-started"]
    names = [Path(event["script"]).name for event in events[seen(box) :]]
    box.__dict__["seen"] = len(events)
    return names


def seen(box: Machines) -> int:
    return int(box.__dict__.get("seen", 0))


def many(folder: Path, count: int, text: str = "x") -> Path:
    folder.mkdir(exist_ok=True)
    for number in range(count):
        (folder / f"f{number:03}").write_text(f"{text} {number}\n" * number)
    return folder


def test_many_short_files_go_by_few_scripts_and_each_has_its_own_outcome(
    box: Machines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = many(tmp_path / "here", 40), tmp_path / "there"
    (here / "f005").write_bytes(b"\0\xff\r\n" * 5)
    (here / "f006").write_bytes(b"")
    (here / "f020").write_bytes(b"y" * (SMALL_BYTES + 1))
    there.mkdir()
    (there / "f003").write_text("his\n")
    (there / "f004").write_bytes((here / "f004").read_bytes())
    (there / "f006").write_text("his\n")
    (there / "f006").chmod(0o600)
    (there / "f007").write_text("old\n")
    (there / "g007").hardlink_to(there / "f007")
    carried: list[tuple[str, int]] = []
    report = box.push(
        here, str(there), "box", progress=lambda _, path, size: carried.append((path, size))
    )
    names = sorted(path.name for path in here.iterdir())
    ended = [(name, "ok" if name == "f004" else "changed") for name in names]
    assert ends(report) == ended
    assert [Path(path).name for path, _ in carried if path.endswith(("3", "4"))] == [
        name for name in names if name.endswith(("3", "4")) and name != "f004"
    ]
    # The long one goes by itself, between those before it and those behind it.
    short = "small_files_put.apply.sh"
    assert scripts(box) == [short, "file_put.apply.sh", short]
    for name in names:
        assert (there / name).read_bytes() == (here / name).read_bytes()
    details = {Path(row.file).name: row.detail for row in report}
    assert details["f002"] == "new"
    assert details["f003"].startswith("other content, kept: ")
    kept = Path(details["f003"].rpartition(" is in ")[2])
    assert kept.read_text() == "his\n"
    assert "left: another name of it" in details["f007"]
    assert (there / "f006").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in there.glob(".k8swin*")] == []
    # Rights alone are set in the same way, and what fits into no one script goes by several.
    report = box.push(here, str(there), "box", mode="640")
    assert {row.outcome for row in report} == {"changed"} and scripts(box) == [short]
    assert {path.stat().st_mode & 0o777 for path in there.iterdir()} == {0o640, 0o644}
    assert {row.outcome for row in box.push(here, str(there), "box", mode="640")} == {"ok"}
    assert scripts(box) == []
    monkeypatch.setattr(pushing, "SHORT_BYTES", 10 * PER_FILE)
    many(here, 20, "other")
    report = box.push(here, str(there), "box")
    # The first is as empty as it was.
    assert sum(row.outcome == "changed" for row in report) == 19
    assert 1 < len(scripts(box)) < 10


def test_the_first_of_many_short_files_that_fails_ends_it_and_those_before_it_are_told(
    box: Machines, tmp_path: Path
) -> None:
    here, there = many(tmp_path / "here", 9), tmp_path / "there"
    with pytest.raises(TransferFailed, match=r"f004.* did not pass `! grep -q .x 4. %s`") as caught:
        pushing.push(box, here, str(there), "box", pushing.How(validate="! grep -q 'x 4' %s"))
    assert ends(caught.value.report)[:4] == [(f"f00{n}", "changed") for n in range(4)]
    assert [row.outcome for row in caught.value.report][4:] == ["failed"]
    assert sorted(path.name for path in there.iterdir()) == [f"f00{n}" for n in range(4)]


def test_a_short_file_that_changes_while_it_is_sent_arrives_in_no_part(
    box: Machines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = many(tmp_path / "here", 4), tmp_path / "there"
    real: Callable[..., Any] = pushing.put_short

    def overtaken(cluster: Any, host: Any, files: Any, **how: Any) -> Any:
        files[2] = dataclasses.replace(files[2], content=b"longer than it was\n")
        return real(cluster, host, files, **how)

    monkeypatch.setattr(pushing, "put_short", overtaken)
    with pytest.raises(TransferFailed, match=r"f002.* was not written: SHA-256 is"):
        box.push(here, str(there), "box")
    assert sorted(path.name for path in there.iterdir()) == ["f000", "f001"]


def test_where_short_files_fit_nowhere_together_each_goes_by_itself(
    box: Machines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = many(tmp_path / "here", 3), tmp_path / "there"
    real: Callable[..., Any] = putting.ask

    def cut_short(cluster: Any, host: Any, name: str, values: Any, **how: Any) -> Any:
        # As on a full disk: not all of it is there.
        told = {**values, "total": "1000000"} if name == "small_files_put.apply" else values
        return real(cluster, host, name, told, **how)

    monkeypatch.setattr(putting, "ask", cut_short)
    assert {row.outcome for row in box.push(here, str(there), "box")} == {"changed"}
    assert scripts(box) == ["small_files_put.apply.sh", *["file_put.apply.sh"] * 3]
    assert (there / "f002").read_bytes() == (here / "f002").read_bytes()


def test_what_was_put_before_a_stop_is_told_and_nothing_is_left_of_the_others(
    box: Machines, tmp_path: Path
) -> None:
    here, there = many(tmp_path / "here", 4), tmp_path / "there"
    cancel, begun = threading.Event(), tmp_path / "begun"
    # The third one does not come to its end before somebody stops it.
    hangs = f"if grep -q 'x 2' %s; then touch {begun}; sleep 600; fi"
    stop = threading.Thread(target=lambda: (wait_for(begun.exists), cancel.set()))
    stop.start()
    with pytest.raises(BaseException) as caught:
        pushing.push(box, here, str(there), "box", pushing.How(validate=hangs), cancel=cancel)
    stop.join()
    report: Any = caught.value
    assert ends(report.report)[:2] == [("f000", "changed"), ("f001", "changed")]
    assert sorted(path.name for path in there.iterdir()) == ["f000", "f001"]


def test_a_file_that_grows_or_has_another_size_than_it_says_is_read(
    box: Machines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "log"
    log.write_text("one\n")
    real: Callable[..., Any] = pulling.parts

    def growing(*args: Any, **how: Any) -> Any:
        with log.open("a") as file:
            file.write("more\n")
        return real(*args, **how)

    monkeypatch.setattr(pulling, "parts", growing)
    box.pull(str(log), tmp_path / "got", "box")
    assert (tmp_path / "got").read_text() == "one\n"

    def rewritten(*args: Any, **how: Any) -> Any:
        log.write_text("two, and longer\n")
        return real(*args, **how)

    monkeypatch.setattr(pulling, "parts", rewritten)
    box.pull(str(log), tmp_path / "anew", "box")
    assert (tmp_path / "anew").read_text() == "two, and longer\n"
    # What is written while a folder of small files is read is had as it is then.
    (tmp_path / "logs").mkdir()
    for name in ("a", "b"):
        (tmp_path / "logs" / name).write_text("one\n")
    read_at_once = pulling.small

    def overtaken(*args: Any, **how: Any) -> Any:
        (tmp_path / "logs" / "b").write_text("two, and longer\n")
        return read_at_once(*args, **how)

    monkeypatch.setattr(pulling, "parts", real)
    monkeypatch.setattr(pulling, "small", overtaken)
    box.pull(f"{tmp_path}/logs", tmp_path / "logs here", "box")
    assert (tmp_path / "logs here" / "b").read_text() == "two, and longer\n"
    box.pull("/proc/version", tmp_path / "version", "box")
    assert (tmp_path / "version").read_bytes() == Path("/proc/version").read_bytes()


def test_an_access_list_stays_with_a_file_and_gives_its_group_no_more_than_before(
    box: Machines, tmp_path: Path
) -> None:
    path = tmp_path / "listed"
    path.write_text("secret\n")
    path.chmod(0o600)
    # Owner, user 1, group, mask and others of acl(5), as Linux keeps them: the mode reads 660, and the group has nothing.
    entries = ((1, 6, -1), (2, 6, 1), (4, 0, -1), (16, 6, -1), (32, 0, -1))
    acl = struct.pack("<I", 2) + b"".join(struct.pack("<HHi", *entry) for entry in entries)
    try:
        os.setxattr(path, "system.posix_acl_access", acl)
    except OSError:
        pytest.skip("there are no access lists on this disk")
    box.write_file(str(path), "another\n", "box")
    assert path.read_text() == "another\n"
    assert os.getxattr(path, "system.posix_acl_access") == acl


def test_another_name_of_a_file_is_said_to_have_what_was_there(
    box: Machines, tmp_path: Path
) -> None:
    (tmp_path / "one").write_text("old\n")
    (tmp_path / "two").hardlink_to(tmp_path / "one")
    report = box.write_file(f"{tmp_path}/one", "new\n", "box")
    assert "left: another name of it (a hard link)" in report.rows[0].detail
    assert (tmp_path / "two").read_text() == "old\n"


def test_the_folder_of_the_login_has_its_short_name_and_rights_are_told_one_by_one(
    box: Machines, tmp_path: Path
) -> None:
    box.write_file("~/a/b", "x\n", "box", mode="640")
    assert (tmp_path / "home" / "a" / "b").read_text() == "x\n"
    assert [row.outcome for row in box.write_file("~/a/b", "x\n", "box")] == ["ok"]
    box.pull("~/a", tmp_path / "a", "box")
    assert (tmp_path / "a" / "b").read_text() == "x\n"
    report = box.write_file("~/a/b", "x\n", "box", mode="600", owner=":0", dry_run=True)
    group = [] if os.getgid() == 0 else ["group"]
    told = [part.split()[0] for part in report.rows[0].detail.split(", ")]
    assert told == ["mode", *group]
    # The place of the file may stand in quotes; what it names is another file until then.
    for place in ("%s", "'%s'", '"%s"'):
        box.write_file("~/a/c d", f"{place}\n", "box", validate=f"grep -q s {place}")
    for mode in (0o644, "u+x", "0o644", "00644", "٦٤٤"):
        wrong: Any = mode
        with pytest.raises(ParamsError, match="no mode"):
            box.write_file("~/a/b", "x\n", "box", mode=wrong)


def test_a_file_that_cannot_be_written_is_as_it_was_and_the_error_ends_with_what_to_do(
    box: Machines, tmp_path: Path
) -> None:
    (tmp_path / "nowhere").symlink_to("gone")
    (tmp_path / "file").write_text("x")
    for path, told in (
        ("/proc/new", "not written"),
        (f"{tmp_path}/nowhere", "leads nowhere"),
        (f"{tmp_path}/home", "a folder is there"),
        (f"{tmp_path}/file/below", "not written"),
    ):
        with pytest.raises(TransferFailed, match=told) as caught:
            box.write_file(path, "x", "box")
        assert caught.value.hint
    with pytest.raises(ParamsError, match="own folder alone"):
        box.write_file("~else/x", "x", "box")


@pytest.mark.parametrize(
    ("reason", "sudo", "what"),
    [
        ("mktemp: failed: Permission denied", False, "--sudo"),
        ("mktemp: failed: Permission denied", True, "let this login"),
        ("cat: write error: No space left on device", False, "make room"),
        ("There is not enough space on the disk.", False, "make room"),
        ("mv: cannot move: Operation not permitted", True, "lsattr"),
        ("chown: changing ownership of 'x': Operation not permitted", False, "--sudo"),
        ("mv: cannot move 'a' to 'b': Device or resource busy", True, "mounted"),
        ("mkdir: cannot create directory 'a': File exists", True, "in the way"),
        ("something else", False, "look at the place"),
    ],
)
def test_what_a_host_says_leads_to_what_to_do(reason: str, sudo: bool, what: str) -> None:
    assert what in advice(Host("box", "127.0.0.1", "linux", (), "me"), reason, sudo=sudo)


def test_a_place_on_windows_is_written_in_full_and_its_names_hold_nothing_reserved() -> None:
    server = Host("server", "127.0.0.1", "windows", (), "me")
    for path in (r"C:\a b\ü.txt", "c:/x", r"\\server\share\x"):
        assert refused(server, path) == ("", "")
    for path in (
        "x.txt",
        r"\x",
        "C:x",
        r"~\x",
        r"$env:TEMP\x",
        r"C:\a?b",
        r"C:\a.txt:b",
        "C:\\a\nb",
    ):
        assert all(refused(server, path)), path
