"""Phase 80: collect evidence from every host, look it up in the table, and keep it. Changes no host."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence
from pathlib import Path

from k8swin_nb import symptoms
from k8swin_nb.errors import K8swinError, TransportError
from k8swin_nb.inventory import Host
from k8swin_nb.phases.diagnosis import Finding, diagnose
from k8swin_nb.phases.evidence import Evidence, parse
from k8swin_nb.redact import redact
from k8swin_nb.workflow.phase import Phase
from k8swin_nb.workflow.run import Run
from k8swin_nb.workflow.step import State, Step, Verdict

SCRIPTS = {"linux": "linux/evidence.check.sh", "windows": "windows/evidence.check.ps1"}

SECONDS = 180
"""What one host's evidence may take."""

FILE_BYTES = 512 * 1024
"""What is kept of one host's evidence."""

FOLDER = "diagnostics"


def other_host(run: Run, host: Host) -> str | None:
    """Return why a host is left out: another one was asked for, or it is no part of the cluster."""
    asked = run.options.get("host")
    if asked and asked not in (host.name, host.address):
        return f"only {asked} was asked for"
    return "it is a hypervisor" if "hypervisor" in host.roles else None


def gather(run: Run, host: Host, *, timeout: float = SECONDS) -> Evidence:
    """Collect one host's evidence in one round trip; a host that cannot be reached is evidence too."""
    began = time.time()
    try:
        result = run.script(
            SCRIPTS[host.os], host, verb="check", step="evidence", quiet=True, timeout=timeout
        )
    except TransportError as error:
        evidence = Evidence(host, unreachable=error.detail.splitlines()[0])
    except K8swinError as error:
        evidence = Evidence(host, unreachable=str(error).splitlines()[0])
    else:
        evidence = parse(host, result.stdout, began, time.time())
        if result.returncode != 0:
            evidence.sections["broke-off"] = [
                f"the script ended with {result.returncode}",
                *result.stderr.splitlines(),
            ]
    run.keep_facts(host, "evidence", evidence)
    return evidence


def check_evidence(run: Run, host: Host) -> Verdict:
    """Collect and say how much there is."""
    evidence = gather(run, host)
    if evidence.unreachable:
        return Verdict(State.OK, f"cannot be reached: {evidence.unreachable}")
    missing = sum(
        any(line.startswith("(not to be had") for line in lines)
        for lines in evidence.sections.values()
    )
    broke = ", and the script broke off" if "broke-off" in evidence.sections else ""
    told = f", {missing} of them could not be read" if missing else ""
    return Verdict(State.OK, f"{len(evidence.sections)} sections{told}{broke}")


def collected(run: Run) -> list[Evidence]:
    """Return the evidence of this run, in the order of the hosts."""
    kept = (run.facts.get(host.name, {}).get("evidence") for host in run.inventory.hosts)
    return [evidence for evidence in kept if isinstance(evidence, Evidence)]


def findings(run: Run) -> list[Finding]:
    """Return what the collected evidence shows, and what the given symptom belongs to."""
    found = lookup(str(run.options.get("symptom") or ""))
    return [*found, *diagnose(run.plan, run.params.profile, collected(run))]


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


def check_diagnosis(run: Run, host: Host) -> Verdict:
    """Say how many findings there are; having findings is not a failure of looking."""
    found = findings(run)
    if not collected(run):
        return Verdict(State.OK, "no evidence was collected")
    if not found:
        return Verdict(State.OK, "no finding: nothing of the table shows on any host")
    names = dict.fromkeys(finding.entry.id for finding in found)
    return Verdict(State.OK, f"{len(found)} findings: {', '.join(names)}")


def bundle_folder(run: Run, name: str = "") -> Path:
    """Return where the bundle is kept, below the run's folder."""
    folder = run.record.folder / FOLDER
    return folder / name if name else folder


def check_bundle(run: Run, host: Host) -> Verdict:
    """Is this run's evidence on this computer's disk?"""
    folder = bundle_folder(run, run.record.notebook)
    missing = [
        evidence.host.name
        for evidence in collected(run)
        if not (folder / f"{evidence.host.name}.txt").exists()
        or (folder / f"{evidence.host.name}.txt").read_text(encoding="utf-8") != written(evidence)
    ]
    if missing or not (folder / "findings.txt").exists():
        return Verdict(State.NEEDED, f"to be written to {folder}")
    return Verdict(State.OK, f"the bundle is in {folder}")


def save_bundle(run: Run, host: Host) -> None:
    """Write evidence and findings of this run."""
    write_bundle(run, run.record.notebook, collected(run), findings(run))


def write_bundle(
    run: Run, name: str, evidence: Sequence[Evidence], found: Sequence[Finding], error: str = ""
) -> Path:
    """Write a bundle: a file for each host, the findings, the parameters, the error; all redacted."""
    folder = bundle_folder(run, name)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    files = {f"{one.host.name}.txt": written(one) for one in evidence}
    files["findings.txt"] = redact(findings_text(found))
    files["parameters.json"] = redact(json.dumps(run.params.model_dump(), indent=2) + "\n")
    if error:
        files["error.txt"] = redact(error + "\n")
    for file, text in files.items():
        path = folder / file
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)
    return folder


def written(evidence: Evidence) -> str:
    """Return one host's evidence as it is kept: redacted, and cut where it is too long."""
    if evidence.unreachable:
        return redact(f"cannot be reached: {evidence.unreachable}\n")
    lines: list[str] = []
    for name, body in evidence.sections.items():
        lines += [f"== {name}", *body, ""]
    text = redact("\n".join(lines)).encode("utf-8")
    if len(text) > FILE_BYTES:
        text = text[:FILE_BYTES] + b"\n(cut here)\n"
    return text.decode("utf-8", "ignore")


def findings_text(found: Sequence[Finding]) -> str:
    """Return findings for a reader without a notebook."""
    if not found:
        return "no finding\n"
    blocks = [
        f"{f.entry.reference}  {f.host}\n  symptom:  {f.entry.symptom}\n  evidence: {f.evidence}\n"
        f"  cause:    {f.entry.cause}\n  fix:      {f.entry.fix}\n  source:   {f.entry.source}\n"
        for f in found
    ]
    return "\n".join(blocks)


PHASE = Phase(
    name="80_troubleshoot",
    title="What is wrong is named, with its evidence and its fix",
    steps=(
        Step(
            name="evidence",
            title="Evidence is collected from every host",
            on="all",
            check=check_evidence,
            runs=tuple(SCRIPTS.values()),
            when=other_host,
            timeout=SECONDS,
        ),
        Step(
            name="diagnosis",
            title="The evidence is looked up in the table",
            on="control-plane",
            check=check_diagnosis,
        ),
        Step(
            name="bundle",
            title="The evidence is kept with the record of this run",
            on="control-plane",
            check=check_bundle,
            apply=save_bundle,
        ),
    ),
)
