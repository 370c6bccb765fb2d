"""The workshop while it runs: its seats, what can be asked of them, and how each begins."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from k8swin_lab.loopback import free_network
from k8swin_lab.workshop import course as courses
from k8swin_lab.workshop import grading, inside_desk, sandbox
from k8swin_lab.workshop.channel import Channel, Gone
from k8swin_lab.workshop.course import Course, Exercise
from k8swin_lab.workshop.forward import Forwarder, listen
from k8swin_lab.workshop.model import Grade, SeatError, SeatStatus, State
from k8swin_lab.workshop.place import FIRST_USER, Place, Settings, seat_name
from k8swin_lab.workshop.seat import Seat
from k8swin_lab.workshop.states import States, records_of, run_notebooks

log = logging.getLogger(__name__)

_CONNECT_SECONDS = 5.0
_SPAWNER_SECONDS = 120.0
_BUILDER = "builder"


def _of_trainees(folder: Path) -> list[Path]:
    """Return what of a course each trainee gets: exercises and what they read, and no solutions."""
    found = [p for p in folder.iterdir() if p.suffix in (".ipynb", ".yaml", ".md")]
    found += (folder / "material").rglob("*")
    return sorted(path for path in found if path.is_file())


class Workshop:
    """All seats of one workshop; implements `model.Seats`.

    Args:
        place: its folder.
        settings: how it was asked for.
    """

    def __init__(self, place: Place, settings: Settings) -> None:
        self.place = place
        self.settings = settings
        self.course: Course = courses.read(Path(settings.course))
        self._until_the_end = contextlib.ExitStack()
        self._seats: dict[str, Seat] = {}
        self._forwarder = Forwarder()
        self._spawner: Channel | None = None
        self._spawning: subprocess.Popen[bytes] | None = None
        self._guard = threading.RLock()
        self._pool = ThreadPoolExecutor(max_workers=(os.cpu_count() or 1) + 2)
        self._grades = grading.Grades(place.grades)
        self._grader = grading.Grader()
        self._states: States | None = None
        self._ended = False

    # life

    def start(self) -> None:
        """Begin what all seats need, and the seats.

        Raises:
            SeatError: something that all need is not there.
            OSError: a port is taken.
        """
        first = self.course.exercise(self.settings.at or self.course.exercises[0].id)
        self._begin_template()
        self._start_spawner()
        if not self.settings.shared:
            self._states = States(self._new_seat(_BUILDER, 0, first), self.course)
            self._states.begin()
        self.add(self.settings.seats)

    def add(self, count: int) -> list[str]:
        """Make it so many seats; return those that are new. They start beside whoever asks.

        Raises:
            OSError: a port is taken; no seat is new then.
        """
        with self._guard:
            names = [seat_name(number) for number in range(1, count + 1)]
            fresh = [
                (number, name) for number, name in enumerate(names, 1) if name not in self._seats
            ]
            ports = {}
            try:
                for number, name in fresh:
                    ports[name] = listen(self.settings.address, self.settings.port + number)
            except OSError as error:
                for listening in ports.values():
                    listening.close()
                port = self.settings.port + number
                raise OSError(
                    f"{self.settings.address}:{port} for {name} cannot be had: {error.strerror}; choose others: "
                    "--port N takes N + 1 and so on, one for each seat"
                ) from error
            first = self.course.exercise(self.settings.at or self.course.exercises[0].id)
            for number, name in fresh:
                seat = self._new_seat(name, number, first)
                self._seats[name] = seat
                self._forwarder.open(ports[name], self._connector(seat), seat.why_not)
            self.place.write_handout([(seat.name, seat.url) for seat in self._seats.values()])
        for _, name in fresh:
            self._pool.submit(self._bring_up, self._seats[name], first, fresh=True)
        return [name for _, name in fresh]

    def end(self) -> None:
        """End all seats; their folders stay."""
        self._ended = True
        with self._guard:
            seats = list(self._seats.values())
        with ThreadPoolExecutor(max_workers=20) as pool:
            for seat in seats:
                seat.become(State.STOPPED)
                pool.submit(seat.end)
        if self._states is not None:
            self._states.end()
        if self._spawner is not None:
            self._spawner.close()
        if self._spawning is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._spawning.wait(10)
            self._spawning.kill()
        self._until_the_end.close()

    def _begin_template(self) -> None:
        """Make the folder from which each trainee's begins: a project of the toolkit with the course in it."""
        target = self.place.template / "work"
        made = subprocess.run(
            [sys.executable, "-m", "k8swin_nb", "init", str(target)],
            capture_output=True,
            text=True,
            env=os.environ | {"PYTHONPATH": sandbox.module_path()},
        )
        if made.returncode:
            raise SeatError(f"`k8swin init {target}` failed: {made.stderr.strip()}")
        for path in _of_trainees(self.course.folder):
            copy = target / "workshop" / path.relative_to(self.course.folder)
            if not copy.is_file() or copy.read_bytes() != path.read_bytes():
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_bytes(path.read_bytes())
        for folder in (self.place.template, *self.place.template.rglob("*")):
            folder.chmod(0o755 if folder.is_dir() else 0o644)

    def _start_spawner(self) -> None:
        ours, theirs = Channel.pair()
        shared = "yes" if self.settings.shared else "no"
        self._spawning = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "k8swin_lab.workshop.spawner",
                str(theirs.fileno()),
                str(os.getpid()),
                shared,
            ],
            stdin=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            start_new_session=True,
            cwd="/",
            env=os.environ | {"PYTHONPATH": sandbox.module_path()},
        )
        theirs.leave()
        try:
            message, _ = ours.receive()
        except Gone:
            message = {}
        if "ready" not in message:
            raise SeatError(f"the process that starts seats ended at once; see {self.place.log}")
        self._spawner = ours

    def _spawn(self, channel: Channel) -> None:
        if self._spawner is None:
            raise SeatError("the workshop ends")
        self._spawner.send({"fork": "yes"}, [channel.fileno()])
        channel.leave()

    def _new_seat(self, name: str, number: int, first: Exercise) -> Seat:
        root = os.geteuid() == 0
        lab_user = FIRST_USER if root else sandbox.USER_NUMBER
        user = FIRST_USER + number if root else sandbox.USER_NUMBER
        shared = self.settings.shared
        network = self._until_the_end.enter_context(free_network()) if shared else ""
        folder = self.place.seat_folder(name, user if root else 0, lab_user if root else 0)
        token = self.place.seat_tokens([name])[name] if number else ""
        spec = {
            "name": name,
            "folder": str(folder),
            "place": str(folder / "root"),
            "user": user,
            "lab_user": lab_user if not shared else user,
            "shared": shared,
            "network": network.replace(".0/24", ".2") if shared else "127.0.0.1",
            "lab_network": network,
            "limits": {
                "disk": self.settings.disk,
                "memory": self.settings.memory,
                "processes": self.settings.processes,
            },
            "token": token,
            "python": [str(path) for path in sandbox.python_folders(self.place.path)],
            "template": str(self.place.template),
            "course": str(self.course.folder),
            "hidden": [str(path) for path in self._solutions()],
        }
        host = self.settings.address
        if host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
            host = socket.gethostname()
        url = f"http://{f'[{host}]' if ':' in host else host}:{self.settings.port + number}/lab?token={token}"
        seat = Seat(spec, url, self._spawn, self.settings, first.id)
        seat.notebooks = {one.notebook: one.id for one in self.course.exercises}
        seat.grades.update(self._grades.best(name))
        return seat

    def _solutions(self) -> list[Path]:
        return [
            found
            for folder in sandbox.python_folders(self.place.path)
            for found in (folder / "shipped/workshop/solutions",)
            if found.is_dir()
        ]

    def _connector(self, seat: Seat) -> Callable[[], Any]:
        async def connect() -> socket.socket:
            if seat.state not in (State.READY, State.RESETTING, State.FAILED):
                raise ConnectionRefusedError
            future = asyncio.wrap_future(seat.connect())
            answer = await asyncio.wait_for(future, _CONNECT_SECONDS)
            if not isinstance(answer, socket.socket):
                raise ConnectionRefusedError
            return answer

        return connect

    # how a seat begins

    def _bring_up(self, seat: Seat, exercise: Exercise, *, fresh: bool = False) -> None:
        """Start what of a seat does not run, with machines as an exercise wants them; what fails is its state."""
        with seat.working:
            try:
                seat.become(State.STARTING if fresh else State.RESETTING)
                seat.launch()
                seat.wait_for("seat")
                opens = f"workshop/{exercise.notebook}"
                if not seat.runs("desk"):
                    seat.start("desk", open=opens)
                self._fresh_lab(seat, exercise)
                seat.wait_for("desk")
                records = self._keep_records(seat, exercise)
                seat.call({"do": "give", "part": "desk", "records": records})
                if not self._ended and seat.state != State.STOPPED:
                    seat.become(State.READY)
            except (SeatError, Gone, OSError) as error:
                log.error("%s: %s", seat.name, error)
                if not self._ended and seat.state != State.STOPPED:
                    seat.become(State.FAILED, str(error))

    def _fresh_lab(self, seat: Seat, exercise: Exercise) -> None:
        if self._states is not None:
            self._states.copy(exercise.start, seat)
        else:
            seat.start("lab")
            seat.wait_for("lab")
            if notebooks := self.course.starts[exercise.start]:
                run_notebooks(seat, notebooks)
        seat.broken(whole=True)
        for name in exercise.drills:
            self._break(seat, name)

    def _keep_records(self, seat: Seat, exercise: Exercise) -> list[str]:
        """Put the records of what made a seat's machines where the desk sees them: some exercises ask for them."""
        found = (
            records_of(seat.folder / "lab")
            if self._states is None
            else self._states.records(exercise.start)
        )
        for path in found:
            copy = self.place.template / inside_desk.RECORDS / path.name
            with self._guard:
                if not copy.is_dir():
                    shutil.copytree(path, copy)
                    for one in (copy.parent, copy, *copy.rglob("*")):
                        one.chmod(0o755 if one.is_dir() else 0o644)
        return [path.name for path in found]

    def _break(self, seat: Seat, name: str) -> None:
        for fault in self.course.faults(name):
            seat.ask_lab(
                {
                    "command": "fault",
                    "machine": fault.machine,
                    "name": fault.name,
                    "value": fault.value,
                }
            )
        seat.broken(name)

    # model.Seats

    def _seat(self, name: str) -> Seat:
        with self._guard:
            if name in self._seats:
                return self._seats[name]
            known = list(self._seats)
        said = f"{known[0]} to {known[-1]}" if len(known) > 1 else ", ".join(known)
        raise SeatError(f"there is no seat `{name}`; there are {said}")

    def status(self) -> list[SeatStatus]:
        with self._guard:
            seats = sorted(self._seats.items())
        return [seat.status() for _, seat in seats]

    def exercises(self) -> Sequence[tuple[str, str]]:
        return [(one.id, one.title) for one in self.course.exercises]

    def drills(self) -> Sequence[tuple[str, str]]:
        return [(name, says) for name, (says, _) in self.course.drills.items()]

    def reset(self, seat: str, exercise: str = "", *, files: bool = False) -> None:
        found = self._seat(seat)
        wanted = self.course.exercise(exercise or found.status().exercise)
        if self._states is not None and wanted.start not in self._states.there():
            self._states.wait_for(wanted.start, 0.01)
        self._bring_up(found, wanted)
        status = found.status()
        if status.state != State.READY:
            raise SeatError(f"{seat} is {status.state}: {status.error}")
        if exercise:
            found.place_at(exercise)
        if exercise or files:
            opens = f"workshop/{wanted.notebook}"
            if files:
                fresh = found.call({"do": "fresh", "part": "desk", "names": [opens]})["value"]
                opens = fresh[0] if fresh else opens
            found.call({"do": "open", "part": "desk", "open": opens})

    def drill(self, seat: str, name: str) -> None:
        found = self._seat(seat)
        self.course.faults(name)
        if found.state != State.READY:
            raise SeatError(f"{seat} is {found.state}; reset it first")
        with found.working:
            self._break(found, name)

    def stop(self, seat: str, why: str = "stopped by the trainer; reset it to go on") -> None:
        """End a seat's processes; its folder stays."""
        found = self._seat(seat)
        with found.working:
            found.become(State.STOPPED, why)
            found.end()

    def start_at(self, exercise: str) -> dict[str, str]:
        """Bring all seats to where an exercise begins; return what could not be done, by seat."""
        wanted = self.course.exercise(exercise)
        if self._states is not None:
            self._states.wait_for(wanted.start)
        failed: dict[str, str] = {}

        def one(name: str) -> None:
            try:
                self.reset(name, exercise)
            except SeatError as error:
                failed[name] = str(error)

        with self._guard:
            names = sorted(self._seats)
        list(self._pool.map(one, names))
        return failed

    def grade(self, seat: str, exercise: str) -> Grade:
        found = self._seat(seat)
        self.course.exercise(exercise)
        if not found.runs("lab"):
            raise SeatError(f"{seat} has no lab that could be looked at; reset it first")
        grade = self._grader.look(found, exercise)
        self._grades.add(seat, grade)
        found.grades.update(self._grades.best(seat))
        return grade

    def wait_until_ready(self, said: Callable[[str], None]) -> list[SeatStatus]:
        """Wait until no seat is starting any more, and tell of each."""
        told: set[str] = set()
        while True:
            statuses = self.status()
            for one in statuses:
                if one.state != State.STARTING and one.name not in told:
                    told.add(one.name)
                    said(json.dumps({"seat": one.name, "state": one.state, "error": one.error}))
            if len(told) == len(statuses) or self._ended:
                return statuses
            time.sleep(0.05)
