"""One HTML page of a whole run: the verdict first, then steps, changes and pictures, the executed notebooks, and the scripts.

Nothing that a host said becomes Markdown or HTML here: what notebooks hold is written anew tag by tag, and the page carries a
policy by which a browser runs nothing of it and loads nothing from elsewhere.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

from k8swin_nb.errors import RecordError
from k8swin_nb.headless.page_account import Account, text
from k8swin_nb.headless.page_appendix import Appendix
from k8swin_nb.headless.page_front import Front, steps_place
from k8swin_nb.headless.page_notebook import PROSE, Exhibit, Part, Rendering, resolved
from k8swin_nb.headless.page_style import sheet
from k8swin_nb.headless.page_verdict import file_link
from k8swin_nb.redact import REDACTOR, redact
from k8swin_nb.tables import escaped

POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'"
)
"""What a browser may do with the page: show it. Its styles and pictures are in it."""


def write_page(folder: Path, notebooks: Sequence[Path]) -> Path:
    """Write `index.html` into a run's folder and return its path; see `RunPage.write`."""
    return RunPage(folder).write(notebooks)


class RunPage:
    """The page of a run. A notebook that has ended can be taken in while others run: most of the work is there.

    It may be used from several threads.

    Args:
        folder: The run's.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._secrets = -1
        self._parts: dict[Path, tuple[tuple[object, ...], Part]] = {}
        self._appendix = Appendix(folder)

    def take_in(self, path: Path) -> None:
        """Make the part of a notebook that has ended. What fails here fails again, and is told, when the page is written."""
        with self._lock, contextlib.suppress(Exception):
            self._part(path, Account(self._folder))

    def write(self, notebooks: Sequence[Path]) -> Path:
        """Write `index.html` into the run's folder and return its path.

        The page is one file: no script or style is fetched from elsewhere when it is opened. A notebook that cannot be
        read is named in it.

        Args:
            notebooks: Files, in the order of the page.

        Raises:
            RecordError: when it cannot be written.
        """
        page = self._folder / "index.html"
        _write(page, self.html(notebooks))
        return page

    def html(self, notebooks: Sequence[Path]) -> str:
        """Return the page."""
        with self._lock:
            account = Account(self._folder)
            parts = [self._part(path, account) for path in notebooks]
            texts = self._appendix.gather(account.events, [part.texts for part in parts])
            missing = [
                event
                for event in account.events
                if event["event"] in ("script", "magic")
                and text(event, "sha256")
                and text(event, "sha256") not in self._appendix.by_digest
            ]
            appendix = self._appendix.html(texts, missing)
            last = {one.kind: (part, one) for part in parts for one in _exhibits(part)}
            front = Front(account, parts, last, self._appendix.by_digest)
            head = redact(front.html())
        return "".join(
            (
                '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">',
                f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
                '<meta name="viewport" content="width=device-width,initial-scale=1">',
                f"<title>{redact(escaped(f'Run {self._folder.name} {front.word[0]}'))}</title>",
                f"<style>{redact(sheet(self._folder.name))}</style></head><body><main>",
                self._with_contents(head, parts, bool(appendix)),
                self._notebooks(parts, last),
                redact(self._files()),
                appendix,
                "</main></body></html>\n",
            )
        )

    def _with_contents(self, head: str, parts: Sequence[Part], appendix: bool) -> str:
        """Put the contents behind the verdict."""
        places = [
            (place, word)
            for place, word in (
                ("cluster", "Cluster and versions"),
                ("pictures", "Pictures, nodes and pods"),
                ("steps", "Steps"),
                ("changes", "Before and after"),
            )
            if f'id="{place}"' in head
        ]
        places += [(part.place, part.path.stem) for part in parts]
        places += [("files", "Files")] + [("scripts", "Scripts")] * appendix
        said = "".join(f'<li><a href="#{place}">{escaped(word)}</a></li>' for place, word in places)
        before, end, after = head.partition("</header>")
        return f'{before}{end}<nav aria-label="Contents"><ul>{redact(said)}</ul></nav>{after}'

    def _notebooks(self, parts: Sequence[Part], last: dict[str, tuple[Part, Exhibit]]) -> str:
        if not parts:
            return ""
        said = []
        stems = [part.path.stem for part in parts]
        forms: dict[str, Part] = {}
        prose: set[str] = set()
        for part in parts:
            name = part.path.name
            inside = part.path.parent == self._folder
            link = file_link(self._folder, name) if inside else escaped(name)
            first = forms.setdefault(part.form, part) if part.form else part
            digest = f" <small>sha256 {part.sha256}</small>" if part.sha256 else ""
            again = ""
            if first is not part:
                again = (
                    f'<p class="paper">Text and code are those of {escaped(first.path.stem)} above, and are not printed '
                    f"again; they are in {escaped(name)}.</p>"
                )
            broken = f"<p>{escaped(part.broken)}</p>" if part.broken else ""
            cells = "".join(
                resolved(_once(one, prose), self._folder, stems)
                if isinstance(one, str)
                else self._exhibit(part, one, last)
                for one in part.fragments
            )
            said.append(
                f'<section id="{part.place}" class="nb-cells{" again" if again else ""}">'
                f"<h3>{escaped(part.path.stem)}</h3><p>{link}{digest}</p>{again}{broken}{cells}</section>"
            )
        note = (
            '<p class="paper">Not printed: cells of parameters, which stand above; how steps ended, which is in the table of steps; '
            "lists of explanations, and what is folded. All of it is in the notebook's file, whose digest is named with it.</p>"
        )
        return f'<section id="notebooks"><h2>Executed notebooks</h2>{note}<div id="cells">{"".join(said)}</div></section>'

    def _exhibit(self, part: Part, one: Exhibit, last: dict[str, tuple[Part, Exhibit]]) -> str:
        if last[one.kind][1] is one:
            return f'<p>{escaped(one.said)}: <a href="#pictures">above</a></p>'
        return (
            f'<div class="out screen">{one.html}</div><p class="paper">{escaped(one.said)}: a later one is above; '
            f"this one is in {escaped(part.path.name)}.</p>"
        )

    def _files(self) -> str:
        names = [name for name in ("events.jsonl", "desk.json") if (self._folder / name).is_file()]
        names += [
            path.relative_to(self._folder).as_posix()
            for path in sorted(self._folder.glob("seals/*"))
            if path.is_file()
        ]
        counts = []
        for folder in ("logs", "scripts"):
            number = sum(1 for _ in self._folder.glob(f"{folder}/*"))
            counts += [f"{folder}/ with {number} files"] if number else []
        said = [file_link(self._folder, name) for name in names] + list(map(escaped, counts))
        return f'<section id="files"><h2>Files</h2><p>Beside this page: {", ".join(said) or "nothing"}.</p></section>'

    def _part(self, path: Path, account: Account) -> Part:
        """Return what the page shows of a notebook, made once as long as file, links and known secrets are the same."""
        if self._secrets != REDACTOR.known:
            self._secrets = REDACTOR.known
            self._parts.clear()
            self._appendix.forget()
        name = next(
            (
                one.name
                for one in account.opened
                if path.stem in (one.label, one.name) or path.stem.startswith(f"{one.name}-")
            ),
            "",
        )
        recorded = (
            any(text(done.event, "notebook") == name for done in account.steps) if name else False
        )
        steps = steps_place(name) if recorded else ""
        try:
            state = path.stat()
            stamp: tuple[object, ...] = (state.st_mtime_ns, state.st_size, steps)
        except OSError:
            stamp = (0, 0, steps)
        kept = self._parts.get(path)
        if kept is None or kept[0] != stamp:
            part = Rendering(path, steps).part()
            kept = self._parts[path] = (stamp, part)
        return kept[1]


def _once(fragment: str, before: set[str]) -> str:
    """Return a fragment; a text that stood in an earlier notebook in the same words is not printed again."""
    if not fragment.startswith(PROSE):
        return fragment
    if fragment in before:
        return fragment.replace('class="md"', 'class="md old"', 1)
    before.add(fragment)
    return fragment


def _exhibits(part: Part) -> list[Exhibit]:
    return [one for one in part.fragments if isinstance(one, Exhibit)]


def _write(page: Path, content: str) -> None:
    """Write a file whole or not at all."""
    try:
        descriptor, name = tempfile.mkstemp(dir=page.parent, prefix=".page-")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
                file.write(content)
            Path(name).replace(page)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise RecordError(str(page), error.strerror or str(error)) from None
