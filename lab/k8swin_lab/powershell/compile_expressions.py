"""Expressions to Python closures: `code(frame) -> value`.

A script is compiled once and run many times, so everything that the text alone decides (names in
lower case, constants, operators) is decided here and not while it runs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from k8swin_lab.powershell import arithmetic, ast, dotnet, indexing, members, operators
from k8swin_lab.powershell.classes import ClassInstance
from k8swin_lab.powershell.compile_assignment import AssignmentCompiler
from k8swin_lab.powershell.compile_base import CONSTANTS, Code
from k8swin_lab.powershell.errors import runtime_error
from k8swin_lab.powershell.records import Reference, ScriptBlock
from k8swin_lab.powershell.scopes import NOTHING, Frame
from k8swin_lab.powershell.values import Hashtable, PSArray

_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "-": arithmetic.subtract,
    "*": arithmetic.multiply,
    "/": arithmetic.divide,
    "%": arithmetic.modulo,
    "..": arithmetic.number_range,
    "join": operators.join,
}
_BITWISE = frozenset({"band", "bor", "bxor", "shl", "shr"})
_SCOPES = frozenset({"script", "global", "local", "private", "using", ""})


_OBJECT = ("pscustomobject", "system.management.automation.pscustomobject")
_ORDERED = ("ordered", *_OBJECT)
"""Types whose hash literal keeps its order."""


class ExpressionCompiler(AssignmentCompiler):
    """Compiles expressions; statements come from the classes derived from it."""

    def expression(self, node: Any) -> Code:
        """Compile any expression node."""
        method = getattr(self, "_on_" + type(node).__name__)
        code: Code = method(node)
        return code

    # --- literals

    def _on_Constant(self, node: ast.Constant) -> Code:
        value = node.value
        return lambda frame: value

    def _on_ExpandString(self, node: ast.ExpandString) -> Code:
        parts = [p if isinstance(p, str) else self.expression(p) for p in node.parts]

        def expand(frame: Frame) -> str:
            to_string = frame.interp.to_string
            return "".join(p if isinstance(p, str) else to_string(p(frame)) for p in parts)

        def lenient(frame: Frame) -> str:
            """Version 1 of the strict mode minds no unset variable in a text."""
            strict = frame.scope.strict
            if not 0 < frame.scope.strictness() < 2:
                return expand(frame)
            frame.scope.strict = 0.0
            try:
                return expand(frame)
            finally:
                frame.scope.strict = strict

        return lenient if any(isinstance(p, ast.Variable) for p in node.parts) else expand

    def _on_Variable(self, node: ast.Variable) -> Code:
        raw = self.raw_variable(node)

        def read(frame: Frame) -> Any:
            value = raw(frame)
            return None if value is NOTHING else value

        return read if node.scope or node.name.lower() not in CONSTANTS else raw

    def raw_variable(self, node: ast.Variable) -> Code:
        """The variable's value, where a command's missing output is still told from $null."""
        folded = node.name.lower()
        scope = node.scope
        if not scope and folded in CONSTANTS:
            value = CONSTANTS[folded]
            return lambda frame: value
        if folded == "psitem":
            folded = "_"
        if scope not in _SCOPES:
            name = node.name

            def from_drive(frame: Frame) -> Any:
                return frame.interp.read_drive(scope, name)

            return from_drive
        if scope in ("local", "private"):

            def from_here(frame: Frame) -> Any:
                variable = frame.scope.variables.get(folded)
                return variable.value if variable else frame.interp.automatic(folded, frame, node)

            return from_here
        if scope in ("script", "global"):

            def from_scope(frame: Frame) -> Any:
                at = frame.scope.at(scope, frame.interp.global_scope)
                variable = at.find(folded)
                if variable and (at is frame.scope or "Private" not in variable.options):
                    return variable.value
                return frame.interp.automatic(folded, frame, node)

            return from_scope

        def read(frame: Frame) -> Any:
            walk: Any = frame.scope
            while walk is not None:
                variable = walk.variables.get(folded)
                if variable is not None and (
                    not variable.options or walk is frame.scope or "Private" not in variable.options
                ):
                    return variable.value
                walk = walk.parent
            return frame.interp.automatic(folded, frame, node)

        return read

    def _on_ArrayLiteral(self, node: ast.ArrayLiteral) -> Code:
        items = [self.expression(item) for item in node.items]
        return lambda frame: PSArray([item(frame) for item in items])

    def _on_ArrayExpression(self, node: ast.ArrayExpression) -> Code:
        statements = node.body.statements
        if len(statements) == 1 and isinstance(statements[0], ast.Pipeline):
            element = statements[0].elements[0]
            if (
                len(statements[0].elements) == 1
                and isinstance(element, ast.CommandExpression)
                and isinstance(element.expression, ast.ArrayLiteral)
            ):
                return self.expression(element.expression)
        body = self.block(node.body)

        def collect(frame: Frame) -> PSArray:
            result = PSArray()
            body(Frame(frame.interp, frame.scope, result.append))
            return result

        return collect

    def _on_SubExpression(self, node: ast.SubExpression) -> Code:
        body = self.block(node.body)

        def collect(frame: Frame) -> Any:
            result: list[Any] = []
            body(Frame(frame.interp, frame.scope, result.append))
            if len(result) == 1:
                return result[0]
            return PSArray(result) if result else None

        return collect

    def _on_Paren(self, node: ast.Paren) -> Code:
        value = self.statement_value(node.pipeline)

        def without_nothing(frame: Frame) -> Any:
            result = value(frame)
            return None if result is NOTHING else result

        return without_nothing

    def _on_HashLiteral(self, node: ast.HashLiteral) -> Code:
        return self.hash_literal(node, ordered=False)

    def hash_literal(self, node: ast.HashLiteral, *, ordered: bool) -> Code:
        pairs = [(self.expression(key), self.statement_value(value)) for key, value in node.pairs]

        def build(frame: Frame) -> Hashtable:
            table = Hashtable(ordered=ordered)
            for key_code, value_code in pairs:
                key = key_code(frame)
                if key is None:
                    raise runtime_error(
                        "A null key is not allowed in a hash literal.", "InvalidNullKey"
                    )
                if key in table:
                    raise runtime_error(
                        f"Duplicate keys '{dotnet.to_string(key)}' are not allowed in hash literals.",
                        "DuplicateKeyInHashLiteral",
                    )
                value = value_code(frame)
                table[key] = None if value is NOTHING else value
            return table

        return build

    def _on_ScriptBlockExpression(self, node: ast.ScriptBlockExpression) -> Code:
        code = self.script_block(node.block)
        text, tree = node.text, node.block

        def make(frame: Frame) -> ScriptBlock:
            return ScriptBlock(tree, text, code=code, module=frame.scope.state.module)

        return make

    def _on_TypeLiteral(self, node: ast.TypeLiteral) -> Code:
        name = node.name
        return lambda frame: frame.interp.type_value(name)

    def _on_Convert(self, node: ast.Convert) -> Code:
        if isinstance(node.type, ast.Attribute):
            return self.expression(node.operand)
        name = node.type.name
        folded = name.lower()
        if folded == "ref":
            read = self.expression(node.operand)
            if not isinstance(node.operand, ast.Variable | ast.Member | ast.Index | ast.Convert):
                return lambda frame: Reference(lambda: read(frame), lambda value: None)
            write = self.setter(node.operand)
            return lambda frame: Reference(lambda: read(frame), lambda value: write(frame, value))
        if isinstance(node.operand, ast.HashLiteral) and folded in _ORDERED:
            build = self.hash_literal(node.operand, ordered=True)
            if folded == "ordered":
                return build
            return lambda frame: members.custom_object(build(frame))
        operand = self.expression(node.operand)
        if folded == "void":

            def discard(frame: Frame) -> Any:
                operand(frame)
                return NOTHING

            return discard
        if folded in _OBJECT:  # only a cast makes an object of a table; a typed variable keeps it

            def wrap(frame: Frame) -> Any:
                value = operand(frame)
                return members.custom_object(value) if isinstance(value, Hashtable) else value

            return wrap
        return lambda frame: frame.interp.cast(operand(frame), name)

    # --- operators

    def _on_Unary(self, node: ast.Unary) -> Code:
        operand = self.expression(node.operand)
        operator = node.operator
        if operator == "not":
            return lambda frame: not operators.truth(operand(frame))
        if operator == "-":
            return lambda frame: arithmetic.negate(operand(frame))
        if operator == "+":
            return lambda frame: arithmetic.plus(operand(frame))
        if operator == "bnot":
            return lambda frame: arithmetic.bitwise_not(operand(frame))
        if operator == "join":
            return lambda frame: operators.join(operand(frame), "")
        return lambda frame: operators.unary_split(operand(frame))

    def _on_Increment(self, node: ast.Increment) -> Code:
        read = self.expression(node.operand)
        write = self.setter(node.operand)
        step = 1 if node.operator == "+" else -1
        prefix = node.prefix

        def increment(frame: Frame) -> Any:
            old = read(frame)
            new = arithmetic.step(old, step)
            write(frame, new)
            return new if prefix else 0 if old is None else old

        return increment

    def _on_Binary(self, node: ast.Binary) -> Code:
        operator = node.operator
        left = self.expression(node.left)
        right = self.expression(node.right)
        if operator == "+":
            return lambda frame: _plus(frame, left(frame), right(frame))
        simple = _ARITHMETIC.get(operator)
        if simple is not None:
            return lambda frame: simple(left(frame), right(frame))
        if operator in _BITWISE:
            return lambda frame: arithmetic.bitwise(operator, left(frame), right(frame))
        if operator == "and":
            return lambda frame: operators.truth(left(frame)) and operators.truth(right(frame))
        if operator == "or":
            return lambda frame: operators.truth(left(frame)) or operators.truth(right(frame))
        if operator == "xor":
            return lambda frame: operators.truth(left(frame)) != operators.truth(right(frame))
        if operator == "f":
            return lambda frame: frame.interp.format(left(frame), right(frame))
        if operator in ("is", "isnot"):
            wanted = operator == "is"
            return lambda frame: frame.interp.is_type(left(frame), right(frame)) == wanted
        if operator == "as":
            return lambda frame: frame.interp.convert_or_null(left(frame), right(frame))
        return self._text_operator(operator, left, right)

    def _text_operator(self, operator: str, left: Code, right: Code) -> Code:
        base = operator
        ignore_case = True
        if operator[0] in "ci" and operator not in ("contains", "in"):
            ignore_case = operator[0] == "i"
            base = operator[1:]
        if base in ("eq", "ne", "gt", "ge", "lt", "le"):
            compare = operators.comparison(("" if ignore_case else "c") + base)
            return lambda frame: compare(left(frame), right(frame))
        negate = base.startswith("not")
        base = base.removeprefix("not")
        if base == "like":
            return lambda frame: operators.like(left(frame), right(frame), ignore_case, negate)
        if base == "match":
            return lambda frame: frame.interp.match(
                frame, left(frame), right(frame), ignore_case, negate
            )
        if base == "replace":
            return lambda frame: operators.replace(
                left(frame), right(frame), ignore_case, frame.interp.block_replacement
            )
        if base == "split":
            return lambda frame: operators.split(
                left(frame), right(frame), ignore_case, frame.interp.block_test
            )
        if base == "contains":
            return lambda frame: (
                operators.contains(left(frame), right(frame), ignore_case) != negate
            )

        def is_in(frame: Frame) -> bool:
            item = left(frame)
            return operators.contains(right(frame), item, ignore_case) != negate

        return is_in

    # --- members

    def _on_Member(self, node: ast.Member) -> Code:
        name = self.member_name(node.name)
        if node.static:
            type_code = self.expression(node.target)
            return lambda frame: frame.interp.static_get(
                type_code(frame), name if isinstance(name, str) else name(frame)
            )
        target = self.expression(node.target)
        if isinstance(name, str):
            constant = name
            return lambda frame: members.get(frame, target(frame), constant)
        return lambda frame: members.get(frame, target(frame), name(frame))

    def _on_MethodCall(self, node: ast.MethodCall) -> Code:
        name = self.member_name(node.name)
        arguments = [self.expression(argument) for argument in node.arguments]
        target = self.expression(node.target)
        static = node.static
        base = _named_class(node.target)

        def call(frame: Frame) -> Any:
            receiver = target(frame)
            called = name if isinstance(name, str) else name(frame)
            called = "" if called is None else called
            values = [argument(frame) for argument in arguments]
            if static:
                return frame.interp.static_call(receiver, called, values)
            if isinstance(called, ScriptBlock):
                return frame.interp.invoke_value(called, values)
            if base and isinstance(receiver, ClassInstance):
                ps_class = frame.interp.classes.get(base)
                if ps_class is not None and ps_class.finds(str(called).lower()):
                    return ps_class.call(frame.interp, receiver, str(called), values)
            return members.call(frame, receiver, frame.interp.to_string(called), values)

        return call

    def _on_Index(self, node: ast.Index) -> Code:
        target = self.expression(node.target)
        index = self.expression(node.index)
        return lambda frame: indexing.index(frame, target(frame), index(frame))


def _plus(frame: Frame, left: Any, right: Any) -> Any:
    """`left + right`; a text takes an array with $OFS between its elements."""
    if isinstance(right, list) and isinstance(left, str) and not hasattr(left, "enum_number"):
        return left + frame.interp.to_string(right)
    return arithmetic.add(left, right)


def _named_class(node: Any) -> str:
    """The class of `([Base]$this).Method()`, whose own method is meant and not an overriding one."""
    if isinstance(node, ast.Paren) and isinstance(node.pipeline, ast.Pipeline):
        element = node.pipeline.elements[0]
        if len(node.pipeline.elements) == 1 and isinstance(element, ast.CommandExpression):
            node = element.expression
    if isinstance(node, ast.Convert) and isinstance(node.type, ast.TypeLiteral):
        return str(node.type.name).lower()
    return ""
