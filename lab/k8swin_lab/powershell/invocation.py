"""Calling script blocks from Python: by cmdlets, operators, methods and classes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from k8swin_lab.powershell import dotnet, operators
from k8swin_lab.powershell.errors import ReturnSignal
from k8swin_lab.powershell.functions import CompiledBlock, FunctionStage
from k8swin_lab.powershell.parameters import Argument
from k8swin_lab.powershell.pipeline import Context
from k8swin_lab.powershell.records import ScriptBlock
from k8swin_lab.powershell.resolution import ModuleInfo
from k8swin_lab.powershell.scopes import NOTHING, Frame, Scope, SessionState, Variable


class Invocation:
    """The part of the interpreter that runs script blocks."""

    context: Context
    state: SessionState
    global_scope: Scope
    depth: int

    if TYPE_CHECKING:

        def to_string(self, value: Any) -> str: ...

    def invoke(
        self,
        script_block: Any,
        arguments: list[Any],
        *,
        dollar_underbar: Any = NOTHING,
        this: Any = None,
        local: bool = True,
    ) -> list[Any]:
        """Call a script block and return what it wrote.

        Args:
            script_block: the block (or a function).
            arguments: positional arguments.
            dollar_underbar: the value of `$_` inside, if any.
            this: the value of `$this` inside, if any.
            local: whether the block gets a scope of its own.
        """
        result: list[Any] = []
        self.stream(
            script_block,
            arguments,
            result.append,
            dollar_underbar=dollar_underbar,
            this=this,
            local=local,
        )
        return result

    def stream(
        self,
        script_block: ScriptBlock,
        arguments: list[Any],
        write: Any,
        *,
        dollar_underbar: Any = NOTHING,
        this: Any = None,
        local: bool = True,
        given: Iterable[Any] | None = None,
    ) -> None:
        """Call a script block whose output goes to `write` as it comes."""
        state = self.state_of(script_block.module)
        frame = Frame(self, state.current, write)
        stage = FunctionStage(
            frame,
            script_block,
            [Argument(None, a, attached=True) for a in arguments],
            dot_sourced=not local,
        )
        stage.context.invocation = self.context.invocation
        stage.context.suffix = self.context.suffix
        stage.expects_input = given is not None
        stage.connect(write)
        variables = stage.scope.variables
        saved = {name: variables.get(name) for name in ("_", "this")}
        if dollar_underbar is not NOTHING:
            variables["_"] = Variable("_", dollar_underbar)
        if this is not None:
            variables["this"] = Variable("this", this)
        try:
            stage.start()
            if given is None:
                stage.run(stage.once)
            else:
                for item in given:
                    stage.feed(item)
            stage.finish()
        finally:
            if not local:
                for name, variable in saved.items():
                    if variable is None:
                        variables.pop(name, None)
                    else:
                        variables[name] = variable

    def invoke_value(self, script_block: ScriptBlock, arguments: list[Any]) -> Any:
        """Call a script block; its output as one value."""
        result = operators.collapse(self.invoke(script_block, arguments))
        return None if result is NOTHING else result

    def invoke_in_scope(self, script_block: ScriptBlock, scope: Scope, item: Any) -> Any:
        """Run a script block without a scope of its own (switch clauses)."""
        return operators.collapse(self.invoke(script_block, [], dollar_underbar=item, local=False))

    def block_replacement(self, block: ScriptBlock, match: Any) -> str:
        wrap = getattr(dotnet, "wrap_match", None)
        value = match.group() if wrap is None else wrap(match)
        return self.to_string(operators.collapse(self.invoke(block, [], dollar_underbar=value)))

    def block_test(self, block: ScriptBlock, char: Any) -> Any:
        return operators.collapse(self.invoke(block, [char], dollar_underbar=char))

    def run_method(self, frame: Frame, code: CompiledBlock) -> None:
        """Run the body of a class's method."""
        state = frame.scope.state
        saved, self.depth = state.current, self.depth + 1
        state.current = frame.scope
        try:
            if code.end is not None:
                code.end(frame)
        except ReturnSignal:
            pass
        finally:
            state.current = saved
            self.depth -= 1

    def closure(self, frame: Frame, block: ScriptBlock) -> ScriptBlock:
        """`GetNewClosure()`: the block with copies of the variables around it."""
        module = ModuleInfo("__DynamicModule", "", self.global_scope)
        for scope in frame.scope.chain():
            if scope is self.global_scope and scope is not frame.scope:
                break
            for folded, variable in scope.variables.items():
                if folded not in module.state.top.variables and not variable.options:
                    copied = Variable(variable.name, variable.value)
                    copied.convert = variable.convert
                    module.state.top.variables[folded] = copied
        return ScriptBlock(
            block.ast, block.text, code=block.code, module=module, source_name=block.source_name
        )

    def state_of(self, module: Any) -> SessionState:
        return module.state if isinstance(module, ModuleInfo) else self.state

    def current_scope(self) -> Scope:
        """The scope from which the running command was called."""
        return self.context.frame.scope
