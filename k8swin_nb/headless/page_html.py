"""HTML and Markdown of notebooks on their way into the page: looked at tag by tag, and written anew.

What comes out is balanced, has no id, no handler, no form, no picture from elsewhere and no link that leaves the page and its
folder: of such a link the address stands behind its text, for a reader of paper needs it too. Tags and attributes that are
not known here are left out; the text within stays.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from html.parser import HTMLParser

from k8swin_nb.headless.listings import CLASSES
from k8swin_nb.tables.palette import LOOKS, style
from k8swin_nb.tables.text import attribute, passed

_VOID = frozenset({"br", "hr", "img", "wbr", "col"})
_KEPT = _VOID | set(
    re.findall(
        r"\w+",
        "a abbr b blockquote caption code colgroup dd del details div dl dt em figure figcaption h1 h2 h3 h4 h5 h6 i kbd li ol p pre q "
        "s samp small span strong sub summary sup table tbody td tfoot th thead tr u ul var",
    )
)
_SILENT = set(
    re.findall(
        r"\w+",
        "script style template iframe object svg math noscript textarea select title head audio video canvas",
    )
)
"""Tags that are left out with all that is in them."""

_ATTRIBUTES = {
    "td": ("colspan", "rowspan"),
    "th": ("colspan", "rowspan", "scope"),
    "ol": ("start",),
    "col": ("span",),
    "details": ("open",),
}
_VALUE = re.compile(r"[a-z]{3,8}|\d{1,3}|")

_PICTURE = re.compile(r"data:image/(?:png|jpeg|gif|svg\+xml);base64,[A-Za-z0-9+/=\s]+")

STATES = {style(state): f"s-{state}" for state in LOOKS if style(state)}
"""Classes of the page for the states of marks, by how a notebook says them."""

_ENDED = {
    "li": "li",
    "tr": "tr td th",
    "td": "td th",
    "th": "td th",
    "dd": "dd dt",
    "dt": "dd dt",
    "p": "p",
}
"""Tags that HTML lets end without a word, by the tag that ends them."""

_BOXES = frozenset({"ul", "ol", "table", "dl", "details", "div", "blockquote"})

Link = Callable[[str], str | None]
"""Returns where a link of a notebook leads in the page, or None when it leads nowhere there."""


class _Writer(HTMLParser):
    def __init__(self, link: Link, heading: int) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._link = link
        self._heading = heading
        self._open: list[str] = []
        self._silent = 0
        self._away: list[tuple[str, int]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self._silent += 1
        if self._silent or tag not in _KEPT:
            return
        given = {name: value or "" for name, value in attrs}
        if tag == "img":
            self._picture(given)
            return
        if tag in _VOID:
            self.parts.append(f"<{tag}>")
            return
        for ended in _ENDED.get(tag, "").split():
            self._end(ended, _BOXES)
        if tag == "a":
            self._anchor(given)
            return
        tag = self._level(tag)
        if tag == "table":
            # It is moved sideways where there is no room, by keyboard too.
            self.parts.append('<div class="w" role="group" tabindex="0" aria-label="table">')
        self._open.append(tag)
        self.parts.append(f"<{tag}{self._attributes(tag, given)}>")

    def _attributes(self, tag: str, given: dict[str, str]) -> str:
        said = ""
        for name in _ATTRIBUTES.get(tag, ()):
            if name in given and _VALUE.fullmatch(given[name].lower()):
                said += f' {name}="{given[name].lower()}"'
        look = given.get("style", "").replace(" ", "")
        classes = [name for known, name in STATES.items() if known.replace(" ", "") in look]
        if tag in ("td", "th") and "text-align:right" in look:
            classes.append("n")
        if "white-space:nowrap" in look:
            classes.append("nb")
        if given.get("class", "") in CLASSES:
            classes.append(given["class"])
        return f'{said} class="{" ".join(classes)}"' if classes else said

    def _level(self, tag: str) -> str:
        if len(tag) == 2 and tag[0] == "h" and tag[1].isdigit():
            return f"h{min(6, int(tag[1]) + self._heading)}"
        return tag

    def _picture(self, given: dict[str, str]) -> None:
        told = attribute(given.get("alt", ""))
        if _PICTURE.fullmatch(given.get("src", "")):
            source = re.sub(r"\s", "", given["src"])
            self.parts.append(f'<img alt="{told}" src="{source}">')
        elif told:
            self.parts.append(f"[{told}]")

    def _anchor(self, given: dict[str, str]) -> None:
        target = given.get("href", "")
        leads = self._link(target) if target else None
        self._open.append("a" if leads else "")
        if leads:
            self.parts.append(f'<a href="{attribute(leads)}">')
        else:
            self._away.append((target, len(self.parts)))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self._silent = max(0, self._silent - 1)
            return
        if self._silent or tag in _VOID:
            return
        if tag == "a":
            # One that leads nowhere is open without a name.
            tag = next((one for one in reversed(self._open) if one in ("a", "")), "a")
        self._end(self._level(tag), frozenset())

    def _end(self, tag: str, within: frozenset[str]) -> None:
        """End a tag and all that is open in it, if it is open, and not outside of one of these."""
        for at in range(len(self._open) - 1, -1, -1):
            if self._open[at] == tag:
                for one in reversed(self._open[at:]):
                    self._close(one)
                del self._open[at:]
                return
            if self._open[at] in within:
                return

    def _close(self, tag: str) -> None:
        if tag:
            self.parts.append(f"</{tag}>")
            if tag == "table":
                self.parts.append("</div>")
        elif self._away:
            target, begin = self._away.pop()
            said = html.unescape(re.sub(r"<[^>]*>", "", "".join(self.parts[begin:])))
            # What led to a file that is not here, or to a place in the notebook, says nothing to a reader.
            if re.match(r"https?://", target) and target.strip("/") != said.strip("/ "):
                self.parts.append(f" ({attribute(target)})")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.parts.append(passed(data))

    def whole(self) -> str:
        """Return what was written, with an end for everything."""
        self.close()
        for tag in reversed(self._open):
            self._close(tag)
        self._open.clear()
        return "".join(self.parts)


def clean(text: str, link: Link, *, heading: int = 0) -> str:
    """Return HTML as the page takes it.

    Args:
        text: HTML of whomever.
        link: Where its links lead.
        heading: Levels by which its headings go down.
    """
    writer = _Writer(link, heading)
    writer.feed(text)
    return writer.whole()


def no_link(target: str) -> None:
    """Let no link of a text lead anywhere."""


def from_markdown(text: str, link: Link, *, heading: int = 0) -> str:
    """Return Markdown as HTML that the page takes; args are those of `clean`."""
    import mistune

    markdown = mistune.create_markdown(escape=False, plugins=["table", "strikethrough"])
    return clean(str(markdown(text)), link, heading=heading)
