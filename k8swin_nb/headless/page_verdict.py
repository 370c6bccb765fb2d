"""The verdict of a run's page: what was asked, what is true now, what failed, what did not run, who, when, and the seal."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from k8swin_nb.headless.listings import Text
from k8swin_nb.headless.page_account import (
    BAD,
    Account,
    Opened,
    fields,
    items,
    text,
)
from k8swin_nb.headless.page_html import STATES
from k8swin_nb.headless.page_notebook import Exhibit, Part
from k8swin_nb.redact import redact
from k8swin_nb.tables import Mark, escaped
from k8swin_nb.tables.palette import style
from k8swin_nb.workflow.report import outcome_mark
from k8swin_nb.workflow.step import Outcome

FEW = 12
"""Names that are told one by one in a line."""

SAID = 600
"""Characters of one text in the verdict, and of one in a table on paper."""

DIFFERENCE_LINES = 32
"""Lines of a difference that are printed; on the screen all are there."""

LEGEND = (
    "Behind a script stands an arrow with its exit code, where that is not 0, and the number of what it printed, a file in logs. "
    "A check's 0 is: as wanted; 10: to be applied; 20: somebody else's state, left alone; 30: not as wanted, and no wait makes it so."
)

FIRST = re.findall(
    r"\w+",
    "cluster_name profile kubernetes_version containerd_version docker_version flannel_version topology pod_subnet "
    "service_subnet host_subnet control_plane_endpoint pod_network",
)
"""Parameters that matter to every reader, in their order."""


def marked(mark: Mark) -> str:
    """Return a mark as the page shows it: its state is a class."""
    name = STATES.get(style(mark.state), "")
    return f'<b class="{name} nb">{escaped(mark)}</b>'


def outcome(word: str) -> str:
    """Return how a step ended, in its colour; a word that is none of ours as it is."""
    return marked(outcome_mark(Outcome(word))) if word in set(Outcome) else escaped(word)


def row(head: str, said: str) -> str:
    """Return a line of a list of facts; none where there is nothing to say."""
    return f'<tr><th scope="row">{head}</th><td>{said}</td></tr>' if said else ""


def facts(rows: Iterable[str]) -> str:
    """Return a list of facts."""
    return f'<table class="facts"><tbody>{"".join(rows)}</tbody></table>'


def table(caption: str, heads: Sequence[str], rows: Iterable[str], kind: str = "") -> str:
    """Return a table of rows that are HTML; it is moved sideways where there is no room, by keyboard too."""
    head = "".join(f'<th scope="col">{one}</th>' for one in heads)
    said = f"<caption>{caption}</caption>" if caption else ""
    return (
        f'<div class="w" role="group" tabindex="0" aria-label="table"><table class="{kind}">{said}'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def brief(said: str) -> str:
    """Return what a line of the verdict says: of a text that would push the others away, the beginning."""
    said = redact(said)  # a secret of which a half is cut off is not known any more
    more = len(said) - SAID
    told = f"{said[:SAID]} ... and {more} more characters, in the record" if more > 0 else said
    return escaped(told, breaking=True)


def at_length(said: str) -> str:
    """Return a text that is whole on the screen; paper has the beginning of a long one."""
    said = redact(said)  # a secret of which a half is cut off is not known any more
    more = len(said) - SAID
    if more <= 0:
        return escaped(said, breaking=True)
    return (
        f'{escaped(said[:SAID], breaking=True)}<span class="screen">{escaped(said[SAID:], breaking=True)}</span>'
        f'<span class="paper">Not printed: {more} more characters; whole in events.jsonl</span>'
    )


def few(names: Sequence[str]) -> str:
    """Return names in a line, many of them by their number too."""
    said = ", ".join(map(str, names[:FEW]))
    return f"{said} and {len(names) - FEW} more" if len(names) > FEW else said


class Verdict:
    """What a page says first.

    Args:
        account: What the record says.
        parts: What the notebooks say.
        exhibits: Pictures and tables, the last of each kind.
        texts: The page's source texts, by what the record calls them: the digest of what was sent.
    """

    def __init__(
        self,
        account: Account,
        parts: Sequence[Part],
        exhibits: Mapping[str, tuple[Part, Exhibit]],
        texts: Mapping[str, Text],
    ) -> None:
        self._account = account
        self._parts = parts
        self._exhibits = exhibits
        self._texts = texts
        self._opened = account.opened[-1].event if account.opened else account.asked
        self._errors = [(part, *error) for part in parts for error in part.errors]
        self._open = [one for one in account.opened if one.end != "finished"]

    # The verdict

    @property
    def word(self) -> tuple[str, Mark]:
        """The run in a word, and its mark."""
        account = self._account
        broken = [part for part in self._parts if part.broken]
        unfinished = [one for one in self._open if not one.end]
        failed = account.failed or any(one.end == "failed" for one in self._open)
        if account.stopped or any(one.end == "interrupted" for one in self._open):
            return "was stopped", Mark("stopped", "failed")
        if failed or (self._errors and (self._open or not account.opened)):
            return "failed", Mark("failed", "failed")
        if unfinished:
            return "has not ended", Mark("not ended", "failed")
        if account.unreadable or broken:
            return "cannot be read whole", Mark("not whole", "failed")
        if account.not_begun:
            return "is not whole", Mark("not whole", "failed")
        if not account.opened and not account.steps:
            return "has no record", Mark("no record", "waiting")
        if account.dry_run:
            return "was a dry run", Mark("dry run", "waiting")
        return "is done", Mark("done", "ok")

    def _verdict(self) -> str:
        said, mark = self.word
        rows = [
            row("Asked", self._asked()),
            row("True now", self._true_now()),
            row("Changed", self._changed()),
            row("Failed", self._failed()),
            row("Did not run", self._not_run()),
            row("End not known", self._unknown()),
            row("Who, when", self._who()),
            row("Seal", self._sealed()),
        ]
        return (
            f"<header><h1>Run {escaped(self._account.run)} {escaped(said)}</h1>"
            f'<p class="word">{marked(mark)} {self._recap()}</p>{facts(rows)}</header>'
        )

    def _recap(self) -> str:
        counts = Counter(done.outcome for done in self._account.latest)
        known = [f"{counts[word]} {word}" for word in map(str, Outcome) if counts[word]]
        other = sum(n for word, n in counts.items() if word not in set(Outcome))
        known += [f"{other} other" for _ in range(bool(other))]
        return escaped(f"steps on hosts: {', '.join(known) or 'nothing ran'}")

    def _asked(self) -> str:
        account = self._account
        planned = [str(name) for name in items(account.asked, "notebooks")]
        names = (
            planned or [one.label for one in account.opened] or [p.path.stem for p in self._parts]
        )
        said = [escaped(few(names)) or "nothing is known"]
        modes = {one.event.get("dry_run") is True for one in account.opened}
        if modes == {True} or (not modes and account.asked.get("dry_run") is True):
            said.append("as a dry run: look, and change nothing")
        elif len(modes) > 1:
            dry = [one.label for one in account.opened if one.event.get("dry_run") is True]
            said.append(escaped(f"as a dry run alone: {few(dry)}"))
        reasons = [
            text(event, "reason") for event in (account.asked, *(o.event for o in account.opened))
        ]
        told = "; ".join(filter(None, dict.fromkeys(reasons)))
        said.append(f"reason: {brief(told or 'none was given')}")
        given = self._parameters()
        matter = [
            f"{name} {given[name]}" for name in FIRST if given.get(name) not in (None, "", [])
        ]
        targets = sorted({one.target for one in account.opened if one.target})
        if targets:
            matter.append(f"one by one: {', '.join(targets)}")
        if matter:
            said.append(escaped("; ".join(matter), breaking=True))
        return "<br>".join(said)

    def _parameters(self) -> dict[str, Any]:
        """Return what was given, of the newest notebook whose record says it."""
        for one in reversed(self._account.opened):
            if given := fields(one.event, "parameters"):
                inner = fields(given, "description")
                return {**{k: v for k, v in given.items() if k != "description"}, **inner}
        cluster = text(self._opened, "cluster")
        return {"cluster_name": cluster} if cluster else {}

    def _true_now(self) -> str:
        account = self._account
        said = []
        removed = [
            one for one in account.opened if one.name == "90_teardown" and one.end == "finished"
        ]
        if (
            removed
            and removed[-1].event.get("dry_run") is not True
            and account.opened[-1] is removed[-1]
        ):
            said.append(f"{marked(Mark('removed', 'waiting'))} 90_teardown came to its end")
        if "nodes" in self._exhibits:
            part, exhibit = self._exhibits["nodes"]
            counts = exhibit.said.partition(": ")[2].partition(";")[0]
            ready = counts == f"{exhibit.said.partition(' ')[0]} Ready"
            state = Mark("ready", "ok") if ready else Mark("not all ready", "failed")
            said.append(f"{marked(state)} {escaped(exhibit.said)} (seen by {self._nb(part)})")
        # A map of the cluster counts all pods; a table of them may be older.
        maps = [kind for kind in self._exhibits if kind.startswith("Map of the cluster")]
        matrices = [kind for kind in self._exhibits if kind.startswith("Connectivity matrix")]
        for kind in [*(maps or [k for k in ("pods",) if k in self._exhibits]), *matrices]:
            part, exhibit = self._exhibits[kind]
            said.append(f"{escaped(exhibit.said)} (seen by {self._nb(part)})")
        if not said:
            proofs = [
                d
                for d in account.latest
                if text(d.event, "step") in ("nodes-ready", "worker-ready")
            ]
            said = [
                f"{outcome(d.outcome)} {brief(text(d.event, 'host'))}: {brief(text(d.event, 'detail'))}"
                for d in proofs[-FEW:]
            ]
        return "<br>".join(said) or "whether the cluster is ready was not looked at in this run"

    def _nb(self, part: Part) -> str:
        return f'<a href="#{part.place}">{escaped(part.path.stem)}</a>'

    def _changed(self) -> str:
        account = self._account
        if not account.changed:
            return "nothing" if account.steps else "nothing is known"
        counts = Counter(
            (text(d.event, "host"), d.outcome)
            for d in account.changed
            if not (d.later and d.outcome != "changed")
        )
        said = [
            f"{host}: {n} {'would be ' if word != 'changed' else ''}changed"
            for (host, word), n in counts.items()
        ]
        return f'{escaped(few(said))}; <a href="#changes">before and after</a>'

    def _failed(self) -> str:
        account = self._account
        stopped = account.stopped or account.interrupted
        said = [
            f"{outcome(d.outcome)} {escaped(text(d.event, 'notebook'))}/{escaped(text(d.event, 'step'))} on "
            f"{brief(text(d.event, 'host'))}: {brief(text(d.event, 'detail'))}"
            for d in account.failed[:FEW]
        ]
        said += [f"and {len(account.failed) - FEW} more"] if len(account.failed) > FEW else []
        said += [
            f"{escaped(one.label)}: {brief(one.told)}"
            for one in self._open
            if one.end == "failed" and not account.failed
        ]
        said += [
            f"{self._nb(part)} cell {escaped(cell)}: {brief(told)}"
            for part, cell, told in self._errors
            # What ends a cell when a run is stopped is no failure: it stands under what did not run.
            if not (stopped and told.startswith("KeyboardInterrupt"))
        ]
        said += [escaped(part.broken) for part in self._parts if part.broken]
        said += [escaped(account.unreadable)] if account.unreadable else []
        earlier = [d for d in account.steps if d.later and d.outcome in BAD]
        if earlier:
            said.append(
                escaped(
                    f"earlier, and not any more: {few([text(d.event, 'step') for d in earlier])}"
                )
            )
        return "<br>".join(said) or "nothing"

    def _not_run(self) -> str:
        account = self._account
        said = []
        if stopped := account.stopped:
            left = few(list(map(str, items(stopped, "left")))) or "nothing is left"
            said.append(
                f"Stopped by {text(stopped, 'by')}: {text(stopped, 'what')}; not begun: {left}."
            )
        for event in account.interrupted:
            where = f"{text(event, 'notebook')}/{text(event, 'step')} was interrupted"
            parts = [
                f"{word} on {few(list(map(str, items(event, name))))}"
                for name, word in (
                    ("stopped", "stopped"),
                    ("left", "not begun"),
                    ("running", "runs still"),
                )
                if items(event, name)
            ]
            said.append("; ".join([where, *parts]) + ".")
        if account.not_begun and not stopped:
            said.append(f"Notebooks not begun: {few(account.not_begun)}.")
        for one in self._open:
            steps = _steps_left(one)
            how = {"failed": "failed", "interrupted": "was interrupted"}.get(one.end)
            if not how and stopped and one.label in text(stopped, "what").split(", "):
                how = "was stopped"
            if how is None:
                last = one.steps[-1] if one.steps else one.event
                how = f"has not said that it ended: it runs still, or its kernel is gone; last heard of {text(last, 'time')}"
            left = f"; steps not ended: {few(steps)}" if steps else ""
            said.append(f"{one.label} {how}{left}.")
        for done in account.left_out:
            said.append(
                f"{text(done.event, 'host')} at {text(done.event, 'step')}: {text(done.event, 'detail')}."
            )
        return "<br>".join(escaped(one, breaking=True) for one in said) or (
            "nothing: all that was asked for ran" if account.opened else "nothing is known"
        )

    def _unknown(self) -> str:
        account = self._account
        said = [f"{one}." for one in account.unknown]
        said += [f"Found when a notebook was opened: {one}." for one in account.found_unknown]
        return "<br>".join(escaped(one, breaking=True) for one in said) or "of no script"

    def _who(self) -> str:
        account = self._account
        people: list[str] = []
        for event in [
            *([account.asked] if account.asked else []),
            *(one.event for one in account.opened),
        ]:
            name = text(event, "operator") or "somebody"
            by = f" ({text(event, 'operator_by')})" if event.get("operator_by") else ""
            on = f" on {text(event, 'controller')}" if event.get("controller") else ""
            origin = f", from {text(event, 'from')}" if event.get("from") else ""
            if on or not people:
                people.append(f"{name}{by}{on}{origin}")
        whole = dict.fromkeys(one for one in people if " on " in one) or dict.fromkeys(people)
        who = "; ".join(whole) or "unknown"
        removal = "".join(
            f"; removal confirmed by {text(one, 'operator')}: {text(one, 'confirm')}"
            for one in account.removal
        )
        times = [text(event, "time") for event in account.events if event.get("time")]
        when = f"{times[0]} to {times[-1]}" if times else "no events"
        return escaped(f"{who}{removal}; {when}", breaking=True)

    def _sealed(self) -> str:
        seal = self._account.seal()
        run = escaped(self._account.run)
        if seal is None:
            return "not sealed: that nothing was changed since cannot be shown"
        how = "; ".join(
            f"with {how}, {file_link(self._account.folder, file)}" for file, how in seal.signed
        )
        signed = f"signed {how}" if how else "not signed"
        said = f" {escaped(seal.told)}" if seal.told else ""
        return (
            f"sealed{said}: {file_link(self._account.folder, seal.file)}, {signed}. This page checks nothing: "
            f"<code>k8swin audit verify {run}</code> does, and says what was changed after the seal"
        )


def file_link(folder: Path, name: str, word: str = "") -> str:
    """Return a link to a file of the run's folder, or its name alone where it is not there."""
    path = Path(name)
    inside = not path.is_absolute() and ".." not in path.parts and "\0" not in name
    said = escaped(word or name, breaking=not word)
    try:
        there = inside and (folder / path).is_file()
    except OSError:
        there = False
    return f'<a href="{quote(path.as_posix())}">{said}</a>' if there else said


def _steps_left(one: Opened) -> list[str]:
    """Return the steps of a notebook of which its record has no end."""
    from k8swin_nb.errors import InventoryError
    from k8swin_nb.phases.catalogue import phase

    done = {text(event, "step") for event in one.steps}
    try:
        return [step.name for step in phase(one.name).steps if step.name not in done]
    except InventoryError:
        return []
