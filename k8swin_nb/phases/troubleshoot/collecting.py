"""Collecting evidence from hosts, and looking it up in the table of symptoms."""

from __future__ import annotations

import re
import time

from k8swin_nb import symptoms
from k8swin_nb.errors import K8swinError, Stopped, TransportError
from k8swin_nb.inventory import Host
from k8swin_nb.phases.troubleshoot.diagnosis import Finding, diagnose
from k8swin_nb.phases.troubleshoot.evidence import Evidence, parse
from k8swin_nb.reading import first_line
from k8swin_nb.workflow.facts import Fact
from k8swin_nb.workflow.phase_run import PhaseRun
from k8swin_nb.workflow.step import State, Verdict
from k8swin_nb.workflow.step_run import StepRun

SCRIPTS = {"linux": "linux/evidence.check.sh", "windows": "windows/evidence.check.ps1"}


EVIDENCE = Fact[Evidence]("evidence")
"""What a host showed."""

SECONDS = 180
"""What one host's evidence may take."""


def other_host(at: StepRun) -> str | None:
    """Return why a host is left out: another one was asked for, or it is no part of the cluster."""
    asked = at.run.options.get("host")
    if asked and asked not in (at.host.name, at.host.address):
        return f"only {asked} was asked for"
    return "it is a hypervisor" if "hypervisor" in at.host.roles else None


def silent(host: Host, said: str, error: Exception) -> Evidence:
    """Return what is known of a host that showed nothing: an error's first line and its kind."""
    kind = type(error).__name__
    return Evidence(host, unreachable=first_line(said) or first_line(error) or kind, trouble=kind)


def gather(at: StepRun, *, timeout: float = SECONDS) -> Evidence:
    """Collect one host's evidence in one round trip; a host that cannot be reached is evidence too."""
    host = at.host
    began = time.time()
    try:
        result = at.doing("check").script(SCRIPTS[host.os], timeout=timeout)
    except Stopped:
        raise
    except TransportError as error:
        evidence = silent(host, error.detail, error)
    except K8swinError as error:
        evidence = silent(host, str(error), error)
    else:
        evidence = parse(host, result.stdout, began, time.time())
        if result.returncode != 0:
            evidence.sections["broke-off"] = [
                f"the script ended with {result.returncode}",
                *result.stderr.splitlines(),
            ]
    at.run.facts.keep(host, EVIDENCE, evidence)
    return evidence


def check_evidence(at: StepRun) -> Verdict:
    """Collect and say how much there is."""
    evidence = gather(at)
    if evidence.unreachable:
        return Verdict(State.OK, evidence.silence)
    missing = sum(
        any(line.startswith("(not to be had") for line in lines)
        for lines in evidence.sections.values()
    )
    broke = ", and the script broke off" if "broke-off" in evidence.sections else ""
    told = f", {missing} of them could not be read" if missing else ""
    return Verdict(State.OK, f"{len(evidence.sections)} sections{told}{broke}")


def collected(run: PhaseRun) -> list[Evidence]:
    """Return the evidence of this run, in the order of the hosts."""
    kept = (run.facts.get(host, EVIDENCE) for host in run.inventory.hosts)
    return [evidence for evidence in kept if evidence is not None]


def findings(run: PhaseRun) -> list[Finding]:
    """Return what the collected evidence shows, and what the given symptom belongs to."""
    found = lookup(str(run.options.get("symptom") or ""))
    return [*found, *diagnose(run.plan, run.description.profile, collected(run))]


def lookup(text: str) -> list[Finding]:
    """Return the entries for a text: those that its lines match, else those that share its words."""
    if not text.strip():
        return []
    matched = symptoms.find(text)
    if matched:
        return [Finding(entry, "(as given)", line) for entry, line in matched]
    words = set(re.findall(r"[\w.-]{3,}", text.lower()))
    shared = []
    for entry in symptoms.entries():
        there = f"{entry.id} {entry.symptom} {entry.cause}".lower()
        score = sum(word in there for word in words)
        if score >= max(1, (len(words) + 1) // 2):
            shared.append((score, entry))
    best = sorted(shared, key=lambda pair: -pair[0])[:3]
    return [Finding(entry, "(as given)", f"{score} words in common") for score, entry in best]


def check_diagnosis(at: StepRun) -> Verdict:
    """Say how many findings there are; having findings is not a failure of looking."""
    found = findings(at.run)
    if not collected(at.run):
        return Verdict(State.OK, "no evidence was collected")
    if not found:
        return Verdict(State.OK, "no finding: nothing of the table shows on any host")
    names = dict.fromkeys(finding.entry.id for finding in found)
    return Verdict(State.OK, f"{len(found)} findings: {', '.join(names)}")
