"""Preflight: what the scripts `*/preflight.check.*` print, judged as one table."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from k8swin_nb.errors import StepFailed
from k8swin_nb.inventory import Host
from k8swin_nb.workflow.run import Run
from k8swin_nb.workflow.step import Check, State, Verdict


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: `severity` is what it means when it does not hold."""

    check: str
    host: str
    severity: str
    holds: bool
    found: str
    wanted: str
    fix: str


def parse(text: str, host: str) -> list[Finding]:
    """Read the lines of a preflight script: name, severity, ok or no, found, wanted, fix; tab-separated."""
    findings = []
    for line in text.splitlines():
        fields = line.rstrip("\r").split("\t")
        if len(fields) == 6:
            name, severity, state, found, wanted, fix = fields
            findings.append(
                Finding(name, host, severity, state == "ok", found.strip(), wanted, fix)
            )
    return findings


def preflight(script: str) -> Check:
    """Make the check of a preflight step: it stops on failures only, and names all of them."""

    def check(run: Run, host: Host) -> Verdict:
        result = run.script(script, host, verb="check", step="preflight", quiet=True, timeout=120)
        findings = parse(result.stdout, host.name)
        if result.returncode != 0 or not findings:
            raise StepFailed(
                phase="",
                step="preflight",
                host=host.name,
                detail="preflight broke off",
                result=result,
            )
        run.keep_facts(host, "preflight", [asdict(finding) for finding in findings])
        failed = [f for f in findings if not f.holds and f.severity == "fail"]
        warned = [f for f in findings if not f.holds and f.severity != "fail"]
        if failed:
            detail = "; ".join(f"{f.check} is {f.found}, wanted {f.wanted}" for f in failed)
            raise StepFailed(
                phase="",
                step="preflight",
                host=host.name,
                detail=detail,
                hint="; ".join(f.fix for f in failed),
            )
        text = (
            f"{len(findings)} checks hold"
            if not warned
            else (
                f"{len(findings) - len(warned)} of {len(findings)} checks hold, warnings: "
                + "; ".join(f"{f.check} is {f.found}, wanted {f.wanted}" for f in warned)
            )
        )
        return Verdict(State.OK, text)

    return check
