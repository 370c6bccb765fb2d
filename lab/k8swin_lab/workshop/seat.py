"""One seat as the workshop sees it: its process, how it is, and what can be asked of it."""

from __future__ import annotations

import concurrent.futures
import itertools
import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from k8swin_lab.workshop import usage
from k8swin_lab.workshop.channel import Channel, Gone
from k8swin_lab.workshop.holder import DESK_PORT
from k8swin_lab.workshop.looking import line_of, moment
from k8swin_lab.workshop.model import Grade, SeatError, SeatStatus, State
from k8swin_lab.workshop.place import Settings

log = logging.getLogger(__name__)

_CONNECT_SECONDS = 5.0
_START_SECONDS = 180.0
_ANSWER_SECONDS = 60.0


class Seat:
    """A seat of a running workshop. What it says of itself comes by `_hear`, in a thread of its own.

    Args:
        spec: what the seat's process is told first.
        url: where a browser finds it, with the token.
        spawn: hands one end of a channel to the process that forks seats.
        settings: the limits.
    """

    def __init__(
        self,
        spec: dict[str, Any],
        url: str,
        spawn: Callable[[Channel], None],
        settings: Settings,
        at: str,
    ) -> None:
        self.name: str = spec["name"]
        self.folder = Path(spec["folder"])
        self.url = url
        self.grades: dict[str, Grade] = {}
        self.working = threading.Lock()
        """Held by whoever starts, resets or stops it."""

        self._spec = spec
        self._spawn = spawn
        self._settings = settings
        self._channel: Channel | None = None
        self._numbers = itertools.count(1)
        self._waiting: dict[int, concurrent.futures.Future[Any]] = {}
        self._guard = threading.Lock()
        self._changed = threading.Condition(self._guard)
        self._up: dict[str, bool] = {}
        self._failed: dict[str, str] = {}
        self._used = {"lab": 0, "desk": 0}
        self._state = State.STARTING
        self._error = ""
        self._note = ""
        self._run_error = ""
        self._at, self._since = at, moment(time.time())
        self._begun = [at]
        self._drills: tuple[str, ...] = ()
        self._said = ""
        self._seen: dict[str, Any] = {}
        self.process = 0
        """Number of its process, whose network is the seat's."""

        self.notebooks: dict[str, str] = {}
        """Exercises by the file name of their notebook."""

    # what it says

    def status(self) -> SeatStatus:
        """Return how it is now."""
        with self._guard:
            return SeatStatus(
                name=self.name,
                url=self.url,
                state=self._state,
                exercise=self._at,
                since=self._since,
                begun=tuple(self._begun),
                error=self._error or self._note or self._run_error,
                drills=self._drills,
                used_bytes=sum(self._used.values()),
                said=self._said,
                grades=dict(self.grades),
            )

    def why_not(self) -> str:
        """Return what a browser is told while JupyterLab does not answer."""
        with self._guard:
            if self._state in (State.STARTING, State.RESETTING):
                return f"{self.name} is starting; this page looks again by itself."
            return f"{self.name} is {self._state}: {self._error or 'ask the trainer'}"

    @property
    def state(self) -> State:
        """How it is."""
        with self._guard:
            return self._state

    def become(self, state: State, error: str = "") -> None:
        """Say how it is from now on."""
        with self._changed:
            if (state, error) != (self._state, self._error):
                log.info("%s: %s %s", self.name, state, error)
            self._state, self._error = state, line_of(error)
            if state == State.STARTING:
                self._note = ""
            self._changed.notify_all()

    def place_at(self, exercise: str) -> None:
        """Say at which exercise it is from now on."""
        with self._guard:
            self._go_to(exercise)

    def _go_to(self, exercise: str) -> None:
        self._at, self._since = exercise, moment(time.time())
        if exercise not in self._begun:
            self._begun.append(exercise)

    def broken(self, *names: str, whole: bool = False) -> None:
        """Say what stands broken: these too, or these and nothing else."""
        with self._guard:
            self._drills = tuple(dict.fromkeys([*(() if whole else self._drills), *names]))

    # what can be asked

    def launch(self) -> None:
        """Begin its process."""
        ours, theirs = Channel.pair()
        with self._guard:
            if self._channel is not None:
                ours.close()
                theirs.close()
                return
            self._channel = ours
            self._up, self._failed = {}, {}
            # What the one before it weighed may be gone since.
            self._used = {"lab": 0, "desk": 0}
        self._spawn(theirs)
        ours.send(self._spec)
        threading.Thread(target=self._hear, args=(ours,), name=self.name, daemon=True).start()

    def launched(self) -> bool:
        """Whether it has a process."""
        with self._guard:
            return self._channel is not None

    def runs(self, part: str) -> bool:
        """Whether its lab or its desk is up."""
        with self._guard:
            return self._up.get(part, False)

    def start(self, part: str, **more: Any) -> None:
        """Start its lab or its desk, without waiting for it."""
        with self._guard:
            self._up.pop(part, None)
            self._failed.pop(part, None)
        if part == "desk":
            more = {"port": DESK_PORT, **more}
        self.call({"do": "start", "part": part, **more})
        if part == "desk":
            # What the lab handed on before the desk was there.
            self._tell({"do": "clients", "part": "lab"})

    def wait_for(self, part: str, seconds: float = _START_SECONDS) -> None:
        """Wait until its lab or its desk is up.

        Raises:
            SeatError: it did not come up; the text says why.
        """
        with self._changed:
            until = time.monotonic() + seconds
            while not self._up.get(part):
                if part in self._failed:
                    raise SeatError(self._failed[part])
                if self._channel is None:
                    raise SeatError("the seat's process has ended")
                if not self._changed.wait(max(until - time.monotonic(), 0.01)) and (
                    time.monotonic() > until
                ):
                    raise SeatError(f"its {part} did not come up within {seconds:.0f} seconds")

    def receive_lab(self, thaw: Callable[[dict[str, Any]], object]) -> None:
        """Get a copy of a lab in place of the one that it has.

        Args:
            thaw: is told where the copy is to be, and makes it; raises SeatError.
        """
        self.wait_for("seat")
        with self._guard:
            self._up.pop("lab", None)
            self._failed.pop("lab", None)
        self.call({"do": "expect"})
        thaw({**self._spec, "process": self.process, "token": ""})
        self.wait_for("lab", _ANSWER_SECONDS)

    def stop(self, part: str) -> None:
        """End its lab or its desk."""
        with self._guard:
            self._up.pop(part, None)
        self.call({"do": "stop", "part": part})

    def ask_lab(self, request: dict[str, Any], seconds: float = 30) -> dict[str, Any]:
        """Ask the lab's control socket."""
        asked = {"do": "ask", "part": "lab", "request": request, "seconds": seconds}
        return self.call(asked, seconds + 10)

    def call(self, message: dict[str, Any], seconds: float = _ANSWER_SECONDS) -> dict[str, Any]:
        """Tell the seat's process something and wait for the answer.

        Raises:
            SeatError: it was refused, or nobody answers.
        """
        future, number = self._begin_call(message)
        try:
            answer: dict[str, Any] = future.result(seconds)
        except concurrent.futures.TimeoutError:
            raise SeatError(f"{self.name} does not answer") from None
        finally:
            self._waiting.pop(number, None)
        if answer.get("error"):
            raise SeatError(line_of(answer["error"]))
        return answer

    def connect(self) -> concurrent.futures.Future[Any]:
        """Return what will be a connection to its JupyterLab."""
        return self._begin_call({"do": "connect"})[0]

    def end(self, seconds: float = 40) -> None:
        """End its process and all that comes from it."""
        with self._changed:
            channel = self._channel
            if channel is None:
                return
        try:
            channel.send({"do": "end"})
        except Gone:
            return
        with self._changed:
            self._changed.wait_for(lambda: self._channel is not channel, seconds)

    def _tell(self, message: dict[str, Any]) -> None:
        with self._guard:
            channel = self._channel
        if channel is not None:
            channel.try_send(message)

    def _begin_call(self, message: dict[str, Any]) -> tuple[concurrent.futures.Future[Any], int]:
        number = next(self._numbers)
        future: concurrent.futures.Future[Any] = concurrent.futures.Future()
        with self._guard:
            channel = self._channel
            self._waiting[number] = future
        try:
            if channel is None:
                raise Gone
            channel.send({**message, "id": number})
        except Gone:
            self._waiting.pop(number, None)
            _settle(future, {"error": f"{self.name} has no process; reset it"})
        return future, number

    # what it says of itself

    def _hear(self, channel: Channel) -> None:
        while True:
            try:
                message, files = channel.receive()
            except Gone:
                break
            try:
                self._heard(message, files)
            except Exception:
                log.exception("%s: a message could not be read", self.name)
        with self._changed:
            self._channel = None
            self._up = {}
            waiting, self._waiting = self._waiting, {}
            if self._state in (State.READY, State.STARTING, State.RESETTING):
                self._state = State.FAILED
                self._error = self._failed.get("seat", "its processes have ended; reset it")
            self._changed.notify_all()
        channel.close()
        for future in waiting.values():
            _settle(future, {"error": "its process has ended"})

    def _heard(self, message: dict[str, Any], files: list[int]) -> None:
        if "id" in message:
            future = self._waiting.pop(int(message["id"]), None)
            if files and future is not None:
                connection = socket.socket(fileno=files.pop())
                if not _settle(future, connection):
                    connection.close()
            elif future is not None:
                _settle(future, message)
        for number in files:
            os.close(number)
        part = str(message.get("part", ""))
        if "id" in message:
            return
        if part in message and message[part] == "ready":
            with self._changed:
                self._up[part] = True
                self._changed.notify_all()
        elif part in message or "failed" in message:
            self._fails(part, str(message.get("why") or message.get("failed")))
        elif "ended" in message:
            code = int(message["ended"])
            how = f"signal {-code}" if code < 0 else f"exit code {code}"
            self._fails(part, f"its {part} ended by itself ({how}); reset it")
        elif "process" in message:
            with self._changed:
                self.process = int(message["process"])
                self._up["seat"] = True
                self._changed.notify_all()
        elif "used" in message:
            self._weigh("lab", int(message["used"]), message)
        elif "trouble" in message:
            with self._guard:
                self._note = line_of(message["trouble"])
        elif "look" in message:
            self._looked(message["look"])

    def _fails(self, part: str, why: str) -> None:
        with self._changed:
            stands = part in self._failed
            self._failed.setdefault(part, line_of(why))
            was_up = self._up.pop(part, False)
            if was_up and not stands and self._state == State.READY:
                self._state, self._error = State.FAILED, line_of(why)
                log.warning("%s: %s", self.name, self._error)
            self._changed.notify_all()

    def _looked(self, seen: dict[str, Any]) -> None:
        with self._guard:
            before, self._seen = self._seen, seen
            self._run_error = line_of((seen.get("error") or {}).get("text", ""))
            progress = seen.get("progress") or {}
            self._said = line_of(progress.get("said", ""))
            newer = ""
            if before and progress != before.get("progress"):
                newer = str(progress.get("exercise", ""))
            saved = seen.get("saved") or {}
            if before and saved != before.get("saved"):
                newer = self.notebooks.get(str(saved.get("notebook", "")), newer)
            if newer in self.notebooks.values() and newer != self._at:
                self._go_to(newer)
        self._weigh("desk", int(seen.get("bytes", 0)), seen)

    def _weigh(self, part: str, used: int, seen: dict[str, Any]) -> None:
        """Stop the seat that takes more of the disk than it may."""
        with self._guard:
            self._used[part] = used
            total = sum(self._used.values())
            running = self._channel is not None and self._state != State.STOPPED
        most = self._settings.disk
        files = int(seen.get("files", 0))
        if not running or not ((most and total > most) or files >= usage.MOST_FILES):
            return
        what = f"{usage.readable(total)}, {usage.readable(most)} are allowed"
        if files >= usage.MOST_FILES:
            what = f"{files} files and more"
        largest = str(seen.get("largest", ""))
        named = (
            f"; the largest file is {largest} with {usage.readable(int(seen['largest_bytes']))}"
            if largest
            else ""
        )
        why = (
            f"its folder holds {what}{named}; remove it in {self.folder}/work, then reset the seat"
        )
        self.become(State.STOPPED, why)
        threading.Thread(target=self.end, daemon=True).start()


def _settle(future: concurrent.futures.Future[Any], value: object) -> bool:
    try:
        future.set_result(value)
    except concurrent.futures.InvalidStateError:
        return False
    return True
