"""The bundle: evidence, findings, parameters and the error, kept with the record of a run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from k8swin_nb.errors import RecordError
from k8swin_nb.local_files import make_folders, write_whole
from k8swin_nb.phases.troubleshoot.collecting import (
    collected,
    findings,
)
from k8swin_nb.phases.troubleshoot.diagnosis import Finding
from k8swin_nb.phases.troubleshoot.evidence import Evidence
from k8swin_nb.redact import redact
from k8swin_nb.shown import masked, visible
from k8swin_nb.workflow.phase_run import PhaseRun
from k8swin_nb.workflow.step import State, Verdict
from k8swin_nb.workflow.step_run import StepRun

FILE_BYTES = 512 * 1024
"""What is kept of one host's evidence."""


LOOKED = 8_192
"""Characters beyond it that are looked at."""

FOLDER = "diagnostics"


def bundle_folder(run: PhaseRun, name: str = "") -> Path:
    """Return where the bundle is kept, below the run's folder."""
    folder = run.record.folder / FOLDER
    return folder / name if name else folder


def check_bundle(at: StepRun) -> Verdict:
    """Is this run's evidence on this computer's disk?"""
    folder = bundle_folder(at.run, at.run.record.notebook)
    missing = [
        evidence.host.name
        for evidence in collected(at.run)
        if not _holds(folder / f"{evidence.host.name}.txt", written(evidence))
    ]
    if missing or not (folder / "findings.txt").exists():
        return Verdict(State.NEEDED, f"to be written to {folder}")
    return Verdict(State.OK, f"the bundle is in {folder}")


def _holds(path: Path, text: str) -> bool:
    try:
        return path.read_text(encoding="utf-8") == text
    except (OSError, ValueError):
        return False


def save_bundle(at: StepRun) -> None:
    """Write evidence and findings of this run."""
    write_bundle(at.run, at.run.record.notebook, collected(at.run), findings(at.run))


def write_bundle(
    run: PhaseRun,
    name: str,
    evidence: Sequence[Evidence],
    found: Sequence[Finding],
    error: str = "",
) -> Path:
    """Write a bundle: a file for each host, the findings, the parameters, the error; all redacted."""
    folder = bundle_folder(run, name)
    if not run.record.folder.is_dir():
        # It is gone with its disk; what is put in its place would be found by nobody.
        raise RecordError(str(run.record.folder), "it is gone")
    make_folders(folder)
    files = {f"{one.host.name}.txt": written(one) for one in evidence}
    files["findings.txt"] = visible(redact(findings_text(found)))
    files["parameters.json"] = json.dumps(masked(run.description.model_dump()), indent=2) + "\n"
    if error:
        files["error.txt"] = visible(redact(error + "\n"))
    for file, text in files.items():
        write_whole(folder / file, text)
    return folder


def written(evidence: Evidence) -> str:
    """Return one host's evidence as it is kept: redacted, and cut where it is too long."""
    if evidence.unreachable:
        return visible(redact(f"{evidence.silence}\n"))
    lines: list[str] = []
    for name, body in evidence.sections.items():
        lines += [f"== {name}", *body, ""]
    # What would be cut off is not even looked at; a little more than is kept, so that no secret is cut in two.
    text = visible(redact("\n".join(lines)[: FILE_BYTES + LOOKED])).encode("utf-8", "replace")
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
