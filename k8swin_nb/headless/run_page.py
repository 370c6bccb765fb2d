"""The page of a run that lies in its folder: written again and again while people work, and later by `k8swin page`.

A run that is signed, and of which nothing was written down since, is evidence: whoever looks at it changes nothing of it.

`python -m k8swin_nb.headless.run_page FOLDER` is what kernels start beside themselves. One such process at a time works
on a run; what is asked of it meanwhile is done by that one, and it rests for longer than it works.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import quote

from k8swin_nb.audit.sealing import PAGE_WRITTEN, is_signed, seal_at_rest, seal_beside, tell
from k8swin_nb.audit.statement import Seal
from k8swin_nb.audit.tree import digest
from k8swin_nb.errors import K8swinError, ParamsError, RecordError
from k8swin_nb.local_files import write_whole
from k8swin_nb.reading import Unreadable, file_bytes, shown

try:
    import fcntl
except ImportError:  # Windows: processes may work at the same time, and each page is whole
    fcntl = None  # type: ignore[assignment]

PAGE = "index.html"

NOTEBOOK_BYTES = 256 * 1024 * 1024
"""What a notebook may have."""

_WANTED, _LOCK = ".page-wanted", ".page-lock"

_LINK = re.compile(r'(<a href=")(?!#|/|[A-Za-z][A-Za-z0-9+.-]*:)')
"""Where a link of the page to a file beside it begins."""

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

    notebooks, broken = _notebooks(folder)
    return write_page(folder, notebooks), broken


def _notebooks(folder: Path) -> tuple[list[Path], dict[str, str]]:
    """Return what a run's page is made of: its notebooks, and why some of them cannot be read.

    Raises:
        ParamsError: when nothing has run in that folder.
    """
    executed, broken = run_notebooks_in(folder)
    if not (executed or broken or (folder / "events.jsonl").is_file()):
        raise ParamsError(
            f"run `{folder.name}` has no notebook that was executed, and no record: there is nothing to show",
            hint="run a notebook of it first",
        )
    return sorted([*executed, *(folder / name for name in broken)]), broken


def print_page(runs: Path, named: str, *, pdf: str = "", out: Path | None = None) -> int:
    """Write a run's page and say where; return 0, or 1 when it is not whole, or the one in the folder is not as it was sealed.

    Nothing is written into the folder of a run that is signed and at rest. The page that was sealed is the answer then; what
    is not there, a page or a PDF, is written into the working directory.

    Args:
        runs: Folder of the records.
        named: The run, by its id or its path.
        pdf: Print it as a PDF too, on sheets of this size; empty: not.
        out: File of the page, `.html`; the PDF is beside it, as `.pdf`. None: `index.html` of the run.

    Raises:
        ParamsError: when there is no such run, nothing has run, or `out` is no place for it.
        K8swinError: when it cannot be written or printed.
    """
    folder = find_run(runs, named)
    seal = seal_at_rest(folder)
    signed = seal is not None and is_signed(folder)
    if out is None and not signed:
        return _print_within(folder, seal, pdf)
    page, swapped = _page_as_sealed(folder, seal) if out is None and seal else (None, False)
    if page is not None:
        broken: dict[str, str] = {}
        sys.stdout.write(f"{page}\n")
        sys.stderr.write("k8swin: the run is signed: its page stays as it was sealed\n")
        target = Path.cwd() / f"{folder.name}.html"
    else:
        target = _target(out, folder)
        page, broken = _write_elsewhere(folder, target)
        sys.stdout.write(f"{page}\n")
        if signed and out is None:
            sys.stderr.write(
                "k8swin: the run is signed: the page is not written into its folder, which stays as it was sealed\n"
            )
    if pdf:
        _target(target, folder)
        sys.stdout.write(f"{_print_elsewhere(page, target.with_suffix('.pdf'), pdf)}\n")
    return max(_told(folder, broken), int(swapped))


def _print_within(folder: Path, seal: Seal | None, pdf: str) -> int:
    """Write the page, and print it, in the run's folder; a run that was sealed so far is sealed again, unless it goes on."""
    page, broken = write_run_page(folder)
    sys.stdout.write(f"{page}\n")
    try:
        if pdf:
            from k8swin_nb.headless.pdf import print_pdf

            sys.stdout.write(f"{print_pdf(page, size=pdf)}\n")
    finally:
        if seal is not None:
            # It has the pages as they were, which would look like a forgery from now on.
            tell(seal_beside(folder, PAGE_WRITTEN, by="k8swin page"))
    return _told(folder, broken)


def _page_as_sealed(folder: Path, seal: Seal) -> tuple[Path | None, bool]:
    """Return the page in a run's folder when it is as it was sealed, and whether it is another one, which is told and left."""
    page, subject = folder / PAGE, seal.subjects.get(PAGE)
    found = ""
    with contextlib.suppress(OSError, Unreadable):
        found = digest(folder, PAGE)[0]
    if subject is not None and found == subject.sha256:
        return page, False
    swapped = subject is not None or page.exists() or page.is_symlink()
    if swapped:
        sys.stderr.write(
            f"k8swin: {PAGE} in the run's folder is not as it was sealed; `k8swin audit verify` says more\n"
        )
    return None, swapped


def _target(out: Path | None, folder: Path) -> Path:
    """Return the file of a page that is not written into its run's folder.

    Raises:
        ParamsError: when that is no place for it.
    """
    target = Path(out or f"{folder.name}.html").absolute()
    if target.suffix.lower() not in (".html", ".htm"):
        raise ParamsError(
            f"--out `{shown(str(out))}` is no name of a page", hint="name a file that ends in .html"
        )
    if target.resolve().is_relative_to(folder.resolve()):
        raise ParamsError(
            f"`{target}` is in the folder of the run, where a file that no seal names is found as one that was added",
            hint="--out FILE names a place outside of it",
        )
    return target


def _write_elsewhere(folder: Path, target: Path) -> tuple[Path, dict[str, str]]:
    """Write the page of a run into another place, with links that lead into the run's folder.

    Raises:
        ParamsError: when nothing has run in that folder.
        K8swinError: when it cannot be written.
    """
    from k8swin_nb.headless.page import RunPage

    notebooks, broken = _notebooks(folder)
    try:
        way = quote(Path(os.path.relpath(folder, target.parent)).as_posix())
    except ValueError:  # on Windows, another drive
        way = folder.as_uri()
    text = RunPage(folder).html(notebooks)
    write_whole(target, _LINK.sub(lambda found: f"{found[1]}{way}/", text), hint="--out FILE")
    return target, broken


def _print_elsewhere(page: Path, target: Path, size: str) -> Path:
    """Print a page as a PDF in another place, whole or not at all.

    Raises:
        ParamsError: when no program is there that prints.
        RecordError: when it does not print, or cannot be written.
    """
    from k8swin_nb.headless.pdf import print_pdf

    try:
        with tempfile.TemporaryDirectory(prefix="k8swin-page-") as place:
            copy = Path(place) / PAGE
            shutil.copyfile(page, copy)
            printed = print_pdf(copy, size=size)
            descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=".page-")
            try:
                with os.fdopen(descriptor, "wb") as file, printed.open("rb") as source:
                    shutil.copyfileobj(source, file)
                Path(name).replace(target)
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise
    except OSError as error:
        raise RecordError(str(target), error.strerror or str(error)) from None
    return target


def _told(folder: Path, broken: dict[str, str]) -> int:
    """Say what the page does not hold; return 0, or 1 when it is not whole."""
    for name, why in broken.items():
        sys.stderr.write(f"k8swin: {name} cannot be read: {why}\n")
    if broken:
        sys.stderr.write("hint: the page names it and holds the others; save it anew, then again\n")
    elif not run_notebooks_in(folder)[0]:
        sys.stderr.write(
            "k8swin: no executed notebook is in its folder; the page shows the record\n"
        )
    return 1 if broken else 0


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
