"""Three seats with real JupyterLabs, driven as a trainer and as trainees do."""

from __future__ import annotations

import os
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import Kernel, Running

pytestmark = [pytest.mark.wire, pytest.mark.timeout(600)]

WORKER = ("127.160.0.151", 55985)
CONNECTS = f"""
import socket
with socket.create_connection({WORKER!r}, timeout=20) as c:
    c.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
    print("answers" if c.recv(10) else "silent")
"""


@pytest.fixture(scope="module")
def workshop(place: Running) -> Running:
    said = place.up("--seats", "3", "--seat-disk", "300M")
    assert "3 seats" in said
    return place


@pytest.fixture
def kernels(workshop: Running) -> Iterator[dict[str, Kernel]]:
    found = {}
    for name in ("seat-01", "seat-02"):
        if workshop.seats()[name]["state"] != "ready":
            workshop.command("reset", name)
        found[name] = workshop.kernel(name)
    yield found
    for kernel in found.values():
        kernel.close()


def test_every_seat_is_ready_with_the_course_and_without_its_solutions(workshop: Running) -> None:
    seats = workshop.seats()
    assert {name: seat["state"] for name, seat in seats.items()} == dict.fromkeys(
        ["seat-01", "seat-02", "seat-03"], "ready"
    )
    names = {p.name for p in workshop.work("seat-01").rglob("*")}
    assert {"01_one.ipynb", "02_two.ipynb", "01_network.ipynb", "lab.yaml"} <= names
    assert "secret.ipynb" not in names
    assert (workshop.work("seat-01") / "workshop/material/record/events.jsonl").is_file()


def test_tokens_are_in_files_of_the_owner_and_nowhere_else(workshop: Running) -> None:
    tokens = [seat["url"].partition("token=")[2] for seat in workshop.seats().values()]
    assert len(set(tokens)) == 3 and all(len(token) > 20 for token in tokens)
    handout = workshop.home / "seats.csv"
    assert stat.S_IMODE(handout.stat().st_mode) == 0o600
    assert all(token in handout.read_text() for token in tokens)
    for path in workshop.home.rglob("*.log"):
        assert not any(token in path.read_text(errors="replace") for token in tokens), path
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes().decode(errors="replace")
            except OSError:
                continue
            assert not any(token in line for token in tokens)


def test_the_lab_answers_at_the_addresses_of_the_description(kernels: dict[str, Kernel]) -> None:
    for kernel in kernels.values():
        assert kernel.run(CONNECTS) == "answers"
        assert kernel.run("import os; print(os.getcwd())") == "/home/trainee/work"


def test_nothing_of_another_seat_is_seen(workshop: Running, kernels: dict[str, Kernel]) -> None:
    one, other = kernels["seat-01"], kernels["seat-02"]
    other.run(
        "import subprocess, socket, pathlib\n"
        "pathlib.Path('mine-alone.txt').write_text('x'); pathlib.Path('/tmp/mine-alone.txt').write_text('x')\n"
        "sleeper = subprocess.Popen(['sleep', '98765'])\n"
        "server = socket.create_server(('127.0.0.1', 9999))"
    )
    found = one.run(
        "import os, pathlib\n"
        "for top, folders, files in os.walk('/'):\n"
        "    folders[:] = [f for f in folders if top != '/' or f not in ('proc', 'usr')]\n"
        "    if 'mine-alone.txt' in files or 'workshop-home' in folders: print(top)\n"
    )
    assert found == ""
    assert (workshop.work("seat-02") / "mine-alone.txt").is_file()
    processes = one.run(
        "for p in pathlib.Path('/proc').glob('[0-9]*/cmdline'):\n"
        "    print(p.read_bytes().replace(b'\\0', b' ').decode())\n"
    )
    assert "ipykernel" in processes and "98765" not in processes
    for port in (9999, workshop.port, workshop.port + 2):
        assert "refused" in one.run(
            f"import socket; socket.create_connection(('127.0.0.1', {port}), 5)"
        )
    assert other.run("import socket; socket.create_connection(('127.0.0.1', 9999), 5)") == ""


def test_a_trainee_is_no_root_and_does_not_reach_his_lab_but_over_the_wire(
    workshop: Running, kernels: dict[str, Kernel]
) -> None:
    one = kernels["seat-01"]
    status = one.run("print(open('/proc/self/status').read())")
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert int(fields["CapEff"], 16) == 0 and fields["NoNewPrivs"] == "1"
    assert one.run("import os; print(os.getuid())") != "0"
    owner = workshop.work("seat-01").stat().st_uid
    assert owner != 0 or os.geteuid() != 0
    assert "Errno" in one.run("open('/etc/passwd', 'a')")
    assert one.run("print(os.path.exists('.k8swin/lab/private'))") == "False"
    assert one.run("print(os.path.exists('.k8swin/lab/id_ed25519'))") == "True"


def test_a_drill_breaks_and_a_reset_mends_and_keeps_files(
    workshop: Running, kernels: dict[str, Kernel]
) -> None:
    one, other = kernels["seat-01"], kernels["seat-02"]
    one.run("open('notes.txt', 'w').write('kept')")
    workshop.command("drill", "seat-01", "cut")
    assert workshop.seats()["seat-01"]["drills"] == ["cut"]
    assert "Error" in one.run(CONNECTS)
    assert other.run(CONNECTS) == "answers"
    workshop.command("reset", "seat-01")
    assert workshop.seats()["seat-01"]["drills"] == []
    assert one.run(CONNECTS) == "answers"
    assert (workshop.work("seat-01") / "notes.txt").read_text() == "kept"
    workshop.command("reset", "seat-01", "--at", "ex2", "--files")
    seat = workshop.seats()["seat-01"]
    assert seat["exercise"] == "ex2" and seat["drills"] == ["slow"]
    assert (workshop.work("seat-01") / "workshop/02_two-fresh-1.ipynb").is_file()


def test_what_is_not_there_is_named_with_what_there_is(workshop: Running) -> None:
    assert "seat-01 to seat-03" in workshop.command("reset", "seat-09", fails=True)
    assert "ex1, ex2" in workshop.command("reset", "seat-01", "--at", "ex7", fails=True)
    assert "cut" in workshop.command("drill", "seat-01", "everything", fails=True)
    assert "already up" in workshop.up()
    said = workshop.command("up", "--port", "9000", fails=True)
    assert "--port" in said and "down first" in said


def test_what_a_trainee_deleted_comes_back_by_a_reset_and_what_he_wrote_stays(
    workshop: Running, kernels: dict[str, Kernel]
) -> None:
    said = kernels["seat-01"].run(
        """
import shutil, pathlib
work = pathlib.Path.home() / "work"
for name in (".k8swin/lab", "params", "notebooks"):
    shutil.rmtree(work / name)
(work / "workshop/01_one.ipynb").write_text("mine")
print("gone")
"""
    )
    assert "gone" in said, said
    workshop.command("reset", "seat-01")
    work = workshop.work("seat-01")
    assert (work / "params/lab.yaml").is_file() and (work / "notebooks/01_network.ipynb").is_file()
    assert (work / ".k8swin/lab/known_hosts").is_file()
    assert (work / "workshop/01_one.ipynb").read_text() == "mine"


def test_a_lab_that_was_killed_is_told_and_comes_back(workshop: Running) -> None:
    killed = workshop.processes("seat-03", "lab")
    assert killed
    for number in killed:
        os.kill(number, signal.SIGKILL)
    failed = workshop.wait_for("seat-03", lambda seat: seat["state"] == "failed")
    assert "lab" in failed["error"] and "reset" in failed["error"]
    workshop.command("reset", "seat-03")
    assert workshop.seats()["seat-03"]["state"] == "ready"
    kernel = workshop.kernel("seat-03")
    assert kernel.run(CONNECTS) == "answers"
    kernel.close()


def test_a_seat_that_fills_the_disk_is_stopped_alone(
    workshop: Running, kernels: dict[str, Kernel]
) -> None:
    kernels["seat-01"].run("for n in range(4): open(f'big-{n}', 'wb').write(b'x' * 100_000_000)")
    stopped = workshop.wait_for("seat-01", lambda seat: seat["state"] == "stopped")
    assert "300 MiB" in stopped["error"] and "big-" in stopped["error"]
    assert workshop.seats()["seat-02"]["state"] == "ready"
    assert kernels["seat-02"].run(CONNECTS) == "answers"
    for path in workshop.work("seat-01").glob("big-*"):
        path.unlink()
    workshop.command("reset", "seat-01")
    assert workshop.seats()["seat-01"]["state"] == "ready"


def test_a_fork_bomb_stays_in_its_seat(workshop: Running, kernels: dict[str, Kernel]) -> None:
    said = kernels["seat-02"].run(
        "import subprocess\n"
        "made = []\n"
        "try:\n"
        "    while len(made) < 2000: made.append(subprocess.Popen(['sleep', '600']))\n"
        "except OSError as error: print(error)\n"
        "finally:\n"
        "    for one in made: one.kill()\n"
        "    for one in made: one.wait()\n"
        "print(len(made))"
    )
    assert "temporarily unavailable" in said
    assert kernels["seat-01"].run(CONNECTS) == "answers"


def test_more_seats_are_added_and_a_killed_workshop_leaves_nothing_but_work(
    workshop: Running,
) -> None:
    assert "seat-04" in workshop.up("--seats", "4")
    assert workshop.seats()["seat-04"]["state"] == "ready"
    kernel = workshop.kernel("seat-04")
    kernel.run("open('mine.txt', 'w').write('still there')")
    kernel.close()
    before = workshop.seats()["seat-04"]["url"]
    numbers = workshop.processes("seat-04", "work") + workshop.processes("seat-04", "lab")
    assert numbers
    os.kill(int((workshop.home / "pid").read_text()), signal.SIGKILL)
    while any(Path(f"/proc/{number}/root/home/trainee").exists() for number in numbers):
        pass
    workshop.command("down")
    workshop.up("--seats", "4")
    assert workshop.seats()["seat-04"]["url"] == before
    assert (workshop.work("seat-04") / "mine.txt").read_text() == "still there"
    workshop.command("down")
    assert (workshop.work("seat-04") / "mine.txt").read_text() == "still there"
    assert "no workshop runs" in workshop.command("status", fails=True)


def test_a_folder_of_something_else_is_left_alone(place: Running, tmp_path: Path) -> None:
    strange = tmp_path / "theirs"
    strange.mkdir()
    (strange / "thesis.txt").write_text("x")
    other = Running(tmp_path, place.port)
    other.home, other.course = strange, place.course
    for command in (("up",), ("down",)):
        assert "no workshop's folder" in other.command(*command, fails=True)
    assert [p.name for p in strange.iterdir()] == ["thesis.txt"]
