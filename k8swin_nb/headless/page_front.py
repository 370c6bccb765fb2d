"""What stands before the notebooks on the page of a run: the verdict, the cluster, the steps, and before and after."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

from k8swin_nb.headless.listings import key_of
from k8swin_nb.headless.page_account import (
    BAD,
    Done,
    Event,
    fields,
    text,
)
from k8swin_nb.headless.page_notebook import escaped_text, place_of
from k8swin_nb.headless.page_verdict import (
    DIFFERENCE_LINES,
    FIRST,
    LEGEND,
    SAID,
    Verdict,
    at_length,
    facts,
    file_link,
    outcome,
    row,
    table,
)
from k8swin_nb.tables import escaped

_CHANGE = ("notebook", "step", "outcome", "found", "difference", "now", "detail")
"""What says of a change what it is, but for its host."""


class Front(Verdict):
    """The front of a page: the verdict, and what it is made of."""

    def html(self) -> str:
        """Return it: masked HTML."""
        return "".join(
            (
                self._verdict(),
                self._cluster(),
                self._pictures(),
                self._step_tables(),
                self._changes(),
            )
        )

    # The cluster

    def _cluster(self) -> str:
        rows = []
        for name, said in self._versions().items():
            rows.append(row(escaped(name), escaped(said, breaking=True)))
        given = self._parameters()
        given = {**{k: v for k, v in given.items() if k != "notebook"}, **fields(given, "notebook")}
        rest = {
            k: v
            for k, v in given.items()
            if k not in FIRST and k != "hosts" and v not in (None, "", [], {})
        }
        more = "; ".join(f"{name}={text(rest, name)}" for name in rest)
        rows.append(row("further parameters", escaped(more, breaking=True)))
        hashes = dict.fromkeys(text(one.event, "parameters_sha256") for one in self._account.opened)
        rows.append(
            row("sha256 of parameters", escaped(", ".join(filter(None, hashes)), breaking=True))
        )
        source = next((part.given for part in self._parts if part.given), "")
        if source and not fields(self._opened, "parameters"):
            rows.append(row("as given to the first notebook", f"<pre>{escaped_text(source)}</pre>"))
        return f'<section id="cluster"><h2>Cluster and versions</h2>{facts(rows)}{self._hosts()}</section>'

    def _versions(self) -> dict[str, str]:
        given = self._parameters()
        toolkit = fields(self._opened, "toolkit")
        changed = ", with changes that are not committed" if toolkit.get("changed") is True else ""
        commit = f", commit {text(toolkit, 'commit')}{changed}" if toolkit.get("commit") else ""
        version = text(toolkit, "version")
        versions = {
            "Kubernetes": text(given, "kubernetes_version"),
            "containerd": text(given, "containerd_version"),
            "Docker": text(given, "docker_version"),
            "flannel": text(given, "flannel_version"),
            "Networks": "; ".join(
                f"{word} {text(given, name)}"
                for word, name in (
                    ("pods", "pod_subnet"),
                    ("services", "service_subnet"),
                    ("hosts", "host_subnet"),
                    ("topology", "topology"),
                )
                if given.get(name)
            ),
            "Toolkit": f"k8swin_nb {version}{commit}" if version else "",
            "Controller": "; ".join(
                filter(
                    None, (text(self._opened, "system"), f"Python {text(self._opened, 'python')}")
                )
            )
            if self._opened.get("python")
            else "",
        }
        return {name: said for name, said in versions.items() if said}

    def _hosts(self) -> str:
        account = self._account
        builds = {
            text(d.event, "host"): text(d.event, "detail").partition(": ")[2].partition(",")[0]
            for d in account.steps
            if text(d.event, "step") in ("reach-windows", "reach-linux") and d.outcome not in BAD
        }
        rows = []
        for name, host in account.hosts.items():
            seen = [
                _identity(e, what) for (one, what), e in account.identities.items() if one == name
            ]
            cells = (
                f'<th scope="row">{escaped(name)}</th>',
                f"<td>{escaped(text(host, 'address'))}</td>",
                f"<td>{escaped(text(host, 'os'))}</td>",
                f"<td>{escaped(text(host, 'user'))}</td>",
                f"<td>{escaped(builds.get(name, ''))}</td>",
                f"<td>{escaped('; '.join(seen) or 'not in this record', breaking=True)}</td>",
            )
            rows.append(f"<tr>{''.join(cells)}</tr>")
        heads = ("host", "address", "system", "login", "as found", "identity as seen")
        return table("Hosts", heads, rows) if rows else ""

    def _pictures(self) -> str:
        shown = [
            f'<figure class="{"picture" if one.picture else "tbl"}">{one.html}'
            # A table says itself what it is.
            f"<figcaption>{f'{escaped(one.said)}; ' if one.picture else ''}of {self._nb(part)}</figcaption></figure>"
            for part, one in sorted(self._exhibits.values(), key=lambda of: not of[1].picture)
        ]
        if not shown:
            return ""
        return f'<section id="pictures"><h2>Pictures, nodes and pods</h2><div class="figs">{"".join(shown)}</div></section>'

    # The steps

    def _step_tables(self) -> str:
        parts = []
        groups: dict[str, list[Done]] = {}
        for done in self._account.steps:
            groups.setdefault(text(done.event, "notebook"), []).append(done)
        for name, group in groups.items():
            heads = ("step", "host", "outcome", "s", "detail", "scripts, exit code, output")
            place = steps_place(name)
            rows = [self._step(*some) for some in _folded(group)]
            parts.append(f'<div id="{place}">{table(escaped(name), heads, rows, "steps")}</div>')
        if self._account.magics:
            rows = [self._magic(event) for event in self._account.magics]
            heads = ("magic", "host", "exit code", "s", "user", "script, output")
            parts.append(
                table("Magics: what was typed, outside of steps", heads, rows, "steps magics")
            )
        said = "".join(parts) or "<p>No step is in the record.</p>"
        said = f"<p>{LEGEND}</p>{said}" if parts else said
        return f'<section id="steps"><h2>Steps</h2>{said}</section>'

    def _step(self, done: Done, *others: Done) -> str:
        """Return the row of a step on a host, and on others where it says the same."""
        event = done.event
        hosts = ", ".join(text(one.event, "host") for one in (done, *others))
        cells = (
            f'<th scope="row">{escaped(text(event, "step"))}</th>',
            f"<td>{escaped(hosts)}</td>",
            f"<td>{outcome(done.outcome)}{' (and later again)' if done.later and done.outcome in BAD else ''}</td>",
            f'<td class="n">{_seconds(event)}</td>',
            f"<td>{at_length(text(event, 'detail'))}</td>",
            f"<td>{self._scripts(done)}</td>",
        )
        return f"<tr>{''.join(cells)}</tr>"

    def _magic(self, event: Event) -> str:
        name = text(event, "name") or text(event, "script").partition("\n")[0]
        cells = (
            f'<th scope="row">{escaped(name, breaking=True)}</th>',
            f"<td>{escaped(text(event, 'host'))}</td>",
            f"<td>{escaped(_exit(event))}</td>",
            f'<td class="n">{_seconds(event)}</td>',
            f"<td>{escaped(text(event, 'user'))}{', as root' if _as_root(event) else ''}</td>",
            f"<td>{self._script(event)}</td>",
        )
        return f"<tr>{''.join(cells)}</tr>"

    def _scripts(self, done: Done) -> str:
        """Return the scripts of a step; those that follow each other and are the same, by their name once."""
        host = text(done.event, "host")
        said = []
        for (_, where), group in itertools.groupby(
            done.scripts, key=lambda one: (text(one, "sha256"), text(one, "host"))
        ):
            scripts = list(group)
            on = f" on {escaped(where)}" if where != host else ""
            ends = ", ".join(filter(None, map(self._end, scripts)))
            said.append(f"{self._name(scripts)}{on} {ends}")
        return "; ".join(said) + _roots(done.scripts)

    def _script(self, event: Event) -> str:
        """Return a link to what a magic sent, whose name stands before it, and its output."""
        known = self._texts.get(text(event, "sha256"))
        said = f'<a href="#{key_of(known.plain)}">text</a> ' if known else ""
        return f"{said}{self._end(event)}"

    def _name(self, scripts: Sequence[Event]) -> str:
        """Return how scripts of one text are called, which leads to it."""
        known = self._texts.get(text(scripts[0], "sha256"))
        name = text(scripts[0], "script")
        other = "script" if "\n" in name else name.rpartition("/")[2]
        short = escaped("/".join(dict.fromkeys(text(one, "verb") or other for one in scripts)))
        return f'<a href="#{key_of(known.plain)}">{short}</a>' if known else short

    def _end(self, event: Event) -> str:
        """Return how a script ended, and its output."""
        said = [] if event.get("exit_code") == 0 else [f"\u2192{escaped(_exit(event))}"]
        if text(event, "error"):
            told = escaped(text(event, "error").partition("\n")[0], breaking=True)
            said.append(f'<span class="screen">{told}</span>')
        if output := text(event, "output"):
            number = Path(output).name.partition("-")[0]
            said.append(file_link(self._account.folder, output, number))
        return " ".join(said)

    # Before and after

    def _changes(self) -> str:
        changes = self._account.changed
        if not changes:
            return ""
        alike: dict[tuple[str, ...], list[Done]] = {}
        for done in changes:
            # What the same step did in the same words on several hosts stands once.
            alike.setdefault(tuple(text(done.event, name) for name in _CHANGE), []).append(done)
        seen: dict[tuple[str, str, str], tuple[str, str]] = {}
        said = "".join(self._change(some, seen) for some in alike.values())
        return f'<section id="changes"><h2>Before and after</h2><div class="cols">{said}</div></section>'

    def _change(
        self, some: Sequence[Done], seen: dict[tuple[str, str, str], tuple[str, str]]
    ) -> str:
        done = some[0]
        event = done.event
        hosts = ", ".join(dict.fromkeys(text(one.event, "host") for one in some))
        times = f", {len(some)} times" if len(some) > hosts.count(", ") + 1 else ""
        rows = []
        for name, word in (("found", "before"), ("difference", "difference"), ("now", "after")):
            value = text(event, name)
            if name == "now" and not value and done.outcome == "changed":
                value = text(event, "detail")
            if not value:
                continue
            if "\n" in value and len(value) > DIFFERENCE_LINES * SAID:
                shown = f" {at_length(value)}"
            elif "\n" in value:
                host = text(event, "host")
                # The same step on one more host: paper has the lines alone that differ.
                key = (text(event, "notebook"), text(event, "step"), name)
                first, before = seen.setdefault(key, (host, value))
                new = [line for line in value.split("\n") if line not in before.split("\n")]
                if first != host and len(new) <= DIFFERENCE_LINES // 2:
                    aside = f", but for {len(new)} lines" if new else ""
                    few_lines = (
                        f'<pre class="paper">{escaped_text(chr(10).join(new))}</pre>' if new else ""
                    )
                    rows.append(
                        f'<div><i>{word}:</i> <span class="paper">as on {escaped(first)}{aside}</span>'
                        f'{few_lines}<pre class="screen">{escaped_text(value)}</pre></div>'
                    )
                    continue
                lines = value.split("\n")
                kept, rest = lines[:DIFFERENCE_LINES], lines[DIFFERENCE_LINES:]
                shown = f"<pre>{escaped_text(chr(10).join(kept))}</pre>"
                if rest:
                    shown += f'<pre class="screen">{escaped_text(chr(10).join(rest))}</pre>'
                    place = self._account.place(event)
                    shown += f'<p class="paper">Not printed: {len(rest)} more lines; whole in {escaped(place)}</p>'
            else:
                shown = f" {at_length(value)}"
            rows.append(f"<div><i>{word}:</i>{shown}</div>")
        where = f"{text(event, 'notebook')}/{text(event, 'step')} on {hosts}{times}"
        return f'<div class="chg"><p><b>{escaped(where)}</b> {outcome(done.outcome)}</p>{"".join(rows)}</div>'


def _folded(group: Sequence[Done]) -> list[list[Done]]:
    """Return steps in their order; one that was passed over for the same reason on several hosts is one of them."""
    rows: list[list[Done]] = []
    passed: dict[tuple[str, str], list[Done]] = {}
    for done in group:
        if done.outcome != "skipped" or done.scripts:
            rows.append([done])
            continue
        key = (text(done.event, "step"), text(done.event, "detail"))
        if key not in passed:
            rows.append(passed.setdefault(key, []))
        passed[key].append(done)
    return rows


def steps_place(notebook: str) -> str:
    """Return what the place of a notebook's steps in the page is called."""
    return f"steps-{place_of(notebook)[3:]}"


def _seconds(event: Event) -> str:
    seconds = event.get("seconds")
    return (
        f"{seconds:.1f}"
        if isinstance(seconds, int | float) and not isinstance(seconds, bool)
        else ""
    )


def _identity(event: Event, what: str) -> str:
    said = [f"{'host key' if event.get('host_key') else 'certificate, sha256'} {what}"]
    said += [f"boot {text(event, 'boot_id')}" for _ in range(bool(event.get("boot_id")))]
    pinned = event.get("pinned")
    said += (
        [f"pinned: {'yes' if pinned is True else 'no' if pinned is False else pinned}"]
        if pinned is not None
        else []
    )
    return ", ".join(said)


def _exit(event: Event) -> str:
    code = event.get("exit_code")
    return "no exit code" if code is None else str(code)


def _as_root(event: Event) -> bool:
    return event.get("as_root", event.get("sudo")) is True


def _roots(scripts: Sequence[Event]) -> str:
    """Return which of a step's scripts ran as root."""
    roots = [text(one, "verb") or "script" for one in scripts if _as_root(one)]
    if not roots:
        return ""
    return (
        " (as root)" if len(roots) == len(scripts) else escaped(f" (as root: {', '.join(roots)})")
    )
