"""What the scripts `*/evidence.check.*` print, as sections of lines."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from k8swin_nb.inventory import Host
from k8swin_nb.reading import Unreadable, json_document, lines, whole

SILENCE = {
    "HostUnreachable": "cannot be reached",
    "TransportTimeout": "cannot be reached",
    "AuthenticationFailed": "refuses the login",
    "HostKeyUnknown": "is not known to be itself",
    "HostKeyMismatch": "is not known to be itself",
    "CertificateRejected": "is not known to be itself",
}
"""What a kind of error says of a host."""

UNKNOWN = "(not to be had: "
"""How a section says that its part cannot be read."""

ASKED_OF_THE_API = frozenset(
    {
        "nodes", "cluster-services", "daemons", "windows-pods", "cluster-networks", "net-conf", "dns-address",
        "tokens", "kubelet-ports",
    }
)  # fmt: skip
"""Sections that an API server tells. What it did not tell to the end is unknown, whatever was printed before."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one host showed, or why it showed nothing."""

    host: Host
    sections: dict[str, list[str]] = field(default_factory=dict)
    unreachable: str = ""
    """Why it showed nothing, in the words of the error; empty when it answered."""
    trouble: str = ""
    """The error's kind, such as `AuthenticationFailed`."""
    asked: float = 0.0
    """This computer's time when the host was asked."""
    received: float = 0.0
    """And when it had answered; the host's own clock is held against both."""

    @property
    def silence(self) -> str:
        """Why it showed nothing, as a sentence: one who refuses, or cannot be asked, was reached all the same."""
        return f"{SILENCE.get(self.trouble, 'could not be asked')}: {self.unreachable}"

    def unread(self, section: str) -> bool:
        """Whether a section is missing or could not be had, which is not the same as being empty."""
        lines = self.sections.get(section)
        return lines is None or any(line.startswith(UNKNOWN) for line in lines)

    def lines(self, section: str) -> list[str]:
        """Return the lines of a section that say something; none where it could not be asked."""
        if section in ASKED_OF_THE_API and not self.known(section):
            return []
        return self._told(section)

    def known(self, section: str) -> bool:
        """Tell whether a section was asked and told to its end; what is not known is not empty."""
        return section in self.sections and not any(
            line.startswith(UNKNOWN) for line in self.sections[section]
        )

    def _told(self, section: str) -> list[str]:
        return [line for line in self.sections.get(section, ()) if not line.startswith(UNKNOWN)]

    def rows(self, section: str, columns: int) -> list[list[str]]:
        """Return a section's lines as rows, filled up to a number of columns."""
        rows = [line.split("\t") for line in self.lines(section)]
        return [(row + [""] * columns)[:columns] for row in rows]

    def fact(self, section: str, name: str) -> str:
        """Return one value of a section of names and values; empty when it is not there."""
        for key, value in self.rows(section, 2):
            if key == name:
                return value
        return ""

    def logs(self) -> Iterable[tuple[str, str]]:
        """Return the lines of logs and events, each with the section's name."""
        for name in self.sections:
            if name.startswith("log ") or name in ("events", "job", "conditions", "nodes"):
                for line in self._told(name):
                    yield name, line


def parse(host: Host, text: str, asked: float = 0.0, received: float = 0.0) -> Evidence:
    """Read what a script printed."""
    sections: dict[str, list[str]] = {}
    current: list[str] = []
    for line in lines(text):
        if line.startswith("== "):
            current = sections.setdefault(line[3:].strip(), [])
        elif line.strip():
            current.append(line.rstrip())
    return Evidence(host, sections, asked=asked, received=received)


@dataclass(frozen=True, slots=True)
class CniFile:
    """A file of the CNI folder."""

    name: str
    first_bytes: str
    text: str

    @property
    def has_mark(self) -> bool:
        """Whether it begins with a byte-order mark, of UTF-8 or of UTF-16."""
        return self.first_bytes.startswith(("efbbbf", "fffe", "feff"))

    def document(self) -> dict[str, object] | None:
        """Return the JSON object in it, or None."""
        try:
            read = json_document(self.text)
        except Unreadable:
            return None
        return read if isinstance(read, dict) else None


def cni_files(evidence: Evidence) -> list[CniFile]:
    """Return the files of the CNI folder in the order in which a runtime reads them."""
    found = []
    for name, first, content in evidence.rows("cni", 3):
        try:
            text = base64.b64decode(content).decode("utf-8", "replace")
        except ValueError:
            text = ""
        found.append(CniFile(name, first.lower(), text.lstrip("\ufeff")))
    return sorted(found, key=lambda file: file.name)


def end_of_validity(text: str) -> datetime | None:
    """Read `notAfter=Nov 26 10:00:00 2027 GMT`, `notAfter=2027-11-26T10:00:00Z` or seconds since 1970."""
    value = text.removeprefix("notAfter=").strip()
    if (seconds := whole(value)) is not None:
        try:
            return datetime.fromtimestamp(seconds, UTC)
        except (OverflowError, ValueError, OSError):
            return None
    if re.match(r"\d{4}-", value):
        try:
            read = datetime.fromisoformat(value.replace("Z", "+00:00"))
            return read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC)
        except (OverflowError, ValueError):
            return None
    try:
        return datetime.strptime(value, "%b %d %H:%M:%S %Y %Z").replace(tzinfo=UTC)
    except ValueError:
        return None
