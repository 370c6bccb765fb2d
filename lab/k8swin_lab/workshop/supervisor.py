"""The process of a workshop: from ready to a signal or `down`, with its control socket and the trainer's page."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from k8swin_lab.control import ControlServer
from k8swin_lab.workshop import trainer
from k8swin_lab.workshop.model import SeatError
from k8swin_lab.workshop.place import Place, Settings
from k8swin_lab.workshop.service import Workshop

log = logging.getLogger(__name__)

_LOOK_INTERVAL = 0.5


class _Job:
    """Something that takes longer than a client waits for an answer; he asks again."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self.ended = False
        self.error = ""
        self.value: Any = None
        threading.Thread(target=self._run, args=(work,), name="job", daemon=True).start()

    def _run(self, work: Callable[[], Any]) -> None:
        try:
            self.value = work()
        except Exception as error:
            if not isinstance(error, SeatError | OSError):
                log.exception("a request failed")
            self.error = str(error) or type(error).__name__
        self.ended = True


class _Answers:
    """What is asked of the workshop over its control socket."""

    def __init__(self, workshop: Workshop, ended: queue.SimpleQueue[None]) -> None:
        self._workshop = workshop
        self._ended = ended
        self._jobs: dict[int, _Job] = {}

    def __call__(self, request: dict[str, Any]) -> dict[str, Any]:
        workshop, command = self._workshop, request.get("command")
        if command == "down":
            self._ended.put(None)
            return {}
        if command == "status":
            return {"seats": [asdict(one) for one in workshop.status()]}
        if command == "about":
            return {
                "exercises": list(workshop.exercises()),
                "drills": list(workshop.drills()),
                "settings": asdict(workshop.settings),
            }
        if command == "job":
            job = self._jobs[int(request["job"])]
            if not job.ended:
                return {"ended": False}
            del self._jobs[int(request["job"])]
            return {"ended": True, "value": job.value, "failed": job.error}
        number = max(self._jobs, default=0) + 1
        self._jobs[number] = _Job(self._work(request))
        return {"job": number}

    def _work(self, request: dict[str, Any]) -> Callable[[], Any]:
        workshop, command = self._workshop, request.get("command")
        seat, exercise = str(request.get("seat", "")), str(request.get("exercise", ""))
        if command == "add":
            return lambda: self._add(int(request["seats"]))
        if command == "reset":
            return lambda: workshop.reset(seat, exercise, files=bool(request.get("files")))
        if command == "drill":
            return lambda: workshop.drill(seat, str(request["name"]))
        if command == "stop":
            return lambda: workshop.stop(seat)
        if command == "start":
            return lambda: workshop.start_at(exercise)
        if command == "grade":
            return lambda: asdict(workshop.grade(seat, exercise))
        raise ValueError(f"unknown command {command!r}")

    def _add(self, count: int) -> list[str]:
        fresh = self._workshop.add(count)
        self._workshop.wait_until_ready(lambda _: None)
        return fresh


def serve(place: Place, settings: Settings, ready: int | None, *, trainer_port: int) -> int:
    """Run a workshop until it shall end, and return the exit code.

    Args:
        place: its folder, whose lock the caller has.
        settings: how it was asked for.
        ready: descriptor that gets a JSON line for each seat, and `{"ready": "yes"}` or `{"error": WHY}` at the end.
        trainer_port: where the trainer's page is.
    """
    logging.basicConfig(
        stream=sys.stderr, level="INFO", format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    for name in ("aiohttp", "asyncssh"):
        logging.getLogger(name).setLevel(logging.WARNING)
    ended: queue.SimpleQueue[None] = queue.SimpleQueue()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: ended.put(None))
    place.pid.write_text(f"{os.getpid()}\n")
    place.keep(settings)
    workshop = Workshop(place, settings)
    with contextlib.ExitStack() as until_the_end:
        until_the_end.callback(place.forget_running)
        until_the_end.callback(workshop.end)
        try:
            workshop.start()
            page = until_the_end.enter_context(
                trainer.serve(workshop, address=settings.address, port=trainer_port)
            )
        except (SeatError, OSError) as error:
            log.error("%s", error)
            _tell(ready, json.dumps({"error": str(error)}))
            return 1
        place.write(place.trainer, page.url + "\n")
        control = ControlServer(place.control, _Answers(workshop, ended))
        until_the_end.callback(control.close)

        def said_all() -> None:
            workshop.wait_until_ready(lambda line: _tell(ready, line))
            _tell(ready, json.dumps({"ready": "yes"}), last=True)

        threading.Thread(target=said_all, name="ready", daemon=True).start()
        identity = place.path.stat().st_ino
        while not _has_ended(ended):
            try:
                if place.path.stat().st_ino != identity:
                    break
            except FileNotFoundError:
                break
    return 0


def _has_ended(ended: queue.SimpleQueue[None]) -> bool:
    with contextlib.suppress(queue.Empty):
        ended.get(timeout=_LOOK_INTERVAL)
        return True
    return False


def _tell(ready: int | None, line: str, *, last: bool = False) -> None:
    if ready is None:
        said = json.loads(line)
        if "seat" in said:
            print(f"{said['seat']} is {said['state']} {said['error']}".rstrip(), flush=True)  # noqa: T201
        return
    # The starter may have given up already.
    with contextlib.suppress(OSError):
        os.write(ready, line.encode() + b"\n")
        if last or ("error" in json.loads(line) and "seat" not in json.loads(line)):
            os.close(ready)
