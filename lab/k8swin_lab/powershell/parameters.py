"""What stands on a command line, what a parameter is, and what of both the binder has brought together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from k8swin_lab.powershell.values import PSArray

ALL_SETS = "__AllParameterSets"


class ParameterName(str):
    """`-Name` in `$args`: splatting it passes a parameter and not a string."""

    __slots__ = ()


@dataclass(slots=True)
class Argument:
    """One argument as it stands: a parameter (`name`) with or without a value, or a value."""

    name: str | None
    value: Any = None
    text: str | None = None
    attached: bool = False
    splatted: bool = False
    claimed: bool = False
    """Goes to $args: an unknown `-Name` of a simple function, and the value after it."""
    spellings: list[str | None] | None = None
    """How the numbers of a list were spelled."""


@dataclass(slots=True)
class Spec:
    """A parameter as the binder sees it."""

    name: str
    type: str | None = None
    aliases: tuple[str, ...] = ()
    position: int | None = None
    mandatory: bool = False
    by_value: bool = False
    by_property: bool = False
    remaining: bool = False
    is_switch: bool = False
    sets: dict[str, Spec] = field(default_factory=dict)
    """The same facts for each parameter set that the parameter names; empty: in all sets."""
    convert: Callable[[Any], Any] | None = None
    """Converts and validates; raises PowerShellError."""
    default: Any = None

    def in_set(self, name: str) -> Spec | None:
        """The facts that hold in a parameter set; None when the parameter is not in it."""
        if not self.sets:
            return self
        return self.sets.get(name.lower()) or self.sets.get(ALL_SETS.lower())


@dataclass(slots=True)
class Bound:
    """What the binder found."""

    values: dict[str, Any] = field(default_factory=dict)
    rest: list[Any] = field(default_factory=list)
    common: dict[str, Any] = field(default_factory=dict)
    delayed: dict[str, Any] = field(default_factory=dict)
    """Script blocks that compute a parameter for each pipeline object."""
    delays: bool = False
    order: list[str] = field(default_factory=list)
    """The parameters that the command line names, in its order."""
    set_name: str = ALL_SETS


def delays(spec: Spec) -> bool:
    """Whether a script block given to the parameter is run for each pipeline object."""
    kind = (spec.type or "object").lower().removesuffix("[]")
    takes = any(s.by_value or s.by_property for s in [spec, *spec.sets.values()])
    return takes and kind not in ("scriptblock", "object", "psobject", "system.object")


def respelled(spec: Spec, value: Any, source: Argument) -> Any:
    """A number goes to a [string] or [version] parameter as it was written."""
    kind = (spec.type or "").lower().removeprefix("system.")
    if not kind.startswith("string") and kind != "version":
        return value
    if source.text is not None and source.name is None and not isinstance(value, str | bool):
        return source.text
    if source.spellings and isinstance(value, list):
        return PSArray(
            [
                s if s is not None and not isinstance(v, str) else v
                for v, s in zip(value, source.spellings, strict=False)
            ]
        )
    return value


def takes_several(spec: Spec) -> bool:
    """Whether the type of a parameter is an array's or another collection's."""
    kind = (spec.type or "").lower()
    return kind.endswith(("]", "array", "list")) and not kind.startswith("nullable")


def gathered(spec: Spec, value: Any) -> Any:
    """An argument without a name as an ArrayList takes it: whatever is no list becomes one of a single element."""
    if not (spec.type or "").lower().endswith("arraylist") or value is None:
        return value
    return value if isinstance(value, list) else PSArray([value])
