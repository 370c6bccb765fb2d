"""What all cmdlets of Windows share: wildcard matching, output objects, and errors in Windows' words."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterable
from typing import Any

from k8swin_lab.powershell.api import Call, Parameter
from k8swin_lab.powershell.dotnet.times import DateTime
from k8swin_lab.powershell.records import EnumValue
from k8swin_lab.powershell.values import PSArray, PSObject, TypedInt

CIM = "Microsoft.Management.Infrastructure.CimInstance"
STANDARD_CIM = "Microsoft.Management.Infrastructure.CimInstance#root/standardcimv2/"


def matches(name: str, patterns: Any) -> bool:
    """Whether a name fits one of the wildcard patterns (without case); no patterns fit everything."""
    if patterns is None:
        return True
    if isinstance(patterns, str):
        patterns = [patterns]
    return any(fnmatch.fnmatchcase(name.lower(), str(p).lower()) for p in patterns)


def has_wildcard(text: str) -> bool:
    """Whether a text is a pattern."""
    return any(c in text for c in "*?[")


def enum(name: str, type_name: str = "System.Enum") -> EnumValue:
    """A value of an enumeration."""
    return EnumValue(name, type_name)


def uint(value: int, bits: int = 32) -> TypedInt:
    """An unsigned number as CIM properties are."""
    return TypedInt(value, f"System.UInt{bits}")


def texts(items: Iterable[Any]) -> PSArray:
    """A string array."""
    return PSArray([str(item) for item in items], "System.String")


def date(seconds: float) -> DateTime:
    """A local date from seconds since the epoch."""
    return DateTime.from_epoch(seconds)


def record(
    type_name: str,
    properties: dict[str, Any],
    shown: list[str] | None = None,
    *,
    display: str | None = None,
    methods: dict[str, Callable[..., Any]] | None = None,
    bases: Iterable[str] = (),
) -> PSObject:
    """An output object; `shown` are the columns of the console."""
    return PSObject(
        properties,
        type_names=[type_name, *bases],
        default_properties=shown,
        display=display,
        methods=methods,
    )


def cim(
    class_name: str,
    properties: dict[str, Any],
    shown: list[str] | None = None,
    *,
    standard: bool = True,
) -> PSObject:
    """A CIM object of the networking modules or of root/cimv2."""
    prefix = STANDARD_CIM if standard else CIM + "#root/cimv2/"
    return PSObject(
        properties, type_names=[prefix + class_name, CIM], default_properties=shown,
        display=class_name,
    )  # fmt: skip


def no_match(call: Call, class_name: str, prop: str, value: Any) -> None:
    """The error of the CIM cmdlets when a search by property found nothing."""
    call.session.write_error(
        f"No {class_name} objects found with property '{prop}' equal to '{value}'.  Verify the value of the "
        "property and retry.",
        category="ObjectNotFound",
        error_id=f"CmdletizationQuery_NotFound_{prop}",
        target=value,
        exception="Microsoft.PowerShell.Cmdletization.Cim.CimJobException",
    )


def cim_error(
    call: Call, message: str, *, error_id: str, category: str = "NotSpecified", target: Any = None
) -> None:
    """An error of a CIM method (`error_id` is e.g. "Windows System Error 87")."""
    call.session.write_error(
        message, category=category, error_id=error_id, target=target,
        exception="Microsoft.Management.Infrastructure.CimException",
    )  # fmt: skip


def parameters(declaration: str) -> list[Parameter]:
    """Declare parameters briefly, one per line or semicolon.

    `Name string[] @0 ! value =ServiceName,Svc` is the parameter Name: position 0, mandatory, from the
    pipeline by value, with two aliases. `property` and `both` are the other ways from the pipeline. `~` marks a
    parameter that exists and is refused by name, because the lab gives it no effect.
    """
    result = []
    for part in declaration.replace("\n", ";").split(";"):
        words = part.split()
        if not words:
            continue
        position: int | None = None
        pipeline: str | None = None
        aliases: tuple[str, ...] = ()
        choices: tuple[str, ...] = ()
        mandatory, simulated = False, True
        for word in words[2:]:
            if word.startswith("@"):
                position = int(word[1:])
            elif word == "!":
                mandatory = True
            elif word == "~":
                simulated = False
            elif word.startswith("="):
                aliases = tuple(word[1:].split(","))
            elif word.startswith("|"):
                choices = tuple(word[1:].split("|"))
            else:
                pipeline = word
        kind = words[1] if len(words) > 1 else "object"
        result.append(
            Parameter(
                words[0], kind, position=position, mandatory=mandatory, pipeline=pipeline, aliases=aliases,
                choices=choices, simulated=simulated,
            )
        )  # fmt: skip
    return result


def prop(value: Any, name: str, default: Any = None) -> Any:
    """A property of an object that came through the pipeline."""
    if isinstance(value, PSObject) and name in value.properties:
        return value.properties[name]
    return default


def as_list(value: Any) -> list[Any]:
    """A value or an array as a list."""
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]
