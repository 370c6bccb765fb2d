"""Preflight: what the scripts `*/preflight.check.*` print, judged as one table.

The scripts look at a host and say what they find; what needs the plan, the controller's clock or another
host is judged here, so that Linux and Windows are held to the same rules.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from ipaddress import IPv4Network
from typing import Any

from k8swin_nb.errors import K8swinError, StepFailed
from k8swin_nb.inventory import Host
from k8swin_nb.phases.preflight_values import preflight_values
from k8swin_nb.workflow.run import Run
from k8swin_nb.workflow.step import Check, State, Verdict

LINUX, WINDOWS = "linux/preflight.check.sh", "windows/preflight.check.ps1"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: `severity` is what it means when it does not hold.

    `fail` stops before anything is changed, `warn` is told, `step` is brought about by a later step, `info`
    never matters.
    """

    id: str
    check: str
    host: str
    severity: str
    holds: bool
    found: str
    wanted: str
    fix: str

    @property
    def stops(self) -> bool:
        """Whether nothing may be changed while this is so."""
        return not self.holds and self.severity == "fail"


@dataclass(frozen=True, slots=True)
class Route:
    """A route that was seen on a host; `via` is empty where the network is its neighbour."""

    network: IPv4Network
    interface: str
    via: str = ""


@dataclass(slots=True)
class Facts:
    """What a host says of itself, for comparisons with the plan and with other hosts."""

    values: dict[str, str] = field(default_factory=dict)
    routes: list[Route] = field(default_factory=list)
    clock: tuple[float, float] = (0.0, 0.0)
    """Seconds that the host's clock is ahead of the controller's, and how far off that may be."""

    def get(self, name: str) -> str:
        """Return a fact, empty where the host did not say it."""
        return self.values.get(name, "")


def parse(text: str, host: Host) -> tuple[list[Finding], Facts]:
    """Read what a preflight script prints: checks of seven fields, facts of two, tab-separated."""
    findings, facts = [], Facts()
    for line in text.splitlines():
        kind, *fields = line.rstrip("\r").split("\t")
        if kind == "check" and len(fields) == 7:
            ident, name, severity, state, found, wanted, fix = fields
            findings.append(
                Finding(ident, name, host.name, severity, state == "ok", found, wanted, fix)
            )
        elif kind == "fact" and len(fields) == 2:
            name, value = fields
            if name == "route":
                facts.routes.append(_route(value, host.os))
            else:
                facts.values[name] = value.strip()
    return findings, facts


def _route(text: str, system: str) -> Route:
    network, second, third = text.split(" ", 2)
    interface, via = (second, third) if system == "linux" else (third, second)
    return Route(
        IPv4Network(network, strict=False),
        interface.strip(),
        "" if via in ("-", "0.0.0.0") else via,  # noqa: S104 - Windows' word for a neighbour
    )


def clock_offset(facts: Facts, sent: float, received: float) -> tuple[float, float]:
    """Return how far a host's clock is ahead of ours, and the uncertainty, both in seconds.

    The host reads its clock when the script begins and when it ends. The first reading was made after we
    sent, the last before we received: what lies between the two bounds is the time on the wire.
    """
    try:
        high = float(facts.get("clock_first")) - sent
        low = float(facts.get("clock_last")) - received
    except ValueError:
        return 0.0, float("inf")
    return (low + high) / 2, max(0.0, (high - low) / 2)


def look(run: Run, host: Host, *, api_expected: bool = True) -> tuple[list[Finding], Facts]:
    """Ask a host in one round trip and judge what it says.

    Raises:
        StepFailed: when its script broke off.
    """
    from k8swin_nb.phases.preflight_rules import judge

    sent = time.time()
    result = run.script(
        LINUX if host.os == "linux" else WINDOWS,
        host,
        verb="check",
        step="preflight",
        values=preflight_values(run, host, api_expected=api_expected),
        quiet=True,
        timeout=180,
    )
    received = time.time()
    findings, facts = parse(result.stdout, host)
    if result.returncode != 0 or not findings:
        raise StepFailed(
            phase="",
            step="preflight",
            host=host.name,
            detail="preflight broke off",
            result=result,
        )
    facts.clock = clock_offset(facts, sent, received)
    findings += judge(run, host, facts)
    run.keep_facts(host, "preflight", [asdict(finding) for finding in findings])
    run.keep_facts(host, "preflight_facts", facts)
    return findings, facts


def verdict(host: Host, findings: list[Finding], step: str = "preflight") -> Verdict:
    """Sum findings up.

    Raises:
        StepFailed: naming every one that stops, with what to do.
    """
    failed = [finding for finding in findings if finding.stops]
    if failed:
        raise StepFailed(
            phase="",
            step=step,
            host=host.name,
            detail="; ".join(
                f"{f.id} {f.check} on {f.host} is {f.found}, wanted {f.wanted}" for f in failed
            ),
            hint="; ".join(dict.fromkeys(f.fix for f in failed)),
        )
    holding = [f for f in findings if f.holds or f.severity == "info"]
    later = [f for f in findings if not f.holds and f.severity == "step"]
    warned = [f for f in findings if not f.holds and f.severity == "warn"]
    text = f"{len(holding)} of {len(findings)} checks hold"
    if later:
        text += f", {len(later)} by later steps"
    if warned:
        text += ", warnings: " + "; ".join(
            f"{f.id} {f.check} is {f.found}, wanted {f.wanted}" for f in warned
        )
    return Verdict(State.OK, text)


def preflight(*, api_expected: bool = True, alone: bool = False) -> Check:
    """Make the check of a preflight step: it stops on failures only, and names all of them.

    Args:
        api_expected: Whether the API server is there to be reached already.
        alone: Do not compare with the master: another step compares all hosts.
    """

    def check(run: Run, host: Host) -> Verdict:
        from k8swin_nb.phases.preflight_rules import compare

        findings, facts = look(run, host, api_expected=api_expected)
        if not alone and host != run.master:
            compared = compare(run, {host.name: facts, run.master.name: _master_facts(run)})
            run.keep_facts(host, "cross_node", [asdict(finding) for finding in compared])
            findings += compared
        return verdict(host, findings)

    return check


def _master_facts(run: Run) -> Facts:
    """Return the master's facts, asked for at most once in a notebook."""
    known: Any = run.facts.get(run.master.name, {}).get("preflight_facts")
    if isinstance(known, Facts):
        return known
    try:
        return look(run, run.master)[1]
    except K8swinError:
        # Another step says what is wrong with the master; here it is only compared with.
        return Facts()
    finally:
        # The table of a worker's notebook is about the worker.
        run.facts.get(run.master.name, {}).pop("preflight", None)
