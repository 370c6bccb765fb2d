"""Execute the notebooks in order with papermill, all under one run id."""

from __future__ import annotations

import contextlib
import itertools
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from k8swin_nb.audit.sealing import RUN_ENDED, seal_beside
from k8swin_nb.audit.signers import check_signer
from k8swin_nb.description import (
    Description,
    check_description,
    project_root,
    read_description,
)
from k8swin_nb.errors import K8swinError, ParamsError
from k8swin_nb.headless.kernels import Kernels
from k8swin_nb.headless.page import RunPage
from k8swin_nb.headless.progress import Progress, interrupted_steps
from k8swin_nb.headless.stopping import Stop
from k8swin_nb.shown import shown, shown_line
from k8swin_nb.workflow.record import Record, new_run_id

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

PROGRAM = "k8swin run"
"""What events of the run itself have for their notebook."""

INTERRUPTS = frozenset({"Interrupted", "KeyboardInterrupt", "CellExecutionError"})
"""Errors of a cell that was interrupted. The last is papermill's word for an error that no cell shows: of an interrupt that
came when the cell's own work was over."""

JOINS = {"04_join_linux": "linux", "04_join_windows": "windows"}


@dataclass(frozen=True, slots=True)
class Executed:
    """One executed notebook: the file, and None or the error that ended it."""

    name: str
    path: Path
    error: str | None
    stopped: bool = False
    """Whether it was stopped; it has no error then."""


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
    stop: Stop | None = None,
) -> tuple[Path, list[Executed]]:
    """Execute notebooks and write one page of the whole run; stop at the first that fails.

    Ctrl-C, SIGTERM and SIGHUP stop the run: the script that runs is ended on its host, no further cell, step or
    notebook begins, and what was executed, the record and the page are written.

    Args:
        folder: Where the notebooks are.
        params_file: The cluster's description.
        runs: Folder of the records; this run's is made below it.
        names: Which notebooks, in order.
        dry_run: Change nothing.
        more: Further parameters of the notebooks, such as `confirm`.
        stream: Where progress goes; default standard output.
        stop: Says afterwards whether the run was stopped, by what, and what is left.

    Returns:
        The run's folder, and what was executed. A page that could not be written is the last of it.

    Raises:
        ParamsError: when the description is not valid, or the run's folder cannot be made.
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
    sign = (more or {}).get("sign")
    unsigned = check_signer(sign)
    # Kernels start in the project's folder, not beside the notebooks, which may be the package's.
    root = project_root()
    folder, runs, params_file = (_whole_path(path) for path in (folder, runs, params_file))
    run_id = new_run_id()
    target = runs / run_id
    try:
        target.mkdir(parents=True, mode=0o700)
    except OSError as error:
        raise ParamsError(
            f"the run's folder `{target}` cannot be made: {error.strerror or error}",
            hint="name another folder with --runs",
        ) from error
    executed: list[Executed] = []
    planned = plan_notebooks(description, names)
    stop = stop or Stop()
    with (
        Progress(target / "events.jsonl", stream=stream) as progress,
        contextlib.ExitStack() as held,
    ):
        # A signal that comes before the first notebook leaves a record and a page too.
        held.enter_context(stop.on_signals(progress.say))
        progress.say(f"run {run_id}{' (dry run: nothing is changed)' if dry_run else ''}")
        if unsigned:
            progress.say(unsigned)
        _note(target, "run-begun", notebooks=[output for _, output, _ in planned], dry_run=dry_run)
        kernels = held.enter_context(Kernels(root))
        page = RunPage(target)
        pages = held.enter_context(ThreadPoolExecutor(max_workers=1))

        def execute(one: tuple[str, str, str]) -> Executed | None:
            name, output, address = one
            if stop.requested:
                return None
            progress.say(f"{output} begins")
            given: dict[str, Any] = {
                **values,
                "params_file": str(params_file),
                "run_id": run_id,
                "runs": str(runs),
                "dry_run": dry_run,
                **(more or {}),
                **({"ip": address} if address else {}),
            }
            path = target / f"{output}.ipynb"
            done = _execute(folder / f"{name}.ipynb", path, root, given, stop, kernels)
            pages.submit(page.take_in, path)
            progress.tell_once(seal_beside(target, f"{output} saved", sign, by=PROGRAM))
            how = "was stopped" if done.stopped else "is done"
            if done.error:
                how = f"failed: {done.error.splitlines()[0]}"
            progress.say(f"{output} {how}")
            return done

        # papermill changes the process's working directory while a notebook runs; notebooks that run side by
        # side put each other's back.
        with _working_directory_kept():
            groups = [list(of) for _, of in itertools.groupby(planned, key=lambda one: one[0])]
            for group, following in itertools.pairwise([[], *groups, []]):
                # The kernels of what follows start meanwhile.
                kernels.begin(min(len(following), JOINS_AT_ONCE))
                # Workers join side by side; everything else is one notebook at a time.
                with ThreadPoolExecutor(max_workers=JOINS_AT_ONCE) as pool:
                    executed.extend(filter(None, pool.map(execute, group)))
                if stop.requested or any(item.error for item in executed):
                    break
            if stop.requested:
                stop.told = _tell(stop, target, executed, [output for _, output, _ in planned])
            executed.extend(_write_page(page, target, executed))
            _finish(target, executed, stop)
            progress.tell_once(seal_beside(target, RUN_ENDED, sign, by=PROGRAM))
    return target, executed


def _finish(target: Path, executed: Sequence[Executed], stop: Stop) -> None:
    """Write down that the run has ended, and how."""
    outcome = "stopped" if stop.requested else "finished"
    if any(item.error for item in executed):
        outcome = "failed"
    _note(
        target,
        "run-finished",
        outcome=outcome,
        notebooks=[
            {
                "name": item.name,
                "outcome": "stopped" if item.stopped else "failed" if item.error else "finished",
                "error": shown_line(item.error or ""),
            }
            for item in executed
        ],
    )


def _note(target: Path, kind: str, **fields: Any) -> None:
    """Write an event of the run itself; a notebook that cannot write its own says so loudly."""
    if not target.is_dir():
        return  # somebody took the run away: nothing of it is made again
    with contextlib.suppress(OSError, K8swinError):
        Record(target.parent, target.name, PROGRAM).write(kind, **fields)


def _tell(stop: Stop, target: Path, executed: Sequence[Executed], planned: Sequence[str]) -> str:
    """Return the line about what was stopped and what is left, and write it into the record."""
    steps: list[str] = []
    with contextlib.suppress(OSError, ValueError):
        steps = interrupted_steps(target / "events.jsonl")
    done = {item.name for item in executed}
    stopped = [item.name for item in executed if item.stopped]
    left = [name for name in planned if name not in done]
    what = ", ".join(steps or stopped) or "nothing was running"
    told = f"stopped by {stop.name}: {what}; not begun: {', '.join(left) or 'nothing is left'}"
    with contextlib.suppress(OSError, K8swinError):  # it is said on the terminal in any case
        record = Record(target.parent, target.name, PROGRAM)
        record.write("run-stopped", by=stop.name, what=what, left=left)
    return told


def _write_page(page: RunPage, target: Path, executed: Sequence[Executed]) -> list[Executed]:
    """Write the page of the run, and return it as what failed if it could not be written."""
    try:
        page.write([item.path for item in executed if item.path.is_file()])
    except (OSError, ValueError, K8swinError) as error:
        told = f"the page of the run could not be written: {type(error).__name__}: {error}"
        return [Executed("index.html", target / "index.html", told)]
    return []


@contextlib.contextmanager
def _working_directory_kept() -> Iterator[None]:
    here = Path.cwd()
    try:
        yield
    finally:
        os.chdir(here)


def _whole_path(path: Path) -> Path:
    """Return an absolute path that can be written into a notebook, where it becomes a parameter.

    Raises:
        ParamsError: when a link in it leads in a circle, or its name is no text.
    """
    try:
        path = path.resolve()
        str(path).encode()
    except UnicodeEncodeError:
        raise ParamsError(
            f"the path `{path}` is not in UTF-8, so that no notebook can be told of it",
            hint="rename that folder or file",
        ) from None
    except (OSError, RuntimeError) as error:
        raise ParamsError(f"the path `{path}` leads nowhere: {error}") from None
    return path


def _as_pattern(path: Path) -> str:
    """Return a path as papermill takes it, for whom braces enclose the name of a parameter."""
    return str(path).replace("{", "{{").replace("}", "}}")


def _cell_error(failure: BaseException) -> list[str]:
    """Return the error of the cell whose outputs could not be saved, if it had one."""
    from nbclient.exceptions import CellExecutionError

    # papermill tries to save once more on its way out.
    before: BaseException | None = failure
    while before is not None and not isinstance(before, CellExecutionError):
        cell = before.__cause__ if isinstance(before.__cause__, CellExecutionError) else None
        before = cell or before.__context__
    return [] if before is None else [f"before that: {before.ename}: {before.evalue}"]


def _execute(
    notebook: Path,
    output: Path,
    root: Path,
    parameters: dict[str, Any],
    stop: Stop,
    kernels: Kernels,
) -> Executed:
    """Execute one notebook with `root` as its working directory, and return what became of it."""
    import papermill
    from jupyter_core.utils import ensure_event_loop
    from nbclient.exceptions import DeadKernelError
    from traitlets.config import Config

    from k8swin_nb.headless.engine import ENGINE, NotebookStopped

    def ended(error: str | None = None, *, stopped: bool = False) -> Executed:
        return Executed(output.stem, output, error, stopped)

    with kernels.place() as place:
        try:
            papermill.execute_notebook(
                _as_pattern(notebook),
                _as_pattern(output),
                parameters=parameters,
                cwd=str(root),
                progress_bar=False,
                log_output=False,
                config=Config({"KernelManager": place.settings()}),
                engine_name=ENGINE,
                stop=stop,
                place=place,
            )
        except papermill.PapermillExecutionError as failure:
            if stop.requested and failure.ename in INTERRUPTS:
                return ended(stopped=True)
            told = "\n".join(failure.traceback)
            # An error of ours renders itself: every host's, and what to do. Any other is one line here.
            ours = told.startswith(failure.ename)
            return ended(told if ours else f"{failure.ename}: {failure.evalue}")
        except NotebookStopped:
            return ended(stopped=True)
        except (DeadKernelError, RuntimeError) as failure:
            if stop.requested:
                return ended(stopped=True)
            return ended("\n".join([f"{type(failure).__name__}: {failure}", *place.last_words()]))
        except K8swinError as failure:
            return ended("\n".join([*failure.lines(), *_cell_error(failure)]))
        except OSError as failure:
            return ended(f"{type(failure).__name__}: {failure}")
        finally:
            # nbclient leaves the event loop of this thread open.
            ensure_event_loop().close()
    return ended()


def print_failure(executed: Sequence[Executed], stop: Stop | None = None) -> int:
    """Say on standard error what failed or was stopped, and return the exit code: 0, 1, or 128 and the signal's."""
    failed = [item for item in executed if item.error]
    with contextlib.suppress(OSError):  # the terminal may be gone
        for item in failed:
            sys.stderr.write(f"{item.name} failed\n{shown(item.error or '')}\n")
    if stop is None or not stop.requested:
        return 1 if failed else 0
    told = f"{stop.told}\nhint: run it again: it looks first at what is there"
    if not stop.told:
        told = f"{stop.name} came after the last notebook; nothing was stopped"
    with contextlib.suppress(OSError):
        sys.stderr.write(f"k8swin: {told}\n")
    return stop.exit_code
