"""What PowerShell refuses, with its words: conversions, validation, operators, script texts, commands' names."""

from __future__ import annotations

from lab.tests.powershell.grammar.draw import Draw

_SOURCES = [
    "5", "-1", "3.5", "[decimal]2.5", "[char]'a'", "$true", "$null", "''", "'5'", "'3.7'", "'abc'", "'1e20'", "'1,2'",
    "@()", "@(7)", "@('a', 'b')", "@{}", "@{ a = 1 }", "[pscustomobject]@{}", "[pscustomobject]@{ a = 1 }",
    "[datetime]'2020-01-02'", "[timespan]'1:00'", "[DayOfWeek]2", "[version]'1.2'", "[int]", "{ 1 }", "[guid]::Empty",
    "[Collections.ArrayList]@(1, 2)", "[int[]](1, 2)", "[switch]$true",
]  # fmt: skip
_TARGETS = [
    "int", "long", "byte", "double", "decimal", "string", "bool", "char", "int16", "uint32", "timespan", "version",
    "guid", "regex", "array", "hashtable", "int[]", "string[]", "char[]", "byte[]", "double[]", "type", "scriptblock",
    "System.DayOfWeek", "System.ConsoleColor", "nullable[int]", "System.Collections.ArrayList", "exception",
]  # fmt: skip
_CHECKS = [
    "[ValidateLength(2, 4)]", "[ValidateCount(1, 2)]", "[ValidateRange(1, 5)]", "[ValidateRange('1', '5')]",
    "[ValidatePattern('^a')]", "[ValidateSet('a', 'b')]", "[ValidateSet('a', 'b', IgnoreCase = $false)]",
    "[ValidateNotNull()]", "[ValidateNotNullOrEmpty()]", "[ValidateScript({ $_ -gt 2 })]",
    "[ValidateScript({ throw 'no' })]", "[ValidateScript({ 1 / 0 })]",
]  # fmt: skip
_KINDS = ["", "", "[int]", "[string]", "[string[]]", "[bool]", "[long]", "[char]", "[array]"]
_GIVEN = ["''", "$null", "'a'", "'abcde'", "0", "9", "3", "@()", "@($null)", "('a', 'z')", "('a', '')", "(1, 9)",
          "@{}", "2.5", "'x'", "$true"]  # fmt: skip
_OPERANDS = ["1", "5L", "1.5", "1d", "'x'", "'5'", "@{}", "@(1)", "[pscustomobject]@{ a = 1 }", "{ a }", "[int]", "$null",
             "[char]'a'", "$true", "[datetime]'2020-01-02'", "[timespan]'1:00'", "[DayOfWeek]1", "[guid]::Empty"]  # fmt: skip
_TEXTS = [
    "@{ a = 1 b = 2 }", "@{ a = 1; A = 2 }", "@{ 1 = 1; '1' = 2 }", "@{ a = 1 }", "1 = 2", "@(1) = 2", "$x, $y = 1",
    "function f { param($a, $A) }", "function f($a, $b) { }", "++5", "a > b > c", "a > b 2> c", "a *>&1 2>&1", "class { }",
    "if (1) { 2 ", "1 +", "'abc", "foreach ($i in) { }", "throw throw", "[int]$x = = 2", "1 | 2", "$a = $b = 1", "(,1)",
]  # fmt: skip
_FAULTS = ["[int]'x'", "1 / 0", "'a'.Substring(9)", "no-such-command", "throw 'msg'", "$null.Foo()", "@{}.Foo()",
           "[nope]1", "('abc').Length = 3", "'{0} {1}' -f 1", "@{} - 1"]  # fmt: skip


class Refusals(Draw):
    """Statements that mostly end in an error, and show what it says."""

    def refused(self) -> str:
        """A statement of one of the kinds."""
        return self.one([self._cast, self._cast, self._bound, self._variable, self._operator, self._text,
                         self._claimed, self._class])()  # fmt: skip

    def _shown(self, code: str) -> str:
        facts = (
            "$_.TargetObject; $_.CategoryInfo.Activity"
            if self.chance(0.3)
            else "$_.Exception.Message"
        )
        return f"try {{ {code} }} catch {{ oops $_; {facts} }}"

    def _cast(self) -> str:
        target, source = self.one(_TARGETS), self.one(_SOURCES)
        if (
            target.endswith("ArrayList") and source == "@{ a = 1 }"
        ):  # a newer .NET writes out an entry
            source = "@{}"
        return self._shown(f"show ([{target}]({source})); show (({source}) -as [{target}])")

    def _bound(self) -> str:
        name = self.fresh("rf")
        attributes = self.one(["", "", "[Parameter(Mandatory)]"])
        return (
            f"function {name} {{ param({attributes}{self.one(_CHECKS)}{self.one(_KINDS)}$p) show $p; $p = 'zz'; show $p }}; "
            + self._shown(f"{name} {self.one(['', '-p ', '-p:'])}{self.one(_GIVEN)}")
        )

    def _variable(self) -> str:
        name = self.fresh("rv")
        kind, value = self.one(_CHECKS) + self.one(_KINDS), self.one(_GIVEN)
        return self._shown(
            f"{kind}${name} = {value}; show ${name}; ${name} = {self.one(_GIVEN)}; show ${name}"
        )

    def _operator(self) -> str:
        operator = self.one(["+", "-", "*", "/", "%", "-band", "-shl"])
        left, right = self.one(_OPERANDS), self.one(_OPERANDS)
        if "timespan" in left + right and operator in "*/":  # a newer .NET has these
            operator = "-"
        if operator == "-shl" and left in ("$null", "[pscustomobject]@{ a = 1 }"):
            # Whether the right operand is refused hangs in the judge on what it did before.
            operator = "-band"
        return self._shown(f"show (({left}) {operator} ({right}))")

    def _text(self) -> str:
        text = self.one(_TEXTS).replace("'", "''")
        return f"try {{ [void][scriptblock]::Create('{text}'); 'parsed' }} catch {{ $_.FullyQualifiedErrorId; $_.Exception.InnerException.GetType().Name }}"

    def _claimed(self) -> str:
        name, other = self.fresh("rc"), self.fresh("rd")
        binding = self.one(["[CmdletBinding()]", "", "[CmdletBinding()]"])
        call = self.one([name, other, f"{name} -ErrorVariable ev", f"& {{ {name} }}"])
        if not binding:
            call = call.replace(" -ErrorVariable ev", "")
        return (
            f"function {name} {{ {binding} param() {self.one(_FAULTS)}; 'went on' }}; "
            f"function {other} {{ [CmdletBinding()] param() {name} }}; "
            f"{self._shown(call)}; show @($ev).Count"
        )

    def _class(self) -> str:
        name = self.fresh("Rk")
        use = self.one(
            [
                f"[{name}]@{{ Nope = 1 }}",
                f"[{name}]@{{ V = '7' }}",
                f"[{name}]::Nope",
                f"[{name}]::new('x')",
                f"[{name}]::new(1, 2)",
            ]
        )
        return f"class {name} {{ [int]$V = 1; $Any; hidden [string]$Z = 'z'; {name}() {{ }} {name}([int]$n) {{ $this.V = $n }} }}; {self._shown(f'$k = {use}; show $k.V')}"
