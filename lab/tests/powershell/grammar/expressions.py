"""Expressions: operators over operands of all types, formats, patterns, casts, methods of common types."""

from __future__ import annotations

import re
from collections.abc import Callable

from lab.tests.powershell.grammar.draw import NUMBERS, TYPES, Draw

_COMPARISONS = ["eq", "ne", "gt", "ge", "lt", "le", "ceq", "cne", "ieq", "ine"]
_PUNCTUATED = re.compile(r"'[^']*[^'\w][^']*'")
_CASTS = [
    "int",
    "long",
    "byte",
    "uint32",
    "int16",
    "double",
    "float",
    "decimal",
    "string",
    "char",
    "bool",
    "object[]",
    "string[]",
    "int[]",
    "datetime",
    "timespan",
    "version",
    "guid",
    "hashtable",
    "array",
    "type",
    "regex",
    "DayOfWeek",
    "uint64",
    "sbyte",
    "uint16",
    "ipaddress",
    "uri",
    "scriptblock",
    "switch",
    "psobject",
    "double[]",
    "char[]",
]
_IS = [
    "int",
    "long",
    "string",
    "bool",
    "array",
    "hashtable",
    "double",
    "decimal",
    "char",
    "object",
    "datetime",
    "version",
    "pscustomobject",
    "psobject",
    "enum",
    "valuetype",
    "System.Collections.IDictionary",
    "System.Collections.IEnumerable",
    "System.Collections.IList",
    "scriptblock",
    "switch",
    "object[]",
    "string[]",
    "IComparable",
    "byte",
]
_PATTERNS = (
    (
        r"\d+|[a-c]+|(\w)(\w)|^a|a$|.|\s+|(?<first>[A-Za-z]+)(?<rest>.*)|[^a-z]|o|a|l+|\.|(a)|(b)?|x*|\bk|(?i)ABC"
        r"|\w+(?=d)|-|[,;]|=|e(.)|^$|(\d)\.(\d)"
    )
    .replace("(a)|(b)?", "(a)(b)?")
    .split("|")
)
_REPLACEMENTS = [
    "x",
    "",
    "<$0>",
    "$1-$2",
    "${first}!",
    "[$&]",
    "$$",
    "$1",
    "_",
    "$9",
    "a$",
    "$`",
    "$'",
]
_WILDCARDS = [
    "a*",
    "*a*",
    "?",
    "*",
    "[a-c]*",
    "*[0-9]",
    "[!a]*",
    "al?ha",
    "*.*",
    "",
    "k?b*",
    "A*",
    "x`*",
]
_NUMERIC_FORMATS = [
    "N",
    "N0",
    "N2",
    "N3",
    "F",
    "F0",
    "F1",
    "F3",
    "D",
    "D3",
    "D8",
    "X",
    "x",
    "X4",
    "x8",
    "E",
    "E2",
    "e3",
    "G",
    "G3",
    "G5",
    "0",
    "00",
    "0.00",
    "#.##",
    "000.0",
    "#,##0",
    "#,##0.00",
    "0.0%",
    "R",
    "0;(0)",
    "#",
]
_DATE_FORMATS = [
    "o",
    "s",
    "u",
    "yyyy-MM-dd",
    "HH:mm:ss",
    "yyyyMMdd",
    "dddd",
    "MMM",
    "ddd",
    "dd/MM/yy",
    "h:mm_tt",
    "yyyy-MM-ddTHH:mm:ss.fff",
    "fffffff",
    "MM/dd",
]
_SPAN_FORMATS = ["c", "g", "G", "hh\\:mm", "d\\.hh", "mm\\:ss"]


class Expressions(Draw):
    """Draws expressions; every one is text that any PowerShell parses."""

    def expression(self) -> str:
        """Any expression."""
        makers: list[tuple[int, Callable[[], str]]] = [
            (7, self.arithmetic), (6, self.compared), (3, self.logical), (3, self.bitwise),
            (5, self.formatted), (4, self.replaced), (4, self.split), (3, self.joined),
            (3, self.matched), (2, self.liked), (3, self.contained), (7, self.cast), (4, self.typed_test),
            (4, self.indexed), (4, self.expanded), (8, self.method), (6, self.static), (3, self.unary),
            (4, self.collection), (2, self.ranged), (3, self.converted), (4, self.member), (3, self.piped),
        ]  # fmt: skip
        weights = [weight for weight, _ in makers]
        make = self.random.choices([maker for _, maker in makers], weights)[0]
        return self.nested(make, self.operand)

    def part(self, kind: str | None = None) -> str:
        """An operand, or now and then an expression in its place."""
        if kind is None and self.chance(0.2):
            return f"({self.expression()})"
        return self.operand(kind)

    def numeric(self) -> str:
        return self.operand(self.one(NUMBERS))

    # --- operators

    def arithmetic(self) -> str:
        operator = self.one(["+", "-", "*", "/", "%", "+"])
        if self.chance(0.55):
            return f"{self.numeric()} {operator} {self.numeric()}"
        if operator in "*/":  # a time span has these in .NET alone
            return f"{self.part(self.one(['int', 'string', 'double', 'array', 'null', 'bool']))} {operator} {self.numeric()}"
        if operator == "*":  # a large factor would make a huge string or array
            return f"{self.part()} * {self.one(['2', '3', '0', chr(39) + '2' + chr(39), '1.5', '$true', '$null'])}"
        return f"{self.part()} {operator} {self.part()}"

    def compared(self) -> str:
        operator = self.one(_COMPARISONS)
        if self.chance(0.3):
            return f"{self.numeric()} -{operator} {self.numeric()}"
        if self.chance(0.3):
            left, right = (
                self.one(["abc", "Abc", "10", "9", "b", ""]),
                self.one(["abc", "b", "10", "ABC"]),
            )
            return f"'{left}' -{operator} '{right}'"
        left, right = self.part(), self.part()
        if operator[-2:] in ("gt", "ge", "lt", "le") and _PUNCTUATED.search(left + right):
            left, right = self.numeric(), self.part("int")  # cultures order punctuation differently
        return f"{left} -{operator} {right}"

    def logical(self) -> str:
        left = self.part()
        return self.one([f"{left} -{self.one(['and', 'or', 'xor'])} {self.part()}",
                         f"-not {left}", f"!{self.operand('bool')}", f"[bool]{self.operand()}"])  # fmt: skip

    def bitwise(self) -> str:
        kind = [
            "int",
            "long",
            "uint32",
            "byte",
            "int16",
            "uint64",
            "string",
            "bool",
            "double",
            "null",
        ]
        if self.chance(0.4):
            return (
                f"{self.operand(self.one(kind))} -{self.one(['shl', 'shr'])} {self.number(0, 40)}"
            )
        if self.chance(0.2):
            return f"-bnot {self.operand(self.one(kind))}"
        left, right = self.operand(self.one(kind)), self.operand(self.one(kind))
        return f"{left} -{self.one(['band', 'bor', 'bxor'])} {right}"

    def unary(self) -> str:
        return self.one([f"-({self.part()})", f"+({self.part()})", f",{self.part()}", f"-split {self.quoted('a b  c')}",
                         f"-join {self.operand('array')}", f"-not {self.part()}"])  # fmt: skip

    def ranged(self) -> str:
        low, high = self.number(-5, 10), self.number(-5, 10)
        bound = self.one(
            [f"({high})", f"'{high}'", f"{abs(high)}.5", "$null", "$true", f"[byte]{abs(high)}"]
        )
        return self.one([f"({low})..({high})", f"({low})..{bound}", f"@(({low})..({high}))[-1]",
                         f"(({low})..({high})).Count"])  # fmt: skip

    def formatted(self) -> str:
        if self.chance(0.55):
            form = self.one(_NUMERIC_FORMATS)
            align = self.one(["", "", f",{self.number(-12, 12)}"])
            kind = "int" if form[0] in "DXx" else self.one(["int", "untied", "long", "byte"])
            if form == "R":
                kind = "untied"
            return f"'{{0{align}:{form}}}' -f {self.operand(kind)}"
        if self.chance(0.3):
            return f"'{{0:{self.one(_DATE_FORMATS)}}}' -f ({self.operand('datetime')})"
        if self.chance(0.15):
            return f"'{{0:{self.one(_SPAN_FORMATS)}}}' -f ({self.operand('timespan')})"
        values = [self._scalar() for _ in range(self.number(1, 3))]
        items = " ".join(
            f"{{{self.number(0, len(values) - 1)}{self.one(['', '', ',6', ',-6', ',3'])}}}"
            for _ in range(self.number(1, 3))
        )
        return f"'{self.one(['', 'x=', '{{', '%'])}{items}{self.one(['', '}}', '!'])}' -f {', '.join(values)}"

    def text(self) -> str:
        return self.one([self.quoted(), self.quoted(), self.operand("array"), self.operand("int"), "$null",
                         self.quoted("the quick brown fox"), self.quoted("a1b22c333"), self.quoted("a,b;c  d")])  # fmt: skip

    def pattern(self) -> str:
        return "'" + self.one(_PATTERNS).replace("'", "''") + "'"

    def replaced(self) -> str:
        operator = self.one(["replace", "creplace", "ireplace"])
        if self.chance(0.15):
            return f"{self.text()} -{operator} {self.pattern()}"
        replacement = self.one(_REPLACEMENTS).replace("'", "''")
        shown = self.operand("int") if self.chance(0.1) else f"'{replacement}'"
        return f"{self.text()} -{operator} {self.pattern()}, {shown}"

    def split(self) -> str:
        operator = self.one(["split", "split", "csplit", "isplit"])
        tail = self.one(
            [
                "",
                "",
                f", {self.number(0, 3)}",
                ", 0, 'simplematch'",
                ", 2, 'simplematch, ignorecase'",
            ]
        )
        if self.chance(0.1):
            return f"{self.text()} -split {{ $_ -eq 'b' -or $_ -eq ' ' }}"
        return f"{self.text()} -{operator} {self.pattern()}{tail}"

    def joined(self) -> str:
        right = self.one(["','", "''", "' - '", "$null", "1", "[char]59"])
        return f"{self.part(self.one(['array', 'typed', 'array', 'int', 'null', 'hashtable', 'string']))} -join {right}"

    def matched(self) -> str:
        operator = self.one(["match", "notmatch", "cmatch", "imatch"])
        left = self.text()
        return self.one([f"{left} -{operator} {self.pattern()}",
                         f"$(if ({left} -match {self.pattern()}) {{ $Matches[0]; $Matches.Count }} else {{ 'no' }})",
                         "$(if ('k8s-node-12' -match '(?<n>[a-z]+)-(\\d+)$') { $Matches.n; $Matches[1]; $Matches.Count })"])  # fmt: skip

    def liked(self) -> str:
        return f"{self.text()} -{self.one(['like', 'notlike', 'clike'])} '{self.one(_WILDCARDS)}'"

    def contained(self) -> str:
        collection = self.operand(
            self.one(["array", "typed", "array", "string", "null", "ordered"])
        )
        operator = self.one(["contains", "notcontains", "ccontains"])
        item = self._scalar()
        return self.one(
            [
                f"{collection} -{operator} {item}",
                f"{item} -{self.one(['in', 'notin', 'cin'])} {collection}",
            ]
        )

    def cast(self) -> str:
        name = self.one(_CASTS)
        source = {
            "datetime": [
                "'2024-02-29'",
                "'2024-02-29 13:14:15'",
                "'2024-02-29T01:02:03Z'.Substring(0, 10)",
                "'x'",
                "0",
            ],
            "timespan": ["'1:2:3'", "'1.02:03:04.5'", "'5'", "'x'", "10000000"],
            "version": ["'1.2'", "'1.2.3.4'", "'1'", "'1.x'", "1.5", "'10.0.20348'"],
            "guid": [
                "'6f9619ff-8b86-d011-b42d-00c04fc964ff'",
                "'{6F9619FF-8B86-D011-B42D-00C04FC964FF}'",
                "'x'",
            ],
            "type": ["'int'", "'string[]'", "'hashtable'", "'System.Text.StringBuilder'"],
            "DayOfWeek": ["'monday'", "2", "'mon'", "'x'", "'2'", "99", "'Sunday'"],
            "ipaddress": ["'10.0.0.1'", "'::1'", "'x'", "'255.255.255.0'"],
            "uri": ["'https://kube:6443/a?b=c'", "'x'", "'http://h/p'"],
            "regex": ["'a+'", "'^x$'"],
            "scriptblock": ["{ 1 + 1 }"],
            "hashtable": ["@{ a = 1 }", "$null", "1"],
        }.get(name)
        if source and self.chance(0.8):
            return f"[{name}]{self.one(source)}"
        if self.chance(0.35):
            return f"[{name}]'{self.one(['12', ' 12 ', '0x10', '1e2', '-5', '3.5', '2.5', 'abc', '', '300', 'a', '1,000', 'True', '1kb', '12.0', '+3'])}'"
        return f"[{name}]({self.part()})"

    def typed_test(self) -> str:
        return self.one([f"{self.part()} -is [{self.one(_IS)}]", f"{self.part()} -isnot [{self.one(_IS)}]",
                         f"{self.part()} -as [{self.one(_CASTS[:11])}]",
                         f"({self.expression()}).GetType().{self.one(['Name', 'FullName'])}"])  # fmt: skip

    def indexed(self) -> str:
        index = self.one(
            [
                str(self.number(-4, 4)),
                "0",
                "-1",
                "0, 1",
                "0..1",
                "'0'",
                "1.5",
                "$true",
                "-1, 0",
                "-2..-1",
            ]
        )
        kind = self.one(["array", "typed", "string", "array", "int", "null", "version", "bool"])
        dictionary = self.one(["ordered", "hashtable"])
        key = self.one(["'Name'", "'Id'", "'nope'", "0", "'NAME'", "'Name', 'Id'"])
        whole = self.operand(self.one(["array", "typed", "string"]))
        return self.one([f"{whole}[{index}]", f"({self.operand(kind)})[{index}]",
                         f"{self.operand(dictionary)}[{key}]"])  # fmt: skip

    def expanded(self) -> str:
        inner = [self.part() for _ in range(self.number(1, 2))]
        parts = [f"$({item})" for item in inner]
        return (
            '"'
            + self.one(["", "v=", "[", "`t", "a`nb ", '""', "`$x "])
            + self.one([" ", ", ", ""]).join(parts)
            + '"'
        )

    def converted(self) -> str:
        kind = self.one(TYPES)
        if kind in ("block", "object", "float", "double"):
            kind = "array"
        plain = "int" if kind == "datetime" else kind  # its ToString() is the culture's
        return self.one([f"({self.operand(plain)}).ToString()", f"[string]({self.operand(kind)})",
                         f"'' + ({self.operand(kind)})", f'"$({self.operand(kind)})"'])  # fmt: skip

    def member(self) -> str:
        return self.one([
            f"({self.operand('ordered')}).{self.one(['Name', 'Count', 'Keys', 'Values', 'Id', 'nope'])}",
            f"({self.operand('object')}).{self.one(['Name', 'Id', 'State', 'nope', 'Count', 'Length'])}",
            f"({self.operand('datetime')}).{self.one(['Year', 'Month', 'DayOfWeek', 'DayOfYear', 'TimeOfDay', 'Date', 'Hour', 'Ticks', 'Kind'])}",
            f"({self.operand('timespan')}).{self.one(['TotalSeconds', 'Days', 'Hours', 'TotalMinutes', 'Ticks', 'Minutes', 'TotalHours', 'Milliseconds'])}",
            f"({self.operand('version')}).{self.one(['Major', 'Minor', 'Build', 'Revision'])}",
            f"({self.operand('array')}).{self.one(['Count', 'Length', 'Rank', 'nope', 'IsFixedSize'])}",
            f"({self.operand('string')}).{self.one(['Length', 'Count', 'nope'])}",
            f"({self.operand('int')}).{self.one(['Count', 'Length', 'nope'])}",
            f"@({self.operand('object')}, {self.operand('object')}).{self.one(['Name', 'Id', 'State', 'Size'])}",
            f"@('ab', 'c', 'def').{self.one(['Length', 'Count', 'ToUpper()', 'Substring(1)', 'Chars(0)'])}",
            f"({self.operand('object')}).psobject.Properties.{self.one(['Name', 'Value', 'MemberType'])}",
            f"({self.operand()}).psobject.TypeNames[0]",
        ])  # fmt: skip

    def collection(self) -> str:
        kind = self.one(["array", "typed"])
        other = self.operand(self.one(["array", "int", "string", "null", "typed"]))
        return self.one([f"{self.operand(kind)} + {other}", f"@({self.operand(kind)}; {other}).Count",
                         f"@({self.part()}).Length", f"({self.operand('ordered')}).Keys -join ','",
                         f"({self.operand('hashtable')} + {self.operand('hashtable')}).Count",
                         f"@({self.operand(kind)} | Where-Object {{ $_ }}).Count",
                         f"{self.operand(kind)}.Where({{ $_ -is [int] -and $_ -gt 1 }}, '{self.one(['Default', 'First', 'Last', 'SkipUntil', 'Until', 'Split'])}')",
                         f"{self.operand(kind)}.ForEach({{ \"<$_>\" }})",
                         f"@(1, 2, 3).ForEach([{self.one(['string', 'double', 'byte'])}])"])  # fmt: skip

    def piped(self) -> str:
        source = self.operand(self.one(["array", "typed", "int", "null", "string", "ordered"]))
        stage = self.one(["ForEach-Object { $_ }", "Where-Object { $_ -is [int] -and $_ -gt 1 }", "ForEach-Object { $_ + 1 }",
                          "ForEach-Object { \"[$_]\" }", "Where-Object { $null -ne $_ }", "ForEach-Object Length",
                          "ForEach-Object ToString", "ForEach-Object { ,@($_, 1) }", "Where-Object Length -gt 1",
                          "ForEach-Object -Begin { 'b' } -Process { $_ } -End { 'e' }", "Out-Null",
                          "ForEach-Object { if ($_ -eq 1) { return }; $_ }"])  # fmt: skip
        return f"$({source} | {stage})"

    # --- methods; what they take is in `methods`

    def method(self) -> str:
        from lab.tests.powershell.grammar.methods import instance

        return instance(self)

    def static(self) -> str:
        from lab.tests.powershell.grammar.methods import static

        return static(self)
