"""Execute the notebooks in order with papermill, all under one run id."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from k8swin_nb.errors import ParamsError
from k8swin_nb.headless.page import write_page
from k8swin_nb.headless.progress import Progress
from k8swin_nb.params import ClusterParams, check_params, load_params
from k8swin_nb.workflow.record import new_run_id

ORDER = (
    "01_network",
    "02_master",
    "03_flannel",
    "04_join_linux",
    "04_join_windows",
    "05_test_app",
)
"""The notebooks; those that join run once for each worker of their operating system."""

JOINS = {"04_join_linux": "linux", "04_join_windows": "windows"}


@dataclass(frozen=True, slots=True)
class Executed:
    """One executed notebook: the file, and None or the error that ended it."""

    name: str
    path: Path
    error: str | None


def plan_notebooks(params: ClusterParams, names: Sequence[str]) -> list[tuple[str, str, str]]:
    """Return what to execute as (notebook, output's name, worker address or "")."""
    planned = []
    for name in names:
        if name not in JOINS:
            planned.append((name, name, ""))
            continue
        for host in params.hosts:
            if host.os == JOINS[name] and host.role == "worker":
                planned.append((name, f"{name}-{host.name}", host.address))
    return planned


def run_notebooks(
    folder: Path,
    params_file: Path,
    runs: Path,
    *,
    names: Sequence[str] = ORDER,
    dry_run: bool = False,
    stream: TextIO | None = None,
) -> tuple[Path, list[Executed]]:
    """Execute notebooks and write one page of the whole run; stop at the first that fails.

    Args:
        folder: Where the notebooks are.
        params_file: The cluster's description.
        runs: Folder of the records; this run's is made below it.
        names: Which notebooks, in order.
        dry_run: Change nothing.
        stream: Where progress goes; default standard output.

    Returns:
        The run's folder, and what was executed.

    Raises:
        ParamsError: when the description is not valid.
    """
    import papermill
    from traitlets.config import Config

    values = load_params(params_file)
    params = check_params(values, source=f"`{params_file.name}`")
    unknown = [name for name in names if name not in ORDER]
    if unknown:
        raise ParamsError(
            f"no notebook `{unknown[0]}`", hint=f"notebooks, in order: {', '.join(ORDER)}"
        )
    run_id = new_run_id()
    target = runs.resolve() / run_id
    target.mkdir(parents=True, mode=0o700)
    executed: list[Executed] = []
    with Progress(target / "events.jsonl", stream=stream) as progress:
        progress.say(f"run {run_id}")
        for name, output, address in plan_notebooks(params, names):
            progress.say(f"{output} begins")
            given: dict[str, Any] = {
                **values,
                "run_id": run_id,
                "runs": str(runs.resolve()),
                "dry_run": dry_run,
            }
            if address:
                given["ip"] = address
            error = None
            try:
                papermill.execute_notebook(
                    str(folder / f"{name}.ipynb"),
                    str(target / f"{output}.ipynb"),
                    parameters=given,
                    cwd=str(folder),
                    progress_bar=False,
                    log_output=False,
                    # Messages between papermill and the kernel stay off the network.
                    config=Config({"KernelManager": {"transport": "ipc"}}),
                )
            except papermill.PapermillExecutionError as failure:
                error = f"{failure.ename}: {failure.evalue}"
            executed.append(Executed(output, target / f"{output}.ipynb", error))
            progress.say(f"{output} {'failed: ' + error if error else 'is done'}")
            if error:
                break
    write_page(target, [item.path for item in executed])
    return target, executed


def print_failure(executed: Sequence[Executed]) -> int:
    """Say what failed on standard error, and return the exit code: 0 or 1."""
    failed = [item for item in executed if item.error]
    for item in failed:
        sys.stderr.write(f"{item.name} failed\n{item.error}\n")
    return 1 if failed else 0
