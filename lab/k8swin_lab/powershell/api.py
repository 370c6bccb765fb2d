"""How a cmdlet is written: a Python generator over a bound call.

    @cmdlet("Get-Service", parameters=[
        Parameter("Name", "string[]", position=0, pipeline="value", aliases=("ServiceName",)),
        Parameter("ErrorAction"...)   # common parameters are added by the engine
    ])
    def get_service(call: Call) -> Iterator[Any]:
        for name in call["Name"] or ["*"]:
            ...
            yield PSObject(...)

A set of cmdlets is a `CommandTable`; the interpreter is given one table for the language's own
modules and one for the machine, so the language knows nothing of Windows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping
from dataclasses import dataclass, field
from typing import Any, Protocol

Body = Callable[["Call"], Iterator[Any] | None]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A declared parameter; `type` is a PowerShell type literal ("string", "int", "switch", "string[]", "object")."""

    name: str
    type: str = "object"
    position: int | None = None
    mandatory: bool = False
    pipeline: str | None = None  # "value", "property" or "both"
    aliases: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()  # ValidateSet
    default: Any = None
    remaining: bool = False  # ValueFromRemainingArguments
    simulated: bool = True  # False: it exists, and giving it is refused by name


@dataclass(frozen=True, slots=True)
class Cmdlet:
    """A cmdlet.

    `streaming`: the body is called once per pipeline object (process block); otherwise once, with all
    input in `call.input`.
    """

    name: str
    parameters: tuple[Parameter, ...]
    body: Body
    streaming: bool = True
    module: str = ""
    supports_should_process: bool = False  # accepts -WhatIf and -Confirm
    end: Body | None = None  # runs after the last object, with the same `call.state`


class Session(Protocol):
    """What a cmdlet may ask of the interpreter that runs it."""

    machine: Any
    location: str  # current directory
    environment: dict[str, str]  # $env:, names without case on Windows
    user: str

    def write_error(
        self,
        message: str,
        *,
        category: str = "NotSpecified",
        error_id: str = "",
        target: Any = None,
        exception: str = "System.Exception",
    ) -> None:
        """A non-terminating error; -ErrorAction and $ErrorActionPreference decide what becomes of it."""

    def write_warning(self, text: str) -> None: ...

    def write_verbose(self, text: str) -> None: ...

    def invoke(
        self, script_block: Any, arguments: list[Any], *, dollar_underbar: Any = None
    ) -> list[Any]:
        """Call a script block and return what it wrote."""

    def to_string(self, value: Any) -> str:
        """Convert as [string] does."""

    def full_path(self, path: str) -> str:
        """Resolve against the current directory."""

    def cancelled(self) -> bool:
        """Whether the client has given up; long waits ask."""

    def drive(self, name: str) -> MutableMapping[str, Any] | None:
        """The language's own drives: variable, function, env, alias; None for any other name."""


class Terminating(Exception):
    """A terminating error of a cmdlet; `exception` is the .NET type that `catch [type]` sees."""

    def __init__(
        self,
        message: str,
        *,
        exception: str = "System.InvalidOperationException",
        category: str = "NotSpecified",
        error_id: str = "",
        target: Any = None,
    ) -> None:
        super().__init__(message)
        self.exception = exception
        self.category = category
        self.error_id = error_id
        self.target = target


class StopUpstream(Exception):
    """A cmdlet has all it wants (Select-Object -First): the commands before it end at once."""


@dataclass(slots=True)
class Call:
    """A bound call: `call["Name"]` is the converted value or the declared default.

    `state` lives as long as the pipeline: the calls of a streaming cmdlet share it.
    """

    session: Session
    name: str
    parameters: dict[str, Any]  # bound ones only, canonical names
    defaults: dict[str, Any] = field(default_factory=dict)
    input: list[Any] = field(default_factory=list)
    state: dict[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:
        return self.parameters[name] if name in self.parameters else self.defaults.get(name)

    def bound(self, name: str) -> bool:
        """Whether the caller gave this parameter."""
        return name in self.parameters


class CommandTable:
    """Cmdlets by name (without case) and aliases."""

    def __init__(self) -> None:
        self.cmdlets: dict[str, Cmdlet] = {}
        self.aliases: dict[str, str] = {}

    def cmdlet(
        self,
        name: str,
        *,
        parameters: list[Parameter] | None = None,
        streaming: bool = True,
        module: str = "",
        should_process: bool = False,
        aliases: tuple[str, ...] = (),
        end: Body | None = None,
    ) -> Callable[[Body], Body]:
        """Decorate a body."""

        def register(body: Body) -> Body:
            self.cmdlets[name.lower()] = Cmdlet(
                name, tuple(parameters or ()), body, streaming, module, should_process, end
            )
            for alias in aliases:
                self.aliases[alias.lower()] = name
            return body

        return register

    def get(self, name: str) -> Cmdlet | None:
        """Find by name or alias."""
        folded = name.lower()
        return self.cmdlets.get(self.aliases.get(folded, folded).lower())
