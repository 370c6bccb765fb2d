"""What a trainee is given: the course's files, newer ones too, and the records of what the workshop did to his machines.

What he wrote himself stays. Which files are as they were given is known by their digests, as packages of a distribution
know it of their configuration.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

_MOST = 4_000_000
"""Bytes of a list of digests that is read: the trainee may write anything into it."""


def bring(source: Path, work: Path, known: Path) -> None:
    """Bring what is missing, and what is newer where the trainee changed nothing.

    Args:
        source: The course's folder as each trainee's begins.
        work: The trainee's.
        known: File of digests of what was given, by path.
    """
    given = _read(known)
    for path in sorted(source.rglob("*")):
        name = path.relative_to(source).as_posix()
        target = work / name
        if path.is_dir():
            target.mkdir(parents=True, exist_ok=True)
            continue
        digest = _digest(path)
        if target.is_symlink() or (target.exists() and not target.is_file()):
            continue
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
        elif (found := _digest(target)) != digest and given.get(name) != found:
            continue
        elif found == digest:
            given[name] = digest
            continue
        # A new file in place of the old: whoever reads it now reads it to its end.
        target.unlink(missing_ok=True)
        shutil.copy2(path, target)
        target.chmod(0o644)
        given[name] = digest
    known.parent.mkdir(parents=True, exist_ok=True)
    known.write_text(json.dumps(given, indent=1))


def bring_records(source: Path, runs: Path, names: list[str]) -> list[str]:
    """Put records of runs beside the trainee's own; return the names of those that are new."""
    new = []
    for name in names:
        target = runs / name
        if target.exists() or target.is_symlink() or not (source / name).is_dir():
            continue
        runs.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source / name, target)
        new.append(name)
    return new


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read(known: Path) -> dict[str, str]:
    try:
        if not known.is_file() or known.stat().st_size > _MOST:
            return {}
        found = json.loads(known.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
