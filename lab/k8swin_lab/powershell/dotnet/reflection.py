"""System.Type as scripts use it, System.Enum, Activator, CultureInfo, WildcardPattern, SecureString."""

from __future__ import annotations

from typing import Any

from k8swin_lab.powershell.api import Terminating
from k8swin_lab.powershell.dotnet import culture_now, enums, registry
from k8swin_lab.powershell.dotnet.composite import format_value
from k8swin_lab.powershell.dotnet.conversion import convert
from k8swin_lab.powershell.dotnet.names import (
    display_name,
    element_type,
    full_name,
    generic_arguments,
    namespace,
    resolve_type,
    short_name,
)
from k8swin_lab.powershell.dotnet.registry import NetObject, NetType, argument
from k8swin_lab.powershell.dotnet.text import to_string
from k8swin_lab.powershell.dotnet.typing_of import (
    base_types,
    is_assignable,
    is_instance,
    type_name_of,
)
from k8swin_lab.powershell.records import Reference, TypeValue
from k8swin_lab.powershell.values import PSArray, PSObject

_PRIMITIVE = frozenset(
    f"System.{n}"
    for n in [
        "Boolean",
        "Byte",
        "SByte",
        "Int16",
        "UInt16",
        "Int32",
        "UInt32",
        "Int64",
        "UInt64",
        "Char",
        "Double",
        "Single",
    ]
)

TYPE = NetType("System.Type")
NetType("System.RuntimeType", "System.Type")
TYPE.prop("Name", lambda t: short_name(t.name))
TYPE.prop("FullName", lambda t: full_name(t.name))
TYPE.prop("Namespace", lambda t: namespace(t.name))
TYPE.prop("BaseType", lambda t: _base(t.name))
TYPE.prop("UnderlyingSystemType", lambda t: t)
TYPE.prop("IsEnum", lambda t: enums.find(t.name) is not None)
TYPE.prop("IsArray", lambda t: element_type(t.name) is not None)
TYPE.prop("IsValueType", lambda t: "System.ValueType" in base_types(t.name)[1:])
TYPE.prop("IsClass", lambda t: "System.ValueType" not in base_types(t.name))
TYPE.prop("IsPublic", lambda t: True)
TYPE.prop("IsSerializable", lambda t: True)
TYPE.prop("IsGenericType", lambda t: "`" in t.name)
TYPE.prop("IsPrimitive", lambda t: t.name in _PRIMITIVE)
TYPE.prop("IsAbstract", lambda t: t.name in ("System.Math", "System.Array", "System.Type"))
TYPE.prop(
    "IsInterface", lambda t: short_name(t.name)[:1] == "I" and short_name(t.name)[1:2].isupper()
)
TYPE.prop(
    "GenericTypeArguments",
    lambda t: PSArray([TypeValue(n) for n in generic_arguments(t.name)], "System.Type"),
)
TYPE.prop("AssemblyQualifiedName", lambda t: f"{t.name}, {_ASSEMBLY}")
TYPE.prop("Assembly", lambda t: _assembly(t.name))
TYPE.to_text = None
_ASSEMBLY = "mscorlib, Version=4.0.0.0, Culture=neutral, PublicKeyToken=b77a5c561934e089"


def _assembly(name: str) -> PSObject:
    return PSObject(
        [("FullName", _ASSEMBLY), ("Location", "")],
        type_names=["System.Reflection.RuntimeAssembly"],
        display=_ASSEMBLY,
    )


def _base(name: str) -> TypeValue | None:
    names = base_types(name)
    return TypeValue(names[1]) if len(names) > 1 else None


TYPE.method("ToString")(lambda self: display_name(self.name))


@TYPE.method("GetElementType")
def _element_type(self: TypeValue) -> TypeValue | None:
    element = "System.Object" if self.name == "System.Object[]" else element_type(self.name)
    return None if element is None else TypeValue(element)


TYPE.method("IsAssignableFrom")(lambda self, other: is_assignable(self.name, other.name))
TYPE.method("IsSubclassOf")(lambda self, other: other.name in base_types(self.name)[1:])
TYPE.method("IsInstanceOfType")(lambda self, value: is_instance(value, self.name))
TYPE.method("Equals")(lambda self, other: isinstance(other, TypeValue) and self == other)
TYPE.method("GetType")(lambda self: TypeValue("System.RuntimeType"))
TYPE.method("GetEnumNames")(lambda self: _names(self))
TYPE.method("GetEnumValues")(lambda self: _values(self))
TYPE.method("MakeArrayType")(lambda self: TypeValue(self.name + "[]"))
TYPE.method("GetGenericArguments")(
    lambda self: PSArray([TypeValue(n) for n in generic_arguments(self.name)], "System.Type")
)


# --- enumerations


def _enum(kind: Any) -> enums.EnumType:
    name = kind.name if isinstance(kind, TypeValue) else to_string(kind)
    found = enums.find(resolve_type(name) or name)
    if found is None:
        raise argument("Type provided must be an Enum.", "enumType")
    return found


def _ordered(kind: Any) -> list[tuple[str, int]]:
    # .NET orders by the unsigned number.
    return sorted(_enum(kind).members.items(), key=lambda item: item[1] & 0xFFFFFFFFFFFFFFFF)


def _names(kind: Any) -> PSArray:
    return PSArray([name for name, _ in _ordered(kind)], "System.String")


def _values(kind: Any) -> PSArray:
    declared = _enum(kind)
    return PSArray([enums.NetEnum(n, declared.name, v) for n, v in _ordered(kind)], declared.name)


def _parse(kind: Any, text: Any, ignore_case: Any = False) -> enums.NetEnum:
    declared = _enum(kind)
    wanted = to_string(text)
    number = declared.number_of(wanted)
    exact = ignore_case is True or all(
        part.strip().lstrip("-").isdigit() or part.strip() in declared.members
        for part in wanted.split(",")
    )
    if number is None or not exact or not wanted.strip():
        raise argument(f"Requested value '{wanted}' was not found.")
    return declared.of(number)


enums.ENUM.static("GetNames")(_names)
enums.ENUM.static("GetValues")(_values)
enums.ENUM.static("Parse")(_parse)
enums.ENUM.static("ToObject")(lambda kind, number: _enum(kind).of(int(number)))
enums.ENUM.static("GetUnderlyingType")(lambda kind: TypeValue("System.Int32"))


@enums.ENUM.static("TryParse")
def _try_parse(*args: Any) -> bool:
    target = args[-1]
    plain = list(args[:-1])
    kind = plain.pop(0) if isinstance(plain[0], TypeValue) else None
    text = to_string(plain[0])
    ignore = bool(plain[1]) if len(plain) > 1 else False
    if kind is None and isinstance(target, Reference):
        kind = TypeValue(getattr(target.get(), "type_name", ""))
    try:
        target.set(_parse(kind, text, ignore))
    except Terminating:
        return False
    return True


@enums.ENUM.static("IsDefined")
def _is_defined(kind: Any, value: Any) -> bool:
    declared = _enum(kind)
    number = getattr(value, "enum_number", value)
    if isinstance(number, int):
        return number in declared.members.values()
    return to_string(value) in declared.members


@enums.ENUM.static("Format")
def _format(kind: Any, value: Any, pattern: str) -> str:
    return format_value(_enum(kind).parse(value), pattern)


enums.ENUM.prop("value__", lambda e: e.enum_number)


@enums.ENUM.method("CompareTo")
def _compare(self: Any, other: Any) -> int:
    if other is None:
        return 1
    if type_name_of(other) != self.type_name:
        raise argument(
            "Object must be the same type as the enum. The type passed in was "
            f"'{type_name_of(other)}'; the enum type was '{self.type_name}'."
        )
    return int(self.enum_number > other.enum_number) - int(self.enum_number < other.enum_number)


enums.ENUM.method("GetTypeCode")(lambda self: enums.value("System.TypeCode", "Int32"))


def define_enum(name: str, members: list[tuple[str, int]], flags: bool = False) -> str:
    """Declare an enumeration that a script defines."""
    enums.EnumType(name, dict(members), flags=flags)
    return name


def define_class(name: str, base: str = "System.Object", interfaces: tuple[str, ...] = ()) -> str:
    """Declare a class that a script defines, so that its base types are known."""
    NetType(name, base, interfaces=interfaces)
    return name


# --- culture


class Culture(NetObject):
    type_name = "System.Globalization.CultureInfo"

    def __init__(self, name: str) -> None:
        self.name = name
        self.invariant = name == ""

    def __str__(self) -> str:
        return self.name


CULTURE = NetType("System.Globalization.CultureInfo")
CULTURE.constructor(lambda name, override=True: Culture(to_string(name)))
CULTURE.from_value = lambda value: Culture(to_string(value))
CULTURE.to_text = str
INVARIANT, US = Culture(""), Culture("en-US")
CULTURE.value("InvariantCulture", INVARIANT)
CULTURE.value(
    "CurrentCulture",
    lambda: Culture(culture_now.current().name),
    lambda interp, new: culture_now.change(culture_now.known(to_string(new))),
)


def ui_culture() -> Culture:
    """The language of the messages of the session's machine."""
    locale = getattr(culture_now.machine(), "locale", None)
    return US if locale is None else Culture(locale.words.culture)


CULTURE.value("CurrentUICulture", ui_culture, lambda interp, new: None)
CULTURE.value("InstalledUICulture", ui_culture)
CULTURE.prop("Name", lambda c: c.name)
CULTURE.prop("LCID", lambda c: 127 if c.invariant else culture_now.known(c.name).lcid)
CULTURE.prop(
    "DisplayName",
    lambda c: (
        "Invariant Language (Invariant Country)"
        if c.invariant
        else culture_now.known(c.name).english_name
    ),
)
CULTURE.prop("TextInfo", lambda c: TextInfo())
CULTURE.prop("TwoLetterISOLanguageName", lambda c: "iv" if c.invariant else c.name[:2])
CULTURE.static("GetCultureInfo")(lambda name: Culture(to_string(name)))
CULTURE.static("CreateSpecificCulture")(lambda name: Culture(to_string(name)))


class TextInfo(NetObject):
    type_name = "System.Globalization.TextInfo"


TEXT_INFO = NetType("System.Globalization.TextInfo")
TEXT_INFO.method("ToTitleCase")(
    lambda self, text: " ".join(
        w if w.isupper() else w[:1].upper() + w[1:].lower() for w in text.split(" ")
    )
)
TEXT_INFO.method("ToUpper")(lambda self, text: text.upper())
TEXT_INFO.method("ToLower")(lambda self, text: text.lower())
TEXT_INFO.prop("ListSeparator", lambda self: ",")

# --- wildcard patterns

PATTERN = NetType("System.Management.Automation.WildcardPattern")


class Wildcard(NetObject):
    type_name = "System.Management.Automation.WildcardPattern"

    def __init__(self, pattern: str, ignore_case: bool) -> None:
        self.pattern = pattern
        self.ignore_case = ignore_case


PATTERN.constructor(
    lambda pattern, options="": Wildcard(to_string(pattern), "IgnoreCase" in to_string(options))
)


PATTERN.static("Get")(
    lambda pattern, options="": Wildcard(to_string(pattern), "IgnoreCase" in to_string(options))
)
PATTERN.static("ContainsWildcardCharacters")(lambda text: _has_wildcard(to_string(text)))
PATTERN.static("Escape")(
    lambda text: "".join("`" + c if c in "*?[]" else c for c in to_string(text))
)
PATTERN.static("Unescape")(
    lambda text: to_string(text).replace("``", "\0").replace("`", "").replace("\0", "`")
)


def _has_wildcard(text: str) -> bool:
    escaped = False
    for char in text:
        if escaped:
            escaped = False
        elif char == "`":
            escaped = True
        elif char in "*?[":
            return True
    return False


# --- secrets


class SecureString(NetObject):
    """A secret: nothing prints it; only a credential hands it out."""

    type_name = "System.Security.SecureString"

    def __init__(self, secret: str = "") -> None:
        self.secret = secret

    def __str__(self) -> str:
        return self.type_name

    def __repr__(self) -> str:
        return "SecureString()"


SECURE = NetType("System.Security.SecureString")
SECURE.constructor(SecureString)
SECURE.prop("Length", lambda s: len(s.secret))
SECURE.method("AppendChar")(
    lambda self, char: setattr(self, "secret", self.secret + to_string(char))
)
SECURE.method("MakeReadOnly", "Clear")(lambda self: None)


class Credential(NetObject):
    type_name = "System.Management.Automation.PSCredential"

    def __init__(self, user: str, password: SecureString) -> None:
        self.user = user
        self.password = password


CREDENTIAL = NetType("System.Management.Automation.PSCredential")
CREDENTIAL.constructor(lambda user, password: Credential(to_string(user), password))
CREDENTIAL.prop("UserName", lambda c: c.user)
CREDENTIAL.prop("Password", lambda c: c.password)


class NetworkCredential(NetObject):
    type_name = "System.Net.NetworkCredential"

    def __init__(self, user: str, password: str, domain: str = "") -> None:
        self.user = user
        self.password = password
        self.domain = domain


NETWORK_CREDENTIAL = NetType("System.Net.NetworkCredential")
NETWORK_CREDENTIAL.constructor(
    lambda user="", password="", domain="": NetworkCredential(
        to_string(user),
        password.secret if isinstance(password, SecureString) else to_string(password),
        domain,
    )
)
NETWORK_CREDENTIAL.prop("UserName", lambda c: c.user)
NETWORK_CREDENTIAL.prop("Password", lambda c: c.password)
NETWORK_CREDENTIAL.prop("Domain", lambda c: c.domain)


@CREDENTIAL.method("GetNetworkCredential")
def _network(self: Credential) -> NetworkCredential:
    domain, slash, user = self.user.rpartition("\\")
    return NetworkCredential(user, self.password.secret, domain if slash else "")


MARSHAL = NetType("System.Runtime.InteropServices.Marshal")
MARSHAL.static("SecureStringToBSTR", "SecureStringToGlobalAllocUnicode")(lambda secret: secret)
MARSHAL.static("PtrToStringAuto", "PtrToStringBSTR", "PtrToStringUni")(lambda secret: secret.secret)
MARSHAL.static("ZeroFreeBSTR", "ZeroFreeGlobalAllocUnicode")(lambda secret: None)


def default_value(type_name: str) -> Any:
    """What a property of that type holds before it is set."""
    if type_name in registry.TYPES or type_name.lower() in registry.TYPES:
        enum = enums.find(type_name)
        if enum is not None:
            return enum.of(0)
    declared = registry.find(type_name)
    if declared is None or declared.base != "System.ValueType":
        return None
    if type_name.startswith("System.Nullable`1"):
        return None
    if declared.constructor_method is not None and declared.constructor_method.minimum == 0:
        return declared.constructor_method.function()
    return convert(None, 0, type_name)
