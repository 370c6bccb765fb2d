"""The command `k8swin workshop`: seats on this computer, each with a lab, a project and a JupyterLab of its own.

A lock on a file in the workshop's folder says whether it runs, as a lab's does.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from k8swin_lab import control, process_lock
from k8swin_lab.loopback import NoFreeNetwork
from k8swin_lab.workshop import course, grades, sandbox
from k8swin_lab.workshop.asking import Asked, ask, job, statuses
from k8swin_lab.workshop.checks import SEAT_BYTES, available_memory, check
from k8swin_lab.workshop.model import SeatError, Seats, State, counted
from k8swin_lab.workshop.place import (
    DEFAULT_PORT,
    MEBI,
    Place,
    Settings,
    default_home,
    seat_name,
    with_changes,
)
from k8swin_lab.workshop.usage import readable

NOT_RUNNING = 3
_START_SECONDS = 300.0
_DOWN_SECONDS = 90.0
_MOST_SEATS = 99

_EPILOG = """examples:
  k8swin workshop up --seats 20                       start, and write seats.csv for handing out
  k8swin workshop up --seats 20 --at ex4              the same, at exercise 4
  k8swin workshop up --seats 20 --address 0.0.0.0     for trainees at other computers; the pages are not encrypted:
                                                      a trusted network, or a proxy with TLS before the ports
  k8swin workshop status                              who is where, and what went wrong last
  k8swin workshop reset seat-07                       his machines as his exercise begins; his notebooks stay
  k8swin workshop drill seat-07 dns-silent            break something
  k8swin workshop start --at ex5                      all seats to exercise 5
  k8swin workshop grades --look --csv grades.csv      look at every seat's exercise, and write all grades
  k8swin workshop down                                end it; the trainees' folders stay

exit codes: 0 done, 1 it could not be done, 2 wrong arguments, 3 no workshop runs
"""


def main(argv: list[str]) -> int:
    """Run one command and return the exit code: 0, 1 for an error, 2 for usage, 3 not running, 130 after Ctrl-C."""
    parser = _parser()
    try:
        options = parser.parse_args(argv)
    except SystemExit as stop:
        return int(stop.code or 0)
    place = Place(Path(options.home) if options.home else default_home())
    command: Callable[[Place, argparse.Namespace], int] = options.run
    try:
        return command(place, options)
    except KeyboardInterrupt:
        _complain("stopped by Ctrl-C")
        return 130
    except (SeatError, NoFreeNetwork, OSError) as error:
        _complain(str(error))
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="k8swin workshop",
        description=__doc__.split("\n\n")[0] if __doc__ else "",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, help_text: str, command: object) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=help_text, description=help_text, allow_abbrev=False)
        return _at_home(sub, command)

    up = add("up", "Start a workshop, or add seats to one that runs.", _up)
    up.add_argument("--seats", type=int, help="how many (default: as the last time, else 1)")
    up.add_argument("--at", metavar="EXERCISE", help="where the seats begin (default: the first)")
    up.add_argument("--course", metavar="FOLDER", help="with a course.yaml (default: workshop)")
    up.add_argument("--address", help="of this computer, where seats are reached (127.0.0.1)")
    up.add_argument(
        "--port",
        type=int,
        help=f"the trainer's page; seat N is at this + N (default {DEFAULT_PORT})",
    )
    up.add_argument(
        "--seat-disk",
        type=_size,
        metavar="SIZE",
        help="a seat with more is stopped (1G); 0: no limit",
    )
    up.add_argument(
        "--seat-memory",
        type=_size,
        metavar="SIZE",
        help="of a desk with more, the largest process is ended (1G); 0: no limit",
    )
    up.add_argument(
        "--seat-processes", type=int, metavar="N", help="of a trainee at once (400); 0: no limit"
    )
    up.add_argument(
        "--shared",
        action="store_true",
        default=None,
        help="do without namespaces: seats are not kept apart but by folders, networks and tokens",
    )
    up.add_argument("--foreground", action="store_true", help="stay until interrupted")
    up.add_argument("--ready-fd", type=int, help=argparse.SUPPRESS)
    status = add("status", "Say how the seats are.", _status)
    status.add_argument("--json", action="store_true", help="as JSON; addresses hold tokens")
    reset = add("reset", "Bring a seat's machines to where an exercise begins.", _reset)
    reset.add_argument("seat", metavar="SEAT")
    reset.add_argument("--at", metavar="EXERCISE", default="", help="default: where the seat is")
    reset.add_argument(
        "--files", action="store_true", help="put a fresh copy of the notebook beside the trainee's"
    )
    drill = add("drill", "Break something in a seat's lab; without a name: what there is.", _drill)
    drill.add_argument("seat", metavar="SEAT", nargs="?")
    drill.add_argument("name", metavar="DRILL", nargs="?")
    start = add("start", "Bring all seats to where an exercise begins.", _start)
    start.add_argument("--at", metavar="EXERCISE", required=True)
    stop = add("stop", "End a seat's processes; `reset` brings it back.", _stop)
    stop.add_argument("seat", metavar="SEAT")
    graded = add("grade", "Look at a seat's cluster from outside, and keep the best.", _grade)
    graded.add_argument("seat", metavar="SEAT")
    graded.add_argument("exercise", metavar="EXERCISE")
    graded.add_argument("--json", action="store_true", help="as JSON")
    listing = grades.add_grades_command(commands)
    _at_home(listing, _grades)
    add("down", "End the workshop; the trainees' folders stay.", _down)
    return parser


def _at_home(parser: argparse.ArgumentParser, command: object) -> argparse.ArgumentParser:
    """Add what every command has."""
    parser.add_argument(
        "--home", help="the workshop's folder (default: .k8swin/workshop of the project)"
    )
    parser.set_defaults(run=command)
    return parser


def _size(text: str) -> int:
    units = {"": 1, "K": 1024, "M": MEBI, "G": 1024 * MEBI}
    number, unit = text.rstrip("KMGkmgiB"), text.lstrip("0123456789.").upper().rstrip("IB")
    if unit not in units:
        raise argparse.ArgumentTypeError(f"`{text}` is no size such as 512M or 2G")
    try:
        size = int(float(number) * units[unit])
    except ValueError:
        size = -1
    if size < 0:
        raise argparse.ArgumentTypeError(f"`{text}` is no size such as 512M or 2G")
    return size


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


def _complain(text: str) -> None:
    print(f"k8swin workshop: {text}", file=sys.stderr)  # noqa: T201


def _up(place: Place, options: argparse.Namespace) -> int:
    place.check()
    if process_lock.is_held(place.lock):
        return _more(place, options)
    settings = _settings(place, options)
    check(settings)
    place.create()
    if options.foreground:
        return _serve(place, settings, options)
    place.keep(settings)
    return _start_daemon(place, settings)


def _settings(place: Place, options: argparse.Namespace) -> Settings:
    """Return what was asked for, on top of what the workshop was last started with."""
    before = place.settings() or Settings(seats=1)
    folder = before.course
    if options.course or not (Path(folder) / course.FILE).is_file() or not folder:
        folder = str(course.find(options.course, place.project))
    settings = with_changes(
        before,
        seats=options.seats,
        address=options.address,
        port=options.port,
        at=options.at,
        shared=options.shared,
        disk=options.seat_disk,
        memory=options.seat_memory,
        processes=options.seat_processes,
        course=folder,
    )
    if not 1 <= settings.seats <= _MOST_SEATS:
        raise SeatError(f"--seats {settings.seats}: expected 1 to {_MOST_SEATS}")
    if not 1024 <= settings.port <= 65535 - _MOST_SEATS:
        raise SeatError(f"--port {settings.port}: expected 1024 to {65535 - _MOST_SEATS}")
    known = course.read(Path(settings.course))
    if settings.at:
        known.exercise(settings.at)
    return settings


def _more(place: Place, options: argparse.Namespace) -> int:
    """Say that it is up, and add seats where more were asked for."""
    about = ask(place, {"command": "about"})["settings"]
    changed = [
        f"--{name.replace('_', '-')}"
        for name, key in (
            ("address", "address"),
            ("port", "port"),
            ("shared", "shared"),
            ("seat_disk", "disk"),
            ("seat_memory", "memory"),
            ("seat_processes", "processes"),
        )
        if getattr(options, name) not in (None, about[key])
    ]
    if options.course and str(Path(options.course).absolute()) != about["course"]:
        changed.append("--course")
    if changed:
        raise SeatError(
            f"the workshop in {place.path} is up; {', '.join(changed)} is for its start: k8swin workshop down first"
        )
    there = len(ask(place, {"command": "status"})["seats"])
    _say(f"the workshop is already up in {place.path} with {counted(there, 'seat')}")
    if options.seats and options.seats < there:
        _say("seats are not taken away while it runs: `k8swin workshop stop SEAT` ends one")
    if options.seats and options.seats > there:
        if options.seats > _MOST_SEATS:
            raise SeatError(f"--seats {options.seats}: expected 1 to {_MOST_SEATS}")
        needed = (options.seats - there) * SEAT_BYTES
        if (available := available_memory()) and needed > available:
            raise SeatError(
                f"{options.seats - there} more seats take about {readable(needed)}, {readable(available)} are free"
            )
        fresh = job(place, {"command": "add", "seats": options.seats})
        place.keep(with_changes(Settings.of(about), seats=options.seats))
        _say(f"new: {', '.join(fresh)}")
    if options.at:
        _say(f"to bring all seats to {options.at}: k8swin workshop start --at {options.at}")
    return _tell_where(place)


def _start_daemon(place: Place, settings: Settings) -> int:
    """Start the workshop in a session of its own, and tell of each seat until all have started."""
    reading, writing = os.pipe()
    arguments = ["up", "--foreground", "--home", str(place.path), "--ready-fd", str(writing)]
    start = "import sys; from k8swin_lab.workshop.cli import main; sys.exit(main(sys.argv[1:]))"
    with place.log.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", start, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            pass_fds=[writing],
            cwd=place.path,
            env=os.environ | {"PYTHONPATH": sandbox.module_path()},
        )
    os.close(writing)
    began = time.monotonic()
    failed = 0
    try:
        with os.fdopen(reading) as pipe:
            while True:
                ready, _, _ = select.select([pipe], [], [], _START_SECONDS)
                line = pipe.readline() if ready else ""
                said = json.loads(line) if line else {}
                if "seat" in said:
                    failed += said["state"] != State.READY
                    _say(f"{said['seat']} is {said['state']} {said['error']}".rstrip())
                    continue
                break
    except BaseException:  # whoever waits for it was stopped, and nobody wants it any more
        process.terminate()
        process.wait(_DOWN_SECONDS)
        raise
    if "ready" in said:
        # The process stays on purpose; without this its end would be reported as a mistake here.
        process.returncode = 0
        seconds = time.monotonic() - began
        _say(
            f"the workshop is up in {place.path}: {counted(settings.seats, 'seat')} in {seconds:.0f} s"
        )
        if settings.shared:
            _say(
                "--shared: the seats run as processes beside each other. Each has its folder, its network and its token; "
                "but a trainee can see the others' processes and reach their machines, and what one takes of memory and "
                "disk the others lack"
            )
        _tell_where(place)
        return 1 if failed else 0
    process.terminate()
    process.wait(_DOWN_SECONDS)
    raise SeatError(said.get("error") or f"the workshop did not start; see {place.log}")


def _tell_where(place: Place) -> int:
    _say(f"for handing out (seat, address with token): {place.handout}")
    if place.trainer.is_file():
        _say(f"the trainer's page: its address is in {place.trainer}")
    return 0


def _serve(place: Place, settings: Settings, options: argparse.Namespace) -> int:
    """Be the workshop until a signal, `down`, or the end of its folder."""
    from k8swin_lab.workshop.supervisor import serve

    # Never given back: the lock is to last exactly as long as the process, which `down` waits for.
    if process_lock.take(place.lock) is None:
        raise SeatError(f"another workshop runs in {place.path}")
    return serve(place, settings, options.ready_fd, trainer_port=settings.port)


def _running(place: Place) -> bool:
    if process_lock.is_held(place.lock):
        return True
    _complain(f"no workshop runs in {place.path}; start one: k8swin workshop up --seats 20")
    return False


def _status(place: Place, options: argparse.Namespace) -> int:
    if not _running(place):
        return NOT_RUNNING
    if options.json:
        _say(json.dumps(ask(place, {"command": "status"})["seats"], indent=2))
        return 0
    for one in statuses(place):
        drills = f" broken: {', '.join(one.drills)}" if one.drills else ""
        _say(
            f"{one.name:<9} {one.state:<10} {one.exercise:<6} since {one.since[11:16]} UTC "
            f"{readable(one.used_bytes):>9} {one.said:<14}{drills} {one.error}".rstrip()
        )
    return _tell_where(place)


def _reset(place: Place, options: argparse.Namespace) -> int:
    asked = {"command": "reset", "seat": options.seat, "exercise": options.at}
    return _done(place, asked | {"files": options.files}, f"{options.seat} is reset")


def _drill(place: Place, options: argparse.Namespace) -> int:
    if not _running(place):
        return NOT_RUNNING
    if not options.seat or not options.name:
        for name, says in ask(place, {"command": "about"})["drills"]:
            _say(f"{name:<22} {says}")
        _say("and MACHINE:FAULT or MACHINE:FAULT=VALUE, with a fault of `k8swin lab fault`")
        return 0
    asked = {"command": "drill", "seat": options.seat, "name": options.name}
    return _done(place, asked, f"{options.seat}: {options.name} stands")


def _start(place: Place, options: argparse.Namespace) -> int:
    if not _running(place):
        return NOT_RUNNING
    failed = job(place, {"command": "start", "exercise": options.at})
    for seat, why in sorted(failed.items()):
        _complain(f"{seat}: {why}")
    _say(f"all {'other ' if failed else ''}seats are at {options.at}")
    return 1 if failed else 0


def _stop(place: Place, options: argparse.Namespace) -> int:
    return _done(place, {"command": "stop", "seat": options.seat}, f"{options.seat} is stopped")


def _done(place: Place, asked: dict[str, Any], said: str) -> int:
    if not _running(place):
        return NOT_RUNNING
    job(place, asked)
    _say(said)
    return 0


def _grade(place: Place, options: argparse.Namespace) -> int:
    if not _running(place):
        return NOT_RUNNING
    asked = {"command": "grade", "seat": options.seat, "exercise": options.exercise}
    found = job(place, asked)
    if options.json:
        _say(json.dumps(found, indent=2))
        return 0
    _say(
        f"{options.seat} {found['exercise']}: {found['met']} of {found['of']}, "
        f"{found['score']:g} of {found['max_score']:g} point{'' if found['max_score'] == 1 else 's'}"
    )
    for text in found["missing"]:
        _say(f"- {text}")
    return 0


def _grades(place: Place, options: argparse.Namespace) -> int:
    if not _running(place):
        return NOT_RUNNING
    # What is said beside a table on standard output would be taken for rows of it.
    say = _complain if options.csv == "-" else _say
    return grades.grades_command(options, cast("Seats", Asked(place)), say)


def _down(place: Place, options: argparse.Namespace) -> int:
    place.check()
    if not process_lock.is_held(place.lock):
        if place.mark.is_file():
            place.forget_running()
        _say(f"no workshop runs in {place.path}")
        return 0
    try:
        control.ask(place.control, {"command": "down"})
    except control.ControlError:
        process_lock.send(place.pid, signal.SIGTERM)
    if not process_lock.is_free_within(place.lock, _DOWN_SECONDS):
        process_lock.send(place.pid, signal.SIGKILL)
        if not process_lock.is_free_within(place.lock, _DOWN_SECONDS):
            raise SeatError(
                f"the workshop in {place.path} does not end; its process is in {place.pid}"
            )
    place.forget_running()
    _say(
        f"the workshop is down; what the trainees made is in {place.seats}/{seat_name(1)}/work and so on"
    )
    return 0
