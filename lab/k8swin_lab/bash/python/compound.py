"""Runs commands made of commands: lists, pipelines, conditions, loops, groups."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from k8swin_lab.bash.python import tracing
from k8swin_lab.bash.python.arithmetic import evaluate
from k8swin_lab.bash.python.state import (
    BreakLoop,
    ContinueLoop,
)
from k8swin_lab.bash.python.streams import Stream, pipe
from k8swin_lab.bash.python.syntax import (
    AndOr,
    ArithmeticCommand,
    ArithmeticFor,
    Case,
    Command,
    Condition,
    For,
    Function,
    Group,
    If,
    Pipeline,
    Script,
    Subshell,
    While,
    Word,
)
from k8swin_lab.bash.python.variables import ShellFault
from k8swin_lab.bash.tools import patterns

if TYPE_CHECKING:
    from k8swin_lab.bash.python.interpreter import Interpreter


def run(shell: Interpreter, command: Command) -> int:
    """Run a command that is not a simple one."""
    if isinstance(command, AndOr):
        return _and_or(shell, command)
    if isinstance(command, Pipeline):
        return _pipeline(shell, command)
    if isinstance(command, If):
        return _if(shell, command)
    if isinstance(command, While):
        return _while(shell, command)
    if isinstance(command, For):
        return _for(shell, command)
    if isinstance(command, ArithmeticFor):
        return _arithmetic_for(shell, command)
    if isinstance(command, Case):
        return _case(shell, command)
    if isinstance(command, Group):
        return shell.script(command.body)
    if isinstance(command, Subshell):
        inner, body = shell.child(), command.body
        shell.status = inner.whole(lambda: inner.script(body))
        return shell.looked_at(shell.status)
    if isinstance(command, Function):
        shell.functions[command.name] = (command, shell.source_name())
        shell.status = 0
        return 0
    if isinstance(command, ArithmeticCommand):
        return _arithmetic(shell, command)
    if isinstance(command, Condition):
        shell.status = shell.conditions.evaluate(command.test)
        return shell.looked_at(shell.status)
    raise TypeError(f"no such command: {type(command).__name__}")


def _and_or(shell: Interpreter, command: AndOr) -> int:
    commands = [("", command.first), *command.rest]
    for number, (operator, part) in enumerate(commands):
        if part is None or ((operator == "&&") == bool(shell.status) and operator):
            continue
        if number < len(commands) - 1:
            shell.quietly(lambda part=part: shell.command(part))  # type: ignore[misc]
        else:
            shell.command(part)
    return shell.status


def _pipeline(shell: Interpreter, command: Pipeline) -> int:
    if command.negated:
        status = shell.quietly(lambda: _stages(shell, command))
        shell.status = 0 if status else 1
        return shell.status
    if command.timed:
        return tracing.timed(shell, lambda: _stages(shell, command))
    return shell.looked_at(_stages(shell, command))


def _stages(parent: Interpreter, command: Pipeline) -> int:
    stages = command.commands
    if len(stages) == 1:
        return parent.command(stages[0])
    codes = [0] * len(stages)
    threads = []
    source: Stream | None = None
    for number, stage in enumerate(stages):
        shell = parent.child()
        if source is not None:
            shell.files.put(0, source)
            source = None
        if number < len(stages) - 1:
            source, into = pipe(parent.cancelled)
            shell.files.put(1, into)
            if command.both[number]:
                shell.files.put(2, into.share())

        def work(number: int = number, shell: Interpreter = shell, stage: Command = stage) -> None:
            codes[number] = shell.whole(lambda: shell.command(stage))

        thread = threading.Thread(target=work, daemon=True)
        threads.append(thread)
        thread.start()
    for thread in threads:
        thread.join()
    parent.pipe_status = codes
    failed = [code for code in codes if code]
    parent.status = (failed[-1] if failed else 0) if parent.options.pipefail else codes[-1]
    return parent.status


def _if(shell: Interpreter, command: If) -> int:
    for condition, body in command.branches:
        if shell.quietly(lambda condition=condition: shell.script(condition)) == 0:  # type: ignore[misc]
            shell.status = 0
            return shell.script(body)
    if command.otherwise:
        return shell.script(command.otherwise)
    shell.status = 0
    return 0


def _body(shell: Interpreter, body: Script) -> bool:
    """Run a loop's body; False when the loop is to end."""
    try:
        shell.loops += 1
        shell.script(body)
    except BreakLoop as leave:
        shell.status = 0
        if leave.levels > 1 and shell.loops > 1:
            raise BreakLoop(leave.levels - 1) from None
        return False
    except ContinueLoop as leave:
        shell.status = 0
        if leave.levels > 1 and shell.loops > 1:
            raise ContinueLoop(leave.levels - 1) from None
    finally:
        shell.loops -= 1
    return True


def _while(shell: Interpreter, command: While) -> int:
    last = 0
    while True:
        status = shell.quietly(lambda: shell.script(command.condition))
        if bool(status) != command.until:
            shell.status = last
            return last
        shell.status = 0
        if not _body(shell, command.body):
            return shell.status
        last = shell.status


def _for(shell: Interpreter, command: For) -> int:
    if command.words is None:
        values = list(shell.positional)
    else:
        values = []
        for word in command.words:
            if isinstance(word, Word):
                values.extend(shell.expand.fields(word))
    shell.status = 0
    for value in values:
        shell.line = command.line
        tracing.loop(shell, command)
        shell.assign(command.name, value)
        if not _body(shell, command.body):
            break
    return shell.status


def _arithmetic_for(shell: Interpreter, command: ArithmeticFor) -> int:
    start, condition, step = command.header
    try:
        shell.expand.arithmetic(start)
        shell.status = 0
        while not condition.parts or shell.expand.arithmetic(condition):
            if not _body(shell, command.body):
                break
            shell.expand.arithmetic(step)
    except ShellFault as fault:
        if fault.fatal:
            raise
        shell.complain(f"((: {fault.text}")
        shell.status = 1
    return shell.status


def _arithmetic(shell: Interpreter, command: ArithmeticCommand) -> int:
    text = shell.expand.text(command.expression)
    tracing.line(shell, f"(( {text} ))" if text.strip() == text else f"(({text}))")
    try:
        status = int(not evaluate(text, shell))
    except ShellFault as fault:
        if fault.fatal:
            raise
        shell.complain(f"((: {fault.text}")
        status = 1
    return shell.looked_at(status)


def _case(shell: Interpreter, command: Case) -> int:
    subject = shell.expand.text(command.subject)
    tracing.line(shell, f"case {command.subject.source} in")
    ran = False
    fold = "nocasematch" in shell.options.shopt
    fall = False
    for choices, body, end in command.branches:
        if not fall and not any(
            patterns.matches(subject, shell.expand.pattern(choice), fold=fold) for choice in choices
        ):
            continue
        if not body.items:
            shell.status = 0
        ran = True
        shell.script(body)
        if end == ";;":
            break
        fall = end == ";&"
    if not ran:
        shell.status = 0
    return shell.status
