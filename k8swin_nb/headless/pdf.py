"""A run's page as one PDF, printed by a Chromium that is on this computer: with tags, an outline and page numbers.

The page holds no script and loads nothing, and its policy allows neither. So where the sandbox cannot work, which is so for
root and in many containers, it is left away: what it would hold back is not there.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from k8swin_nb.errors import ParamsError, RecordError
from k8swin_nb.headless.page_appendix import PAPER
from k8swin_nb.shown import shown_lines

NAME = "index.pdf"

NAMED = "K8SWIN_CHROMIUM"
"""The environment variable that names the program."""

PROGRAMS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
    "microsoft-edge-stable",
    "msedge",
)

_ELSEWHERE = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    r"{ProgramFiles}\Google\Chrome\Application\chrome.exe",
    r"{ProgramFiles(x86)}\Google\Chrome\Application\chrome.exe",
    r"{LocalAppData}\Google\Chrome\Application\chrome.exe",
    r"{ProgramFiles(x86)}\Microsoft\Edge\Application\msedge.exe",
    r"{ProgramFiles}\Microsoft\Edge\Application\msedge.exe",
)
"""Where programs lie that are not on PATH; names in braces are of the environment."""

SECONDS = 180
"""Time that a print may take."""

SIZES = ("A4", "Letter")

_LETTER = frozenset(
    ["BZ", "CA", "CL", "CO", "CR", "GT", "MX", "NI", "PA", "PH", "PR", "SV", "US", "VE"]
)
"""Countries whose printers hold Letter paper, as CLDR has them."""


def size_here(environment: Mapping[str, str] = os.environ) -> str:
    """Return the sheet that printers hold where this computer is, by LC_ALL, LC_PAPER or LANG; A4 where they name no country."""
    named = next(filter(None, map(environment.get, ("LC_ALL", "LC_PAPER", "LANG"))), "")
    country = re.match(r"[A-Za-z]{2,3}_([A-Z]{2})\b", named)
    return "Letter" if country and country[1] in _LETTER else "A4"


_TO_FILES = re.compile(r'<a href="(?!#)[^"]*">((?:(?!</a>).)*)</a>', re.DOTALL)

_SANDBOX = re.compile(r"sandbox|namespace|zygote", re.IGNORECASE)


def find_program(environment: Mapping[str, str] = os.environ) -> str:
    """Return the Chromium, Chrome or Edge of this computer.

    Raises:
        ParamsError: when there is none, with what to do.
    """
    named = environment.get(NAMED, "")
    if named:
        found = shutil.which(named, path=environment.get("PATH"))
        if found:
            return found
        raise ParamsError(
            f"{NAMED} names `{named}`, which is no program",
            hint=f"set {NAMED} to the path of Chromium, Chrome or Edge, or leave it unset",
        )
    for name in PROGRAMS:
        if found := shutil.which(name, path=environment.get("PATH")):
            return found
    for pattern in _ELSEWHERE:
        with contextlib.suppress(KeyError):
            path = re.sub(r"\{([^}]*)\}", lambda part: environment[part[1]], pattern)
            if Path(path).is_file():
                return path
    raise ParamsError(
        "no Chromium, Chrome or Edge was found, which prints the PDF; the page itself is written",
        hint=f"install one, or set {NAMED} to its path; or open index.html in any browser and print it from there",
    )


def print_pdf(page: Path, *, size: str = "A4", seconds: float = SECONDS) -> Path:
    """Print a page beside itself and return the PDF's path. The PDF is there whole or not at all; an older one stays then.

    Args:
        page: `index.html` of a run.
        size: The sheet, as CSS calls it.
        seconds: Time for the whole work.

    Raises:
        ParamsError: when no program is there that prints.
        RecordError: when it does not print, with what it said.
    """
    program = find_program()
    target = page.with_name(NAME)
    try:
        with tempfile.TemporaryDirectory(prefix="k8swin-pdf-") as place:
            folder = Path(place)
            copy = folder / "index.html"
            _write_copy(page, copy, size)
            printed = _printed(program, folder, copy, seconds)
            _put(printed, target)
    except OSError as error:
        raise RecordError(str(target), error.strerror or str(error)) from None
    return target


def _write_copy(page: Path, copy: Path, size: str) -> None:
    """Write what is printed: the page with its sheet's size, and open what paper has open, for programs older than that rule."""
    content = page.read_text(encoding="utf-8")
    head, end, body = content.partition("</head>")
    body = body.replace(f' class="{PAPER}"><summary>', f' class="{PAPER}" open><summary>')
    # A PDF has whole addresses alone, and those of this computer's files lead nowhere elsewhere: their names stay.
    body = _TO_FILES.sub(lambda link: link[1], body)
    copy.write_text(f"{head}<style>@page{{size:{size}}}</style>{end}{body}", encoding="utf-8")


def _printed(program: str, folder: Path, copy: Path, seconds: float) -> Path:
    out = folder / NAME
    as_root = hasattr(os, "geteuid") and os.geteuid() == 0
    for sandbox in [False] if as_root else [True, False]:
        said = _run(program, folder, copy, out, seconds, sandbox=sandbox)
        if _is_whole(out):
            return out
        if sandbox and not _SANDBOX.search(said):
            break
    last = "; ".join(shown_lines(said, last=3)) or "it said nothing"
    raise RecordError(str(copy.name), f"`{program}` printed no PDF: {last}")


def _run(
    program: str, folder: Path, copy: Path, out: Path, seconds: float, *, sandbox: bool
) -> str:
    command = [
        program,
        "--headless",
        "--disable-gpu",
        "--no-first-run",
        "--disable-extensions",
        "--disable-sync",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-dev-shm-usage",
        f"--user-data-dir={folder / 'profile'}",
        "--no-pdf-header-footer",
        "--generate-pdf-document-outline",
        f"--print-to-pdf={out}",
        *([] if sandbox else ["--no-sandbox"]),
        copy.as_uri(),
    ]
    with (folder / "said").open("w+", encoding="utf-8", errors="replace") as said:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise RecordError(
                NAME, f"`{program}` did not print within {seconds:.0f} s and was ended"
            ) from None
        finally:
            _end(process)
        said.seek(0)
        return said.read()


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a program with all that it started."""
    if process.poll() is not None:
        return
    if sys.platform == "win32":
        process.kill()
    else:
        import signal

        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _is_whole(out: Path) -> bool:
    """Return whether a file is a PDF to its end."""
    try:
        with out.open("rb") as file:
            begin = file.read(5)
            file.seek(max(0, out.stat().st_size - 1024))
            return begin == b"%PDF-" and b"%%EOF" in file.read()
    except OSError:
        return False


def _put(printed: Path, target: Path) -> None:
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=".page-")
    try:
        with os.fdopen(descriptor, "wb") as file, printed.open("rb") as source:
            shutil.copyfileobj(source, file)
        Path(name).replace(target)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
