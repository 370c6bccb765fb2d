"""Verdicts, stories and differences as text for a terminal: the answer first, one thing a line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from k8swin_nb.audit.story import Event, Story, names_of
from k8swin_nb.audit.verdict import CHANGED, REMARK, UNPROVEN, Finding, Verdict
from k8swin_nb.shown import shown_begin, shown_line

_HEADS = {
    CHANGED: "not as it was written:",
    UNPROVEN: "not proven:",
    REMARK: "remarks:",
}

SHOWN = 10
"""Findings of one kind that a terminal shows; what one cause makes is of one kind."""

LINES = 40
"""Lines of a difference that are shown for each change."""


def verdict_lines(verdict: Verdict) -> list[str]:
    """Return a verdict, its reasons, and what it cannot say."""
    lines = [f"run {_one(verdict.run)}: {verdict.word}"]
    lines.append(f"  {verdict.events} events, {verdict.files} files, {len(verdict.seals)} seals")
    if verdict.seals:
        last = verdict.seals[-1]
        who = ", ".join(verdict.who) or (
            "by nobody who is trusted" if last.signatures else "by nobody"
        )
        lines.append(
            f"  last seal: number {last.number}, {_one(last.time)}, {_one(last.why)}; signed {'by ' if verdict.who else ''}{_one(who)}"
        )
    for weight, head in _HEADS.items():
        found = verdict.of(weight)
        if found:
            lines += [head, *_bounded(found)]
    lines += ["what nobody can tell from a record:", *(f"  {text}" for text in verdict.cannot_know)]
    return lines


def several_lines(found: Sequence[tuple[str, Verdict | Exception]]) -> list[str]:
    """Return the verdicts of several runs, with the reasons of those that are not intact; an error stands for one that cannot be read."""
    counts: dict[str, int] = {}
    lines = []
    for named, one in found:
        word = one.word if isinstance(one, Verdict) else "cannot be read"
        counts[word] = counts.get(word, 0) + 1
        if isinstance(one, Exception):
            lines.append(f"{_one(named)}: {word}: {_one(one)}")
            continue
        who = f" by {_one(', '.join(one.who))}" if one.who else ""
        lines.append(f"{_one(named)}: {word}{who}")
        lines += [line for weight in (CHANGED, UNPROVEN) for line in _bounded(one.of(weight))]
    told = ", ".join(f"{count} {word}" for word, count in counts.items())
    return [
        *lines,
        f"{len(found)} runs: {told}",
        "what nobody can tell from a record, `k8swin audit verify RUN` says of each",
    ]


def _bounded(found: list[Finding]) -> list[str]:
    """Return findings, of each kind the first ones; `--json` has all."""
    counts: dict[str, int] = {}
    lines = []
    for finding in found:
        counts[finding.what] = counts.get(finding.what, 0) + 1
        if counts[finding.what] <= SHOWN:
            lines.append(f"  {_one(finding)}")
    more = [
        f"  and {count - SHOWN} more `{what}`, which --json has"
        for what, count in counts.items()
        if count > SHOWN
    ]
    return lines + more


def _one(text: object) -> str:
    return shown_line(text, most=1000)


def story_lines(story: Story, *, about: frozenset[str]) -> list[str]:
    """Return what a record tells.

    Args:
        story: What it tells.
        about: Which parts are wanted: `changes`, `scripts`, `confirmations`; none: a summary of all.
    """
    lines: list[str] = []
    if not about:
        lines += _summary(story)
    if not about or "changes" in about:
        lines += _part(
            "what was changed",
            [line for e in story.changes for line in _change(e, whole=bool(about))],
        )
    if "scripts" in about:
        lines += _part("scripts", [line for e in story.scripts for line in _script(e)])
    elif not about:
        roots = [event for event in story.scripts if event.get("as_root")]
        lines += _part(
            f"scripts as root: {len(roots)} of {len(story.scripts)}", _counted(roots), none=""
        )
    if not about or "confirmations" in about:
        lines += _part(
            "who confirmed a removal",
            [_confirmed(event) for event in story.confirmations],
            none="nobody: nothing was removed",
        )
    if not about:
        lines += _part(
            "how hosts were known",
            [_identity(event) for event in story.identities],
            none="the record says nothing of it",
        )
        lines += _part("what failed", [_failed(event) for event in story.failures])
        lines += _part(
            "scripts whose end is not known",
            [line for e in story.unfinished for line in _script(e)],
        )
    return lines


def _part(head: str, lines: Iterable[str], none: str = "nothing") -> list[str]:
    lines = list(lines)
    return (
        [f"{head}:", *(f"  {line}" for line in lines)]
        if lines
        else [f"{head}: {none}".removesuffix(": ")]
    )


def _summary(story: Story) -> list[str]:
    lines = [f"run {_one(story.run)}, {_one(story.first)} to {_one(story.last)}"]
    for event in story.opened:
        toolkit = event.get("toolkit")
        version = ""
        if isinstance(toolkit, dict):
            commit = (
                f" ({toolkit.get('commit')}{', changed' if toolkit.get('changed') else ''})"
                if toolkit.get("commit")
                else ""
            )
            version = f", toolkit {toolkit.get('version')}{commit}"
        by = f" ({event['operator_by']})" if event.get("operator_by") else ""
        came = f" from {event['from']}" if event.get("from") else ""
        reason = f", reason: {event['reason']}" if event.get("reason") else ", no reason given"
        name = str(event.get("notebook", ""))
        ended = story.ended.get(name, "no end in the record")
        target = f" ({event['target']})" if event.get("target") else ""
        dry = ", dry run" if event.get("dry_run") else ""
        lines.append(
            "  "
            + _one(
                f"{event.get('time')} {name}{target} by {event.get('operator')}{by}{came} on {event.get('controller')}{reason}{version}{dry}: {ended}"
            )
        )
    told = ", ".join(f"{count} {outcome}" for outcome, count in sorted(story.outcomes.items()))
    return [*lines, f"steps: {_one(told) or 'none ended'}"]


def _change(event: Event, *, whole: bool) -> list[str]:
    lines = [
        _one(
            f"{event.get('time')} {event.get('host')} {event.get('notebook')}/{event.get('step')} by {event.get('operator')}: {event.get('outcome')}, {event.get('detail', '')}"
        )
    ]
    for name in ("found", "now"):
        if event.get(name):
            lines.append(f"    {name}: {_one(event[name])}")
    difference = str(event.get("difference") or "").splitlines()
    most = LINES if whole else 0
    lines += [f"    {shown_begin(line, most=1000)}" for line in difference[:most]]
    if whole and len(difference) > most:
        lines.append(
            f"    ... {len(difference) - most} lines more, in {_one(event.get('event'))} {_one(event.get('n', ''))}"
        )
    return lines


def _script(event: Event) -> list[str]:
    who = "root" if event.get("as_root") else str(event.get("user", ""))
    if event.get("as_root") and event.get("user") != "root":
        who = f"root (login {event.get('user')})"
    name = str(event.get("name") or event.get("script") or "").partition("\n")[0]
    ended = f"exit code {event['exit_code']}" if "exit_code" in event else "its end is not known"
    if event.get("error") and "exit_code" not in event:
        ended = f"broke off: {event['error']}"
    text = event.get("script_file") or f"sha256 {event.get('sha256', '')}"
    return [_one(f"{event.get('time')} {event.get('host')} as {who}: {name}, {ended}; {text}")]


def _counted(events: list[Event]) -> list[str]:
    counts: dict[tuple[str, str], int] = {}
    for event in events:
        name = str(event.get("name") or event.get("script") or "").partition("\n")[0]
        key = (str(event.get("host", "")), name)
        counts[key] = counts.get(key, 0) + 1
    return [
        _one(f"{host}: {name}" + (f", {count} times" if count > 1 else ""))
        for (host, name), count in sorted(counts.items())
    ]


def _confirmed(event: Event) -> str:
    names = ", ".join(names_of(event.get("hosts"))) or event.get("host", "")
    return _one(f"{event.get('time')} {event.get('operator')}: `{event.get('confirm')}`; {names}")


def _identity(event: Event) -> str:
    known = [
        f"{name} {event[name]}"
        for name in ("host_key", "certificate_sha256", "fingerprint", "boot_id")
        if event.get(name)
    ]
    pinned = f", pinned: {event['pinned']}" if "pinned" in event else ""
    if event.get("changed"):
        pinned += f"; another than before: {event['changed']}"
    return _one(
        f"{event.get('time')} {event.get('host')} {event.get('address', '')} by {event.get('by', '')}: {', '.join(known)}{pinned}"
    )


def _failed(event: Event) -> str:
    why = event.get("error") or event.get("detail") or ""
    return _one(
        f"{event.get('time')} {event.get('notebook')}/{event.get('step', '')}: {event.get('event')} {why}".rstrip()
    )


def difference_lines(found: dict[str, Any]) -> list[str]:
    """Return how two runs differ."""
    a, b = found["runs"]
    lines = [f"runs {_one(a)} and {_one(b)}"]
    for part, head in (
        ("about", "who, where, with what"),
        ("parameters", "parameters"),
        ("outcomes", "outcomes"),
        ("identities", "identities of hosts"),
    ):
        values = [
            f"{_one(name)}: {_given(left)} -> {_given(right)}"
            for name, (left, right) in found[part].items()
        ]
        lines += _part(head, values, none="the same")
    scripts: list[str] = []
    for item in found["scripts"]:
        left, right = item["sha256"]
        scripts.append(f"{_one(item['script'])}: {_digests(left)} -> {_digests(right)}")
        scripts += [
            f"    {shown_begin(line, most=1000)}"
            for line in str(item.get("difference", "")).splitlines()
        ]
    return lines + _part("scripts", scripts, none="the same")


def _given(value: Any) -> str:
    return "not there" if value is None else shown_line(value, most=300)


def _digests(digests: list[str]) -> str:
    return ", ".join(_one(one)[:12] for one in digests) or "not there"
