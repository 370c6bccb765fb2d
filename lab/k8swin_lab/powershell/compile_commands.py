"""Pipelines and commands to Python closures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from k8swin_lab.powershell import ast, operators
from k8swin_lab.powershell.compile_base import Code
from k8swin_lab.powershell.compile_expressions import ExpressionCompiler
from k8swin_lab.powershell.functions import CompiledBlock, compile_parameters
from k8swin_lab.powershell.parameters import Argument, ParameterName
from k8swin_lab.powershell.pipeline import Redirect, Stage, ValueStage, run_pipeline
from k8swin_lab.powershell.records import ScriptBlock
from k8swin_lab.powershell.scopes import NOTHING, Frame
from k8swin_lab.powershell.values import Hashtable, PSArray

ArgumentsCode = Callable[[Frame, list[Argument]], None]


class CommandCompiler(ExpressionCompiler):
    """Compiles what runs commands."""

    def pipeline(self, node: ast.Pipeline) -> Callable[[Frame], None]:
        """A pipeline as a statement."""
        first = node.elements[0]
        if (
            len(node.elements) == 1
            and isinstance(first, ast.CommandExpression)
            and not first.redirections
        ):
            return self._expression_statement(first.expression)
        makers = [self._stage(element) for element in node.elements]
        source = self.source

        def run(frame: Frame) -> None:
            interp = frame.interp
            interp.check_cancelled()
            run_pipeline(interp, frame, makers, source, node)

        return run

    def _expression_statement(self, node: Any) -> Callable[[Frame], None]:
        if isinstance(node, ast.Increment | ast.MethodCall) or (
            isinstance(node, ast.Convert)
            and isinstance(node.type, ast.TypeLiteral)
            and node.type.name.lower() == "void"
        ):
            silent = self.expression(node)
            is_call = isinstance(node, ast.MethodCall)

            def run_silent(frame: Frame) -> None:
                value = silent(frame)
                frame.interp.success = True
                if is_call and value is not None and value is not NOTHING:
                    emit(frame, value)

            return run_silent
        if isinstance(node, ast.Paren) and isinstance(node.pipeline, ast.Pipeline):
            inner = self.statement_value(node.pipeline)

            def run_paren(frame: Frame) -> None:
                emit(frame, inner(frame))

            return run_paren
        if isinstance(node, ast.SubExpression | ast.ArrayExpression):
            return self.block(node.body)
        code = self.raw_variable(node) if isinstance(node, ast.Variable) else self.expression(node)

        def run(frame: Frame) -> None:
            value = code(frame)
            frame.interp.success = True
            if type(value) is str:
                frame.write(value)
            else:
                emit(frame, value)

        return run

    def _stage(self, node: ast.Command | ast.CommandExpression) -> Callable[[Frame], Stage]:
        redirections = [self._redirect(r) for r in node.redirections]
        if isinstance(node, ast.CommandExpression):
            inner = node.expression
            if isinstance(inner, ast.Paren | ast.SubExpression | ast.Variable):
                code: Code = (
                    self.raw_variable(inner)
                    if isinstance(inner, ast.Variable)
                    else self.statement_value(
                        ast.Pipeline(
                            node.start,
                            node.end,
                            [ast.CommandExpression(node.start, node.end, inner, [])],
                        )
                    )
                    if not isinstance(inner, ast.Paren)
                    else self.statement_value(inner.pipeline)
                    if isinstance(inner.pipeline, ast.Pipeline)
                    else self.expression(inner)
                )
            else:
                code = self.expression(inner)

            def make_value(frame: Frame) -> Stage:
                stage = ValueStage(frame, code)
                stage.redirects = [r(frame) for r in redirections]
                return stage

            return make_value
        name = self._command_name(node)
        arguments = self._arguments(node.elements[1:])
        invocation = node.invocation
        source = self.source

        def make(frame: Frame) -> Stage:
            target = name if isinstance(name, str) else name(frame)
            bound: list[Argument] = []
            for add in arguments:
                add(frame, bound)
            stage: Stage = frame.interp.make_stage(frame, target, bound, invocation, source, node)
            if redirections:
                stage.redirects = [r(frame) for r in redirections]
            return stage

        return make

    def _command_name(self, node: ast.Command) -> str | Code:
        first = node.elements[0]
        if isinstance(first, ast.Constant):
            return str(first.text or first.value)
        return self.expression(first)

    def _arguments(self, nodes: list[Any]) -> list[ArgumentsCode]:
        return [self._argument(node) for node in nodes]

    def _argument(self, node: Any) -> ArgumentsCode:
        if isinstance(node, ast.CommandParameter):
            name, text = node.name, node.text
            if node.argument is None:
                return lambda frame, into: into.append(Argument(name, text=text))
            value = self.expression(node.argument)
            return lambda frame, into: into.append(
                Argument(name, value(frame), text=text, attached=True)
            )
        if isinstance(node, ast.Variable) and node.splatted:
            return self._splat(node)
        if isinstance(node, ast.Constant):
            constant, spelling = node.value, node.text
            return lambda frame, into: into.append(
                Argument(None, constant, text=spelling, attached=True)
            )
        code = self.expression(node)
        spellings: list[str | None] | None = None
        if isinstance(node, ast.ArrayLiteral):
            spellings = [i.text if isinstance(i, ast.Constant) else None for i in node.items]
        return lambda frame, into: into.append(
            Argument(None, code(frame), attached=True, spellings=spellings)
        )

    def _splat(self, node: ast.Variable) -> ArgumentsCode:
        read = self.expression(ast.Variable(node.start, node.end, node.scope, node.name))

        def add(frame: Frame, into: list[Argument]) -> None:
            value = read(frame)
            if isinstance(value, Hashtable):
                into.extend(
                    Argument(str(key), item, text=f"-{key}:", attached=True, splatted=True)
                    for key, item in value.items()
                )
                return
            found = operators.items_of(value)
            for item in [value] if found is None else found:
                if isinstance(item, ParameterName):
                    into.append(Argument(item.lstrip("-").rstrip(":"), text=str(item)))
                else:
                    into.append(Argument(None, item, attached=True))

        return add

    def _redirect(self, node: ast.Redirection) -> Callable[[Frame], Redirect]:
        stream, append = node.stream, node.append
        if isinstance(node.target, str):
            merged = node.target[1:]
            return lambda frame: Redirect(stream, append, None, merged)
        target = self.expression(node.target)
        return lambda frame: Redirect(stream, append, target(frame), "")

    # --- script blocks

    def script_block(self, node: ast.ScriptBlockAst) -> CompiledBlock:
        """A script block's code, compiled when it first runs."""
        return CompiledBlock(self, node)

    def fill(self, code: CompiledBlock) -> None:
        """Compile the parts of a script block."""
        node = code.ast
        outer, self.enclosing = self.enclosing, node
        code.begin = self.block(node.begin) if node.begin else None
        code.process = self.block(node.process) if node.process else None
        code.end = self.block(node.body, tail=True) if node.body else None
        code.parameters = compile_parameters(self, node)
        self.enclosing = outer


def emit(frame: Frame, value: Any) -> None:
    """Write a value to the output, taken apart when it is a collection."""
    items = operators.items_of(value)
    write = frame.write
    if items is None:
        write(value)
    else:
        for item in items:
            write(item)


__all__ = ["CommandCompiler", "PSArray", "ScriptBlock", "emit"]
