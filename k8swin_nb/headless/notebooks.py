"""Execute the notebooks in order with papermill, all under one run id."""

from __future__ import annotations

import contextlib
import itertools
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from k8swin_nb.description import (
    Description,
    check_description,
    project_root,
    read_description,
)
from k8swin_nb.errors import ParamsError
from k8swin_nb.headless.page import write_page
from k8swin_nb.headless.progress import Progress
from k8swin_nb.shown import shown
from k8swin_nb.workflow.record import new_run_id

ORDER = (
    "01_network",
    "02_master",
    "03_flannel",
    "04_join_linux",
    "04_join_windows",
    "05_test_app",
    "06_verify",
    "07_dashboard",
    "80_troubleshoot",
    "90_teardown",
)
"""The notebooks; those that join run once for each worker of their operating system."""

ONLY_WHEN_NAMED = frozenset({"07_dashboard", "80_troubleshoot", "90_teardown"})
"""What a run leaves out unless it is asked for by name: what is optional, or takes something away."""

DEFAULT = tuple(name for name in ORDER if name not in ONLY_WHEN_NAMED)

JOINS_AT_ONCE = 4
"""Workers that join at the same time; each is a kernel of its own on this computer."""

JOINS = {"04_join_linux": "linux", "04_join_windows": "windows"}


@dataclass(frozen=True, slots=True)
class Executed:
    """One executed notebook: the file, and None or the error that ended it."""

    name: str
    path: Path
    error: str | None


def plan_notebooks(description: Description, names: Sequence[str]) -> list[tuple[str, str, str]]:
    """Return what to execute as (notebook, output's name, worker address or "")."""
    planned = []
    for name in names:
        if name not in JOINS:
            planned.append((name, name, ""))
            continue
        for host in description.hosts:
            if host.os == JOINS[name] and host.role == "worker":
                planned.append((name, f"{name}-{host.name}", host.address))
    return planned


def run_notebooks(
    folder: Path,
    params_file: Path,
    runs: Path,
    *,
    names: Sequence[str] = DEFAULT,
    dry_run: bool = False,
    more: Mapping[str, Any] | None = None,
    stream: TextIO | None = None,
) -> tuple[Path, list[Executed]]:
    """Execute notebooks and write one page of the whole run; stop at the first that fails.

    Args:
        folder: Where the notebooks are.
        params_file: The cluster's description.
        runs: Folder of the records; this run's is made below it.
        names: Which notebooks, in order.
        dry_run: Change nothing.
        more: Further parameters of the notebooks, such as `confirm`.
        stream: Where progress goes; default standard output.

    Returns:
        The run's folder, and what was executed.

    Raises:
        ParamsError: when the description is not valid.
    """
    values = read_description(params_file)
    description = check_description(values, source=f"`{params_file.name}`")
    unknown = [name for name in names if name not in ORDER]
    if unknown:
        raise ParamsError(
            f"no notebook `{unknown[0]}`", hint=f"notebooks, in order: {', '.join(ORDER)}"
        )
    for name in names:
        if not (folder / f"{name}.ipynb").is_file():
            raise ParamsError(
                f"no `{name}.ipynb` in `{folder}`",
                hint="name another folder with --notebooks, or get them with `k8swin init FOLDER`",
            )
    # Kernels start in the project's folder, not beside the notebooks, which may be the package's.
    folder, runs, root = folder.resolve(), runs.resolve(), project_root()
    run_id = new_run_id()
    target = runs / run_id
    target.mkdir(parents=True, mode=0o700)
    executed: list[Executed] = []
    with Progress(target / "events.jsonl", stream=stream) as progress:
        progress.say(f"run {run_id}")

        def execute(planned: tuple[str, str, str]) -> Executed:
            name, output, address = planned
            progress.say(f"{output} begins")
            given: dict[str, Any] = {
                **values,
                "params_file": str(params_file.resolve()),
                "run_id": run_id,
                "runs": str(runs),
                "dry_run": dry_run,
                **(more or {}),
                **({"ip": address} if address else {}),
            }
            done = Executed(
                output,
                target / f"{output}.ipynb",
                _execute(folder / f"{name}.ipynb", target / f"{output}.ipynb", root, given),
            )
            how = f"failed: {done.error.splitlines()[0]}" if done.error else "is done"
            progress.say(f"{output} {how}")
            return done

        # papermill changes the process's working directory while a notebook runs; notebooks that run side by
        # side put each other's back.
        with _working_directory_kept():
            for _, group in itertools.groupby(
                plan_notebooks(description, names), key=lambda item: item[0]
            ):
                # Workers join side by side; everything else is one notebook at a time.
                with ThreadPoolExecutor(max_workers=JOINS_AT_ONCE) as pool:
                    executed.extend(pool.map(execute, list(group)))
                if any(item.error for item in executed):
                    break
    write_page(target, [item.path for item in executed])
    return target, executed


@contextlib.contextmanager
def _working_directory_kept() -> Iterator[None]:
    here = Path.cwd()
    try:
        yield
    finally:
        os.chdir(here)


def _execute(notebook: Path, output: Path, root: Path, parameters: dict[str, Any]) -> str | None:
    """Execute one notebook with `root` as its working directory; None, or the error that ended it."""
    import papermill
    from jupyter_core.utils import ensure_event_loop
    from traitlets.config import Config

    # Messages between papermill and the kernel stay off the network, on sockets of this notebook's own:
    # kernels that start side by side would otherwise choose the same names.
    with tempfile.TemporaryDirectory(prefix="k8swin-") as sockets:
        manager = {"transport": "ipc", "ip": f"{sockets}/kernel"}
        try:
            papermill.execute_notebook(
                str(notebook),
                str(output),
                parameters=parameters,
                cwd=str(root),
                progress_bar=False,
                log_output=False,
                config=Config({"KernelManager": manager}),
            )
        except papermill.PapermillExecutionError as failure:
            told = "\n".join(failure.traceback)
            # An error of ours renders itself: every host's, and what to do. Any other is one line here.
            return told if told.startswith(failure.ename) else f"{failure.ename}: {failure.evalue}"
        finally:
            # nbclient leaves the event loop of this thread open.
            ensure_event_loop().close()
    return None


def print_failure(executed: Sequence[Executed]) -> int:
    """Say what failed on standard error, and return the exit code: 0 or 1."""
    failed = [item for item in executed if item.error]
    for item in failed:
        sys.stderr.write(f"{item.name} failed\n{shown(item.error)}\n")
    return 1 if failed else 0
