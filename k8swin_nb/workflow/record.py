"""The record of a run: an append-only log of who did what, where, when, and how it ended.

One JSON object a line in `runs/<id>/events.jsonl`, written and synced before the next thing happens,
so that what ran is known even when the kernel dies. Every text in it passes the door (`shown`); what a script
printed goes to a file of its own beside it, and the event holds that file's SHA-256.

A line is whole or not there: how it is appended, and what becomes of what others left, is in `log_file`. `read_events`
passes over what is no event. Which events there are, and what stands in them: docs/record.md.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import secrets
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from k8swin_nb.errors import K8swinError, RecordError
from k8swin_nb.reading import Unreadable, file_bytes, open_file
from k8swin_nb.redact import redact
from k8swin_nb.shown import masked, visible
from k8swin_nb.workflow import origin
from k8swin_nb.workflow.chain import NUMBER, PREVIOUS, read_event
from k8swin_nb.workflow.log_file import append

OURS = frozenset(
    {"time", "run", "notebook", "event", "phase", "step", "outcome", "verb", "sha256"}
    | {NUMBER, PREVIOUS}
    | {
        "output",
        "output_sha256",
        "parameters_sha256",
        "parameters_file",
        "tag",
        "script_file",
        "job_script_file",
    }
)
"""Fields whose values are words of the toolkit itself, which no secret is in, though one may be the same word."""

OF_CELLS = frozenset(
    {"kernel", "source_sha256", "outputs_sha256", "outputs_also", "ended", "followed"}
)
"""The same of events about a notebook's cells."""


if TYPE_CHECKING:
    from k8swin_nb.inventory import Host
    from k8swin_nb.transports.identity import Identity


def utc_now() -> str:
    """Return the time as RFC 3339 text with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def new_run_id() -> str:
    """Return an id that sorts by time: 20261123-205512-7f3a."""
    return datetime.now(UTC).strftime("%Y%m%d-%H%M%S-") + secrets.token_hex(2)


def operator() -> str:
    """Who runs this: `K8SWIN_OPERATOR`, else the system's user name."""
    return origin.operator()[0]


def read_events(path: Path) -> list[dict[str, Any]]:
    """Return the events of a record; what is no event, such as half a line, is passed over."""
    try:
        with open_file(path) as file:
            return [event for line in file if (event := read_event(line)) is not None]
    except FileNotFoundError:
        return []


class KeptLog:
    """A file of a run's folder that grows: what is too long to be shown. Not for several threads at once."""

    def __init__(self, path: Path, descriptor: int, name: str) -> None:
        self.name = name
        """Path below the folder of all runs."""
        self._path = path
        self._file: Any = os.fdopen(descriptor, "w", encoding="utf-8", errors="replace")

    def write(self, text: str) -> None:
        """Append text that is masked already; what cannot be written is left out, and `close` says so."""
        if self._file is not None:
            try:
                self._file.write(visible(text))
            except OSError as error:
                self._fail(error)

    def close(self) -> str:
        """Return the file's name, and what became of it if it is not whole."""
        if self._file is not None:
            try:
                self._file.close()
            except OSError as error:
                self._fail(error)
        return self.name

    def _fail(self, error: OSError) -> None:
        self.name += f" (not whole: {error.strerror})"
        file, self._file = self._file, None
        with contextlib.suppress(OSError):
            file.close()


class Record:
    """The event log of one run, shared by all notebooks that are given its id.

    Args:
        folder: Folder of all runs.
        run_id: Name of this run's folder in it.
        notebook: Who writes: a notebook's or a program's name.
        reason: Why this is done, in one line; empty: nobody said.
        sign: What the run's seals are signed with, as the parameter `sign` has it; None: what the environment says.

    Raises:
        RecordError: when the run's folder cannot be made.
    """

    def __init__(
        self, folder: Path, run_id: str, notebook: str, *, reason: str = "", sign: str | None = None
    ) -> None:
        self.run_id = run_id
        self.notebook = notebook
        self.reason = reason
        """Why this is done; each `notebook-opened` says it."""
        self.sign = sign
        """What seals of the run are signed with (`ssh:PATH`, `certificate:PATH`, `sigstore`); None: what the environment
        says. Nothing is signed here: whoever seals the run asks for it."""
        self.folder = folder / run_id
        self.logs = self.folder / "logs"
        self.scripts = self.folder / "scripts"
        self._kept_scripts: dict[tuple[str, bytes], str] = {}
        """By interpreter and digest of what is sent, the file that holds a script's text; looked at once by each process."""
        with self._writing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.logs.mkdir(exist_ok=True, mode=0o700)
        self._identified: dict[str, Identity] = {}
        self._identifying = threading.Lock()
        self._last_log = 0
        """Number of the last file in `logs` that is known here."""
        self.path = self.folder / "events.jsonl"
        self._lock = threading.Lock()
        self.events: list[dict[str, Any]] = []
        """The events of this notebook, as written."""

    def write(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Append an event and return it as written; `kind` is a word such as `script` or `step`.

        Raises:
            RecordError: when it cannot be written; nothing of it is then left in the record.
        """
        fields = {**self._frame(), "event": kind, **fields}
        # Texts are masked, never their frame: a secret may be the same word as a name of a field.
        event = self._masked(fields)
        with self._lock, self._writing(self.path):
            line = append(self.path, self.run_id, event, lambda: self._masked(self._frame()))
        written: dict[str, Any] = json.loads(line)
        self.events.append(written)
        return written

    def _frame(self) -> dict[str, Any]:
        """Return the fields that every event has, in their order."""
        return {
            "time": utc_now(),
            "run": self.run_id,
            "notebook": self.notebook,
            "event": "",
            "operator": operator(),
        }

    def _masked(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        return {
            name: value if name in OURS | OF_CELLS else _kept(masked(value))
            for name, value in fields.items()
        }

    def write_beside(self, raised: BaseException, kind: str, /, **fields: Any) -> None:
        """Append an event about an error that is being raised; what hinders it is added to the error's hint or notes."""
        try:
            self.write(kind, **fields)
        except RecordError as lost:
            if isinstance(raised, RecordError) or str(lost) in str(getattr(raised, "hint", "")):
                return  # it says so already
            if isinstance(raised, K8swinError):
                raised.hint = f"{raised.hint or ''}; not in the record: {lost}".lstrip("; ")
            else:
                raised.add_note(f"not in the record: {lost}")

    @contextlib.contextmanager
    def _writing(self, path: Path) -> Iterator[None]:
        """Make an error of ours of what a disk says."""
        try:
            yield
        except OSError as error:
            raise RecordError(str(path), error.strerror or str(error)) from None

    def keep_output(self, name: str, text: str) -> tuple[str, str]:
        """Store what a script printed; return the file's name below the run's folder and its SHA-256.

        Raises:
            RecordError: when it cannot be written; nothing of it is then left.
        """
        content = visible(redact(text)).encode("utf-8", "replace")
        digest = hashlib.sha256(content).hexdigest()
        with self._lock, self._writing(self.logs):
            path, descriptor = self._new_log(name)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(content)
            except OSError:
                path.unlink(missing_ok=True)
                self._last_log -= 1
                raise
        return f"logs/{path.name}", digest

    def keep_script(self, text: str, interpreter: str) -> str:
        """Keep the text of a script, masked, once for all that run it; return the file's name below the run's folder.

        The file is named by the SHA-256 of what it holds. One that is there and holds something else, as a disk that was full
        leaves it, is written again.

        Args:
            text: The script as it is sent.
            interpreter: `bash` or `powershell`.

        Raises:
            RecordError: when it cannot be written; nothing of it is then left under that name.
        """
        known = (interpreter, hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest())
        with self._lock:
            if known not in self._kept_scripts:
                suffix = "ps1" if interpreter == "powershell" else "sh"
                self._kept_scripts[known] = self._keep(self.scripts, visible(redact(text)), suffix)
            return self._kept_scripts[known]

    def keep_parameters(self, parameters: Mapping[str, Any]) -> str:
        """Keep a whole description, masked, once for all notebooks that have the same; return its file below the run's folder.

        Raises:
            RecordError: when it cannot be written; nothing of it is then left.
        """
        text = json.dumps(_kept(masked(parameters)), ensure_ascii=False, indent=1) + "\n"
        with self._lock:
            return self._keep(self.folder / "parameters", text, "json")

    def _keep(self, folder: Path, text: str, suffix: str) -> str:
        content = text.encode("utf-8", "replace")
        name = f"{hashlib.sha256(content).hexdigest()}.{suffix}"
        with self._writing(folder):
            _keep_once(folder, name, content)
        return f"{folder.name}/{name}"

    def new_log(self, name: str) -> tuple[Path, int]:
        """Make a file for what a script prints; return it with a descriptor to write to.

        Raises:
            RecordError: when it cannot be made.
        """
        with self._lock, self._writing(self.logs):
            return self._new_log(name)

    def shown_name(self, file: str) -> str:
        """Return how a reader is told a file that lies below the run's folder."""
        return f"{self._shown_runs()}/{self.run_id}/{file}"

    def open_log(self, name: str) -> KeptLog:
        """Begin a file for what is too long to be shown.

        Raises:
            RecordError: when it cannot be made.
        """
        with self._lock, self._writing(self.logs):
            path, descriptor = self._new_log(name)
        return KeptLog(path, descriptor, self.shown_name(f"logs/{path.name}"))

    def _shown_runs(self) -> str:
        """Return how a reader is told the folder of all runs: one that is of no project by its whole path."""
        runs = self.folder.parent
        return str(runs) if runs.parent.name == ".k8swin" else runs.name

    def _new_log(self, name: str) -> tuple[Path, int]:
        """Open a file that nobody else has; notebooks of one run count in the same folder at once."""
        if not self._last_log:
            # Once: a folder with thousands of files is not listed for each of them.
            self._last_log = sum(1 for _ in self.logs.iterdir())
        while True:
            self._last_log += 1
            path = self.logs / f"{self._last_log:04d}-{name}.log"
            with contextlib.suppress(FileExistsError):
                return path, os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)

    def identify(self, host: Host, identity: Identity) -> None:
        """Append whom a host showed, unless that stands there already as it is now.

        Raises:
            RecordError: when it cannot be written; it is written with the next script then.
        """
        with self._identifying:
            before = self._identified.get(host.name)
            seen = identity.after(before)
            named = "host_key" if seen.by == "ssh" else "certificate_sha256"
            changed = []
            if before is not None:
                if (seen.key, seen.boot, seen.through) == (before.key, before.boot, before.through):
                    return
                changed += [named] if before.key != seen.key else []
                changed += ["boot_id"] if before.boot and before.boot != seen.boot else []
            told = {
                "host": host.name,
                "address": host.address,
                "by": seen.by,
                named: seen.key,
                "pinned": seen.pinned,
                **({"through": seen.through} if seen.through else {}),
                **({"boot_id": seen.boot} if seen.boot else {}),
                **({"changed": changed} if changed else {}),
            }
            self.write("host-identified", **told)
            self._identified[host.name] = seen

    def opened(self, **fields: Any) -> dict[str, Any]:
        """Append the event that starts a notebook: who works, why, from where, and with what."""
        return self.write(
            "notebook-opened",
            operator_by=origin.operator()[1],
            reason=self.reason,
            controller=platform.node(),
            **{"from": origin.came_from()},
            system=platform.platform(terse=True),
            python=platform.python_version(),
            toolkit=origin.toolkit(),
            **fields,
        )


def _keep_once(folder: Path, name: str, content: bytes) -> None:
    """Write a file that is named by its content, unless it is there and holds just that."""
    path = folder / name
    folder.mkdir(exist_ok=True, mode=0o700)
    try:
        if file_bytes(path, len(content)) == content:
            return
    except (OSError, Unreadable):
        pass  # it is not there, or not what it should be
    # Beside its place first: nobody who reads, and no other kernel that writes the same, ever sees half of it.
    beside = folder / f".{name}.{secrets.token_hex(4)}"
    try:
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise


def _kept(value: Any) -> Any:
    """Return a masked structure with what is unseen in its texts as text: a record is read on terminals."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, dict):
        return {visible(key): _kept(item) for key, item in value.items()}
    return [_kept(item) for item in value] if isinstance(value, list) else value
