"""What a script block tells of its text: what its `#requires` lines ask for."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from k8swin_lab.powershell.dotnet.conversion import convert
from k8swin_lab.powershell.dotnet.registry import NetType
from k8swin_lab.powershell.records import ScriptBlock
from k8swin_lab.powershell.values import PSArray, PSObject

_SMA = "System.Management.Automation."
_OPTION = re.compile(r"-(\w+)(?::|\s+|$)([^-]*)")


def _requirements(lines: Iterable[str]) -> PSObject | None:
    """`ScriptBlockAst.ScriptRequirements`, which is null where nothing is asked for."""
    asked = [
        (found[1].lower(), found[2].strip()) for line in lines for found in _OPTION.finditer(line)
    ]
    if not asked:
        return None

    def words(option: str) -> list[str]:
        return [
            word.strip(" '\"")
            for name, value in asked
            if option.startswith(name)
            for word in value.split(",")
        ]

    version = words("version")
    if version and "." not in version[-1]:
        version[-1] += ".0"
    modules = [PSObject([("Name", word)], display=word) for word in words("modules")]
    return PSObject(
        [
            ("RequiredApplicationId", None),
            (
                "RequiredPSVersion",
                convert(None, version[-1], "System.Version") if version else None,
            ),
            ("RequiredPSEditions", PSArray(words("psedition"), "System.String")),
            ("RequiredModules", PSArray(modules)),
            ("RequiredAssemblies", PSArray([], "System.String")),
            (
                "IsElevationRequired",
                any("runasadministrator".startswith(name) for name, _ in asked),
            ),
        ],
        type_names=[_SMA + "Language.ScriptRequirements"],
    )


def _tree(block: ScriptBlock) -> Any:
    return PSObject(
        [("ScriptRequirements", _requirements(block.ast.requires))],
        type_names=[_SMA + "Language.ScriptBlockAst"],
    )


BLOCK = NetType(_SMA + "ScriptBlock")
BLOCK.prop("Ast", _tree)
