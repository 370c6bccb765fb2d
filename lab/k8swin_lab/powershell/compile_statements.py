"""Statements to Python closures: `code(frame)` writes its output to `frame.write`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from k8swin_lab.powershell import arithmetic, ast, operators
from k8swin_lab.powershell.compile_base import Action, Code
from k8swin_lab.powershell.compile_loops import LoopCompiler
from k8swin_lab.powershell.errors import (
    CATCHABLE,
    BreakSignal,
    ContinueSignal,
    ExitSignal,
    PowerShellError,
    ReturnSignal,
    caught,
    thrown,
)
from k8swin_lab.powershell.scopes import NOTHING, Frame


class Compiler(LoopCompiler):
    """Compiles a whole script."""

    def block(self, node: ast.Block, *, tail: bool = False) -> Action:
        """Statements in order; an error ends its statement, and what follows depends on who handles it.

        Args:
            node: the block.
            tail: whether the block ends a function, so that a last `return` need not leave anything.
        """
        ordered = sorted(node.statements, key=_declared_first)
        statements = [
            (self.statement(s, tail=tail and s is node.statements[-1]), s) for s in ordered
        ]
        traps = [
            (trap.type.name if trap.type else None, self.block(trap.body)) for trap in node.traps
        ]
        source = self.source

        def run(frame: Frame) -> None:
            for code, tree in statements:
                try:
                    code(frame)
                except CATCHABLE as error:
                    frame.interp.handle_error(frame, caught(error), source, tree, traps)

        return run

    def statement(self, node: Any, *, tail: bool = False) -> Action:
        """Compile any statement node."""
        if isinstance(node, ast.Flow):
            return self._flow(node, tail)
        if isinstance(node, ast.If):
            return self._if(node, tail)
        method = getattr(self, "_do_" + type(node).__name__)
        action: Action = method(node)
        return action

    def statement_value(self, node: Any) -> Code:
        """A statement as a value: what it writes, collected; an assignment is what it assigns."""
        if isinstance(node, ast.Assignment):
            return self._assigned_value(node)
        if isinstance(node, ast.Pipeline) and len(node.elements) == 1:
            element = node.elements[0]
            if isinstance(element, ast.CommandExpression) and not element.redirections:
                inner = element.expression
                if isinstance(inner, ast.Variable):
                    return self._succeeding(self.raw_variable(inner))
                if isinstance(inner, ast.Paren | ast.SubExpression | ast.ArrayExpression):
                    return self.expression(inner)
                return self._succeeding(self.expression(inner))
        action = self.statement(node)

        def collect(frame: Frame) -> Any:
            result: list[Any] = []
            action(Frame(frame.interp, frame.scope, result.append))
            return operators.collapse(result)

        return collect

    def _assigned_value(self, node: ast.Assignment) -> Code:
        target = node.target
        while isinstance(target, ast.Convert):
            target = target.operand
        if node.operator != "=" or isinstance(target, ast.Variable):
            assign = self.statement(node)
            read = self.expression(target)

            def assign_and_read(frame: Frame) -> Any:
                assign(frame)
                return read(frame)

            return assign_and_read
        value = self.statement_value(node.value)
        setter = self.setter(node.target)

        def assign_value(frame: Frame) -> Any:
            made = value(frame)
            setter(frame, made)
            return None if made is NOTHING else made

        return assign_value

    def _succeeding(self, code: Code) -> Code:
        def run(frame: Frame) -> Any:
            value = code(frame)
            frame.interp.success = True
            return value

        return run

    # --- flow

    def _flow(self, node: ast.Flow, tail: bool) -> Action:
        keyword = node.keyword
        if keyword in ("break", "continue"):
            signal = BreakSignal if keyword == "break" else ContinueSignal
            label = self.expression(node.value) if node.value is not None else None

            def leave(frame: Frame) -> None:
                raise signal(frame.interp.to_string(label(frame)).lower() if label else "")

            return leave
        if keyword == "return":
            value_action = self.statement(node.value) if node.value is not None else None

            def give_back(frame: Frame) -> None:
                if value_action is not None:
                    if frame.returns is not None:
                        frame = Frame(frame.interp, frame.scope, frame.returns)
                    value_action(frame)
                if not tail:
                    raise ReturnSignal

            return give_back
        value = self.statement_value(node.value) if node.value is not None else None
        if keyword == "throw":

            def throw(frame: Frame) -> None:
                if value is None:
                    rethrown = frame.interp.current_error(frame)
                    if rethrown is not None:
                        raise PowerShellError(rethrown, thrown=True)
                    raise thrown(None, "ScriptHalted")
                made = value(frame)
                raise thrown(None if made is NOTHING else made, frame.interp.to_string(made))

            return throw

        def leave_script(frame: Frame) -> None:
            code = value(frame) if value is not None else 0
            raise ExitSignal(frame.interp.exit_code_of(code))

        return leave_script

    def _if(self, node: ast.If, tail: bool) -> Action:
        clauses = [
            (self.condition(test), self.block(body, tail=tail)) for test, body in node.clauses
        ]
        otherwise = self.block(node.otherwise, tail=tail) if node.otherwise else None

        def choose(frame: Frame) -> None:
            for test, body in clauses:
                if test(frame):
                    body(frame)
                    return
            if otherwise is not None:
                otherwise(frame)

        return choose

    def condition(self, node: Any) -> Callable[[Frame], bool]:
        """A statement as a condition."""
        value = (
            self.expression(node.elements[0].expression)
            if self._is_expression(node) and not node.elements[0].redirections
            else self.statement_value(node)
        )
        truth = operators.truth
        return lambda frame: truth(value(frame))

    # --- errors

    def _do_Try(self, node: ast.Try) -> Action:
        body = self.block(node.body)
        catches = [([t.name for t in types], self.block(block)) for types, block in node.catches]
        final = self.block(node.final) if node.final else None
        source, tree = self.source, node

        def attempt(frame: Frame) -> None:
            interp = frame.interp
            depth = interp.try_depth
            try:
                interp.try_depth = depth + 1
                try:
                    body(frame)
                except CATCHABLE as error:
                    interp.try_depth = depth
                    interp.catch(frame, caught(error), catches, source, tree)
            finally:
                interp.try_depth = depth
                if final is not None:
                    final(frame)

        return attempt

    # --- assignment and pipelines

    def _do_Assignment(self, node: ast.Assignment) -> Action:
        value = self.statement_value(node.value)
        plain = self._succeeds(node.value)
        if node.operator == "=":
            setter = self.setter(node.target)

            def assign(frame: Frame) -> None:
                made = value(frame)
                setter(frame, made)
                if plain:
                    frame.interp.success = True

            return assign
        target_node = node.target
        while isinstance(target_node, ast.Convert):
            target_node = target_node.operand
        setter = self.setter(target_node)
        target = self._old_value(target_node)
        operate = {
            "+=": arithmetic.add,
            "-=": arithmetic.subtract,
            "*=": arithmetic.multiply,
            "/=": arithmetic.divide,
            "%=": arithmetic.modulo,
        }[node.operator]

        def update(frame: Frame) -> None:
            old = target(frame)
            made = value(frame)
            setter(frame, operate(old, None if made is NOTHING else made))
            if plain:
                frame.interp.success = True

        return update

    def _old_value(self, node: Any) -> Code:
        """What `+=` adds to: of a variable without a scope, the local one only.

        A block that shares its caller's scope (dot-sourced) has no locals of its own, so there the
        variables of outer scopes are seen, as PowerShell has it.
        """
        general = self.expression(node)
        if not isinstance(node, ast.Variable) or node.scope:
            return general
        folded = node.name.lower()
        enclosing = self.enclosing

        def read(frame: Frame) -> Any:
            variable = frame.scope.variables.get(folded)
            if variable is not None:
                return None if variable.value is NOTHING else variable.value
            call = frame.scope.call
            if call is not None and call.code.ast is enclosing and not call.dotted:
                return None
            return general(frame)

        return read

    @staticmethod
    def _is_expression(node: Any) -> bool:
        return (
            isinstance(node, ast.Pipeline)
            and len(node.elements) == 1
            and isinstance(node.elements[0], ast.CommandExpression)
        )

    @classmethod
    def _succeeds(cls, node: Any) -> bool:
        """Whether a value is computed without commands, so that `$?` is true after it."""
        return cls._is_expression(node) and not isinstance(
            node.elements[0].expression, ast.Paren | ast.SubExpression | ast.ArrayExpression
        )

    def _do_Pipeline(self, node: ast.Pipeline) -> Action:
        return self.pipeline(node)

    # --- declarations

    def _do_Function(self, node: ast.Function) -> Action:
        code = self.script_block(node.block)
        as_filter = node.filter and not node.block.named
        block = node.block
        text = self.source.text[block.start : block.end]
        name = node.name

        def define(frame: Frame) -> None:
            if as_filter:
                code.as_filter()
            frame.interp.define_function(frame, name, block, code, text)

        return define

    def _do_Class(self, node: ast.Class) -> Action:
        methods = [(m, self.script_block(m.block)) for m in node.methods]
        arguments = {
            id(m): [self.expression(a) for a in m.base_arguments]
            for m in node.methods
            if m.base_arguments is not None
        }
        defaults = {
            id(p): self.expression(p.default) for p in node.properties if p.default is not None
        }
        return lambda frame: frame.interp.define_class(frame, node, methods, arguments, defaults)

    def _do_Enum(self, node: ast.Enum) -> Action:
        values = [(name, self.expression(v) if v is not None else None) for name, v in node.members]
        return lambda frame: frame.interp.define_enum(frame, node, values)

    def _do_Data(self, node: ast.Data) -> Action:
        body = self.block(node.body)
        name = node.variable

        def run(frame: Frame) -> None:
            if not name:
                body(frame)
                return
            result: list[Any] = []
            body(Frame(frame.interp, frame.scope, result.append))
            frame.scope.set(name, operators.collapse(result))

        return run

    def _do_Using(self, node: ast.Using) -> Action:
        return lambda frame: frame.interp.using(frame, node.kind, node.name)


def _declared_first(node: Any) -> int:
    """Types are known to the whole script, wherever it declares them."""
    if isinstance(node, ast.Using):
        return 0
    if isinstance(node, ast.Enum):
        return 1
    return 2 if isinstance(node, ast.Class) else 3
