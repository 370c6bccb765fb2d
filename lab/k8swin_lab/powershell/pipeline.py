"""Pipelines: stages that push objects to one another, and the context each of them runs in.

Objects are pushed one by one (as PowerShell does), so that the output of a long command is seen while
it runs and `Select-Object -First` can end what is before it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from k8swin_lab.powershell import operators
from k8swin_lab.powershell.api import Terminating
from k8swin_lab.powershell.errors import PowerShellError, StopPipeline, from_terminating
from k8swin_lab.powershell.scopes import NOTHING, Frame

if TYPE_CHECKING:
    from k8swin_lab.powershell.interpreter import Interpreter

Sink = Callable[[Any], Any]
STREAMS = {"2": "error", "3": "warning", "4": "verbose", "5": "debug", "6": "information"}


@dataclass(slots=True)
class Redirect:
    """`2>&1`, `> file`, `*> $null`."""

    stream: str
    append: bool
    target: Any  # a path, or None for $null
    merged: str  # the stream it joins, or ""


class Context:
    """What a command runs with besides its scope: where its streams go and what the common parameters said."""

    __slots__ = (
        "called_as",
        "failed",
        "frame",
        "invocation",
        "name",
        "preferences",
        "sinks",
        "suffix",
        "taps",
    )

    def __init__(self, parent: Context | None, frame: Frame, name: str = "") -> None:
        self.frame = frame
        self.name = name
        self.suffix = ""
        self.called_as = ""
        self.sinks: dict[str, Sink] = parent.sinks if parent else {}
        self.taps: tuple[tuple[str, Any], ...] = parent.taps if parent else ()
        self.preferences: dict[str, str] = {}
        self.failed = False
        self.invocation: Any = None


class Stage:
    """One command of a pipeline. `write` is the next stage's `feed`, or where the pipeline's output goes."""

    write: Sink

    def __init__(self, frame: Frame, name: str = "") -> None:
        self.frame = frame
        self.interp: Interpreter = frame.interp
        self.context = Context(frame.interp.context, frame, name)
        self.redirects: list[Redirect] = []
        self.started = False
        self.done = False
        self.expects_input = False
        self.finishers: list[Callable[[], None]] = []

    # what a kind of command implements

    def begin(self) -> None:
        """Before the first object."""

    def process(self, item: Any) -> None:
        """For every object."""

    def once(self) -> None:
        """Instead of `process` when nothing comes from a pipeline."""
        self.process(NOTHING)

    def end(self) -> None:
        """After the last object."""

    # what the pipeline calls

    def run(self, step: Callable[..., None], *arguments: Any) -> None:
        """Run a step in this stage's context."""
        interp = self.interp
        saved = interp.context
        state = self.frame.scope.state
        current = state.current
        interp.context = self.context
        state.current = self.frame.scope
        try:
            step(*arguments)
        finally:
            interp.context = saved
            state.current = current

    def start(self) -> None:
        if not self.started:
            self.started = True
            self.run(self.begin)

    def feed(self, item: Any) -> None:
        if self.done:
            return
        if not self.started:
            self.start()
        self.run(self.process, item)

    def finish(self) -> None:
        if self.done:
            return
        self.start()
        self.run(self.end)
        self.done = True

    def connect(self, output: Sink) -> None:
        """Set where output and redirected streams go."""
        for redirect in self.redirects:
            if not redirect.merged and redirect.stream in ("1", "*"):
                output = self._file_sink(redirect)
        self.write = output
        if not self.redirects:
            return
        sinks = dict(self.context.sinks)
        for redirect in self.redirects:
            streams = (
                list(STREAMS.values())
                if redirect.stream == "*"
                else [STREAMS.get(redirect.stream, "")]
            )
            if redirect.merged == "2":
                self.write = lambda item: self.interp.error_text(item)
                continue
            if redirect.stream == "1":
                continue
            sink = (
                output if redirect.merged or redirect.stream == "*" else self._file_sink(redirect)
            )
            for stream in streams:
                sinks[stream] = sink
        self.context.sinks = sinks

    def _file_sink(self, redirect: Redirect) -> Sink:
        if redirect.target is None:
            return _drop
        writer = self.interp.redirect_file(redirect.target, redirect.append)
        self.finishers.append(writer.close)
        write: Sink = writer.write
        return write


class ValueStage(Stage):
    """An expression at the head of a pipeline, or one whose output is redirected."""

    def __init__(self, frame: Frame, code: Callable[[Frame], Any]) -> None:
        super().__init__(frame)
        self.code = code

    def once(self) -> None:
        value = self.code(self.frame)
        items = operators.items_of(value)
        if items is None:
            self.write(value)
            return
        for item in items:
            self.write(item)


def _drop(item: Any) -> None:
    """Take what goes to $null."""


def run_pipeline(
    interp: Interpreter,
    frame: Frame,
    makers: list[Callable[[Frame], Stage]],
    source: Any,
    node: Any,
) -> None:
    """Build the stages of a pipeline and run them; `$?` says afterwards whether all did well."""
    stages: list[Stage] = []
    try:
        stages.extend(make(frame) for make in makers)
        _run(interp, stages, frame.write)
    except PowerShellError as error:
        interp.success = False
        interp.locate(error.record, source, node)
        raise
    except Terminating as error:
        interp.success = False
        converted = from_terminating(error)
        interp.locate(converted.record, source, node)
        raise converted from error
    interp.success = not any(stage.context.failed for stage in stages)


def _run(interp: Interpreter, stages: list[Stage], output: Sink) -> None:
    following = output
    for number in range(len(stages) - 1, -1, -1):
        stage = stages[number]
        stage.expects_input = number > 0
        stage.connect(following)
        following = stage.feed
    try:
        _drive(interp, stages)
    finally:
        for stage in stages:
            for finisher in stage.finishers:
                finisher()


def _drive(interp: Interpreter, stages: list[Stage]) -> None:
    position = 0
    try:
        for stage in stages:
            stage.start()
        stages[0].run(stages[0].once)
    except StopPipeline as stop:
        position = _stopped(stages, stop)
    while position < len(stages):
        try:
            stages[position].finish()
            position += 1
        except StopPipeline as stop:
            position = max(position + 1, _stopped(stages, stop))
    interp.check_cancelled()


def _stopped(stages: list[Stage], stop: StopPipeline) -> int:
    """The stage to go on with when one wants no more: what is before it is over."""
    if stop.stage not in stages:
        raise stop
    number = stages.index(stop.stage)
    for stage in stages[:number]:
        stage.done = True
    return number
