"""The page of a run that lies in its folder: written again and again while people work, and later by `k8swin page`.

`python -m k8swin_nb.headless.run_page FOLDER` is what kernels start beside themselves. One such process at a time works
on a run; what is asked of it meanwhile is done by that one, and it rests for longer than it works.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path

from k8swin_nb.audit.sealing import PAGE_WRITTEN, seal_beside, tell
from k8swin_nb.errors import K8swinError, ParamsError
from k8swin_nb.reading import Unreadable, file_bytes, shown

try:
    import fcntl
except ImportError:  # Windows: processes may work at the same time, and each page is whole
    fcntl = None  # type: ignore[assignment]

PAGE = "index.html"

NOTEBOOK_BYTES = 256 * 1024 * 1024
"""What a notebook may have."""

_WANTED, _LOCK = ".page-wanted", ".page-lock"

REST = 3
"""Times as long as a page took the writer rests before the next one."""


REST_SECONDS = 60.0
"""How long somebody waits for a page that is being written."""


def find_run(runs: Path, named: str) -> Path:
    """Return the folder of a run, given its id or its path.

    Raises:
        ParamsError: when there is no such run, with the nearest name.
    """
    folder = Path(named).absolute() if Path(named).name != named else runs / named
    with contextlib.suppress(OSError, ValueError):
        if named not in ("", ".", "..") and folder.is_dir():
            return folder
    known = sorted(path.name for path in runs.glob("*") if path.is_dir())
    near = get_close_matches(named, known, n=1, cutoff=0.4)
    hint = (
        f"did you mean `{near[0]}`?"
        if near
        else "none is there; start in the folder of that run's project"
    )
    if known and not near:
        hint = f"the newest is `{known[-1]}`"
    raise ParamsError(f"no run `{shown(named)}` in `{runs}`", hint=hint)


def run_notebooks_in(folder: Path) -> tuple[list[Path], dict[str, str]]:
    """Return the notebooks of a run that have been executed, in their order, and why others cannot be read, by name."""
    executed, broken = [], {}
    for path in sorted(folder.glob("*.ipynb")):
        try:
            cells = json.loads(file_bytes(path, NOTEBOOK_BYTES))["cells"]
            if any(cell.get("outputs") or cell.get("execution_count") for cell in cells):
                executed.append(path)
        except FileNotFoundError:
            continue
        except (OSError, Unreadable) as error:
            broken[path.name] = getattr(error, "strerror", None) or str(error)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            broken[path.name] = (
                "it is no whole notebook; it may have been cut off while it was saved"
            )
    return executed, broken


def write_run_page(folder: Path) -> tuple[Path, dict[str, str]]:
    """Write the page of a run from its record and its notebooks as they are saved.

    Returns:
        The page, and the notebooks that it only names, by name with the reason.

    Raises:
        ParamsError: when nothing has run in that folder.
        RecordError: when the page cannot be written.
    """
    from k8swin_nb.headless.page import write_page

    executed, broken = run_notebooks_in(folder)
    if not (executed or broken or (folder / "events.jsonl").is_file()):
        raise ParamsError(
            f"run `{folder.name}` has no notebook that was executed, and no record: there is nothing to show",
            hint="run a notebook of it first",
        )
    return write_page(folder, sorted([*executed, *(folder / name for name in broken)])), broken


def print_page(runs: Path, named: str, *, pdf: str = "") -> int:
    """Write a run's page and say where; return 0, or 1 when it is not whole.

    Args:
        runs: Folder of the records.
        named: The run, by its id or its path.
        pdf: Print it as a PDF too, on sheets of this size; empty: not.
    """
    folder = find_run(runs, named)
    page, broken = write_run_page(folder)
    sys.stdout.write(f"{page}\n")
    try:
        if pdf:
            from k8swin_nb.headless.pdf import print_pdf

            sys.stdout.write(f"{print_pdf(page, size=pdf)}\n")
    finally:
        if any((folder / "seals").glob("*.json")):
            # The last seal has the pages as they were, which would look like a forgery from now on.
            signed = _signatures(folder)
            problem = seal_beside(folder, PAGE_WRITTEN, by="k8swin page")
            tell(problem)
            if signed and not problem and _signatures(folder) == signed:
                sys.stderr.write(
                    "k8swin: the run was signed until now, and the seal of this page is not: "
                    "`k8swin audit verify` answers `not proven`\n"
                    f"hint: K8SWIN_SIGN=ssh:PATH k8swin audit seal {shown(named)} signs it\n"
                )
    for name, why in broken.items():
        sys.stderr.write(f"k8swin: {name} cannot be read: {why}\n")
    if broken:
        sys.stderr.write("hint: the page names it and holds the others; save it anew, then again\n")
    elif not run_notebooks_in(folder)[0]:
        sys.stderr.write(
            "k8swin: no executed notebook is in its folder; the page shows the record\n"
        )
    return 1 if broken else 0


def _signatures(folder: Path) -> int:
    """Return how many signatures stand beside a run's seals."""
    return sum(1 for _ in (folder / "seals").glob("*.json.*"))


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[bool]:
    """Give whether no other process writes this page at the moment."""
    if fcntl is None:
        yield True
        return
    descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield True
    except BlockingIOError:
        yield False
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def page_at_rest(folder: Path) -> Iterator[None]:
    """Wait until no process writes a run's page, for as long as one may take, and keep others from it."""
    deadline = time.monotonic() + REST_SECONDS
    while True:
        with _alone(folder) as alone:
            if alone or time.monotonic() > deadline:
                yield
                return
        time.sleep(0.2)


def renew(folder: Path) -> None:
    """Write the page, and again for as long as somebody asked meanwhile; another process that does so already is asked."""
    wanted = folder / _WANTED
    wanted.touch(mode=0o600)
    while wanted.exists():
        with _alone(folder) as alone:
            if not alone:
                return  # that process looks again before it ends
            while wanted.exists():
                wanted.unlink(missing_ok=True)
                began = time.monotonic()
                write_run_page(folder)
                if wanted.exists():
                    time.sleep(REST * (time.monotonic() - began))


def main(arguments: Sequence[str]) -> int:
    """Renew the page of a run in the background; what hinders it stays for `k8swin page` to tell."""
    with contextlib.suppress(OSError, AttributeError):
        os.nice(10)
    try:
        renew(Path(arguments[0]))
    except (OSError, ValueError, K8swinError):
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
