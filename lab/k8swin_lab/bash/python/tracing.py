"""`set -x` and `time`: what the shell tells about the commands it runs."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from k8swin_lab.bash.python.quoting import traced
from k8swin_lab.bash.python.syntax import Assignment, For, Word

if TYPE_CHECKING:
    from k8swin_lab.bash.python.interpreter import Interpreter


def line(shell: Interpreter, text: str) -> None:
    """Write one line of trace, when tracing is on."""
    if shell.options.xtrace:
        mark = shell.variables.get("PS4")
        mark = "+ " if mark is None else mark
        shell.error(mark + text + "\n")


def word(text: str) -> str:
    """Return a text as the trace shows it."""
    return traced(text)


def command(shell: Interpreter, arguments: list[str]) -> None:
    """Trace a command's arguments."""
    if shell.options.xtrace:
        line(shell, " ".join(traced(argument) for argument in arguments))


def assignment(shell: Interpreter, done: Assignment) -> None:
    """Trace an assignment after it was made."""
    if not shell.options.xtrace:
        return
    name = done.name
    sign = "+=" if done.append else "="
    if done.elements is not None:
        texts = [shell.expand.text(value) for _, value, _ in done.elements]
        line(shell, f"{name}{sign}({' '.join(traced(text) for text in texts)})")
        return
    text = (shell.parameter(name) or "") if done.index is None else shell.expand.text(done.value)
    index = f"[{done.index.source}]" if done.index else ""
    line(shell, f"{name}{index}{sign}{traced(text) if text else ''}")


def loop(shell: Interpreter, head: For) -> None:
    """Trace a turn of a for loop."""
    if shell.options.xtrace:
        words = [item.source for item in head.words or () if isinstance(item, Word)]
        values = " ".join(words) if head.words is not None else '"$@"'
        line(shell, f"for {head.name} in {values}")


def timed(shell: Interpreter, work: Callable[[], int]) -> int:
    """Run a pipeline and tell how long it took."""
    start = time.monotonic()
    status = work()
    taken = time.monotonic() - start
    minutes, seconds = divmod(taken, 60)
    shell.error(f"\nreal\t{int(minutes)}m{seconds:.3f}s\nuser\t0m0.000s\nsys\t0m0.000s\n")
    return status
