"""A workshop's folder: what it was started with, its seats' folders, tokens and grades."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import secrets
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from k8swin_lab.workshop.model import SeatError

MARK = "workshop.json"
FIRST_USER = 2_000_000_000
"""Seats of a workshop that root started are users FIRST_USER + 1 and so on, of whom no system file knows."""

DEFAULT_PORT = 8800
MEBI = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Settings:
    """How a workshop was asked for."""

    seats: int
    address: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    at: str = ""
    course: str = ""
    shared: bool = False
    disk: int = 1024 * MEBI
    memory: int = 1024 * MEBI
    processes: int = 400

    @classmethod
    def of(cls, document: dict[str, Any]) -> Settings:
        known = cls.__dataclass_fields__
        return cls(**{key: value for key, value in document.items() if key in known})


def default_home(start: Path | None = None) -> Path:
    """Return the project's `.k8swin/workshop`; outside of a project that of the working folder."""
    start = (start or Path.cwd()).absolute()
    for folder in (start, *start.parents):
        if (folder / "params/lab.yaml").is_file():
            return folder / ".k8swin/workshop"
    return start / ".k8swin/workshop"


def seat_name(number: int) -> str:
    return f"seat-{number:02}"


class Place:
    """Paths of one workshop. Nothing is written before `create`."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.mark = self.path / MARK
        self.lock = self.path / "lock"
        self.pid = self.path / "pid"
        self.control = self.path / "control"
        self.log = self.path / "workshop.log"
        self.tokens = self.path / "tokens.json"
        self.handout = self.path / "seats.csv"
        self.trainer = self.path / "trainer"
        self.grades = self.path / "grades.jsonl"
        self.seats = self.path / "seats"
        self.template = self.path / "template"
        self.states = self.path / "states"

    @property
    def project(self) -> Path:
        """The project's folder, or whatever the workshop's folder is in."""
        parents = self.path.parents
        return parents[1] if len(parents) > 1 and parents[0].name == ".k8swin" else parents[0]

    def check(self) -> None:
        """Say that the folder can be a workshop's.

        Raises:
            SeatError: something else is in it.
        """
        if self.path.exists() and not self.path.is_dir():
            raise SeatError(f"{self.path} is no folder; name another with --home")
        try:
            strange = sorted(path.name for path in self.path.iterdir())
        except FileNotFoundError:
            return
        except OSError as error:
            raise SeatError(
                f"{self.path}: {error.strerror}; name another folder with --home"
            ) from error
        if strange and not self.mark.is_file() and set(strange) - {"lock", "workshop.log"}:
            raise SeatError(
                f"{self.path} is no workshop's folder: it holds {', '.join(strange[:5])} and no {MARK}; "
                "nothing was written; name a new or empty folder with --home"
            )

    def create(self) -> None:
        """Make the folder; others than its owner see nothing of it."""
        self.path.mkdir(parents=True, exist_ok=True)
        self.path.chmod(0o700)
        for folder in (self.seats, self.states):
            folder.mkdir(exist_ok=True)

    def settings(self) -> Settings | None:
        """Return what the workshop was started with; None when it never was."""
        try:
            return Settings.of(json.loads(self.mark.read_text()))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError) as error:
            raise SeatError(
                f"{self.mark} is not as it was written: {error}; delete it, and start with all options again"
            ) from error

    def keep(self, settings: Settings) -> None:
        self.write(self.mark, json.dumps(asdict(settings), indent=1) + "\n")

    def forget_running(self) -> None:
        """Remove what only a running workshop has."""
        for path in (self.pid, self.control):
            path.unlink(missing_ok=True)

    def seat_folder(self, name: str, user: int, lab_user: int) -> Path:
        """Make the folder of a seat, with what is the trainee's and what is the lab's in it; return it.

        Whoever it is for gets it when it is made; 0 is whoever makes it.
        """
        folder = self.seats / name
        for inner in ("work", "lab", "home", "root"):
            path = folder / inner
            if path.is_dir():
                continue
            path.mkdir(parents=True, mode=0o700)
            owner = {"lab": lab_user, "root": 0}.get(inner, user)
            if owner:
                os.chown(path, owner, owner)
        return folder

    def seat_tokens(self, names: list[str]) -> dict[str, str]:
        """Return each seat's token, made on first use."""
        known: dict[str, str] = {}
        with contextlib.suppress(OSError, ValueError):
            known = {str(k): str(v) for k, v in json.loads(self.tokens.read_text()).items()}
        fresh = {name: known.get(name) or secrets.token_urlsafe(24) for name in names}
        self.write(self.tokens, json.dumps({**known, **fresh}, indent=1) + "\n")
        return fresh

    def write_handout(self, rows: list[tuple[str, str]]) -> None:
        """Write which address is whose, for handing out."""
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(["seat", "url"])
        writer.writerows(rows)
        self.write(self.handout, text.getvalue())

    def write(self, path: Path, text: str) -> None:
        """Replace a file at once, readable by its owner only."""
        fresh = path.with_name(f".{path.name}.new")
        fresh.unlink(missing_ok=True)
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(text)
        fresh.replace(path)


def with_changes(settings: Settings, **changes: Any) -> Settings:
    """Return settings in which what is not None is changed."""
    return replace(settings, **{key: value for key, value in changes.items() if value is not None})
