"""States of a cluster from which exercises begin: made once by the notebooks in a lab of the workshop's own, then copied."""

from __future__ import annotations

import contextlib
import logging
import shutil
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from k8swin_lab import snapshots
from k8swin_lab.home import Home
from k8swin_lab.workshop.course import Course
from k8swin_lab.workshop.model import SeatError
from k8swin_lab.workshop.seat import Seat

log = logging.getLogger(__name__)

_NOTEBOOKS_SECONDS = 900
RECORDS = "records"
"""Folder in a lab's home with the records of the runs that the workshop made there."""

RUN = (
    *("k8swin_nb", "run", "--params", "{lab}/params.yaml", "--runs", f"{{lab}}/{RECORDS}"),
    "--only",
)


class States:
    """The states of a course, in a hidden seat.

    Args:
        seat: whose network and folder the lab is in.
        course: names states, and the notebooks that lead to each.
    """

    def __init__(self, seat: Seat, course: Course) -> None:
        self._seat = seat
        self._home = Home(seat.folder / "lab")
        self._course = course
        self._made = threading.Condition()
        self._there: set[str] = set()
        self._records: dict[str, list[Path]] = {}
        self._failed: dict[str, str] = {}
        self._guard = threading.Lock()

    def begin(self) -> None:
        """Make all states, the shortest way first, in a thread of its own."""
        threading.Thread(target=self._make, name="states", daemon=True).start()

    def wait_for(self, name: str, seconds: float = _NOTEBOOKS_SECONDS) -> None:
        """Wait until a state is there.

        Raises:
            SeatError: it cannot be made.
        """
        with self._made:
            if not self._made.wait_for(
                lambda: name in self._there or name in self._failed, seconds
            ):
                raise SeatError(f"the state `{name}` is not made yet; try again")
        if name in self._failed:
            raise SeatError(self._failed[name])

    def there(self) -> list[str]:
        """Return which states can be begun from at once."""
        with self._made:
            return sorted(self._there)

    def records(self, name: str) -> list[Path]:
        """Return the folders of the runs that led to a state, the first one first."""
        with self._made:
            return list(self._records.get(name, ()))

    def copy(self, name: str, seat: Seat) -> None:
        """Give a seat a copy of the lab in a state, in place of the lab that it has.

        Raises:
            SeatError: that cannot be done.
        """
        self.wait_for(name)

        def thaw(spec: dict[str, Any]) -> None:
            into = Path(spec["folder"], "lab")
            request = {"command": "thaw", "home": str(into), "seat": spec}
            try:
                with snapshots.connection(snapshots.find(self._home, name).folder) as keeper:
                    keeper.ask(request)
            except snapshots.SnapshotError as error:
                raise SeatError(f"the state `{name}` cannot be copied: {error}") from error

        seat.receive_lab(thaw)

    def _make(self) -> None:
        done: tuple[str, ...] = ()
        try:
            self._seat.launch()
            self._seat.wait_for("seat")
            shutil.rmtree(self._home.path / RECORDS, ignore_errors=True)
            self._seat.start("builder")
            self._seat.wait_for("builder")
        except SeatError as error:
            self._fail(list(self._course.starts), f"the lab of the workshop did not start: {error}")
            return
        for name, notebooks in sorted(self._course.starts.items(), key=lambda item: len(item[1])):
            try:
                if notebooks[: len(done)] != done:
                    raise SeatError(
                        f"state `{name}`: its notebooks do not begin with {', '.join(done)}, as those of a shorter way do"
                    )
                self._run(notebooks[len(done) :])
                done = notebooks
                self._seat.call({"do": "take", "part": "builder", "name": name}, 120)
            except SeatError as error:
                log.error("state %s: %s", name, error)
                self._fail([name], f"the state `{name}` could not be made: {error}")
                continue
            with self._made:
                self._records[name] = records_of(self._home.path)
                self._there.add(name)
                self._made.notify_all()
            log.info("state %s is there", name)

    def _fail(self, names: Sequence[str], why: str) -> None:
        log.error("%s", why)
        with self._made:
            self._failed |= dict.fromkeys(names, why)
            self._made.notify_all()

    def _run(self, notebooks: Sequence[str]) -> None:
        if notebooks:
            run_notebooks(self._seat, notebooks)

    def end(self) -> None:
        """End the lab and with it all states; copies that seats have end too."""
        with contextlib.suppress(SeatError):
            self._seat.end()


def records_of(home: Path) -> list[Path]:
    """Return the folders of the runs that the workshop made in a lab."""
    folder = home / RECORDS
    return sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


def run_notebooks(seat: Seat, notebooks: Sequence[str]) -> None:
    """Execute notebooks of the toolkit against a seat's lab, from outside of the seat.

    Raises:
        SeatError: one failed; its last words.
    """
    asked = {
        "do": "grade",
        "arguments": [*RUN, ",".join(notebooks)],
        "seconds": _NOTEBOOKS_SECONDS,
    }
    answer = seat.call(asked, _NOTEBOOKS_SECONDS + 30)
    if answer.get("code"):
        said = str(answer.get("err") or answer.get("out") or "")
        raise SeatError(f"`k8swin run` ended with {answer['code']}: {' '.join(said.split()[-60:])}")
