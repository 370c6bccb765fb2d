"""The live view of a notebook's run: one bar and one table, updated where they stand, while cells run and after.

The bar is displayed by the setup cell and held in sight; see `live_picture`. It says what is at work, for how long and what
is waited for; what failed, why, and what to do. An exception of any other cell is shown by it too, since JupyterLab shows
the last cell when all are run. Without a person who looks on nothing is updated but once at the end of each cell's steps.
Whatever goes wrong here ends the view and nothing else.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from IPython.core.getipython import get_ipython
from IPython.display import display

from k8swin_nb.errors import Interrupted, K8swinError, MultiHostError, names_host
from k8swin_nb.notebook.board import Board, Trouble
from k8swin_nb.notebook.live_buttons import Buttons, buttons
from k8swin_nb.notebook.live_picture import Bar, Steps
from k8swin_nb.notebook.stream import Gone
from k8swin_nb.phases.troubleshoot.failure import SECONDS
from k8swin_nb.shown import shown_line
from k8swin_nb.workflow.heartbeat import QUIET
from k8swin_nb.workflow.phase_run import PhaseRun
from k8swin_nb.workflow.runner import StepProgress

if TYPE_CHECKING:
    from k8swin_nb.notebook.stream import LiveOutput

PACE = ((60.0, 1.0), (600.0, 2.0), (float("inf"), 5.0))
"""Up to how many seconds of work the bar is updated how often."""

ERRORS = 3
"""Hosts whose errors are told one by one."""

_latest: LiveView | None = None
"""The view of the phase that was opened last: only one is held in sight."""


class LiveView:
    """How a phase stands, displayed once and updated there.

    Args:
        run: The phase's work.
    """

    def __init__(self, run: PhaseRun) -> None:
        self.run = run
        phase = run.phase
        headings = {name: heading for heading, names in phase.parts.items() for name in names}
        self.board = Board(phase.name, phase.steps, run.dry_run, headings=headings)
        self.output: LiveOutput | None = None
        """What the hosts of the step at work print."""
        self._bar: Any = None
        self._steps: Any = None
        self._buttons: Buttons | None = None
        self._over = threading.Event()
        self._over.set()
        self._worker: threading.Thread | None = None
        self._changed = False
        self._broken = False
        self._drawing = threading.Lock()
        self._cell = ""
        self._places: dict[str, str] = {}
        """By front end, the cell in which it was displayed anew; empty: where it was displayed first."""
        self._home = ""
        """The cell in which it was displayed first."""
        self._raised: BaseException | None = None

    def show(self) -> None:
        """Display it in the cell that runs; a view that was shown before is held in sight no longer."""
        global _latest
        shell: Any = get_ipython()
        if getattr(shell, "kernel", None) is None:
            return
        if _latest is not None:
            _latest.close()
        _latest = self
        self.board.run = self.run.record.run_id
        picture = self.board.picture()
        front, self._home = self._parent()
        self._places = {front: ""}
        self._bar = display(Bar(picture, held=self.run.interactive), display_id=True)
        if self.run.interactive:
            self._about_buttons(self._add_buttons)
        self._steps = display(Steps(picture), display_id=True)
        shell.events.register("pre_run_cell", self._before_cell)
        shell.events.register("post_run_cell", self._after_cell)

    def close(self) -> None:
        """Let it stand where it is from now on; another phase was opened, or this one was summed up."""
        self.board.closed = True
        self._safely(self._draw)
        self._safely(self._make_room)
        shell: Any = get_ipython()
        for name, hook in (
            ("pre_run_cell", self._before_cell),
            ("post_run_cell", self._after_cell),
        ):
            with contextlib.suppress(ValueError, AttributeError):
                shell.events.unregister(name, hook)
        if self._buttons is not None:
            self._about_buttons(self._buttons.close)

    def summed_up(self) -> None:
        """Hold it in sight no longer, because the phase was summed up."""
        self.board.closed = True
        self._safely(self._draw)

    @contextlib.contextmanager
    def working(self) -> Iterator[None]:
        """Show that something is at work, until it is over or was stopped."""
        if not self._over.is_set():  # a thread of the user's own applies as well
            yield
            return
        self._worker = threading.current_thread()
        self._over = over = threading.Event()
        self._safely(self._draw)
        if self.run.interactive and self._bar is not None:
            ticker = threading.Thread(
                target=self._tick, args=(over,), name="live view", daemon=True
            )
            self._safely(ticker.start)
        try:
            yield
        finally:
            over.set()
            self.board.rest()
            self._worker = None
            self._safely(self._rest)

    @contextlib.contextmanager
    def looking(self) -> Iterator[None]:
        """Show a look at steps while it goes on; having been looked at is no outcome of a step."""
        lines = self.board.kept()
        try:
            yield
        finally:
            self.board.put_back(lines)
            self._safely(self._rest)

    def begin(self, step: str, hosts: list[str]) -> None:
        """Take note of the step that is taken up."""
        self.board.begin(step, hosts)
        self._changed = True

    def told(self, progress: StepProgress) -> None:
        """Take what a runner says of a step on a host; from any thread."""
        self.board.told(progress)
        self._changed = True

    def looks_into(self, step: str, error: K8swinError) -> None:
        """Show that a step failed, while its hosts are asked for the cause."""
        self.board.look_into(
            _trouble(step, error, None),
            f"the hosts are asked for the cause, for {SECONDS} s at most",
        )
        self._changed = True
        self._safely(self._draw)

    def failed(self, step: str, error: K8swinError, evidence: Path | None) -> None:
        """Take note of a step that failed."""
        self._raised = error
        self.board.fail(_trouble(step, error, evidence))

    def interrupted(self, step: str, interrupt: BaseException) -> None:
        """Take note of a step that was stopped."""
        self._raised = interrupt
        self.board.fail(
            Trouble(
                _first_line(interrupt),
                "run the cell again: what was done stays done",
                step=step,
                stopped=True,
            )
        )

    def stop(self) -> str:
        """Stop what is at work, as the front end's own button does; return what was asked."""
        worker = self._worker
        if worker is None:
            return "nothing is at work at the moment"
        if worker is threading.main_thread():
            import _thread

            _thread.interrupt_main()
        else:
            self.run.cancel.set()
        return "stop was asked: scripts are ended on their hosts"

    def skip(self, host: str = "") -> str:
        """End the wait for a host, or for all; return what came of it."""
        return self.run.leave_out(host)

    def _about_buttons(self, work: Callable[[], Any]) -> Any:
        """Do something with the buttons; when widgets fail, the view goes on without them."""
        try:
            return work()
        except Exception as error:
            self._buttons = None
            print(  # noqa: T201
                f"the live view has no buttons: {shown_line(f'{type(error).__name__}: {error}')}; "
                "the front end's own button stops the cell",
                file=sys.stderr,
            )
            return None

    def _add_buttons(self) -> None:
        self._buttons = buttons(self)

    def _tick(self, over: threading.Event) -> None:
        while not over.wait(self._pace()):
            if over is not self._over:
                return
            self._safely(self._draw)

    def _pace(self) -> float:
        elapsed = self.board.beat.elapsed
        return next(pace for limit, pace in PACE if elapsed < limit)

    def _draw(self) -> None:
        with self._drawing:
            if self._bar is None or self._broken:
                return
            at_work = not self._over.is_set()
            if not self.run.interactive and at_work:
                return
            picture = self.board.picture()
            quiet = self.board.beat.elapsed < QUIET
            room = False
            if self._buttons is not None:
                room = bool(
                    self._about_buttons(
                        partial(self._buttons.refresh, at_work=at_work and not quiet)
                    )
                )
            held = self.run.interactive and not self.board.closed
            self._bar.update(Bar(picture, held=held, room=room))
            if self._changed:
                self._changed = False
                self._steps.update(Steps(picture))

    def _rest(self) -> None:
        self._changed = True
        self._draw()

    def _parent(self) -> tuple[str, str]:
        """Return which front end runs a cell, and which; both may be unknown."""
        kernel: Any = getattr(get_ipython(), "kernel", None)
        try:
            parent = kernel.get_parent("shell")
            return str(parent["header"]["session"]), str(parent["metadata"].get("cellId") or "")
        except (AttributeError, KeyError, TypeError):
            return "", ""

    def _before_cell(self, *_: Any) -> None:
        front, self._cell = self._parent()
        if not self.run.interactive or not front or self._bar is None:
            return
        place = self._places.get(front)
        if place is None or (place and place == self._cell):
            # A page that was loaded again, or another one, knows no display of before; a cell that runs again lost it.
            self._places[front] = self._cell
            self._safely(self._show_again)

    def _make_room(self) -> None:
        """Go from where it was displayed anew, when another view is about to be displayed there, or where it was first."""
        front, cell = self._parent()
        if cell and (place := self._places.get(front)) and cell in (place, self._home):
            for handle in (self._bar, self._steps):
                handle.update(Gone())

    def _show_again(self) -> None:
        with self._drawing:
            if self._broken:
                return
            picture = self.board.picture()
            held = not self.board.closed
            display(Bar(picture, held=held), display_id=self._bar.display_id)
            if self._buttons is not None:
                self._about_buttons(self._buttons.show_again)
            display(Steps(picture), display_id=self._steps.display_id)

    def _after_cell(self, result: Any) -> None:
        """Show what another cell raised, and that it is mended."""
        error = result.error_before_exec or result.error_in_exec
        trouble = self.board.trouble
        if error is None:
            if trouble is not None and not trouble.step and trouble.cell == self._cell:
                self.board.trouble = None
                self._safely(self._draw)
            return
        if trouble is not None and trouble.step and error is self._raised:
            return
        if getattr(error, "of_no_phase", False):
            return
        stopped = isinstance(error, KeyboardInterrupt)
        what = f"a cell was stopped: {_first_line(error)}" if stopped else _first_line(error)
        fix = shown_line(getattr(error, "hint", None) or "look at the cell that raised it")
        self.board.fail(Trouble(what, fix, cell=self._cell, stopped=stopped))
        # Also after the summary: what fails has to be in sight.
        self.board.closed = False
        self._safely(self._draw)

    def _safely(self, work: Callable[[], None]) -> None:
        """Do something for the view; when it fails, the view ends and the work goes on."""
        try:
            work()
        except Exception as error:
            if self._broken:
                return
            self._broken = True
            print(  # noqa: T201
                f"the live view ends here: {shown_line(f'{type(error).__name__}: {error}')}; "
                "the work goes on, and `phase.steps()` says how far it is",
                file=sys.stderr,
            )


def _trouble(step: str, error: K8swinError, evidence: Path | None) -> Trouble:
    """Return what a step's error says, host by host: whoever has to act has to know where."""
    hosts = error.errors if isinstance(error, MultiHostError) else {}
    few = dict(list(hosts.items())[:ERRORS]) or {"": error}
    told = [(_of_host(host, _first_line(one)), _fix_of(one, evidence)) for host, one in few.items()]
    # One fix for several hosts is told once, below the last of them.
    following = [fix for _, fix in told]
    told = [
        (what, "" if fix in following[number : number + 1] else fix)
        for number, (what, fix) in enumerate(told, 1)
    ]
    others = [one for host, one in hosts.items() if host not in few] + ([error] if hosts else [])
    fixes = dict.fromkeys(_fix_of(one, evidence) for one in others)
    rest = "; ".join(fix for fix in fixes if fix and fix not in following)
    left = f"and {len(hosts) - len(few)} more hosts" if len(others) > 1 else ""
    if left or rest:
        told.append((left, rest))
    (what, fix), *more = told
    return Trouble(what, fix, step=step, evidence=str(evidence or ""), more=more)


def _of_host(host: str, text: str) -> str:
    return text if not host or names_host(text, host) else f"{host}: {text}"


def _fix_of(error: BaseException, evidence: Path | None) -> str:
    hint: str = getattr(error, "hint", None) or ""
    return hint.removesuffix(f"evidence is in {evidence}").rstrip("; ")


def not_opened(name: str, error: K8swinError, *, held: bool) -> None:
    """Display in the setup cell why a phase could not be opened: all that comes after it fails, far from there."""
    if getattr(get_ipython(), "kernel", None) is not None:
        board = Board(name, ())
        board.fail(Trouble(_first_line(error), error.hint or ""))
        display(Bar(board.picture(), held=held))


def _first_line(error: BaseException) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    if isinstance(error, K8swinError | Interrupted) and lines:
        return lines[0]
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
