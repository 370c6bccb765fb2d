"""Draws from a seeded source, and operands of every type that a script meets.

An operand is the text of an expression. What Windows PowerShell 5.1 and PowerShell 7 do differently
is not drawn: number suffixes of 7, ranges of letters, the order of a hashtable's keys (only one key,
or [ordered]), -0.0, the order of strings with punctuation or of capital letters (NLS against code
points), and what only newer .NET has.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")
WORDS = [
    "alpha",
    "beta",
    "Gamma",
    "delta",
    "node",
    "worker",
    "Master",
    "kube",
    "etcd",
    "pod-1",
    "10.0.0.1",
    "v1.20",
    "C:\\k",
    "x",
    "Abc",
    "abc",
    "ABC",
    "hello",
    "World",
    "true",
    "False",
    "0",
    "1",
    "42",
    "-7",
    "3.5",
    "1e3",
    "0x1F",
    "007",
    "a,b;c",
    "k=v",
]
NUMBERS = [
    "int",
    "long",
    "uint32",
    "uint64",
    "byte",
    "sbyte",
    "int16",
    "uint16",
    "double",
    "float",
    "decimal",
]
TYPES = [
    *NUMBERS,
    "string",
    "char",
    "bool",
    "null",
    "array",
    "typed",
    "hashtable",
    "ordered",
    "datetime",
    "timespan",
    "version",
    "enum",
    "block",
    "object",
]
ENUMS = [
    "[DayOfWeek]::Monday", "[DayOfWeek]'Friday'", "[DayOfWeek]3", "[ConsoleColor]::Red",
    "[IO.FileAttributes]'ReadOnly, Hidden'", "[StringComparison]::OrdinalIgnoreCase",
    "[IO.FileMode]::Open", "[DateTimeKind]::Utc",
]  # fmt: skip
NAMES = ["a", "b", "c", "x", "y", "z", "item", "name", "value", "count", "list", "total"]
KEYS = ["Name", "Id", "Size", "path", "State", "Key0", "node"]


class Draw:
    """A seeded source of choices; `depth` bounds how deep expressions nest."""

    def __init__(self, seed: str) -> None:
        self.random = random.Random(seed)
        self.depth = 0
        self.counter = 0

    def one(self, choices: Sequence[T]) -> T:
        return self.random.choice(choices)

    def some(self, choices: Sequence[T], least: int, most: int) -> list[T]:
        return [self.one(choices) for _ in range(self.random.randint(least, most))]

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def number(self, low: int, high: int) -> int:
        return self.random.randint(low, high)

    def fresh(self, stem: str) -> str:
        """A name that nothing in this snippet has yet."""
        self.counter += 1
        return f"{stem}{self.counter}"

    def nested(self, make: Callable[[], str], plain: Callable[[], str], most: int = 3) -> str:
        """`make` while there is room, else `plain`."""
        if self.depth >= most:
            return plain()
        self.depth += 1
        try:
            return make()
        finally:
            self.depth -= 1

    # --- operands

    def word(self) -> str:
        if self.chance(0.3):
            letters = "abcdefgXYZ 0123456789"
            return "".join(self.some(letters, 0, 8)).strip()
        return self.one(WORDS)

    def quoted(self, text: str | None = None) -> str:
        text = self.word() if text is None else text
        return "'" + text.replace("'", "''") + "'"

    def integer(self) -> int:
        kind = self.number(0, 9)
        if kind < 6:
            return self.number(-20, 120)
        if kind < 8:
            return self.number(-70000, 70000)
        return self.one([2147483647, -2147483648, 255, 256, 65535, 1024, 2147483646])

    def operand(self, kind: str | None = None) -> str:
        """An expression of the type, in parentheses where it needs them."""
        kind = kind or self.one(TYPES)
        maker: Callable[[], str] = getattr(self, f"_{kind}")
        return maker()

    def _int(self) -> str:
        value = self.integer()
        return f"({value})" if value < 0 else str(value)

    def _long(self) -> str:
        return self.one([
            f"{self.number(1, 99)}L", f"[long]{abs(self.integer())}",
            str(self.number(2**32, 2**40)), "[long]::MaxValue", f"{self.number(2, 9)}GB",
            f"[int64]'{self.integer()}'",
        ])  # fmt: skip

    def _small(self, name: str, low: int, high: int) -> str:
        value = self.one([self.number(low, high), low, high, self.number(0, min(high, 30))])
        return f"[{name}]({value})" if value < 0 else f"[{name}]{value}"

    def _uint32(self) -> str:
        return self._small("uint32", 0, 2**32 - 1)

    def _uint64(self) -> str:
        return self._small("uint64", 0, 2**62)

    def _byte(self) -> str:
        return self._small("byte", 0, 255)

    def _sbyte(self) -> str:
        return self._small("sbyte", -128, 127)

    def _int16(self) -> str:
        return self._small("int16", -32768, 32767)

    def _uint16(self) -> str:
        return self._small("uint16", 0, 65535)

    def _double(self) -> str:
        return self.one([
            f"{self.number(0, 200)}.{self.number(1, 99)}", f"{self.number(1, 9)}e{self.number(1, 5)}",
            f"{self.number(0, 9)}.5", f"(-{self.number(0, 9)}.25)", "0.5", "2.0",
            f"[double]{self.number(0, 99)}", f"[double]'{self.number(0, 99)}.5'",
        ])  # fmt: skip

    def _untied(self) -> str:
        """A double that no format rounds half way, where .NET's two kinds differ."""
        return f"{self.number(0, 99)}.{self.one('12346789')}{self.one('1234')}"

    def _float(self) -> str:
        return f"[float]{self.number(0, 99)}.{self.one(['5', '25', '0', '75'])}"

    def _decimal(self) -> str:
        return self.one([
            f"{self.number(0, 99)}.{self.number(0, 99):02d}d", f"{self.number(0, 999)}d",
            f"[decimal]'{self.number(-9, 99)}.{self.number(0, 9)}0'", "0d", "1.10d",
        ])  # fmt: skip

    def _string(self) -> str:
        return self.quoted()

    def _char(self) -> str:
        return f"[char]{self.one([self.number(48, 122), self.quoted(self.one('aZ09bx'))])}"

    def _bool(self) -> str:
        return self.one(["$true", "$false"])

    def _null(self) -> str:
        return "$null"

    def _scalar(self) -> str:
        return self.operand(
            self.one(["int", "string", "double", "bool", "null", "char", "decimal"])
        )

    def _array(self) -> str:
        def make() -> str:
            if self.chance(0.2):
                return f"({self.number(-3, 9)}..{self.number(-3, 9)})"
            if self.chance(0.1):
                return f"@(,@({self.operand('int')}, {self.operand('string')}))"
            items = [self._scalar() for _ in range(self.number(0, 4))]
            return f"@({', '.join(items)})"

        return self.nested(make, lambda: "@(1, 'a')")

    def _typed(self) -> str:
        name, kind = self.one([("int", "int"), ("string", "string"), ("double", "double"),
                               ("long", "int"), ("string", "int"), ("object", "string")])  # fmt: skip
        items = ", ".join(self.operand(kind) for _ in range(self.number(1, 3)))
        return f"([{name}[]]@({items}))"

    def _hashtable(self) -> str:
        return self.nested(
            lambda: f"@{{ {self.one(KEYS)} = {self._scalar()} }}" if self.chance(0.8) else "@{}",
            lambda: "@{ a = 1 }",
        )

    def pairs(self) -> str:
        keys = self.random.sample(KEYS, self.number(1, 3))
        return "; ".join(f"{key} = {self._scalar()}" for key in keys)

    def _ordered(self) -> str:
        return f"([ordered]@{{ {self.pairs()} }})"

    def _object(self) -> str:
        return f"([pscustomobject]@{{ {self.pairs()} }})"

    def _datetime(self) -> str:
        day = f"20{self.number(10, 30)}-{self.number(1, 12):02d}-{self.number(1, 28):02d}"
        hour = f"{self.number(0, 23):02d}:{self.number(0, 59):02d}:{self.number(0, 59):02d}"
        return self.one(
            [f"[datetime]'{day}'", f"[datetime]'{day} {hour}'", f"[datetime]'{day}T{hour}'"]
        )

    def _timespan(self) -> str:
        return self.one([
            f"[timespan]'{self.number(0, 23)}:{self.number(0, 59)}:{self.number(0, 59)}'",
            f"[timespan]::FromSeconds({self.number(0, 100000)})",
            f"[timespan]::FromMinutes({self.number(0, 9)}.5)",
            f"[timespan]'{self.number(1, 9)}.{self.number(0, 23):02d}:00:00'",
        ])  # fmt: skip

    def _version(self) -> str:
        parts = ".".join(str(self.number(0, 20)) for _ in range(self.number(2, 4)))
        return f"[version]'{parts}'"

    def _enum(self) -> str:
        return self.one(ENUMS)

    def _block(self) -> str:
        return self.one(["{ 1 }", "{ $_ }", "{ 'x' }", "{}"])
