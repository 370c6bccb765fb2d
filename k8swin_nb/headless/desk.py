"""A session at a desk: a copy of the notebooks in the folder of a run, JupyterLab over the project, and the run's page.

The notebooks that came with the project stay as they are: what is worked on, with its outputs, lies beside the record.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from k8swin_nb.audit.sealing import DESK_ENDED, seal_beside, tell
from k8swin_nb.audit.signers import check_signer
from k8swin_nb.description import check_description, project_root, read_description
from k8swin_nb.errors import K8swinError, ParamsError
from k8swin_nb.headless.run_page import (
    PAGE,
    find_run,
    page_at_rest,
    run_notebooks_in,
    write_run_page,
)
from k8swin_nb.local_files import make_folders, write_whole
from k8swin_nb.notebook.given import HERE_TAG
from k8swin_nb.notebook.session import SESSION_FILE, SESSION_VARIABLE, renew_page
from k8swin_nb.project import DESCRIPTIONS, notebooks_of
from k8swin_nb.reading import Unreadable, file_text
from k8swin_nb.workflow.record import Record, new_run_id

START = "00_start_here.ipynb"

LAB_TAG = "lab"
"""Tag of the cells that are about the lab: a copy for a site of one's own has none of them."""

LOOK_SECONDS = 5.0
"""How often saved notebooks are looked for."""

PAUSE_SECONDS = 20.0
"""At least so long after a page was asked for, the next one is."""

_PARAMS_LINE = re.compile(r'^(params_file\b[^=\n]*=\s*)("[^"\n]*")', re.MULTILINE)
_PARAMS_TOLD = re.compile(r'^(params_file\b[^=\n]*#[^"\n]*)("[^"\n]*")', re.MULTILINE)
"""What the cell in which a person sets it says of the description that holds else."""

_LINK_UP = re.compile(r"(\]\()\.\./")


def open_desk(
    params: Path | None, run: str | None, *, browser: bool = True, jupyter: Sequence[str] = ()
) -> int:
    """Begin or continue a session, serve it with JupyterLab until that ends, and write the page of the run.

    Args:
        params: The description that the copy names; None: the one of the run, of a new one the lab's.
        run: The run to continue, by its id; None: a new one.
        browser: Open one.
        jupyter: Further arguments of `jupyter lab`.

    Returns:
        JupyterLab's exit code.

    Raises:
        ParamsError: when there is no such run or description, or it is another one's.
        K8swinError: when JupyterLab is not installed, or the copy cannot be written.
    """
    if find_spec("jupyterlab") is None:
        raise K8swinError(
            "JupyterLab is not installed here, which shows the notebooks at a desk",
            hint='pip install "k8swin_nb[desk]"; without it: `k8swin run --params FILE`',
        )
    unsigned = check_signer(None)
    root = project_root(params.parent if params else None)
    folder = prepare(root, params, run)
    if run and (folder / "events.jsonl").is_file():
        # Files that are saved from now on are those of a session, and nothing that somebody put there behind the last seal.
        Record(folder.parent, folder.name, "k8swin desk").write("desk-continued")
    sys.stdout.write(f"run {folder.name}: {folder}\n")
    sys.stdout.flush()
    tell(unsigned)
    code = _serve(root, folder, browser, jupyter)
    _last_page(folder)
    return code


def prepare(root: Path, params: Path | None, run: str | None) -> Path:
    """Make the folder of a session's run with its copy of the notebooks, or complete one that is there.

    Args:
        root: The project's folder.
        params: The description that the copy names; None: the run's own, of a new one `params/lab.yaml`.
        run: The run to continue; None: a new one.

    Raises:
        ParamsError: when there is no such run, no such description, or the run is about another one.
        K8swinError: when something cannot be written.
    """
    folder = find_run(root / "runs", run) if run else root / "runs" / new_run_id()
    if folder.parent != root / "runs":
        raise ParamsError(
            f"`{folder}` is no run of this project, whose runs are in `{root / 'runs'}`",
            hint="start `k8swin desk` in the folder of that run's project",
        )
    before = _session(folder)
    named = _named(root, params) if params else before.get("params", f"params/{DESCRIPTIONS[1]}")
    if before and before["params"] != named:
        raise ParamsError(
            f"run `{folder.name}` is about `{before['params']}`, not about `{named}`",
            hint="leave out `--params`; another description is another run: leave out `--run`",
        )
    _check(root / named, told=params is not None)
    # All copies are made before the first is written: a session that cannot begin leaves no run.
    copies = {
        folder / path.name: copy_of(path, named)
        for path in sorted(notebooks_of(root).glob("[0-9]*.ipynb"))
        if not (folder / path.name).exists()
    }
    make_folders(folder)
    for path, text in copies.items():
        write_whole(path, text, sync=False)
    if not before:
        write_whole(folder / SESSION_FILE, json.dumps({"params": named}) + "\n")
    return folder


def _session(folder: Path) -> dict[str, str]:
    """Return what a run's folder says of its session; nothing when it is none."""
    try:
        found = json.loads(file_text(folder / SESSION_FILE))
        return {"params": str(found["params"])}
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, Unreadable, ValueError, KeyError, TypeError) as error:
        raise ParamsError(
            f"`{folder / SESSION_FILE}` is not as it was written: {error}",
            hint="delete it, and name the description with --params",
        ) from None


def _named(root: Path, params: Path) -> str:
    """Return a description's path as the copy names it: within the project from the project's folder on."""
    whole = params.resolve()
    try:
        return whole.relative_to(root).as_posix()
    except ValueError:
        return str(whole)


def _check(path: Path, *, told: bool) -> None:
    """Say what is wrong with a description; only one that cannot be read hinders the session, which is there to mend it."""
    if not told and not path.exists():
        sys.stderr.write(f"k8swin: no description is at `{path}`; name yours with --params\n")
        return
    try:
        values = read_description(path)
    except ParamsError:
        if told:
            raise
        return
    try:
        check_description(values, source=f"`{path.name}`", folder=path.parent)
    except ParamsError as error:
        sys.stderr.write(f"k8swin: {error}\nhint: mend it before you run 01_network\n")


def copy_of(path: Path, params: str) -> str:
    """Return a notebook for a session: without outputs, with its description named, and with links that lead on.

    Args:
        path: A notebook of the project, one folder below it. The copy will be two below.
        params: Path of the description as `params_file` has it.

    Raises:
        ParamsError: when it is no notebook.
    """
    try:
        notebook = json.loads(file_text(path, limit=64 * 1024 * 1024))
        own = Path(params).name not in DESCRIPTIONS
        cells = [c for c in notebook["cells"] if not (own and LAB_TAG in _tags(c))]
        for cell in cells:
            text = "".join(cell["source"])
            if cell["cell_type"] == "markdown":
                text = _LINK_UP.sub(r"\1../../", text)
            elif "parameters" in _tags(cell):
                value = json.dumps(params, ensure_ascii=False)
                text = _PARAMS_LINE.sub(lambda found: found[1] + value, text)  # noqa: B023
            elif HERE_TAG in _tags(cell):
                value = json.dumps(params, ensure_ascii=False)
                text = _PARAMS_TOLD.sub(lambda found: found[1] + value, text)  # noqa: B023
            cell["source"] = text.splitlines(keepends=True)
            if cell["cell_type"] == "code":
                cell |= {"outputs": [], "execution_count": None}
        notebook["cells"] = cells
    except (OSError, Unreadable, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ParamsError(
            f"`{path}` is no notebook that can be copied: {error}",
            hint="put back the one that came with the toolkit",
        ) from None
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def _tags(cell: dict[str, Any]) -> list[str]:
    return list(cell.get("metadata", {}).get("tags") or ())


def _serve(root: Path, folder: Path, browser: bool, jupyter: Sequence[str]) -> int:
    """Run JupyterLab over a project until it ends, and have the page renewed whenever a notebook was saved."""
    page = f"/lab/workspaces/{folder.name}/tree/{folder.relative_to(root).as_posix()}/{START}"
    command = [
        *(sys.executable, "-m", "jupyterlab"),
        f"--ServerApp.root_dir={root}",
        f"--LabApp.default_url={page}",
        *(() if browser else ("--no-browser",)),
        *jupyter,
    ]
    beside = str(Path(sys.executable).parent)
    environment = {
        **os.environ,
        "PATH": os.pathsep.join([beside, os.environ.get("PATH", os.defpath)]),
        SESSION_VARIABLE: str(folder),
    }
    process = subprocess.Popen(command, cwd=root, env=environment)
    # Ctrl-C is JupyterLab's: it asks whether it is meant. A signal that ends this program ends both.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        renewed = time.monotonic()
        seen = _saved(folder)
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                return process.wait(LOOK_SECONDS)
            if (now := _saved(folder)) != seen and time.monotonic() - renewed >= PAUSE_SECONDS:
                renewed, seen = time.monotonic(), now
                if run_notebooks_in(folder)[0]:
                    renew_page(folder)
    except BaseException:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
        _last_page(folder)
        raise
    finally:
        signal.signal(signal.SIGINT, before)


def _saved(folder: Path) -> dict[str, int]:
    """Return when each notebook of a run was saved."""
    found = {}
    for path in folder.glob("*.ipynb"):
        with contextlib.suppress(OSError):
            found[path.name] = path.stat().st_mtime_ns
    return found


def _last_page(folder: Path) -> None:
    """Write the page of a session that is over, and say how to go on with it."""
    if run_notebooks_in(folder)[0] or (folder / "events.jsonl").is_file():
        try:
            write_run_page(folder)
            sys.stdout.write(f"the page of the run: {folder / PAGE}\n")
        except K8swinError as error:
            sys.stderr.write(f"k8swin: {error}\n")
    if (folder / "events.jsonl").is_file():
        with page_at_rest(folder):
            tell(seal_beside(folder, DESK_ENDED, by="k8swin desk"))
    sys.stdout.write(f"to go on with it: k8swin desk --run {folder.name}\n")
