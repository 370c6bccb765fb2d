"""Statements: loops, switch, try, functions, scopes, classes, pipelines, called scripts."""

from __future__ import annotations

from collections.abc import Callable

from lab.tests.powershell.grammar.expressions import Expressions
from lab.tests.powershell.grammar.refusals import Refusals

_ERRORS = [
    "throw 'boom'", "1 / 0", "[int]'x'", "$null.Foo()", "throw [ArgumentException]'bad'", "nope-command",
    "throw [InvalidOperationException]::new('inv')", "[datetime]'nodate'",
    "'a'.Substring(9)", "throw @{ a = 1 }", "[version]'x'", "$a = 1; $a.b = 2",
    "throw", "[int]::Parse('q')", "'x' -as 'nope.type'", "$x = $null; $x[0]", "([int[]](1, 2))[0] = 'z'",
    "[ValidateRange(1, 3)][int]$vr = 9", "throw 42", "& { throw 'inner' }", "& 'also-no-command' 1",
    "throw [Management.Automation.ErrorRecord]::new([ArgumentException]::new('rec'), 'My.Id', 'InvalidData', 'tgt')",
    "& { [CmdletBinding()] param() $PSCmdlet.ThrowTerminatingError([Management.Automation.ErrorRecord]::new('m', 'T.Id', 5, 7)) }",
]  # fmt: skip
_CATCHES = ["", "[DivideByZeroException]", "[ArgumentException]", "[System.Management.Automation.RuntimeException]",
            "[InvalidOperationException], [ArgumentException]", "[System.Management.Automation.CommandNotFoundException]",
            "[FormatException]", "[System.Exception]"]  # fmt: skip
_FACTS = ["$_.Exception.GetType().FullName", "$_.FullyQualifiedErrorId", "$_.CategoryInfo.Category",
          "$_.CategoryInfo.TargetName", "$_.CategoryInfo.TargetType", "$_.CategoryInfo.Reason", "$_.TargetObject",
          "$_.CategoryInfo.Activity", "$_.InvocationInfo.ScriptLineNumber -gt 0", "$_.Exception.InnerException -ne $null",
          "$_.GetType().Name", "$_.Exception.Message.Length -gt 0", "$Error.Count", "$_ -is [exception]",
          "$_.ErrorDetails -eq $null", "$?", "$_.InvocationInfo.Line.Length -gt 0"]  # fmt: skip
_ATTRIBUTES = ["", "", "[int]", "[string]", "[Parameter(Mandatory)]", "[switch]", "[ValidateSet('a', 'b', 'c')]",
               "[ValidateRange(1, 10)][int]", "[ValidateNotNullOrEmpty()]", "[ValidatePattern('^a')]",
               "[ValidateCount(1, 2)]", "[ValidateLength(1, 3)]", "[AllowNull()]", "[AllowEmptyString()][string]",
               "[ValidateScript({ $_ -ne 2 })]", "[string[]]", "[Parameter(ValueFromPipeline)]", "[Alias('al')]",
               "[bool]", "[hashtable]", "[object]", "[double]", "[datetime]",
               "[Parameter(ValueFromPipelineByPropertyName)]", "[version]", "[char]", "[scriptblock]",
               "[ValidateNotNull()]", "[Parameter(ValueFromRemainingArguments)]"]  # fmt: skip


class Statements(Expressions, Refusals):
    """Draws statements; `files` collects the scripts that the snippet calls."""

    def __init__(self, seed: str) -> None:
        super().__init__(seed)
        self.files: dict[str, str] = {}
        self.formatted_output = False
        self.stem = f"child{seed.replace('/', '-')}-"

    def statement(self) -> str:
        """A statement that prints something."""
        makers: list[tuple[int, Callable[[], str]]] = [
            (30, self.probe), (3, self.loop), (3, self.labelled), (4, self.switched), (6, self.tried),
            (5, self.function), (4, self.advanced), (3, self.filtering), (4, self.scoped), (3, self.splatted),
            (2, self.defaults), (2, self.separator), (4, self.classes), (3, self.strings), (3, self.redirected),
            (4, self.called), (3, self.assigned), (3, self.success), (2, self.trapped), (3, self.returned),
            (2, self.implicit), (2, self.strict), (2, self.enumeration), (2, self.arguments), (2, self.closures),
            (2, self.typed_variable), (2, self.mutated), (8, self.refused),
        ]  # fmt: skip
        return self.random.choices([m for _, m in makers], [w for w, _ in makers])[0]()

    def probe(self) -> str:
        return f"try {{ show ({self.expression()}) }} catch {{ oops $_ }}"

    def say(self, *more: str) -> str:
        """A line that shows an expression, or one of the given ones."""
        return f"show ({self.one([*more, *more, self.expression()])})"

    # --- control flow

    def condition(self, name: str = "$i") -> str:
        return self.one([f"{name} -eq {self.number(0, 4)}", f"{name} % 2", f"{name} -gt {self.number(0, 4)}",
                         self.part(), f"-not ({name} -lt 2)"])  # fmt: skip

    def loop(self) -> str:
        jump = self.one(
            [
                "",
                "",
                f"if ({self.condition()}) {{ continue }}",
                f"if ({self.condition()}) {{ break }}",
            ]
        )
        body = f"{jump}; show $i"
        n = self.number(0, 5)
        return self.one([
            f"for ($i = 0; $i -lt {n}; $i++) {{ {body} }}; show $i",
            f"foreach ($i in {self.part(self.one(['array', 'typed', 'null', 'string', 'hashtable', 'int']))}) {{ {body} }}; show $i",
            f"$i = 0; while ($i -lt {n}) {{ $i++; {body} }}",
            f"$i = 0; do {{ $i++; {body} }} while ($i -lt {n})",
            f"$i = 0; do {{ $i++; {body} }} until ($i -ge {n})",
            f"$r = foreach ($i in 1..{n}) {{ {jump}; $i * 2 }}; show $r",
            f"$r = for ($i = 0; $i -lt {n}; $i += 2) {{ $i }}; show $r",
            f"if ({self.part()}) {{ 'yes' }} elseif ({self.part()}) {{ 'maybe' }} else {{ 'no' }}",
            f"$v = if ({self.part()}) {{ {self.part()} }} else {{ {self.part()} }}; show $v",
            f"for ($i, $j = 0, 9; $i -lt $j; $i += 2, $j--) {{ if ($i -gt {n}) {{ break }} }}; show $j" if False else
            f"for ($i = 5; $i; $i--) {{ {body} }}",
        ])  # fmt: skip

    def labelled(self) -> str:
        jump = self.one(["break", "continue"])
        target = self.one([" outer", "", " outer"])
        inner = self.one(
            ["foreach ($j in 1..3)", "for ($j = 0; $j -lt 3; $j++)", "switch (1, 2, 3)"]
        )
        name = "$_" if inner.startswith("switch") else "$j"
        body = f'if ({name} -eq 2) {{ {jump}{target} }}; "$i,{name}"'
        if inner.startswith("switch"):
            body = f'{{ $_ -eq 2 }} {{ {jump}{target} }} default {{ "$i,$_" }}'
        return f":outer foreach ($i in 1..3) {{ {inner} {{ {body} }}; \"end $i\" }}; 'after'"

    def switched(self) -> str:
        mode = self.one(
            ["", "", "-Regex", "-Wildcard", "-CaseSensitive", "-Exact", "-Regex -CaseSensitive"]
        )
        value = self.part(
            self.one(["int", "string", "array", "null", "typed", "enum", "bool", "string"])
        )
        clauses = []
        for _ in range(self.number(1, 4)):
            test = self.one([str(self.number(0, 3)), self.quoted(), "{ $_ -is [int] -and $_ -gt 1 }", "'a'", "'*a*'", "$null", "'1'",
                             "{ $_ -is [string] }", "'^[a-z]+$'", "[int]1", "$true"])  # fmt: skip
            if mode and "Regex" in mode and test in ("'*a*'",):
                test = "'a(.)'"
            action = self.one([f"{self.quoted('hit')}", "\"<$_>\"; break", "$_; continue", "$Matches[0]" if "Regex" in mode else "$_",
                               "[void]$switch.MoveNext(); $switch.Current", "'one'; 'two'"])  # fmt: skip
            clauses.append(f"    {test} {{ {action} }}")
        if self.chance(0.6):
            clauses.append('    default { "default $_" }')
        body = "\n".join(clauses)
        return f"$r = switch {mode} ({value}) {{\n{body}\n}}\nshow $r"

    def tried(self) -> str:
        error = self.one(_ERRORS)
        facts = "\n".join(
            f"    show ({fact})" for fact in self.random.sample(_FACTS, self.number(1, 4))
        )
        kind = self.one(_CATCHES)
        other = f"catch {kind} {{ 'typed'; show $_.FullyQualifiedErrorId }} " if kind else ""
        final = self.one(["", "finally { 'finally' }"])
        after = self.one(["", "; 'not reached'"])
        before = self.one(["", "'before'; "])
        form = f"try {{ {before}{error}{after} }} {other}catch {{\n{facts}\n}} {final}"
        if self.chance(0.25):
            return f"function fails {{ try {{ {error} }} finally {{ 'cleanup' }} }}\ntry {{ fails }} catch {{ oops $_ }}"
        if self.chance(0.2):
            return f"try {{ try {{ {error} }} catch {{ throw }} }} catch {{ oops $_ }}"
        if self.chance(0.2):
            wrap = self.one(
                ["[InvalidOperationException]::new('outer', $_.Exception)", "'again'", "$_"]
            )
            return f"try {{ try {{ {error} }} catch {{ throw {wrap} }} }} catch {{ oops $_; show ($_.Exception.InnerException -ne $null) }}"
        return form

    def trapped(self) -> str:
        how = self.one(["continue", "break", ""])
        return (
            f"& {{ trap {{ \"trapped $($_.FullyQualifiedErrorId)\"; {how} }}; 'a'; {self.one(_ERRORS[:7])}; 'b' }} 2>$null\n"
            if how != "break" else
            f"try {{ & {{ trap {{ 'trapped'; break }}; 'a'; {self.one(_ERRORS[:7])}; 'b' }} }} catch {{ oops $_ }}"
        )  # fmt: skip

    # --- functions

    def call_of(self, name: str, count: int) -> str:
        words = []
        for _ in range(self.number(0, count + 1)):
            words.append(self.one([f"({self.part()})", self.operand("int"), self.quoted(), "-p0 1", "-p1 'a'", "bare",
                                   "$null", "-p0:2", "@(1, 2)", "1,2", "-p1", "--x", "-nope 3"][:13]))  # fmt: skip
        return f"{name} {' '.join(words)}"

    def function(self) -> str:
        name = self.fresh("Do-It")
        parameters = [f"{self.one(_ATTRIBUTES)}$p{i}" + (f" = {self.one(['5', chr(39) + 'a' + chr(39), '$null', '(1 + 1)'])}" if self.chance(0.3) else "")
                      for i in range(self.number(0, 3))]  # fmt: skip
        shows = "; ".join(
            [f"show $p{i}" for i in range(len(parameters))]
            + [self.one(["show $args", "show $PSBoundParameters.Keys", "show $args.Count"])]
        )
        head = self.one(["", "[CmdletBinding()]", ""])
        text = f"function {name} {{ {head} param({', '.join(parameters)}) {shows} }}\n"
        calls = [
            f"try {{ {self.call_of(name, len(parameters))} }} catch {{ oops $_ }}"
            for _ in range(self.number(1, 3))
        ]
        return text + "\n".join(calls)

    def advanced(self) -> str:
        name = self.fresh("Get-It")
        attribute = self.one(
            [
                "Parameter(ValueFromPipeline)",
                "Parameter(Mandatory, ValueFromPipeline)",
                "Parameter(ValueFromPipelineByPropertyName)",
                "Parameter(ValueFromPipeline, Position = 0)",
            ]
        )
        kind = self.one(["", "[int]", "[string]", "[object[]]"])
        prop = "Name" if "Property" in attribute else "v"
        body = self.one([f"show ${prop}", f"\"<${prop}>\"", f"${prop}", f"$n++; ${prop}", f"if (${prop}) {{ 'yes' }} else {{ 'no' }}",
                         f"return ${prop}"])  # fmt: skip
        text = (
            f"function {name} {{ param([{attribute}]{kind}${prop}, [switch]$All) "
            f"begin {{ $n = 0; 'begin' }} process {{ {body} }} end {{ \"end $n $All\" }} }}\n"
        )
        source = self.one(
            [
                self.operand("array"),
                self.operand("object"),
                "1, 2, 3",
                "@()",
                "$null",
                self.quoted(),
                self.operand("typed"),
            ]
        )
        self.formatted_output = self.formatted_output or "pscustomobject" in source
        call = self.one([f"{source} | {name}", f"{name} {self.operand('int')}", f"{source} | {name} -All", f"{name} -{prop} 1, 2",
                         f"{source} | {name} | ForEach-Object {{ \"[$_]\" }}"])  # fmt: skip
        return text + f"try {{ {call} }} catch {{ oops $_ }}"

    def filtering(self) -> str:
        name = self.fresh("flt")
        return self.one([
            f"filter {name} {{ if ($_ -gt 1) {{ $_ * 10 }} }}; 1, 2, 3 | {name}",
            f"function {name} {{ begin {{ $s = 0 }} process {{ $s += $_ }} end {{ $s }} }}; 1..{self.number(1, 6)} | {name}",
            f"function {name} {{ @($input).Count }}; {self.operand('array')} | {name}",
            f"function {name} {{ end {{ @($input).Count; @($input).Count }} }}; 1..4 | {name}",
            f"function {name} {{ process {{ \"p$_\" }} end {{ @($input).Count }} }}; 1..3 | {name}",
            f"function {name} {{ foreach ($x in $input) {{ \"<$x>\" }} }}; {self.operand('array')} | {name}",
            f"function {name} {{ $input | ForEach-Object {{ $_ }} }}; 'a', 'b' | {name}",
            f"function {name} {{ process {{ if ($_ -eq 2) {{ return }}; $_ }} }}; 1..3 | {name}",
            f"{self.operand('array')} | & {{ process {{ \"$_;\" }} end {{ 'e' }} }}",
            "1..5 | & { begin { 'b' } process { $_ * 2 } } | ForEach-Object { $_ + 1 }",
            f"function {name} {{ $MyInvocation.ExpectingInput; $MyInvocation.InvocationName; $PSCmdlet -eq $null }}; {name}; 1 | {name}",
            f"function {name} {{ [CmdletBinding(SupportsShouldProcess)] param() if ($PSCmdlet.ShouldProcess('x')) {{ 'did' }} }}; {name}",
            f"function {name} {{ $MyInvocation.MyCommand.Name; $MyInvocation.BoundParameters.Count }}; {name}",
        ])  # fmt: skip

    def scoped(self) -> str:
        name, value = self.one(["v", "w", "total"]), self.operand("int")
        return self.one([
            f"${name} = {value}; & {{ ${name} = 9; show ${name} }}; show ${name}",
            f"${name} = {value}; . {{ ${name} = 9 }}; show ${name}",
            f"${name} = {value}; & {{ $script:{name} = 9 }}; show ${name}",
            f"$private:{name} = {value}; & {{ show ${name} }}; show ${name}; show $private:{name}",
            f"function f1 {{ $private:{name} = {value}; f2; show ${name} }}; function f2 {{ show ${name} }}; f1",
            f"${name} = 1; function f1 {{ ${name}++; show ${name}; $script:{name} += 5 }}; f1; show ${name}",
            f"$global:{name} = 3; function f1 {{ $local:{name} = 4; show ${name}; show $global:{name} }}; f1; show ${name}",
            f"function f1 {{ ${name} = 'dyn'; f2 }}; function f2 {{ show ${name}; ${name} = 'own' }}; f1; show ${name}",
            f"${name} = {value}; $sb = {{ ${name} }}; ${name} = 7; show (& $sb); show (& $sb.GetNewClosure())",
            f"Set-Variable {name} {value}; show (Get-Variable {name} -ValueOnly)" if False else f"${{{name}}} = {value}; show \"${{{name}}}!\"",
            f"function f1([ref]$r) {{ $r.Value += 1 }}; ${name} = 1; f1 ([ref]${name}); show ${name}",
            "function f1 { param($h) $h['k'] = 1; $h = $null }; $t = @{}; f1 $t; show $t.k",
            "function f1 { function f2 { 'inner' }; f2 }; f1; try { f2 } catch { show $_.FullyQualifiedErrorId }",
            f"${name} = 5; 1..2 | ForEach-Object {{ ${name} += $_ }}; show ${name}",
        ])  # fmt: skip

    def splatted(self) -> str:
        return self.one([
            "function spl { param($A, $B, [switch]$S) \"$A|$B|$S\" }; $h = @{ A = 1; S = $true }; spl @h; spl @h -B 2",
            f"function spl {{ param($A, $B) \"$A|$B|$args\" }}; $l = {self.operand('array')}; spl @l",
            "function spl { inner @args }; function inner { param($x, $y) \"$x/$y\" }; spl 1 2; spl -y 3 4; spl -x:5",
            "function spl { inner @PSBoundParameters }; function inner { param($x, $y) \"$x/$y\" }; spl",
            f"function spl {{ param($x, $y) inner @PSBoundParameters }}; function inner {{ param($x, $y) \"$x/$y\" }}; spl -y {self.operand('int')} -x 'q'",
            "function spl { [CmdletBinding()] param([string[]]$N, [int]$C) \"$($N.Count) $C\" }; $p = @{ N = 'a', 'b'; C = '3' }; spl @p",
            "function spl { param([switch]$Force) \"$Force $($Force.IsPresent) $($Force.GetType().Name)\" }; spl; spl -Force; spl -Force:$false",
            "function spl { param([switch]$Force) if ($Force) { 'y' } else { 'n' }; show ($Force -eq $true); show ($Force -is [switch]); show ($Force -is [bool]) }; spl; spl -Force",
        ])  # fmt: skip

    def defaults(self) -> str:
        return self.one([
            "function Get-Def { [CmdletBinding()] param($X = 1, $Y) \"$X|$Y\" }; $PSDefaultParameterValues['Get-Def:Y'] = 7; Get-Def; Get-Def -Y 2; $PSDefaultParameterValues.Clear(); Get-Def",
            "function Get-Def { [CmdletBinding()] param($X, $Y) \"$X|$Y\" }; $PSDefaultParameterValues = @{ 'Get-*:X' = 'w' }; Get-Def 1; Get-Def",
            "function Get-Def { [CmdletBinding()] param($X) \"<$X>\" }; $PSDefaultParameterValues = @{ '*:X' = { 1 + 1 } }; Get-Def",
            "function Get-Def { [CmdletBinding()] param($X) \"<$X>\" }; $PSDefaultParameterValues = @{ 'Get-Def:X' = 5; Disabled = $true }; Get-Def",
            "function Get-Def { param($X) \"<$X>\" }; $PSDefaultParameterValues['Get-Def:X'] = 3; Get-Def",
        ])  # fmt: skip

    def separator(self) -> str:
        mark = self.one(["','", "''", "' - '", "$null", "1"])
        return self.one([
            f"$OFS = {mark}; \"$({self.operand('array')})\"; [string]{self.operand('typed')}; 'x' + {self.operand('array')}",
            f"$a = 1, 2, 3; $OFS = {mark}; \"$a\"; \"$($a[0..1])\"; $a -join ';'",
            f"function o1 {{ $OFS = {mark}; \"$(1..3)\" }}; o1; \"$(1..3)\"",
        ])  # fmt: skip

    def classes(self) -> str:
        base, derived = self.fresh("Base"), self.fresh("Derived")
        head = (
            f"class {base} {{ [string]$Name = 'b'; [int]$Count; static [int]$Made = 0; {base}() {{ {base}::Bump }} {base}([string]$n) {{ $this.Name = $n; [{base}]::Made++ }} "
            f'[string] Say() {{ return "base $($this.Name)" }} [string] ToString() {{ return "<$($this.Name)>" }} static [int] Twice([int]$x) {{ return $x * 2 }} hidden [int]$Secret = 4 }}\n'
            f"class {derived} : {base} {{ [object]$Extra; {derived}([string]$n, $e) : base($n) {{ $this.Extra = $e }} "
            f"[string] Say() {{ return 'derived+' + ([{base}]$this).Say() }} [int] Add([int]$x) {{ $this.Count += $x; return $this.Count }} }}\n"
        )
        head = head.replace(f"{{ {base}::Bump }}", f"{{ [{base}]::Made += 1 }}")
        uses = [
            f"$o = [{base}]::new(); show $o.Name; show $o.Say(); show \"$o\"; show $o.Count",
            f"$d = [{derived}]::new('n', {self.operand('int')}); show $d.Say(); show $d.Extra; show $d.Add(3); show ($d -is [{base}])",
            f"show ([{base}]::Twice({self.operand('int')})); [void][{base}]::new('q'); show ([{base}]::Made)",
            f"$o = [{base}]@{{ Name = 'h'; Count = '7' }}; show $o.Count; show ($o | ForEach-Object Name)",
            f"$o = [{base}]::new('x'); try {{ $o.Count = {self.part()} }} catch {{ show $_.FullyQualifiedErrorId }}; show $o.Count",
            f"$o = [{base}]::new('x'); try {{ $o.Nope = 1 }} catch {{ show $_.FullyQualifiedErrorId }}; show $o.Secret; show ($o.GetType().Name)",
            f"show ([{derived}].BaseType.Name); show ([{derived}]::new('a', 1).ToString())",
            f"try {{ [{derived}]::new() }} catch {{ show $_.FullyQualifiedErrorId }}",
            f"$o = New-Object {base} 'viaNew'; show $o.Name; show @($o, [{base}]::new('z')).Name",
            f"$o = [{base}]::new('p'); show @($o.psobject.Properties | ForEach-Object Name)",
            f"try {{ show ([{base}]'cast').Name }} catch {{ oops $_ }}; try {{ show ([{base}]5).Name }} catch {{ oops $_ }}",
        ]  # fmt: skip
        return head + "\n".join(self.random.sample(uses, self.number(1, 3)))

    def enumeration(self) -> str:
        name = self.fresh("Color")
        return (f"enum {name} {{ Red; Green = 5; Blue }}\n" + "\n".join(self.random.sample([
            f"show ([{name}]::Blue)", f"show ([int][{name}]::Blue)", f"show ([{name}]'green')", f"try {{ show ([{name}]7) }} catch {{ oops $_ }}",
            f"show ([{name}]::Red -eq 'red')", f"show ([{name}]::Green -gt [{name}]::Red)", f"show \"$([{name}]::Green)\"",
            f"show ([enum]::GetNames([{name}]))", f"show ([{name}]5)", f"try {{ [{name}]'none' }} catch {{ show $_.FullyQualifiedErrorId }}",
            f"show ([{name}]::Red.value__)", f"show ([{name}].IsEnum)", f"switch ([{name}]::Green) {{ 'Green' {{ 'word' }} 5 {{ 'number' }} }}",
            f"[{name}]$v = 'Blue'; show $v; try {{ $v = 'x' }} catch {{ show $_.FullyQualifiedErrorId }}",
            f"show ([{name}]::Blue -as [int])", f"show ([{name}]::Green.GetType().Name)", f"show ([{name}]::Red + 1)",
        ], self.number(2, 4))))  # fmt: skip

    # --- text and streams

    def strings(self) -> str:
        setup = f"$v = {self.operand()}; $h = @{{ k = {self._scalar()}; n = @{{ m = 1 }} }}; $l = {self.operand('array')}; $o = {self.operand('object')}\n"
        inner = self.one(["$v", "$h.k", "$($h.k)", "$($h['k'])", "$l", "$l[0]", "$($l[0])", "$($l.Count)", "${v}x", "$v.Length", "`$v", "$(1 + 1)",
                          "$($o.Name)", "$o", "$h", "$(if ($v) { 'y' })", "$null|", "$($null)|", "a$", "$v`t$v", "$(\"in $v\")", "$true", "$($h.n.m)",
                          "$($v -is [int])", "$v:", "$env:NOPE|", "100%", "`u", "$(1..3)", "'$v'"])  # fmt: skip
        if inner == "$v:":
            inner = "${v}:"
        if inner == "`u":
            inner = "`q"
        return setup + self.one(
            [
                f'show "{inner}"',
                f'show "a {inner} b"',
                f'show @"\n{inner}\n  "quoted" {inner}\n"@',
                f"show @'\n{inner}\n'@",
            ]
        )

    def redirected(self) -> str:
        name = self.fresh("noisy")
        bodies = ["Write-Warning 'w'", "Write-Error 'e'", "Write-Verbose 'v' -Verbose", "Write-Output 'o'", "'o1'; Write-Warning 'w1'; 'o2'",
                  "Write-Error 'e'; 'after'", "1/0; 'after'"]  # fmt: skip
        if (
            self.formatted_output
        ):  # a table's rows wait, and a record is shown between them and what is above
            bodies = [body for body in bodies if "Warning" not in body and "Verbose" not in body]
        body = self.one(bodies)
        into = self.one(
            ["3>&1", "2>&1", "*>&1", "2>$null", "3>$null", "*>$null", "> $null", "4>&1"]
        )
        return (f"function {name} {{ [CmdletBinding()] param() {body} }}\n"
                f"$r = {name} {into}; show @($r).Count; foreach ($x in @($r)) {{ show $x.GetType().Name; show \"$x\" }}"
                if into in ("3>&1", "2>&1", "*>&1", "4>&1") else
                f"function {name} {{ [CmdletBinding()] param() {body} }}\n{name} {into}; show $?")  # fmt: skip

    def called(self) -> str:
        file = f"{self.fresh(self.stem)}.ps1"
        n = self.number(0, 9)
        text = self.one([f"'in'; exit {n}; 'not'", f"param($a, $b = 'd') \"$a-$b\"; return {n}", "'x'; exit", f"$global:LASTEXITCODE = {n}; 'y'",
                         "throw 'from child'", f"function fromChild {{ 'f' }}; $inChild = {n}; 'z'", "$args.Count; $args",
                         "if ($true) { return 'early' }; 'late'", "$MyInvocation.MyCommand.Name; [IO.Path]::GetFileName($PSCommandPath)",
                         f"try {{ exit {n} }} finally {{ 'fin' }}", f"1..3 | ForEach-Object {{ if ($_ -eq 2) {{ exit {n} }}; $_ }}",
                         f"& {{ exit {n} }}; 'never'", "Write-Error 'child soft'; 'on'", f"function ex {{ exit {n} }}; ex; 'never'",
                         "[CmdletBinding()] param([int]$a) process { \"p$a\" }"])  # fmt: skip
        self.files[file] = text
        how = self.one(["&", "&", "."])
        if how == "." and ("break" in text):
            how = "&"
        arguments = self.one(["", "1", "1 2", "-b 5", f"-a {self.operand('int')}", "q -b r"])
        call = f'{how} "$PSScriptRoot/{file}" {arguments}'
        return self.one([f"try {{ {call} }} catch {{ oops $_ }}; show $?; show $LASTEXITCODE", f"try {{ $r = {call}; show $r }} catch {{ oops $_ }}; show $LASTEXITCODE; show $inChild",
                         f"foreach ($k in 1..2) {{ try {{ {call} }} catch {{ oops $_ }} }}; show $LASTEXITCODE; try {{ fromChild }} catch {{ 'no f' }}"])  # fmt: skip

    def assigned(self) -> str:
        return self.one([
            f"$a, $b = {self.operand('array')}; show $a; show $b", f"$a, $b, $c = 1, {self._scalar()}; show $c; show $b",
            f"$a = $b = {self.part()}; show $a; show $b", f"$a = {self.operand('array')}; try {{ $a += {self.part()} }} catch {{ oops $_ }}; show $a",
            f"$a = {self.part()}; try {{ $a {self.one(['+=', '-=', '*=', '/=', '%='])} {self.numeric() if self.chance(.7) else self.operand('null')} }} catch {{ oops $_ }}; show $a" if self.chance(.01) else
            f"$a = {self.numeric()}; try {{ $a {self.one(['+=', '-=', '*=', '/=', '%='])} {self.numeric()} }} catch {{ oops $_ }}; show $a",
            f"$a = {self.numeric()}; $b = $a++; show $a; show $b; $b = --$a; show $b", f"$h = {self.operand('ordered')}; $h.New = {self._scalar()}; $h['Id'] = 1; show $h",
            "$a = 1, 2, 3; $a[1] = 'x'; show $a; try { $a[7] = 1 } catch { oops $_ }; $a[-1] = 9; show $a",
            f"$h = @{{}}; $h['a'] = {self._scalar()}; $h.a; show $h.Count; $h.Remove('A'); show $h.Count", "$a = @(1); $b = $a; $b += 2; show $a; show $b",
            f"$x = {self.part()}; show ($x = 5); ($y = {self.operand('int')}); show $y", "$a = @{ x = @{ y = 1 } }; $a.x.y += 4; $a.x['z'] = 2; show $a.x.y; show $a.x.Count",
            "$null = 5; show $null; $a, $null, $b = 1, 2, 3; show $b", f"$o = {self.operand('object')}; try {{ $o.Brand = 1 }} catch {{ oops $_ }}; try {{ $o.Name = 'set' }} catch {{ 'none' }}; show $o",
            "[int]$a, [string]$b = '1', 2; show $a; show $b",
        ])  # fmt: skip

    def typed_variable(self) -> str:
        kind = self.one(
            [
                "int",
                "string",
                "double",
                "array",
                "byte",
                "char",
                "decimal",
                "int[]",
                "string[]",
                "long",
                "version",
            ]
        )
        return f"try {{ [{kind}]$t = {self.part()}; show $t; $t = {self.part()}; show $t }} catch {{ oops $_ }}"

    def success(self) -> str:
        return self.one([
            "nope-cmd 2>$null; show $?", "Write-Error 'x' 2>$null; show $?; 'ok' | Out-Null; show $?", "function bad { [CmdletBinding()] param() Write-Error 'x' }; bad 2>$null; show $?",
            "function bad { [CmdletBinding()] param() $PSCmdlet.WriteError([Management.Automation.ErrorRecord]::new([Exception]'m', 'Id', 'InvalidData', 'tgt')) }; bad 2>$null; show $?; show $Error[0].FullyQualifiedErrorId; show $Error[0].CategoryInfo.TargetType",
            "function bad { [CmdletBinding()] param() $PSCmdlet.ThrowTerminatingError([Management.Automation.ErrorRecord]::new([ArgumentException]'m', 'TheId', 'InvalidArgument', 5)) }; try { bad } catch { oops $_; show $_.TargetObject }",
            "$x = 1; show $?; [int]'q' 2>$null; show $?" if False else "try { [int]'q' } catch { show $? }; show $?", "(nope-cmd 2>$null); show $?", "& { nope-cmd 2>$null }; show $?",
            "$(nope-cmd 2>$null); show $?", "$v = nope-cmd 2>$null; show $?; show $v", "if (nope-cmd 2>$null) { 'y' } else { 'n' }; show $?",
            "$ErrorActionPreference = 'Stop'; try { Write-Error 'halt'; 'not' } catch { \"$_\" }", "$ErrorActionPreference = 'SilentlyContinue'; Write-Error 'q'; nope-cmd; show $Error.Count; 'go on'",
            "function e1 { [CmdletBinding()] param() Write-Error 'se'; 'cont' }; e1 -ErrorAction SilentlyContinue -ErrorVariable ev; show $ev.Count; show \"$($ev[0])\"",
            "function e1 { [CmdletBinding()] param() 'o'; Write-Warning 'w' }; e1 -WarningAction SilentlyContinue -OutVariable ov; show $ov.Count; show $ov[0]",
            "show $LASTEXITCODE; $global:LASTEXITCODE = 4; show $LASTEXITCODE", "$Error.Clear(); try { throw 'a' } catch {}; try { 1/0 } catch {}; show $Error.Count; show \"$($Error[0])\"; show \"$($Error[1])\"",
        ])  # fmt: skip

    def returned(self) -> str:
        return self.one([
            "function rt { foreach ($i in 1..3) { if ($i -eq 2) { return $i }; $i } }; show (rt)", f"function rt {{ return {self.operand('array')} }}; show (rt); show @(rt).Count",
            f"function rt {{ return ,{self.operand('array')} }}; show (rt).Count", "function rt { 1; return; 2 }; show (rt)", f"function rt {{ {self.part()}; {self.part()} }}; show (rt)",
            "function rt { $null }; show (rt); show @(rt).Count", "function rt { }; show (rt); show @(rt).Count; show ($null -eq (rt)); foreach ($q in rt) { 'once' }; foreach ($q in $null) { 'never' }",
            "function rt { 'a' | ForEach-Object { return $_; 'x' }; 'b' }; show (rt)", f"$sb = {{ param($x) if ($x) {{ return 'true' }}; 'false' }}; show (& $sb {self.part()})",
            "function rt { try { return 1 } finally { 'f' } }; show (rt)", f"function rt {{ @{{ a = {self._scalar()} }} }}; show (rt).a; show (rt).GetType().Name",
            "function rt { [System.Collections.ArrayList]$l = @(); $l.Add(1); $l.Add(2) }; show (rt)", "function rt { [void](1); $null = 2; 3 | Out-Null; 4 > $null; 5 }; show (rt)",
            "function rt([int]$n) { if ($n -le 1) { return 1 }; $n * (rt ($n - 1)) }; show (rt 6)",
        ])  # fmt: skip

    def implicit(self) -> str:
        self.formatted_output = True
        return self.one([self.operand("object"), self.operand("ordered"),
                         self.operand("typed"), self.operand("numeric") if False else self.numeric(), self.operand("array"),
                         f"{self.operand('object')}; {self.operand('object')}", "$null", "@()", "[DayOfWeek]::Monday", "$true",
                         "[pscustomobject]@{ Name = 'a'; Id = 1 }, [pscustomobject]@{ Name = 'bbb'; Id = 22 }", "{ 1 + 1 }", f"[math]::Round({self.operand('double')}, 2)"])  # fmt: skip

    def strict(self) -> str:
        probe = self.one(["$undefinedThing", "$o.Nope", "@(1)[5]", "(1).Foo", "$h.k", "$null.x", "'a'.Count", "$h['nope']", "@().x", "$o.Name", "$args.Count",
                          "$null[0]", "'abc'[9]", "(1, 2).Nope", "@{}.Count", "\"$undefinedThing\""])  # fmt: skip
        return f"& {{ Set-StrictMode -Version {self.one(['1', '2', '3', 'Latest'])}; $o = [pscustomobject]@{{ Name = 1 }}; $h = @{{}}; try {{ show ({probe}) }} catch {{ oops $_ }} }}"

    def arguments(self) -> str:
        return self.one([
            "function ar { \"$($args.Count):$args\" }; ar 1 2,3 -x y; ar -flag:v; ar --long=1; ar a`b 'c d' \"e$(1)f\"; ar $null @()", "function ar { show $args[0] }; ar 1kb; ar 0x10; ar 1.5; ar 1d; ar -5; ar +5; ar 007; ar 1e3; ar .5; ar 5.",
            "function ar { show $args[0] }; ar a,b; ar (1,2); ar $(3); ar @{a=1}.a; ar [int]; ar {x}; ar $true.ToString()", "function ar { $args.Count }; ar; ar ''; ar $null; ar -- -x; ar a;ar @(1,2,3)",
            "function ar { show $args[0] }; ar a.b; ar a/b; ar a=b; ar a:b; ar $HOME.Length.GetType().Name; ar \"x\"y; ar x'y z'w; ar a$(1)b",
            "function ar { show $args[0]; show $args[1] }; ar -a-b c; ar -1 2; ar -x. 1; ar -a:1 2; ar -a: 3",
        ])  # fmt: skip

    def closures(self) -> str:
        return self.one([
            "$subs = foreach ($i in 1..2) { { param($x) $x * $i }.GetNewClosure() }; show (& $subs[0] 5); show (& $subs[1] 5)",
            f"$f = {{ param($a, $b = 2) $a + $b }}; show (& $f {self.operand('int')}); show (& $f 1 1); show (&$f -b 3 -a 4); show $f.Invoke(1, 2)",
            "$compose = { param($f, $g) { param($x) & $f (& $g $x) }.GetNewClosure() }; $inc = { param($x) $x + 1 }; $dbl = { param($x) $x * 2 }; show (& (& $compose $inc $dbl) 5)",
            "$o = [pscustomobject]@{ V = 3 }; $o.psobject.Properties.Add([psnoteproperty]::new('W', 4)); show $o.W; show @($o.psobject.Properties).Count",
            "$c = { $script:n++; $n }; $n = 0; & $c; & $c; show $n", "$x = 1; $b = { $x++; $x }; show (& $b); show (. $b); show $x", "show ({ $_ * 2 }.Invoke()); show (5 | ForEach-Object { & { $_ } })",
            "$h = @{ run = { param($n) \"ran $n\" } }; show (& $h.run 3); show ($h.run.Invoke(4))",
        ])  # fmt: skip

    def mutated(self) -> str:
        return self.one([
            f"$l = [Collections.Generic.List[object]]::new(); $l.Add({self.part()}); $l.Add({self._scalar()}); show $l.Count; show $l[0]; [void]$l.Remove(1); show $l.Count; show ($l -join ',')",
            f"$d = [Collections.Generic.Dictionary[string, int]]::new(); $d['a'] = {self.number(0, 9)}; $d.Add('b', '2'); show $d['b']; show $d.ContainsKey('A'); try {{ $d['zz'] }} catch {{ oops $_ }}; try {{ $d.Add('a', 1) }} catch {{ oops $_ }}; show $d.Count",
            "$q = [Collections.Queue]::new(); $q.Enqueue(1); $q.Enqueue('b'); show $q.Dequeue(); show $q.Count; $s = [Collections.Stack]::new(); $s.Push(1); $s.Push(2); show $s.Pop(); show $s.Peek()",
            f"$l = [Collections.ArrayList]@(3, 1, 2); $l.Sort(); show $l; $l.Reverse(); show $l; $l.Insert(1, {self._scalar()}); show $l; $l.RemoveAt(0); show $l.Count; show $l.Contains(2)",
            "$a = 3, 1, 2; [array]::Sort($a); show $a; [array]::Reverse($a); show $a; $b = [int[]]::new(2); show $b; $b[0] = '7'; show $b; try { $b[1] = 'x' } catch { oops $_ }",
            "$h = [Collections.Generic.HashSet[string]]::new([StringComparer]::OrdinalIgnoreCase); show $h.Add('a'); show $h.Add('A'); show $h.Count; show $h.Contains('A')",
            f"$h = [ordered]@{{ z = 1; a = {self._scalar()} }}; $h.Insert(1, 'm', 5); show $h; $h.Remove('z'); show $h[0]; $h.Add('q', 2); show $h.Keys; foreach ($e in $h.GetEnumerator()) {{ show \"$($e.Key)=$($e.Value)\" }}",
            "$a = @(1, 2, 3); $a[0], $a[2] = $a[2], $a[0]; show $a; $m = @(@(1, 2), @(3, 4)); show $m[1][0]; show $m.Count; $g = New-Object 'int[,]' 2,2; $g[0,1] = 5; show $g[0,1]" if self.chance(.5) else
            "$l = New-Object 'System.Collections.Generic.List[int]'; $l.AddRange([int[]](1, 2, 3)); show $l.ToArray(); $l.ForEach({ $args[0] }); show $l.Contains(2); show ($l.FindAll({ $args[0] -gt 1 })).Count; $l.Clear(); show $l.Count",
            "$sb = [Text.StringBuilder]::new(); [void]$sb.Append('a').Append(1).AppendLine(); foreach ($i in 1..3) { [void]$sb.Append($i) }; show $sb.Length; show \"$sb\".Trim(); $sb.Length = 1; show $sb.ToString()",
        ])  # fmt: skip
