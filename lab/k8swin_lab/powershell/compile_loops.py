"""Loops and switch to Python closures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from k8swin_lab.powershell import ast, operators
from k8swin_lab.powershell.compile_base import Action
from k8swin_lab.powershell.compile_commands import CommandCompiler
from k8swin_lab.powershell.errors import BreakSignal, ContinueSignal
from k8swin_lab.powershell.records import ScriptBlock
from k8swin_lab.powershell.scopes import NOTHING, Enumerator, Frame, Scope


class LoopCompiler(CommandCompiler):
    """Compiles what runs its body any number of times."""

    def _do_While(self, node: ast.While) -> Action:
        test, body, label = (
            self.condition(node.condition),
            self.block(node.body),
            node.label.lower(),
        )

        def loop(frame: Frame) -> None:
            while test(frame):
                frame.interp.check_cancelled()
                if not _iterate(body, frame, label):
                    break

        return loop

    def _do_DoLoop(self, node: ast.DoLoop) -> Action:
        test, body, label = (
            self.condition(node.condition),
            self.block(node.body),
            node.label.lower(),
        )
        until = node.until

        def loop(frame: Frame) -> None:
            while True:
                frame.interp.check_cancelled()
                if not _iterate(body, frame, label) or test(frame) == until:
                    break

        return loop

    def _do_For(self, node: ast.For) -> Action:
        first = self.discarded(node.initializer) if node.initializer is not None else None
        test = self.condition(node.condition) if node.condition is not None else None
        step = self.discarded(node.iterator) if node.iterator is not None else None
        body, label = self.block(node.body), node.label.lower()

        def loop(frame: Frame) -> None:
            if first is not None:
                first(frame)
            while test is None or test(frame):
                frame.interp.check_cancelled()
                if not _iterate(body, frame, label):
                    break
                if step is not None:
                    step(frame)

        return loop

    def discarded(self, node: Any) -> Action:
        """A statement whose output goes nowhere."""
        action = self.statement(node)

        def run(frame: Frame) -> None:
            action(Frame(frame.interp, frame.scope, _drop))

        return run

    def _do_ForEach(self, node: ast.ForEach) -> Action:
        values = self.statement_value(node.values)
        exposed = "$foreach" in self.source.text.lower()
        assign = self.setter(node.variable)
        body, label = self.block(node.body), node.label.lower()

        def loop(frame: Frame) -> None:
            value = values(frame)
            if value is None:
                return
            found = operators.items_of(value)
            items = [value] if found is None else found
            if exposed:
                items = Enumerator(items)
                frame.scope.set("foreach", items)
            for item in items:
                frame.interp.check_cancelled()
                assign(frame, item)
                if not _iterate(body, frame, label):
                    break

        return loop

    def _do_Switch(self, node: ast.Switch) -> Action:
        condition = (
            self.expression(node.condition) if node.file else self.statement_value(node.condition)
        )
        clauses = [(self._switch_test(test, node), self.block(body)) for test, body in node.clauses]
        default = self.block(node.default) if node.default else None
        label, from_file = node.label.lower(), node.file
        exposed = "$switch" in self.source.text.lower()

        def choose(frame: Frame) -> None:
            value = condition(frame)
            if from_file:
                items: Any = frame.interp.file_lines(value)
            else:
                found = operators.items_of(value)
                items = [value] if found is None else found
            if exposed:
                items = Enumerator(items)
                frame.scope.set("switch", items)
            for item in items:
                if not _switch_item(
                    frame, None if item is NOTHING else item, clauses, default, label
                ):
                    break

        return choose

    def _switch_test(self, node: Any, switch: ast.Switch) -> Callable[[Frame, Any], bool]:
        if isinstance(node, ast.ScriptBlockExpression):
            block = self.expression(node)
            return lambda frame, item: operators.truth(
                frame.interp.invoke_in_scope(block(frame), frame.scope, item)
            )
        test = self.expression(node)
        ignore_case = not switch.case_sensitive
        mode = switch.mode

        def same(frame: Frame, item: Any) -> bool:
            """Clauses are compared as text; $null takes $null alone."""
            wanted = test(frame)
            if wanted is None:
                return item is None
            if isinstance(wanted, ScriptBlock):
                found = frame.interp.invoke_in_scope(wanted, frame.scope, item)
                return operators.truth(found)
            if mode == "regex":
                if isinstance(wanted, str):
                    operators.checked_regex(wanted, ignore_case)
                return operators.truth(frame.interp.match(frame, item, wanted, ignore_case, False))
            text = frame.interp.to_string(item)
            if mode == "wildcard":
                return operators.truth(operators.like(text, wanted, ignore_case))
            return operators.equal(text, frame.interp.to_string(wanted), ignore_case)

        return same


def _drop(value: Any) -> None:
    """Take output that nobody wants."""


def _iterate(body: Action, frame: Frame, label: str) -> bool:
    """Run a loop's body once; False when the loop is to end."""
    try:
        body(frame)
    except ContinueSignal as signal:
        if signal.label and signal.label != label:
            raise
    except BreakSignal as signal:
        if signal.label and signal.label != label:
            raise
        return False
    return True


def _switch_item(
    frame: Frame,
    item: Any,
    clauses: list[tuple[Callable[[Frame, Any], bool], Action]],
    default: Action | None,
    label: str,
) -> bool:
    """Try every clause on one value; False after a break."""
    variables = frame.scope.variables
    saved = variables.get("_")
    underbar = Scope(None, frame.scope.state).set("_", item)
    variables["_"] = underbar
    try:
        matched = False
        for test, body in clauses:
            if test(frame, item):
                matched = True
                body(frame)
                variables["_"] = underbar
        if not matched and default is not None:
            default(frame)
    except ContinueSignal as signal:
        if signal.label and signal.label != label:
            raise
    except BreakSignal as signal:
        if signal.label and signal.label != label:
            raise
        return False
    finally:
        if saved is None:
            variables.pop("_", None)
        else:
            variables["_"] = saved
    return True
