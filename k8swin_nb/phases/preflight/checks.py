"""Preflight: what the scripts `*/preflight.check.*` print, judged as one table.

The scripts look at a host and say what they find; what needs the plan, the controller's clock or another
host is judged here, so that Linux and Windows are held to the same rules.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from ipaddress import IPv4Network

from k8swin_nb.errors import K8swinError, Stopped
from k8swin_nb.inventory import Host
from k8swin_nb.phases.preflight.values import preflight_values
from k8swin_nb.reading import lines, network
from k8swin_nb.transports.clock import passed
from k8swin_nb.workflow.facts import Fact
from k8swin_nb.workflow.step import Check, State, Verdict
from k8swin_nb.workflow.step_run import StepRun

SEVERITIES = ("fail", "warn", "step", "info")
LINUX, WINDOWS = "linux/preflight.check.sh", "windows/preflight.check.ps1"

SECONDS = 180
"""What looking at one host may take."""

SET_CLOCK = 1.0
"""Seconds by which two readings may contradict each other before a clock counts as set."""


@dataclass(frozen=True, slots=True)
class PreflightCheck:
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
class HostFacts:
    """What a host says of itself, for comparisons with the plan and with other hosts."""

    values: dict[str, str] = field(default_factory=dict)
    routes: list[Route] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    """Routes that cannot be read: what they lead to is not known."""

    clock: tuple[float, float] = (0.0, 0.0)
    """Seconds that the host's clock is ahead of the controller's, and how far off that may be."""

    stepped: float = 0.0
    """Seconds by which the host's clock was set while it was looked at."""

    def get(self, name: str) -> str:
        """Return a fact, empty where the host did not say it."""
        return self.values.get(name, "")


PREFLIGHT = Fact[list[PreflightCheck]]("preflight")
"""What was looked at on a host, and what was found."""

CROSS_NODE = Fact[list[PreflightCheck]]("cross_node")
"""What was found when hosts were held against each other."""

HOST_FACTS = Fact[HostFacts]("preflight_facts")
"""What a host said of itself."""


def parse(text: str, host: Host) -> tuple[list[PreflightCheck], HostFacts]:
    """Read what a preflight script prints: checks of seven fields, facts of two, tab-separated."""
    findings, facts = [], HostFacts()
    for line in lines(text):
        kind, *fields = line.split("\t")
        if kind == "check" and len(fields) == 7:
            ident, name, severity, state, found, wanted, fix = fields
            if severity not in SEVERITIES:
                severity = "fail"  # what it means is unknown, and that is not harmless
            findings.append(
                PreflightCheck(ident, name, host.name, severity, state == "ok", found, wanted, fix)
            )
        elif kind == "fact" and len(fields) == 2:
            name, value = fields
            if name == "route":
                route = _route(value, host.os)
                if route is None:
                    facts.unread.append(value)
                else:
                    facts.routes.append(route)
            else:
                facts.values[name] = value.strip()
    return findings, facts


def _route(text: str, system: str) -> Route | None:
    first, second, third = [*text.split(" ", 2), "", ""][:3]
    interface, via = (second, third) if system == "linux" else (third, second)
    known = network(first)
    if known is None or not third:
        return None
    return Route(
        known,
        interface.strip(),
        "" if via in ("-", "0.0.0.0") else via,  # noqa: S104 - Windows' word for a neighbour
    )


def clock_offset(facts: HostFacts, sent: float, received: float) -> tuple[float, float]:
    """Return how far a host's clock is ahead of ours, and the uncertainty, both in seconds.

    The host reads its clock when the script begins and when it ends. The first reading was made after we
    sent, the last before we received: what lies between the two bounds is the time on the wire. Of a clock that
    was set in between the last reading counts.
    """
    first, last = _clocks(facts)
    if not math.isfinite(first) or not math.isfinite(last):
        return 0.0, math.inf
    high, low = first - sent, last - received
    if clock_step(facts, sent, received):
        return low, 0.0
    return (low + high) / 2, max(0.0, (high - low) / 2)


def clock_step(facts: HostFacts, sent: float, received: float) -> float:
    """Return by how many seconds a host's clock was set while it was looked at; 0 when it went on evenly."""
    first, last = _clocks(facts)
    took, waited = last - first, received - sent
    if took < -SET_CLOCK:
        return took
    return took - waited if took > waited + SET_CLOCK else 0.0


def _clocks(facts: HostFacts) -> tuple[float, float]:
    try:
        return float(facts.get("clock_first")), float(facts.get("clock_last"))
    except ValueError:
        return math.nan, math.nan


def look(at: StepRun, *, api_expected: bool = True) -> tuple[list[PreflightCheck], HostFacts]:
    """Ask a host in one round trip and judge what it says.

    Raises:
        StepFailed: when its script broke off.
    """
    from k8swin_nb.phases.preflight.rules import judge

    sent, began = time.time(), passed()
    result = at.doing("check").script(
        LINUX if at.host.os == "linux" else WINDOWS,
        values=preflight_values(at.run, at.host, api_expected=api_expected),
        timeout=SECONDS,
    )
    # Our own clock may be set while a host is asked.
    received = sent + passed() - began
    findings, facts = parse(result.stdout, at.host)
    if result.returncode != 0 or not findings:
        raise at.failed("preflight broke off", result=result)
    facts.clock = clock_offset(facts, sent, received)
    facts.stepped = clock_step(facts, sent, received)
    findings += judge(at.run, at.host, facts)
    at.run.facts.keep(at.host, PREFLIGHT, findings)
    at.run.facts.keep(at.host, HOST_FACTS, facts)
    return findings, facts


def verdict(at: StepRun, findings: list[PreflightCheck]) -> Verdict:
    """Sum findings up.

    Raises:
        StepFailed: naming every one that stops, with what to do.
    """
    failed = [finding for finding in findings if finding.stops]
    if failed:
        raise at.failed(
            "; ".join(
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

    def check(at: StepRun) -> Verdict:
        from k8swin_nb.phases.preflight.rules import compare

        # In a dry run the control plane may be what an earlier notebook would make.
        findings, facts = look(at, api_expected=api_expected and not at.comes_after)
        if not alone and at.host != at.master:
            compared = compare(at.run, {at.host.name: facts, at.master.name: _master_facts(at)})
            at.run.facts.keep(at.host, CROSS_NODE, compared)
            findings += compared
        return verdict(at, findings)

    return check


def _master_facts(at: StepRun) -> HostFacts:
    """Return the master's facts, asked for at most once in a notebook."""
    facts = at.run.facts
    if known := facts.get(at.master, HOST_FACTS):
        return known
    try:
        return look(at.on(at.master))[1]
    except Stopped:
        raise
    except K8swinError:
        # Another step says what is wrong with the master; here it is only compared with.
        return HostFacts()
    finally:
        # The table of a worker's notebook is about the worker.
        facts.forget(at.master, PREFLIGHT)
