"""Whom a host showed, as the record has it: once, before a script is sent, and again when it changes."""

from pathlib import Path

import pytest

from k8swin_nb.errors import RecordError
from k8swin_nb.transports.base import End
from k8swin_nb.transports.frames import Frame, Word
from k8swin_nb.transports.identity import Identity
from k8swin_nb.workflow.unfinished import unfinished
from tests.runs import Hosts, at, make_run

LOOKS, CHANGES = "linux/swap.check.sh", "linux/swap.apply.sh"
KEY = "SHA256:/pU6S6dtK4pOVn/JBW4+9EvSKwsISez5g4p9fBx2u5A"
BOOT, LATER = "ce78e16f-b35a-4ac1-b92c-a6c143ef1fad", "0e78e16f-b35a-4ac1-b92c-a6c143ef1fae"


class Shown(Hosts):
    """Hosts that show an identity with each script, as a transport does when its shell has begun."""

    def __init__(self, *identities: Identity) -> None:
        super().__init__({"*": "x\n"})
        self.identities = list(identities)
        self.kept: dict[str, object] = {}

    def transport(self, host):
        if host.name not in self.kept:
            self.kept[host.name] = super().transport(host)
        return self.kept[host.name]

    def end(self, host, work, output) -> End:
        self.kept[host.name].identities.see(self.identities.pop(0))
        return super().end(host, work, output)


def seen(**changes: object) -> Identity:
    return Identity(**{"by": "ssh", "key": KEY, "pinned": "known_hosts", "boot": BOOT, **changes})


def told(run) -> list[tuple]:
    names = ("host_key", "pinned", "boot_id", "changed")
    return [
        tuple(event.get(name) for name in names)
        for event in run.record.events
        if event["event"] == "host-identified"
    ]


def test_a_host_is_told_once_and_again_when_it_has_booted_or_shows_another_key(tmp_path):
    hosts = Shown(
        seen(pinned="accept-new"),
        seen(),
        seen(boot=""),
        seen(boot=LATER),
        seen(boot=LATER),
        seen(boot=LATER, key="SHA256:x"),
    )
    run = make_run(tmp_path, hosts)
    for _ in range(6):
        at(run).script(LOOKS)
    assert told(run) == [
        (KEY, "accept-new", BOOT, None),
        (KEY, "accept-new", LATER, ["boot_id"]),
        ("SHA256:x", "known_hosts", LATER, ["host_key"]),
    ]


def test_it_stands_before_the_end_of_a_script_and_behind_its_begin(tmp_path):
    run = make_run(tmp_path, Shown(seen()))
    at(run, verb="apply").script(CHANGES)
    kinds = [event["event"] for event in run.record.events]
    assert kinds == ["script-started", "host-identified", "script"]


def test_another_record_over_the_same_connection_is_told_before_its_script_begins(tmp_path):
    hosts = Shown(seen(), seen())
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    at(make_run(tmp_path / "a", hosts), verb="apply").script(CHANGES)
    second = make_run(tmp_path / "b", hosts)
    at(second, verb="apply").script(CHANGES)
    kinds = [event["event"] for event in second.record.events]
    assert kinds == ["script-started", "host-identified", "script"] and len(told(second)) == 1


def test_a_script_that_cannot_be_told_of_is_not_sent(tmp_path):
    hosts = Shown(seen())
    run = make_run(tmp_path, hosts)
    write = run.record.write

    def full(kind, **fields):
        if kind == "host-identified":
            raise RecordError("there", "No space left on device")
        return write(kind, **fields)

    run.record.write = full
    with pytest.raises(RecordError):
        at(run, verb="apply").script(CHANGES)
    assert hosts.asked == []
    run.record.write = write
    # It began for the record, and its end says why nothing came of it.
    assert run.record.events[-1]["error_kind"] == "RecordError"


@pytest.mark.parametrize(("user", "root"), [("toor", True), ("kim", False)])
def test_a_login_with_roots_rights_is_known_as_one_whatever_its_name(tmp_path, user, root):
    hosts = Shown(seen(root=root))
    run = make_run(tmp_path, hosts)
    at(run, verb="apply").script(CHANGES, sudo=False)
    assert [event["as_root"] for event in run.record.events if event["event"] == "script"] == [root]


@pytest.mark.parametrize(
    ("one", "other", "told_twice"),
    [
        ("2026-12-01T00:58:31.392Z", "2026-12-01T00:58:34.100Z", False),
        ("2026-12-01T00:58:31.392Z", "2026-12-01T00:59:12.100Z", True),
        ("", "2026-12-01T00:59:12.100Z", True),
    ],
)
def test_a_clock_that_was_set_is_no_boot(tmp_path, one, other, told_twice):
    hosts = Shown(*(seen(by="winrm", boot=boot) for boot in (one, other)))
    run = make_run(tmp_path, hosts)
    for _ in range(2):
        at(run, "winworker01").script("windows/host_facts.check.ps1")
    assert len(told(run)) == 1 + told_twice
    assert not [event for event in run.record.events if event.get("changed")] or one


@pytest.mark.parametrize("said", ["begins 0 " + BOOT, "begins 1000 ", "begins"])
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_the_line_that_proves_our_shell_says_user_and_boot(said, size):
    word = Word()
    frame = Frame(word)
    stream = b"motd\n" + word.mark + said.encode() + b"\nout\n" + word.mark + b"ends 3\n"
    got = b"".join(frame.feed(stream[i : i + size]) for i in range(0, len(stream), size))
    assert (got, frame.noise, frame.returncode) == (b"out\n", b"motd\n", 3)
    _, _, rest = said.partition(" ")
    assert (frame.user, frame.boot) == {
        "": (None, ""),
        "1000 ": (1000, ""),
    }.get(rest, (0, BOOT))


def test_an_ended_script_is_not_unfinished(tmp_path: Path):
    at(make_run(tmp_path, Shown(seen())), verb="apply").script(CHANGES)
    assert unfinished(tmp_path) == []
