"""ConvertTo-Json and ConvertFrom-Json."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from k8swin_lab.powershell import dotnet
from k8swin_lab.powershell.api import Call, Parameter, Terminating
from k8swin_lab.powershell.cmdlets.common import TABLE, UTILITY, desktop, inputs, refuse, switch
from k8swin_lab.powershell.json_text import JsonError, JsonWriter, read_json
from k8swin_lab.powershell.values import PSArray


@TABLE.cmdlet(
    "ConvertTo-Json",
    parameters=[
        Parameter("InputObject", "object", position=0, mandatory=True, pipeline="value"),
        Parameter("Depth", "int", default=2),
        switch("Compress"),
        switch("EnumsAsStrings"),
        switch("AsArray"),
        Parameter("EscapeHandling", "string"),
    ],
    module=UTILITY,
    streaming=False,
)
def convert_to_json(call: Call) -> Iterator[Any]:
    refuse(call, "EscapeHandling")
    given = inputs(call)
    if not given:
        return
    value = PSArray(given) if len(given) > 1 or call["AsArray"] else given[0]
    writer = JsonWriter(
        call.session,
        desktop=desktop(call),
        depth=call["Depth"],
        compress=bool(call["Compress"]),
        enum_names=bool(call["EnumsAsStrings"]),
    )
    text = writer.write(value)
    if writer.truncated and not desktop(call):
        call.session.write_warning(
            f"Resulting JSON is truncated as serialization has exceeded the set depth of {call['Depth']}."
        )
    yield text


@TABLE.cmdlet(
    "ConvertFrom-Json",
    parameters=[
        Parameter("InputObject", "string", position=0, mandatory=True, pipeline="value"),
        switch("AsHashtable"),
        Parameter("Depth", "int"),
        switch("NoEnumerate"),
    ],
    module=UTILITY,
    streaming=False,
)
def convert_from_json(call: Call) -> Iterator[Any]:
    texts = [dotnet.to_string(item) for item in inputs(call)]
    if not texts:
        return
    hashed = bool(call["AsHashtable"])
    try:
        values = _documents(texts, desktop(call), hashed)
    except JsonError as error:
        raise Terminating(
            str(error),
            exception="System.ArgumentException",
            category="NotSpecified",
            error_id="System.ArgumentException",
        ) from error
    for value in values:
        if isinstance(value, list) and not call["NoEnumerate"] and not desktop(call):
            yield from value
        else:
            yield value


def _documents(texts: list[str], is_desktop: bool, hashed: bool) -> list[Any]:
    """One document a line when the first line is one, else all lines together."""
    if len(texts) > 1:
        try:
            read_json(texts[0], desktop=is_desktop, as_hashtable=hashed)
        except JsonError:
            pass
        else:
            return [
                read_json(text, desktop=is_desktop, as_hashtable=hashed)
                for text in texts
                if text.strip()
            ]
    text = "\n".join(texts)
    if not text.strip():
        return []
    return [read_json(text, desktop=is_desktop, as_hashtable=hashed)]
