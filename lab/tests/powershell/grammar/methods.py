"""Methods and static members of the .NET types that scripts use, as rows of text with holes.

A hole `{kind}` is filled with an operand of that kind; `{n}`, `{w}` and `{q}` are a small number, a
word and a quoted word. Only what .NET Framework 4.8 and .NET 10 have alike is here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lab.tests.powershell.grammar.draw import Draw

INSTANCE = r"""
{string}.ToUpper()
{string}.ToLowerInvariant()
{string}.Trim()
('  ' + {string} + ' ').TrimStart().Length
('xx' + {string}).TrimStart('x')
{string}.TrimEnd('a', 'b')
{string}.Length
{string}.PadLeft({n})
{string}.PadRight({n}, '.')
{string}.Substring({n})
{string}.Substring({n}, {n})
{string}.IndexOf('a')
{string}.IndexOf({q})
{string}.LastIndexOf('a')
{string}.Contains({q})
{string}.StartsWith('a')
{string}.EndsWith('A', [StringComparison]::OrdinalIgnoreCase)
{string}.Replace('a', {q})
{string}.Replace([char]'a', [char]'Z')
{string}.Insert({n}, 'INS')
{string}.Remove({n})
{string}.Remove({n}, 1)
{string}.Split(',')
{string}.Split(' ')
'a, b,,c'.Split([char[]]',', [StringSplitOptions]::RemoveEmptyEntries)
'a=b=c'.Split([char]'=', 2)
'k=v;x=y'.Split(';').Split('=')
{string}.ToCharArray()
{string}.Equals('ABC')
{string}.Equals('ABC', 'OrdinalIgnoreCase')
{string}[0]
{string}.ToString()
{string}.GetType().Name
{string}.IndexOfAny([char[]]'ab')
{string}.Normalize()
{int}.ToString('{nf}')
({untied}).ToString('{nf}')
({untied}).ToString('{nf}', [cultureinfo]::InvariantCulture)
{int}.CompareTo({int})
{int}.Equals({int})
({decimal}).ToString()
({long}).ToString('N0')
({bool}).ToString()
({char}).ToString()
([char]'a').CompareTo([char]'b')
({datetime}).AddDays({n})
({datetime}).AddMonths({n})
({datetime}).AddHours(-{n})
({datetime}).AddYears({n}).Year
({datetime}).AddSeconds(0.5)
({datetime}).ToString('{df}')
({datetime}).ToString('{df}', [cultureinfo]::InvariantCulture)
({datetime}).Subtract({datetime})
({datetime}) - ({datetime})
({datetime}) + ({timespan})
({datetime}) - ({timespan})
({datetime}) -gt ({datetime})
({datetime}).Date -eq ({datetime}).Date
({timespan}) + ({timespan})
({timespan}).Add({timespan})
({timespan}).ToString()
({timespan}).Negate()
({timespan}) -lt ({timespan})
({version}) -gt ({version})
({version}).CompareTo({version})
({version}).ToString(2)
({version}).ToString()
({array}).GetType().Name
({array}).IndexOf(1)
({array}).Contains({int})
({array}).GetUpperBound(0)
({typed}).Clone()
({ordered}).Contains('Name')
({ordered}).Keys
({ordered}).Values
({hashtable}).ContainsKey('Name')
({hashtable}).ContainsValue(1)
({hashtable}).Clone()
({object}).psobject.Properties.Name -join ','
({object}).psobject.Properties['Name'].Value
({object}).GetType().Name
({enum}).ToString()
({enum}).value__
[int]({enum})
({enum}).HasFlag([IO.FileAttributes]::Hidden)
([IO.FileAttributes]'Hidden, System') -band [IO.FileAttributes]::Hidden
[IO.FileAttributes]::Hidden -bor 'System'
[DayOfWeek]::Monday -eq {q}
[DayOfWeek]::Monday + 1
[Text.StringBuilder]::new({q}).Append({scalar}).ToString()
[Text.StringBuilder]::new().AppendLine('x').Append({n}).Length
[Text.StringBuilder]::new('abc').Insert(1, {q}).Replace('b', 'B').ToString()
[Text.StringBuilder]::new('abcdef').Remove(1, 2).ToString()
[Text.StringBuilder]::new().AppendFormat('{{0}}-{{1:N1}}', {n}, {untied}).ToString()
[Collections.Generic.List[int]]::new([int[]]@(3, 1, 2)).IndexOf(1)
[Collections.Generic.List[string]]@('b', 'a', {q})
([Collections.Generic.List[int]]@(3, 1, 2)).ToArray()
([Collections.ArrayList]@(1, 'a', {scalar})).Count
([Collections.ArrayList]@(3, 1, 2)).IndexOf(2)
[Collections.ArrayList]::new().Add({scalar})
[regex]::new('{rx}').IsMatch({string})
[regex]::new('(\d+)').Matches('a1b22').Value
[regex]::Match({string}, '{rx}').Value
[regex]::Match('k8s-12', '(?<a>[a-z])(\d)').Groups['a'].Value
[regex]::Match('k8s-12', '(?<a>[a-z])(\d)').Groups.Count
[regex]::Match('abc', 'x').Success
[regex]::Match('aXbX', 'X').Index
[uri]{q}
([uri]'https://u@kube.example:6443/a/b.txt?q=1#f').{uri}
([uri]'http://h').{uri}
([ipaddress]'10.{b}.{b}.{b}').GetAddressBytes()
([ipaddress]'10.{b}.0.1').IPAddressToString
([ipaddress]'10.{b}.0.1').AddressFamily
([guid]'6f9619ff-8b86-d011-b42d-00c04fc964ff').ToString('{gf}')
{ {n} + {n} }.Invoke()
{ param($a) $a * 2 }.Invoke({n})
{ $args.Count }.InvokeReturnAsIs({n}, {n})
({block}).ToString()
(,{array}).Count
"""
STATIC = r"""
[math]::Max({int}, {int})
[math]::Min({double}, {int})
[math]::Abs({int})
[math]::Round({double})
[math]::Round({untied}, 1)
[math]::Round({n}.5)
[math]::Round({n}.5, [MidpointRounding]::AwayFromZero)
[math]::Round({decimal}, 1)
[math]::Floor({double})
[math]::Ceiling({double})
[math]::Truncate({double})
[math]::Pow({n}, {n})
[math]::Sqrt({n})
[math]::Sign({int})
[math]::Log(8, 2)
[math]::Log10({n})
[math]::PI
[math]::Floor({int} / 3)
[math]::DivRem({n}, 3, [ref]$null)
[math]::Abs({decimal})
[int]::MaxValue
[int]::MinValue
[long]::MaxValue
[byte]::MaxValue
[uint32]::MaxValue
[int]::Parse('{n}')
[int]::Parse({q})
[double]::Parse('{n}.5')
[int]::TryParse({q}, [ref]$null)
[bool]::Parse('true')
[string]::IsNullOrEmpty({scalar})
[string]::IsNullOrWhiteSpace({scalar})
[string]::Join(',', {array})
[string]::Join('-', 'a', {n}, 'b')
[string]::Concat({q}, {n})
[string]::Concat('a', 'b', {q})
[string]::Format('{{0:D3}}|{{1,5}}', {n}, {q})
[math]::Sign([string]::Compare({q}, 'abc', $true))
[string]::Equals({q}, 'abc')
[string]::new('x', {n})
[string]::Empty
[char]::IsDigit({char})
[char]::IsLetter({char})
[char]::ToUpper({char})
[char]::IsWhiteSpace(' ')
[char]::IsUpper({char})
[convert]::ToInt32('{n}')
[convert]::ToInt32('ff', 16)
[convert]::ToInt32({scalar})
[convert]::ToString({int}, 2)
[convert]::ToString({int}, 16)
[convert]::ToString({n})
[convert]::ToBase64String([byte[]]({n}, {b}, 3))
[convert]::FromBase64String('AQID')
[convert]::ToBoolean({scalar})
[convert]::ToDouble('{n}.5')
[convert]::ToByte({n})
[convert]::ToChar({b})
[convert]::ToDateTime('2024-03-01')
[convert]::ToUInt32({q})
[convert]::ToInt64({double})
[convert]::ToDecimal({n})
[bitconverter]::ToString([byte[]]({n}, {b}))
[bitconverter]::ToInt32([byte[]]({b}, {b}, 0, 0), 0)
[bitconverter]::GetBytes({int})
[bitconverter]::IsLittleEndian
[datetime]::ParseExact('20240229', 'yyyyMMdd', $null)
[datetime]::ParseExact('29.02.2024 13:05', 'dd.MM.yyyy HH:mm', [cultureinfo]::InvariantCulture)
[datetime]::Parse('2024-02-29')
[datetime]::new(2024, {m}, {m})
[datetime]::new(2024, {m}, {m}, 1, 2, 3)
[datetime]::DaysInMonth(2024, {m})
[datetime]::IsLeapYear(20{m})
[datetime]::MinValue.Year
[datetime]::MaxValue.Year
[timespan]::FromDays(1.5)
[timespan]::FromMilliseconds({int})
[timespan]::Zero
[timespan]::new({n}, {n}, {n})
[timespan]::Parse('0:{n}:1')
[version]::new({n}, {n})
[version]::Parse('{n}.{n}.{n}')
[guid]::Empty
[guid]::NewGuid().ToString().Length
[regex]::Replace({string}, '{rx}', '<$&>')
[regex]::Split('a1b2', '\d')
[regex]::IsMatch({string}, '{rx}')
[regex]::Escape({q})
[regex]::Matches({string}, '[a-z]').Count
[regex]::Matches('x1y22', '\d+').Value
[regex]::IsMatch('ABC', 'abc', 'IgnoreCase')
[io.path]::GetFileName('/a/b/{w2}.txt')
[io.path]::GetExtension('{w2}.tar.gz')
[io.path]::GetFileNameWithoutExtension('x/{w2}.ps1')
[io.path]::ChangeExtension('a.txt', '{w2}')
[io.path]::HasExtension('a.b')
[io.path]::GetFileName({q})
[text.encoding]::UTF8.GetBytes({q})
[text.encoding]::UTF8.GetString([byte[]](72, 105, {a}))
[text.encoding]::ASCII.GetBytes({q}).Length
[text.encoding]::Unicode.GetBytes('a')
[text.encoding]::UTF8.GetByteCount('{w2}')
[text.encoding]::UTF8.WebName
[array]::IndexOf({array}, 1)
[array]::IndexOf(@('a', 'b'), 'b')
[enum]::GetNames([DayOfWeek])
[enum]::Parse([DayOfWeek], 'Monday')
[enum]::IsDefined([DayOfWeek], 'Foo')
[enum]::GetValues([DayOfWeek])[{m0}]
[DayOfWeek]::Monday -as [int]
[Enum]::ToObject([DayOfWeek], {m0})
[uri]::EscapeDataString({q})
[uri]::UnescapeDataString('a%20b')
[uri]::IsWellFormedUriString({q}, 'Absolute')
[ipaddress]::Parse('10.0.{b}.1')
[ipaddress]::TryParse({q}, [ref]$null)
[ipaddress]::Any.ToString()
[int].Name
[string].FullName
[int[]].FullName
[hashtable].FullName
[Collections.Generic.List[string]].Name
[Collections.Generic.Dictionary[string,int]].Name
[Environment]::NewLine.Length -gt 0
[Environment]::GetEnvironmentVariable('NOPE_{n}')
[Environment]::ProcessorCount -gt 0
[object]::ReferenceEquals({scalar}, $null)
[scriptblock]::Create('{n} + {n}').Invoke()
[object]::Equals({scalar}, {scalar})
[double]::IsNaN({double})
[type]'int' -eq [int]
[Collections.Generic.HashSet[string]]::new([string[]]('a', 'b', 'a')).Count
[pscustomobject]@{{ A = {scalar}; B = {scalar} }}
[ordered]@{{ A = {scalar}; B = {scalar} }}
[string]::Join(', ', ({ordered}).Keys)
[Nullable[int]]{n}
[string[]]({array})
[object[]]({string})
"""
_INSTANCE = [line for line in INSTANCE.splitlines() if line]
_STATIC = [line for line in STATIC.splitlines() if line]
_HOLE = re.compile(r"\{([a-z]\w*)\}")
_URI_PARTS = [
    "Host",
    "Port",
    "Scheme",
    "AbsolutePath",
    "Query",
    "Fragment",
    "Authority",
    "AbsoluteUri",
    "LocalPath",
    "Segments",
    "IsDefaultPort",
    "UserInfo",
    "PathAndQuery",
]
_REGEXES = [r"\d+", "a", "[a-c]+", r"^\w", "o|e", r"(\w)", r"\s", "x*"]


def instance(draw: Draw) -> str:
    """A call of an instance's method."""
    return _filled(draw, draw.one(_INSTANCE))


def static(draw: Draw) -> str:
    """A static member."""
    return _filled(draw, draw.one(_STATIC))


def _filled(draw: Draw, row: str) -> str:
    from lab.tests.powershell.grammar import expressions as e

    def fill(hole: re.Match[str]) -> str:
        kind = hole.group(1)
        if kind == "nf":
            return draw.one([f for f in e._NUMERIC_FORMATS if f[0] not in "DXxR"])
        if kind == "df":
            return draw.one(e._DATE_FORMATS)
        if kind == "rx":
            return draw.one(_REGEXES)
        if kind == "uri":
            return draw.one(_URI_PARTS)
        simple = {
            "n": lambda: str(draw.number(0, 12)), "b": lambda: str(draw.number(0, 255)),
            "a": lambda: str(draw.number(65, 90)), "m": lambda: str(draw.number(10, 12)),
            "m0": lambda: str(draw.number(0, 6)), "q": draw.quoted, "gf": lambda: draw.one("NDBPX"[:4]),
            "w2": lambda: draw.one(["a", "node", "x y", "k8s"]),
        }.get(kind)  # fmt: skip
        if simple:
            return simple()
        return draw._scalar() if kind == "scalar" else draw.operand(kind)

    return _HOLE.sub(fill, row).replace("{{", "{").replace("}}", "}")
