"""System.Text.Encoding."""

from __future__ import annotations

from typing import Any

from k8swin_lab.machines.program import NotSimulated
from k8swin_lab.powershell.dotnet import culture_now
from k8swin_lab.powershell.dotnet.conversion import to_bytes
from k8swin_lab.powershell.dotnet.primitives import byte_array
from k8swin_lab.powershell.dotnet.registry import NetObject, NetType, argument, out_of_range
from k8swin_lab.powershell.dotnet.text import to_string
from k8swin_lab.powershell.values import Char, PSArray


class Encoding(NetObject):
    """A codec of Python and whether it writes a byte order mark."""

    def __init__(
        self, codec: str, type_name: str, name: str, page: int, *, bom: bytes = b""
    ) -> None:
        self.codec = codec
        self.type_name = type_name
        self.name = name
        self.page = page
        self.bom = bom

    def encode(self, text: str) -> bytes:
        """Without byte order mark; what cannot be encoded becomes a question mark."""
        if self.codec.startswith("utf"):
            return text.encode(self.codec, "surrogatepass" if "16" in self.codec else "replace")
        return text.encode(self.codec, "replace")

    def decode(self, data: bytes) -> str:
        """A byte order mark stays in, as in .NET."""
        return data.decode(self.codec, "replace")


UTF8 = Encoding("utf-8", "System.Text.UTF8Encoding", "utf-8", 65001, bom=b"\xef\xbb\xbf")
UTF8_PLAIN = Encoding("utf-8", "System.Text.UTF8Encoding", "utf-8", 65001)
UNICODE = Encoding("utf-16-le", "System.Text.UnicodeEncoding", "utf-16", 1200, bom=b"\xff\xfe")
BIG_ENDIAN = Encoding("utf-16-be", "System.Text.UnicodeEncoding", "utf-16BE", 1201, bom=b"\xfe\xff")
UTF32 = Encoding("utf-32-le", "System.Text.UTF32Encoding", "utf-32", 12000, bom=b"\xff\xfe\0\0")
ASCII = Encoding("ascii", "System.Text.ASCIIEncoding", "us-ascii", 20127)
ANSI = Encoding("cp1252", "System.Text.SBCSCodePageEncoding", "Windows-1252", 1252)
LATIN1 = Encoding("latin-1", "System.Text.Latin1Encoding", "iso-8859-1", 28591)
OEM = Encoding("cp437", "System.Text.SBCSCodePageEncoding", "IBM437", 437)
OEM_LATIN = Encoding("cp850", "System.Text.SBCSCodePageEncoding", "ibm850", 850)
SHIFT_JIS = Encoding("cp932", "System.Text.DBCSCodePageEncoding", "shift_jis", 932)
_BY_NAME = {
    "utf-8": UTF8, "utf8": UTF8, "utf-16": UNICODE, "utf-16le": UNICODE, "unicode": UNICODE,
    "utf-16be": BIG_ENDIAN, "utf-32": UTF32, "ascii": ASCII, "us-ascii": ASCII, "windows-1252": ANSI,
    "iso-8859-1": LATIN1, "latin1": LATIN1, "ibm437": OEM,
    65001: UTF8, 1200: UNICODE, 1201: BIG_ENDIAN, 12000: UTF32, 20127: ASCII, 1252: ANSI, 28591: LATIN1,
    437: OEM, 0: ANSI, 850: OEM_LATIN, "ibm850": OEM_LATIN, 932: SHIFT_JIS, "shift_jis": SHIFT_JIS,
}  # fmt: skip


def of_page(page: int) -> Encoding:
    """The encoding of a code page.

    Raises:
        NotSimulated: the lab does not know it.
    """
    found = _BY_NAME.get(page)
    if found is None:
        raise NotSimulated(f"code page {page}")
    return found


def ansi(machine: Any) -> Encoding:
    """What a machine's programs read and write that know no Unicode ([Text.Encoding]::Default of 5.1)."""
    locale = getattr(machine, "locale", None)
    return ANSI if locale is None else of_page(locale.ansi)


def oem(machine: Any) -> Encoding:
    """What a console of a machine has that nobody gave another code page."""
    locale = getattr(machine, "locale", None)
    return OEM if locale is None else of_page(locale.oem)


def detect(data: bytes, default: Encoding = UTF8_PLAIN) -> tuple[str, Encoding]:
    """Decode by byte order mark, else with the default; the mark is not in the text."""
    for candidate in (UTF32, UTF8, UNICODE, BIG_ENDIAN):
        if data.startswith(candidate.bom):
            return candidate.decode(data[len(candidate.bom) :]), candidate
    return default.decode(data), default


_DISPLAY = {
    65001: "Unicode (UTF-8)",
    1200: "Unicode",
    20127: "US-ASCII",
    1252: "Western European (Windows)",
}
ENCODING = NetType("System.Text.Encoding")
for _name, _value in (
    ("UTF8", UTF8),
    ("Unicode", UNICODE),
    ("BigEndianUnicode", BIG_ENDIAN),
    ("UTF32", UTF32),
    ("ASCII", ASCII),
    ("Latin1", LATIN1),
):
    ENCODING.value(_name, _value)


ENCODING.value("Default", lambda: ansi(culture_now.machine()))


@ENCODING.static("GetEncoding")
def get_encoding(name: Any, *rest: Any) -> Encoding:
    """By name or code page; 0 is the machine's own."""
    if name == 0:
        return ansi(culture_now.machine())
    found = _BY_NAME.get(int(name) if isinstance(name, int) else to_string(name).lower())
    if found is None:
        raise argument(f"'{to_string(name)}' is not a supported encoding name.", "name")
    return found


def _text_of(args: tuple[Any, ...]) -> str:
    first, *part = args
    text = "".join(to_string(c) for c in first) if isinstance(first, list) else to_string(first)
    if not part:
        return text
    start, count = (int(number) for number in part)
    if not 0 <= start <= start + count <= len(text):
        raise out_of_range("Index and count must refer to a location within the buffer.", "chars")
    return text[start : start + count]


def _get_string(self: Encoding, data: Any, start: int = 0, count: int = -1) -> str:
    raw = to_bytes(data)[start:]
    return self.decode(raw if count < 0 else raw[:count])


ENCODING.method("GetBytes")(lambda self, *args: byte_array(self.encode(_text_of(args))))
ENCODING.method("GetByteCount")(lambda self, *args: len(self.encode(_text_of(args))))
ENCODING.method("GetString")(_get_string)
ENCODING.method("GetChars")(
    lambda self, data, start=0, count=-1: PSArray(
        (Char(c) for c in _get_string(self, data, start, count)), "System.Char"
    )
)
ENCODING.method("GetCharCount")(
    lambda self, data, start=0, count=-1: len(_get_string(self, data, start, count))
)
ENCODING.method("GetPreamble")(lambda self: byte_array(self.bom))
ENCODING.prop("BodyName", lambda e: e.name)
ENCODING.prop("WebName", lambda e: e.name)
ENCODING.prop("HeaderName", lambda e: e.name)
ENCODING.prop("EncodingName", lambda e: _DISPLAY.get(e.page, e.name))
ENCODING.prop("CodePage", lambda e: e.page)
for _name in (
    "UTF8Encoding",
    "UnicodeEncoding",
    "ASCIIEncoding",
    "UTF32Encoding",
    "Latin1Encoding",
    "SBCSCodePageEncoding",
    "DBCSCodePageEncoding",
):
    NetType(f"System.Text.{_name}", "System.Text.Encoding")


def _declared(name: str) -> NetType:
    from k8swin_lab.powershell.dotnet.registry import TYPES

    return TYPES[f"system.text.{name.lower()}"]


_declared("UTF8Encoding").constructor(lambda bom=False, throw=False: UTF8 if bom else UTF8_PLAIN)
_declared("UnicodeEncoding").constructor(
    lambda big=False, bom=True: (
        (BIG_ENDIAN if big else UNICODE)
        if bom
        else Encoding(
            "utf-16-be" if big else "utf-16-le", "System.Text.UnicodeEncoding", "utf-16", 1200
        )
    )
)
_declared("ASCIIEncoding").constructor(lambda: ASCII)
_declared("UTF32Encoding").constructor(lambda: UTF32)
