"""What the trainer's page is told of the seats: data for JSON, with hostile text made harmless and short.

A trainee can give his notebooks, his errors and what his `check` says any text. The page shows text as text; here
escape sequences of terminals, signs that turn the direction of writing and what has no picture are made visible, and
what is too long is cut, so that one seat cannot make the page of all slow.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from k8swin_lab.workshop.model import Grade, SeatStatus

LINE = 400
"""Signs of a text that are shown."""

SAID = re.compile(r"\s*([\w.-]{1,64}): (\d{1,4}) of (\d{1,4})\b")
_ESCAPES = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[PX^_][^\x1b]*(?:\x1b\\)?|[ -/]*[0-~])|\x9b[0-?]*[ -/]*[@-~]"
)
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)


def plain(text: object, length: int = LINE) -> str:
    """Return a text as one line that can be shown: no escape sequences, unseen signs as `<U+202E>`, cut at a length."""
    whole = str(text)
    kept = _ESCAPES.sub("", whole[: length * 4]).strip()
    kept = re.sub(r"[ \t\r\n]+", " ", kept)
    kept = _UNSEEN.sub(lambda found: f"<U+{ord(found[0]):04X}>", kept)
    if len(whole) > length * 4 or len(kept) > length:
        return f"{kept[:length]}… ({len(whole):,} characters)"
    return kept


def moment(text: str) -> float | None:
    """Return an RFC 3339 text as seconds since 1970; None for what is none."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError):
        return None


def link(url: str) -> str:
    """Return an address that a browser may be sent to; empty for any but http and https."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme in ("http", "https") and parts.netloc else ""


class Rows:
    """Makes the rows, and remembers what seats have said: a seat's status has only the last of it."""

    def __init__(
        self, exercises: Sequence[tuple[str, str]], drills: Sequence[tuple[str, str]]
    ) -> None:
        self._order = [ident for ident, _ in exercises]
        self._said: dict[str, set[str]] = {}
        self._beside = {
            "exercises": [{"id": ident, "title": plain(title)} for ident, title in exercises],
            "drills": [{"name": name, "what": plain(what)} for name, what in drills],
        }

    def document(
        self, seats: Iterable[SeatStatus], doing: dict[str, dict[str, Any]], trouble: str
    ) -> dict[str, Any]:
        """Return everything that the page shows.

        Args:
            seats: As they are.
            doing: What the trainer asked of a seat and how it went, by the seat's name.
            trouble: Why the seats cannot be looked at now; empty when they can.
        """
        rows = [self._row(seat, doing.get(seat.name)) for seat in seats]
        return {**self._beside, "now": time.time(), "trouble": plain(trouble), "seats": rows}

    def _row(self, seat: SeatStatus, doing: dict[str, Any] | None) -> dict[str, Any]:
        said = self._said.setdefault(seat.name, set())
        if (found := SAID.match(seat.said[:200])) and found[2] == found[3] and int(found[3]):
            said.add(found[1])
        return {
            "name": seat.name,
            "shown": plain(seat.name, 40),
            "url": link(seat.url),
            "state": str(seat.state),
            "exercise": plain(seat.exercise, 20),
            "since": moment(seat.since),
            "error": plain(seat.error),
            "drills": [plain(name, 40) for name in seat.drills[:20]],
            "bytes": max(0, seat.used_bytes),
            "said": plain(seat.said, 120),
            "grades": [
                _cell(seat.grades.get(one), one in said, begun=one in seat.begun)
                for one in self._order
            ],
            "doing": doing,
        }


def _cell(grade: Grade | None, said: bool, *, begun: bool) -> dict[str, Any]:
    """Return a place of the grid: `confirmed`, `said`, `part`, `begun` or `none`, and what was looked at."""
    if grade is None:
        return {"is": "said" if said else "begun" if begun else "none"}
    state = "confirmed" if grade.done else "said" if said else "part"
    return {
        "is": state,
        "met": grade.met,
        "of": grade.of,
        "score": grade.score,
        "max": grade.max_score,
        "time": moment(grade.time),
        "missing": [plain(text) for text in grade.missing[:40]],
    }
