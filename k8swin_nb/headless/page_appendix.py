"""The scripts of a run on its page: each text once, closed on the screen.

On paper those that may change a host are open, with the functions that they share. Those that only look stand there by name,
with the digest of what was sent and the file in which they are kept, for all of them together would take more sheets than
everything else.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from k8swin_nb.errors import ScriptError
from k8swin_nb.headless.listings import (
    Piece,
    Shared,
    Text,
    language_of,
    text_of,
    without_shared,
)
from k8swin_nb.headless.page_account import Event, only_looks, text
from k8swin_nb.headless.page_verdict import file_link
from k8swin_nb.reading import Unreadable, file_bytes
from k8swin_nb.scripts import Script
from k8swin_nb.tables import escaped

SCRIPT_BYTES = 4 * 1024 * 1024
"""What a kept script may have."""

PAPER = "paper-open"
"""Class of what is closed on the screen and open on paper."""


class Appendix:
    """The source texts of a run's page.

    It keeps what it has made of a text, for the page is written again and again.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: dict[tuple[str, str], Text | None] = {}
        self.by_digest: dict[str, Text] = {}
        """Texts by the digest of what was sent."""

    def forget(self) -> None:
        """Make every text anew: more is known to be secret."""
        self._made.clear()

    def gather(
        self, events: Iterable[Event], shown: Iterable[Mapping[str, Text]]
    ) -> dict[str, Text]:
        """Return all texts by key: those that ran, in their order, then what notebooks show beside them."""
        listed = {key: one for texts in shown for key, one in texts.items()}
        texts: dict[str, Text] = {}
        self.by_digest = {}
        for event in events:
            digest = text(event, "sha256")
            if event["event"] not in ("script", "magic", "script-started") or not digest:
                continue
            ran = event["event"] != "script-started"
            known = self.by_digest.get(digest)
            if known is None:
                made = self._text(event, digest)
                if made is None:
                    continue
                known = texts.setdefault(made.key, listed.get(made.key, made))
                known.title, known.sha256 = made.title, digest
                known.file, known.runs, known.looks = made.file, 0, made.looks
                self.by_digest[digest] = known
            known.runs += ran
            known.looks = known.looks and only_looks(event)
        for key, one in listed.items():
            if key not in texts:
                one.sha256, one.file, one.runs, one.looks = "", "", 0, True
                texts[key] = one
        return texts

    def _text(self, event: Event, digest: str) -> Text | None:
        """Return the text of a script that ran: as it is kept, else the package's own of that digest; None: it is nowhere."""
        file = text(event, "script_file")
        if (digest, file) not in self._made:
            self._made[digest, file] = self._find(event, digest, file)
        return self._made[digest, file]

    def _find(self, event: Event, digest: str, file: str) -> Text | None:
        name = text(event, "script")
        title = text(event, "name") or name.partition("\n")[0]
        language = language_of(file or name)
        if text(event, "interpreter") in ("bash", "powershell"):
            language = text(event, "interpreter")
        source = self._kept(file)
        if source is None:
            file = ""
            if "\n" in name:
                source = name  # a magic of an older record has its text where others have a name
            else:
                with contextlib.suppress(ScriptError):
                    script = Script.load(name)
                    source = script.text if script.sha256 == digest else None
        if source is None:
            return None
        made = text_of(title, language, source)
        made.file, made.looks = file, only_looks(event)
        return made

    def _kept(self, file: str) -> str | None:
        path = Path(file)
        if not file or path.is_absolute() or ".." in path.parts or "\0" in file:
            return None
        try:
            return file_bytes(self._folder / path, SCRIPT_BYTES).decode("utf-8", "replace")
        except (OSError, Unreadable):
            return None

    def html(self, texts: Mapping[str, Text], missing: Iterable[Event]) -> str:
        """Return the appendix.

        Args:
            texts: As `gather` returned them.
            missing: Events of scripts whose texts are nowhere.
        """
        pieces, shared = without_shared(texts.values())
        needed = {
            piece.key
            for key, parts in pieces.items()
            if not texts[key].looks
            for piece in parts
            if isinstance(piece, Shared)
        }
        changing = [self._one(one, pieces[one.key]) for one in texts.values() if not one.looks]
        looking = [
            self._one(one, pieces[one.key]) for one in texts.values() if one.looks and one.runs
        ]
        beside = [
            self._one(one, pieces[one.key]) for one in texts.values() if one.looks and not one.runs
        ]
        functions = [self._function(one, one.key in needed) for one in shared.values()]
        gone = {text(event, "sha256"): event for event in missing}
        lost = "".join(
            f"<li>{escaped(text(e, 'script').partition(chr(10))[0])}, sha256 {escaped(digest, breaking=True)}</li>"
            for digest, e in gone.items()
        )
        if not (texts or lost):
            return ""
        said = (
            "Each text once. A function that several scripts share stands once, behind the scripts that change something; "
            "where it stood in a script is its name. Digests are of what was sent, with those functions in it."
        )
        return (
            f'<section id="scripts"><h2>Scripts</h2><p>{said}</p>'
            + self._group("Scripts that change hosts, or may", changing)
            + self._group("Functions that several scripts share", functions)
            + self._group("Scripts that only look", looking, self._not_printed())
            + f'<div class="screen">{self._group("Shown in notebooks, and not run by themselves", beside)}</div>'
            + (f"<h3>Texts that are not in this record</h3><ul>{lost}</ul>" if lost else "")
            + "</section>"
        )

    def _not_printed(self) -> str:
        return (
            '<p class="paper">Their texts are not printed. Each is in the file that is named with it; one without a file is '
            "of the toolkit's version that is named above, in k8swin_nb/scripts.</p>"
        )

    def _group(self, title: str, entries: list[str], note: str = "") -> str:
        if not entries:
            return ""
        return f'<h3>{title}</h3>{note}<div class="cols src">{"".join(entries)}</div>'

    def _one(self, one: Text, pieces: Sequence[Piece]) -> str:
        told = [f"{len(one.lines)} lines"]
        if one.runs:
            told.append(f"ran {one.runs} time{'s' if one.runs > 1 else ''}")
        # A file is called by the digest of what it holds; that of what was sent differs where a secret was masked.
        if one.sha256 and one.sha256 not in one.file:
            told.append(f"sha256 {one.sha256}")
        if one.file:
            told.append(one.file)
        kept = (
            f'<p class="screen">{file_link(self._folder, one.file, "the whole text as a file")}</p>'
            if one.file
            else ""
        )
        body = _body(pieces)
        kind = "" if one.looks else f' class="{PAPER}"'
        return (
            f'<details id="{one.key}"{kind}><summary><code>{escaped(one.title, breaking=True)}</code> '
            f"<small>{escaped(', '.join(told), breaking=True)}</small></summary>{kept}{body}</details>"
        )

    def _function(self, one: Shared, printed: bool) -> str:
        kind = PAPER if printed else "screen"
        return (
            f'<details id="{one.key}" class="{kind}"><summary><code>{escaped(one.name)}</code> <small>{one.language}</small></summary>'
            f"<pre>{_numbered(1, one.lines)}</pre></details>"
        )


def _body(pieces: Sequence[Piece]) -> str:
    """Return the lines of a text, and in a line the names of the functions that stand elsewhere."""
    parts: list[str] = []
    for elsewhere, group in itertools.groupby(pieces, key=lambda piece: isinstance(piece, Shared)):
        if elsewhere:
            names = (
                f'<a href="#{one.key}">{escaped(one.name)}</a>'
                for one in group
                if isinstance(one, Shared)
            )
            parts.append(f'<p class="fn">here: {", ".join(names)}</p>')
        else:
            parts += [_lines(*piece) for piece in group if not isinstance(piece, Shared)]
    return "".join(parts)


def _lines(first: int, lines: list[str]) -> str:
    while lines and not lines[0].strip():
        first, lines = first + 1, lines[1:]
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    return f"<pre>{_numbered(first, lines)}</pre>"


def _numbered(first: int, lines: Sequence[str]) -> str:
    """Return lines with their numbers. An empty line is within its number's tag: paper has neither."""
    width = len(str(first + len(lines)))
    return "".join(
        f"<i>{n:>{width}} </i>{line}\n" if line.strip() else f"<i>{n:>{width}}\n</i>"
        for n, line in enumerate(lines, first)
    )
