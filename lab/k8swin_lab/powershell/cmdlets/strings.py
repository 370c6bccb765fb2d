"""ConvertFrom-StringData, ConvertTo-SecureString."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from k8swin_lab.machines.program import NotSimulated
from k8swin_lab.powershell.api import Call, Parameter, Terminating
from k8swin_lab.powershell.cmdlets.common import TABLE, UTILITY, argument_error, refuse, switch
from k8swin_lab.powershell.dotnet.reflection import SecureString
from k8swin_lab.powershell.values import Hashtable

_ESCAPES = {
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "\\": "\\",
    "f": "\f",
    "0": "\0",
    "e": "\x1b",
    "a": "\a",
    "v": "\v",
}


def _unescape(text: str) -> str:
    result, index = "", 0
    while index < len(text):
        if text[index] == "\\" and index + 1 < len(text):
            following = text[index + 1]
            result += _ESCAPES.get(following, following)
            index += 2
        else:
            result += text[index]
            index += 1
    return result


@TABLE.cmdlet(
    "ConvertFrom-StringData",
    parameters=[
        Parameter("StringData", "string", position=0, mandatory=True, pipeline="value"),
        Parameter("Delimiter", "char", default="="),
    ],
    module=UTILITY,
)
def convert_from_string_data(call: Call) -> Iterator[Any]:
    table = Hashtable()
    for line in call["StringData"].replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        name, mark, value = stripped.partition(call["Delimiter"])
        if not mark:
            raise Terminating(
                f"Data line '{stripped}' is not in 'name=value' format.",
                exception="System.Management.Automation.PSInvalidOperationException",
                category="InvalidOperation",
                error_id="InvalidOperation",
            )
        key = name.strip()
        if key in table:
            raise Terminating(
                f"Data item '{key}' in line '{stripped}' is already defined.",
                exception="System.Management.Automation.PSInvalidOperationException",
                category="InvalidOperation",
                error_id="InvalidOperation",
            )
        table[key] = _unescape(value.strip())
    yield table


@TABLE.cmdlet(
    "ConvertTo-SecureString",
    parameters=[
        Parameter("String", "string", position=0, mandatory=True, pipeline="value"),
        switch("AsPlainText"),
        switch("Force"),
        Parameter("Key", "byte[]"),
        Parameter("SecureKey", "object"),
    ],
    module="Microsoft.PowerShell.Security",
)
def convert_to_secure_string(call: Call) -> Iterator[Any]:
    refuse(call, "Key", "SecureKey")
    if not call["AsPlainText"]:
        raise NotSimulated("ConvertTo-SecureString of an encrypted text")
    if not call["Force"]:
        raise argument_error(
            "The system cannot protect plain text input. To suppress this warning and convert the plain text "
            "to a SecureString, reissue the command specifying the Force parameter.",
            "ImportSecureString_ForceRequired",
        )
    yield SecureString(call["String"])
