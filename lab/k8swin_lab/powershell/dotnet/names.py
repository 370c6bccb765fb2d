"""Type names: literals to full names, full names to what PowerShell and .NET print."""

from __future__ import annotations

from k8swin_lab.powershell.dotnet import registry
from k8swin_lab.powershell.records import EXCEPTION_PARENTS

_SMA = "System.Management.Automation."

registry.ACCELERATORS.update(
    {
        "array": "System.Array",
        "bool": "System.Boolean",
        "byte": "System.Byte",
        "sbyte": "System.SByte",
        "char": "System.Char",
        "decimal": "System.Decimal",
        "double": "System.Double",
        "float": "System.Single",
        "single": "System.Single",
        "int": "System.Int32",
        "int16": "System.Int16",
        "short": "System.Int16",
        "int32": "System.Int32",
        "int64": "System.Int64",
        "long": "System.Int64",
        "uint16": "System.UInt16",
        "ushort": "System.UInt16",
        "uint": "System.UInt32",
        "uint32": "System.UInt32",
        "uint64": "System.UInt64",
        "ulong": "System.UInt64",
        "bigint": "System.Numerics.BigInteger",
        "string": "System.String",
        "object": "System.Object",
        "void": "System.Void",
        "type": "System.Type",
        "hashtable": "System.Collections.Hashtable",
        "ordered": "System.Collections.Specialized.OrderedDictionary",
        "pscustomobject": _SMA + "PSCustomObject",
        "psobject": _SMA + "PSObject",
        "psvariable": _SMA + "PSVariable",
        "psmoduleinfo": _SMA + "PSModuleInfo",
        "psprimitivedictionary": _SMA + "PSPrimitiveDictionary",
        "psreference": _SMA + "PSReference",
        "ref": _SMA + "PSReference",
        "scriptblock": _SMA + "ScriptBlock",
        "switch": _SMA + "SwitchParameter",
        "pscredential": _SMA + "PSCredential",
        "securestring": "System.Security.SecureString",
        "wildcardpattern": _SMA + "WildcardPattern",
        "powershell": _SMA + "PowerShell",
        "runspace": _SMA + "Runspaces.Runspace",
        "runspacefactory": _SMA + "Runspaces.RunspaceFactory",
        "initialsessionstate": _SMA + "Runspaces.InitialSessionState",
        "alias": _SMA + "AliasAttribute",
        "allowemptycollection": _SMA + "AllowEmptyCollectionAttribute",
        "allowemptystring": _SMA + "AllowEmptyStringAttribute",
        "allownull": _SMA + "AllowNullAttribute",
        "cmdletbinding": _SMA + "CmdletBindingAttribute",
        "outputtype": _SMA + "OutputTypeAttribute",
        "parameter": _SMA + "ParameterAttribute",
        "supportswildcards": _SMA + "SupportsWildcardsAttribute",
        "validatecount": _SMA + "ValidateCountAttribute",
        "validatelength": _SMA + "ValidateLengthAttribute",
        "validatenotnull": _SMA + "ValidateNotNullAttribute",
        "validatenotnullorempty": _SMA + "ValidateNotNullOrEmptyAttribute",
        "validatepattern": _SMA + "ValidatePatternAttribute",
        "validaterange": _SMA + "ValidateRangeAttribute",
        "validatescript": _SMA + "ValidateScriptAttribute",
        "validateset": _SMA + "ValidateSetAttribute",
        "xml": "System.Xml.XmlDocument",
        "regex": "System.Text.RegularExpressions.Regex",
        "ipaddress": "System.Net.IPAddress",
        "mailaddress": "System.Net.Mail.MailAddress",
        "uri": "System.Uri",
        "version": "System.Version",
        "guid": "System.Guid",
        "datetime": "System.DateTime",
        "timespan": "System.TimeSpan",
        "cultureinfo": "System.Globalization.CultureInfo",
        "math": "System.Math",
        "convert": "System.Convert",
        "enum": "System.Enum",
        "x509certificate2": "System.Security.Cryptography.X509Certificates.X509Certificate2",
    }
)

_PLAIN = [
    "System.Object",
    "System.ValueType",
    "System.Void",
    "System.Type",
    "System.IDisposable",
    "System.IComparable",
    "System.ICloneable",
    "System.IConvertible",
    "System.IFormattable",
    "System.Delegate",
    "System.Attribute",
    "System.Collections.IDictionary",
    "System.Collections.IEnumerable",
    "System.Collections.IList",
    "System.Collections.ICollection",
    "System.Collections.DictionaryBase",
    "System.MarshalByRefObject",
    "System.Nullable`1",
    "System.Predicate`1",
    "System.Func`1",
    "System.Func`2",
    "System.Action",
    "System.Action`1",
    "System.Collections.Generic.IEnumerable`1",
    "System.Collections.Generic.IList`1",
    "System.Collections.Generic.ICollection`1",
    "System.Collections.Generic.IDictionary`2",
    "System.Collections.Generic.KeyValuePair`2",
    "System.Comparison`1",
    "System.EventArgs",
    "System.Threading.ThreadStart",
    "System.Text.RegularExpressions.MatchEvaluator",
    "System.Net.Security.RemoteCertificateValidationCallback",
    "System.EventHandler",
    "System.Func`3",
    "System.Action`2",
    "System.IEquatable`1",
    "System.IComparable`1",
    "System.Collections.IComparer",
    "System.Collections.IEnumerator",
    "System.Collections.Generic.IComparer`1",
    "System.Collections.Generic.IEqualityComparer`1",
    "System.RuntimeType",
    "System.Security.SecureString",
    "System.MulticastDelegate",
]
_AUTOMATION = [
    "ErrorRecord",
    "PSCmdlet",
    "Cmdlet",
    "ScriptBlock",
    "PSObject",
    "PSCustomObject",
    "PSReference",
    "SwitchParameter",
    "CommandInfo",
    "FunctionInfo",
    "CmdletInfo",
    "AliasInfo",
    "ApplicationInfo",
    "ExternalScriptInfo",
    "PSModuleInfo",
    "WarningRecord",
    "VerboseRecord",
    "DebugRecord",
    "InformationRecord",
    "ErrorCategory",
    "EngineIntrinsics",
    "ArgumentTransformationAttribute",
    "ValidateArgumentsAttribute",
    "ValidateEnumeratedArgumentsAttribute",
    "PSCredential",
    "InvocationInfo",
    "PSVariable",
    "PSPropertyInfo",
    "PSNoteProperty",
    "PSAliasProperty",
    "PSScriptProperty",
    "PSScriptMethod",
    "PSMemberInfo",
    "PSPrimitiveDictionary",
    "PathInfo",
    "PSDriveInfo",
    "ProviderInfo",
    "Runspaces.PSSession",
    "ErrorDetails",
    "ErrorCategoryInfo",
    "HostInformationMessage",
]
KNOWN = {name.lower(): name for name in _PLAIN}
KNOWN.update({(_SMA + name).lower(): _SMA + name for name in _AUTOMATION})
KNOWN.update({name.lower(): name for name in (*EXCEPTION_PARENTS, "System.Exception")})
KNOWN.update({name.lower(): name for name in registry.ACCELERATORS.values()})


def resolve_type(literal: str) -> str | None:
    """The full name of what a type literal names, or None.

    `List[string]` style generics and `[]` are resolved through; an argument of a generic type that
    is not known here (a class of the script) keeps its own name.
    """
    text = literal.strip()
    if text.endswith("]"):
        head, _, inside = text.partition("[")
        if text.endswith("[]"):
            element = resolve_type(text[:-2])
            return None if element is None else element + "[]"
        if not inside.strip("],"):
            element = resolve_type(head)
            return None if element is None else element + "[" + inside
        arguments = _split_arguments(inside[:-1])
        bare = head.partition("`")[0]
        definition = _plain(f"{bare}`{len(arguments)}")
        if definition is None:
            return None
        resolved = [resolve_type(argument) or argument for argument in arguments]
        return f"{definition}[{','.join(resolved)}]"
    return _plain(text)


def _split_arguments(text: str) -> list[str]:
    parts, depth, start = [], 0, 0
    for index, char in enumerate(text):
        if char == "[":
            depth += 1
        elif char == "]":
            depth -= 1
        elif char == "," and depth == 0:
            parts.append(text[start:index])
            start = index + 1
    parts.append(text[start:])
    return [
        part.strip().removeprefix("[").removesuffix("]")
        if part.strip().startswith("[")
        else part.strip()
        for part in parts
    ]


def _plain(name: str) -> str | None:
    folded = name.lower()
    if folded in registry.ACCELERATORS:
        return registry.ACCELERATORS[folded]
    for candidate in (folded, "system." + folded):
        declared = registry.TYPES.get(candidate)
        if declared is not None:
            return declared.name
        if candidate in KNOWN:
            return KNOWN[candidate]
    return None


def element_type(type_name: str) -> str | None:
    """The element type of an array type, or None when it is no array."""
    return type_name[:-2] if type_name.endswith("[]") else None


def generic_arguments(type_name: str) -> list[str]:
    """The type arguments of a closed generic type."""
    _, tick, rest = type_name.partition("`")
    if not tick or "[" not in rest:
        return []
    return _split_arguments(rest.partition("[")[2].removesuffix("]"))


def short_name(type_name: str) -> str:
    """`Type.Name`: without namespace and type arguments."""
    element = element_type(type_name)
    if element is not None:
        return short_name(element) + "[]"
    return type_name.partition("[")[0].rpartition(".")[2].rpartition("+")[2]


def namespace(type_name: str) -> str | None:
    """`Type.Namespace`."""
    return type_name.partition("[")[0].rpartition(".")[0] or None


_PREFERRED = {
    "System.Boolean": "bool",
    "System.Single": "float",
    "System.Int16": "short",
    "System.Int32": "int",
    "System.Int64": "long",
    "System.UInt16": "ushort",
    "System.UInt32": "uint",
    "System.UInt64": "ulong",
    _SMA + "PSReference": "ref",
}


def literal_name(type_name: str) -> str:
    """A type converted to a string: its accelerator where there is one (`[int]` -> "int")."""
    element = element_type(type_name)
    if element is not None:
        return literal_name(element) + "[]"
    arguments = generic_arguments(type_name)
    if arguments:
        return f"{type_name.partition('`')[0]}[{','.join(literal_name(a) for a in arguments)}]"
    if type_name in _PREFERRED:
        return _PREFERRED[type_name]
    for short, full in registry.ACCELERATORS.items():
        if full == type_name and short not in ("math", "convert", "enum"):
            return short
    return type_name


def display_name(type_name: str) -> str:
    """`Type.ToString()`."""
    return type_name


def full_name(type_name: str) -> str:
    """`Type.FullName`: type arguments carry their assembly."""
    arguments = generic_arguments(type_name)
    if not arguments:
        return type_name
    assembly = "mscorlib, Version=4.0.0.0, Culture=neutral, PublicKeyToken=b77a5c561934e089"
    inner = ",".join(f"[{full_name(argument)}, {assembly}]" for argument in arguments)
    return f"{type_name.partition('[')[0]}[{inner}]"
