"""ConstrainedLanguage: which types' methods a session may call when a policy locks the machine down.

Words, error identifiers and the list of core types are those of PowerShell's own source (`CoreTypes.Items` in
TypeTable, `MethodInvocationNotSupportedInConstrainedLanguage` and its kin). Types of a script's own classes count
as core here: PowerShell refuses `class` as such in this mode, and so does the lab.
"""

from __future__ import annotations

from typing import Any

from k8swin_lab.powershell.errors import PowerShellError, runtime_error

CONSTRAINED = "ConstrainedLanguage"
_CORE = frozenset(
    name.lower()
    for name in [
        "System.Object",
        "System.Boolean",
        "System.Byte",
        "System.SByte",
        "System.Char",
        "System.DateTime",
        "System.Decimal",
        "System.Double",
        "System.Single",
        "System.Guid",
        "System.Int16",
        "System.Int32",
        "System.Int64",
        "System.UInt16",
        "System.UInt32",
        "System.UInt64",
        "System.String",
        "System.TimeSpan",
        "System.Uri",
        "System.Version",
        "System.Void",
        "System.Array",
        "System.Numerics.BigInteger",
        "System.Collections.Hashtable",
        "System.Collections.Specialized.OrderedDictionary",
        "System.Collections.DictionaryEntry",
        "System.Globalization.CultureInfo",
        "System.Net.IPAddress",
        "System.Net.IPEndPoint",
        "System.Net.Mail.MailAddress",
        "System.Net.NetworkInformation.PhysicalAddress",
        "System.Security.SecureString",
        "System.Text.RegularExpressions.Regex",
        "System.Text.RegularExpressions.Match",
        "System.Text.RegularExpressions.Group",
        "System.Xml.XmlDocument",
        "System.Security.Cryptography.X509Certificates.X509Certificate",
        "System.Type",
        "System.RuntimeType",
        "System.Management.Automation.PSObject",
        "System.Management.Automation.PSCustomObject",
        "System.Management.Automation.PSCredential",
        "System.Management.Automation.PSReference",
        "System.Management.Automation.SwitchParameter",
        "System.Management.Automation.ScriptBlock",
        "System.Management.Automation.WildcardPattern",
        "System.Management.Automation.Language.NullString",
        "Microsoft.Management.Infrastructure.CimInstance",
    ]
)


def constrained(interp: Any) -> bool:
    """Tell whether a session's mode forbids anything."""
    state = getattr(interp, "session_state", None)
    return state is not None and str(state.properties["LanguageMode"]) == CONSTRAINED


def is_core(type_name: str) -> bool:
    """Tell whether a type's methods may be called; arrays count as their elements."""
    name = type_name.lower()
    while name.endswith("[]"):
        name = name.removesuffix("[]")
    return name in _CORE


def check_method(interp: Any, type_name: str) -> None:
    """Raise unless the session may call methods of a type."""
    if constrained(interp) and not is_core(type_name):
        raise _refused(
            "Cannot invoke method. Method invocation is supported only on core types in this language mode.",
            "MethodInvocationNotSupportedInConstrainedLanguage",
        )


def check_new(interp: Any, type_name: str) -> None:
    """Raise unless the session may make an instance of a type."""
    if constrained(interp) and not is_core(type_name):
        raise _refused(
            "Cannot create type. Only core types are supported in this language mode.",
            "CannotCreateTypeConstrainedLanguage",
            category="PermissionDenied",
        )


def check_property(interp: Any, type_name: str) -> None:
    """Raise unless the session may set properties of a type."""
    if constrained(interp) and not is_core(type_name):
        raise _refused(
            "Cannot set property. Property setting is supported only on core types in this language mode.",
            "PropertySetterNotSupportedInConstrainedLanguage",
        )


def _refused(text: str, error_id: str, category: str = "InvalidOperation") -> PowerShellError:
    return runtime_error(
        text,
        error_id,
        category=category,
        exception="System.Management.Automation.PSNotSupportedException",
    )
