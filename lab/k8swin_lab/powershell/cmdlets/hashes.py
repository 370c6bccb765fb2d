"""Get-FileHash, New-Guid, Get-Random."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

from k8swin_lab.powershell import dotnet
from k8swin_lab.powershell.api import Call, Parameter
from k8swin_lab.powershell.cmdlets.common import TABLE, UTILITY, argument_error, switch
from k8swin_lab.powershell.cmdlets.targets import existing
from k8swin_lab.powershell.dotnet.numbers import Random
from k8swin_lab.powershell.dotnet.security import HashAlgorithm
from k8swin_lab.powershell.dotnet.streams import Stream
from k8swin_lab.powershell.dotnet.values import Guid, parse_guid
from k8swin_lab.powershell.values import PSObject

_ALGORITHMS = ("SHA1", "SHA256", "SHA384", "SHA512", "MD5")


def _result(algorithm: str, digest: bytes, path: str | None) -> PSObject:
    return PSObject(
        [("Algorithm", algorithm.upper()), ("Hash", digest.hex().upper()), ("Path", path)],
        type_names=["Microsoft.Powershell.Utility.FileHash"],
    )


@TABLE.cmdlet(
    "Get-FileHash",
    parameters=[
        Parameter("Path", "string[]", position=0, pipeline="both"),
        Parameter("LiteralPath", "string[]", aliases=("PSPath",), pipeline="property"),
        Parameter("InputStream", "object"),
        Parameter("Algorithm", "string", default="SHA256", choices=_ALGORITHMS),
    ],
    module=UTILITY,
)
def get_file_hash(call: Call) -> Iterator[Any]:
    session: Any = call.session
    name = call["Algorithm"]
    algorithm = HashAlgorithm(name.lower(), "")
    if isinstance(call["InputStream"], Stream):
        yield _result(name, algorithm.compute(call["InputStream"].buffer.read()), None)
        return
    for target in existing(call):
        if session.host.files.stat(target.path).is_directory:
            continue
        yield _result(name, algorithm.compute(session.host.files.read(target.path)), target.path)


@TABLE.cmdlet(
    "New-Guid",
    parameters=[Parameter("InputObject", "string", pipeline="value"), switch("Empty")],
    module=UTILITY,
)
def new_guid(call: Call) -> Iterator[Any]:
    if call["Empty"]:
        yield Guid(uuid.UUID(int=0))
    elif call.bound("InputObject"):
        yield parse_guid(call["InputObject"])
    else:
        yield Guid(uuid.uuid4())


@TABLE.cmdlet(
    "Get-Random",
    parameters=[
        Parameter("Maximum", "object", position=0),
        Parameter("Minimum", "object"),
        Parameter("SetSeed", "int"),
        Parameter("Count", "int"),
        Parameter("InputObject", "object[]", pipeline="value"),
        switch("Shuffle"),
    ],
    module=UTILITY,
    streaming=False,
)
def get_random(call: Call) -> Iterator[Any]:
    session: Any = call.session
    source = getattr(session, "random_source", None)
    if source is None or call.bound("SetSeed"):
        source = Random(call["SetSeed"] if call.bound("SetSeed") else None)
        session.random_source = source
    given = call.input or (call["InputObject"] if call.bound("InputObject") else None)
    if given is not None:
        items = [i for item in given for i in (item if isinstance(item, list) else [item])]
        count = len(items) if call["Shuffle"] else call["Count"] or 1
        for place in range(
            min(count, len(items))
        ):  # the first of those not chosen yet change places
            other = place + int(source.share() * (len(items) - place))
            items[place], items[other] = items[other], items[place]
            yield items[place]
        return
    low = dotnet.to_number(call["Minimum"]) if call.bound("Minimum") else 0
    high = dotnet.to_number(call["Maximum"]) if call.bound("Maximum") else 2147483647
    if low >= high:
        raise argument_error(
            f"The Minimum value ({low}) cannot be greater than or equal to the Maximum value ({high}).",
            "MinGreaterThanOrEqualMax",
        )
    for _ in range(call["Count"] or 1):
        if isinstance(low, float) or isinstance(high, float):
            yield low + source.share() * (high - low)
        else:
            yield low + int(source.share() * (high - low))
