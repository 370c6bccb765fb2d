"""Types of .NET Framework 4.8 and of PowerShell, with the names of their members."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from k8swin_lab.known import lines

_ELSEWHERE = ("microsoft.", "windows.", "system.management.automation.")
"""Namespaces of which the list has a part: any further type in them may exist."""
_ACCELERATORS = frozenset(
    [
        "adsi",
        "adsisearcher",
        "argumentcompleter",
        "ciminstance",
        "cimclass",
        "cimtype",
        "cimconverter",
        "cimsession",
        "dscproperty",
        "dscresource",
        "dsclocalconfigurationmanager",
        "initialsessionstate",
        "ipendpoint",
        "nullstring",
        "objectsecurity",
        "physicaladdress",
        "pscredential",
        "psdefaultvalue",
        "pslistmodifier",
        "psprimitivedictionary",
        "pstypenameattribute",
        "psaliasproperty",
        "psnoteproperty",
        "psscriptmethod",
        "psscriptproperty",
        "psvariableproperty",
        "runspace",
        "runspacefactory",
        "validatedrive",
        "validatetrusteddata",
        "validateuserdrive",
        "wmi",
        "wmiclass",
        "wmisearcher",
        "x500distinguishedname",
        "x509certificate",
    ]
)
"""Short names of types that 5.1 has beside those that are part of the language."""


@cache
def objects() -> dict[str, str]:
    """Properties, separated by blanks, of what cmdlets give and of what PowerShell adds, by folded type name."""
    found: dict[str, str] = {}
    for line in lines("objects.txt"):
        name, _, rest = line.partition(" ")
        if rest.startswith("< "):
            _, base, rest = rest.split(" ", 2)
            rest = f"{found[base.lower()]} {rest}"
        found[name.removeprefix("+").lower()] = rest
    return found


@dataclass(frozen=True, slots=True)
class Type:
    """One type: its own members, without those of its bases."""

    name: str
    base: str
    properties: str
    methods: str
    static_properties: str
    static_methods: str


@cache
def types() -> dict[str, Type]:
    """All types by folded name; a generic one as "system.collections.generic.list`1"."""
    found: dict[str, Type] = {}
    for line in lines("dotnet.txt"):
        columns = line.split("\t")
        columns += [""] * (6 - len(columns))
        found[columns[0].lower()] = Type(*columns)
    return found


def find(name: str) -> Type | None:
    """A type by its full name; `System.` may be missing, a closed generic type is found by its definition."""
    folded = name.lower().partition("[")[0]
    if folded == "system.runtimetype":
        folded = "system.reflection.typeinfo"
    return types().get(folded) or types().get("system." + folded)


def exists(name: str) -> bool:
    """Whether a session of Windows PowerShell 5.1 may know a type of that name."""
    text = name
    while text.endswith("]") and not text[:-1].rpartition("[")[2].strip(","):
        text = text.rpartition("[")[0]
    head, bracket, inside = text.partition("[")
    if bracket and "`" not in head:
        head += f"`{inside.count(',') + 1}"
    if head.lower() in _ACCELERATORS:
        return True
    return find(head) is not None or head.lower().startswith(_ELSEWHERE)


def lineage(name: str) -> list[Type]:
    """A type and its bases, System.Object last; nothing when the type is in no list."""
    if name.endswith("]") and "`" not in name:
        name = "System.Array"
    found: list[Type] = []
    current = find(name)
    while current is not None and current not in found:
        found.append(current)
        if current.name == "System.Object":
            break
        current = find(current.base or "System.Object")
    return found


def has_property(name: str, member: str) -> bool:
    """Whether a type has an instance property (field, event) of that name, in any case.

    A class of CIM is named as its objects are, "...CimInstance#root/cimv2/Win32_Process".
    """
    short = name.rpartition("/")[2] if "#" in name else name
    named = objects().get(short.lower(), "")
    if "CimInstance#" in name:
        named += " " + objects()["ciminstance"]
    return _in(member, named) or any(
        _in(member, known.properties) or _in(member, objects().get(known.name.lower(), ""))
        for known in lineage(name)
    )


def has_method(name: str, member: str) -> bool:
    """Whether a type has an instance method of that name."""
    return any(_in(member, known.methods) for known in lineage(name))


def has_static(name: str, member: str) -> bool:
    """Whether a type has a static member of that name."""
    return any(
        _in(member, known.static_properties) or _in(member, known.static_methods)
        for known in lineage(name)
    )


def _in(member: str, names: str) -> bool:
    return member.lower() in names.lower().split()
