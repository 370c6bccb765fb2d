"""Targets of assignments to Python closures: variables, members, elements, and lists of them."""

from __future__ import annotations

from typing import Any

from k8swin_lab.powershell import ast, indexing, members, operators
from k8swin_lab.powershell.compile_base import CONSTANTS, Code, CompilerBase, Setter
from k8swin_lab.powershell.errors import runtime_error
from k8swin_lab.powershell.scopes import NOTHING, Frame, Variable
from k8swin_lab.powershell.values import PSArray


class AssignmentCompiler(CompilerBase):
    """Compiles what an assignment stores into."""

    def member_name(self, node: Any) -> Code | str:
        """A member's name: fixed text, or code that computes it."""
        if isinstance(node, ast.Constant):
            return str(node.value)
        return self.expression(node)

    def setter(self, node: Any) -> Setter:
        """What stores a value into a variable, member, element, or several of them."""
        if isinstance(node, ast.Variable):
            return self._variable_setter(node)
        if isinstance(node, ast.Paren) and isinstance(node.pipeline, ast.Pipeline):
            element = node.pipeline.elements[0]
            if isinstance(element, ast.CommandExpression):
                return self.setter(element.expression)
        if isinstance(node, ast.ArrayLiteral):
            return self._several(node)
        if isinstance(node, ast.Convert):
            return self._typed(node)
        if isinstance(node, ast.Member):
            return self._member_setter(node)
        if isinstance(node, ast.Index):
            target = self.expression(node.target)
            index = self.expression(node.index)
            return lambda frame, value: indexing.set_index(
                frame, target(frame), index(frame), value
            )

        def refuse(frame: Frame, value: Any) -> None:
            raise runtime_error(
                "The assignment expression is not valid. The input to an assignment operator must be an "
                "object that is able to accept assignments, such as a variable or a property.",
                "InvalidLeftHandSide",
                category="ParserError",
            )

        return refuse

    def _variable_setter(self, node: ast.Variable) -> Setter:
        name = node.name
        folded = name.lower()
        scope = node.scope
        if folded == "psitem":
            folded = name = "_"
        if not scope and folded in CONSTANTS:
            if folded == "null":
                return lambda frame, value: None
            return lambda frame, value: frame.interp.refuse_constant(name)
        if scope in ("", "local", "private"):

            def assign(frame: Frame, value: Any) -> None:
                variables = frame.scope.variables
                variable = variables.get(folded)
                if variable is None:
                    frame.interp.check_assignable(frame.scope, folded)
                    variable = variables[folded] = Variable(name)
                    if scope == "private":
                        variable.options = "Private"
                    variable.value = value
                    return
                # a variable that is there stays as visible as it is
                if variable.options or variable.convert is not None:
                    variable.assign(value)
                else:
                    variable.value = value

            return assign
        if scope in ("script", "global"):

            def assign_there(frame: Frame, value: Any) -> None:
                frame.scope.at(scope, frame.interp.global_scope).set(name, value)

            return assign_there
        return lambda frame, value: frame.interp.write_drive(scope, name, value)

    def _several(self, node: ast.ArrayLiteral) -> Setter:
        setters = [self.setter(item) for item in node.items]
        last = len(setters) - 1

        def spread(frame: Frame, value: Any) -> None:
            found = operators.items_of(value)
            values = [value] if found is None else list(found)
            for number, setter in enumerate(setters):
                if number < last:
                    setter(frame, values[number] if number < len(values) else None)
                    continue
                rest = values[last:]
                setter(frame, rest[0] if len(rest) == 1 else PSArray(rest) if rest else None)

        return spread

    def _typed(self, node: ast.Convert) -> Setter:
        """`[int]$x = ...`: the variable keeps its type; attributes check every assignment."""
        constraints: list[Any] = []
        operand: Any = node
        while isinstance(operand, ast.Convert):
            constraints.append(operand.type)
            operand = operand.operand
        if not isinstance(operand, ast.Variable):
            return self.setter(operand)
        plain = self.setter(operand)
        name, scope = operand.name, operand.scope

        def assign(frame: Frame, value: Any) -> None:
            interp = frame.interp
            first, check = interp.variable_converter(frame, constraints, name, bool(scope))
            at = frame.scope.at(scope, interp.global_scope) if scope else frame.scope
            variable = at.variables.get(name.lower())
            if variable is not None:
                variable.convert = None
                first = check  # the attributes come to a variable that is there
            converted = first(None if value is NOTHING else value)
            plain(frame, converted)
            variable = at.variables.get(name.lower())
            if variable is not None:
                variable.convert = check

        return assign

    def _member_setter(self, node: ast.Member) -> Setter:
        target = self.expression(node.target)
        name = self.member_name(node.name)
        static = node.static

        def assign(frame: Frame, value: Any) -> None:
            called = name if isinstance(name, str) else name(frame)
            receiver = target(frame)
            if value is NOTHING:
                value = None
            if static:
                frame.interp.static_set(receiver, called, value)
            else:
                members.set_member(frame, receiver, called, value)

        return assign
