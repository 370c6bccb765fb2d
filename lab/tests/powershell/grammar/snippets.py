"""Whole snippets: a prelude that shows any value as one line, then statements."""

from __future__ import annotations

from dataclasses import dataclass, field

from lab.tests.powershell.grammar.statements import Statements

PRELUDE = r"""
function show($v) {
    if ($null -eq $v) { return 'null' }
    $type = $v.GetType().FullName
    if ($v -is [string]) { return "'$v'" }
    if ($v -is [double]) { return "double:" + $v.ToString('R', [cultureinfo]::InvariantCulture) }
    if ($v -is [float]) { return "single:" + $v.ToString('G6', [cultureinfo]::InvariantCulture) }
    if ($v -is [datetime]) { return "datetime:" + $v.ToString('yyyy-MM-ddTHH:mm:ss.fffffff') }
    if ($v -is [System.Management.Automation.PSCustomObject]) {
        $rows = foreach ($p in $v.psobject.Properties) { "$($p.Name)=$(show $p.Value)" }
        return "object{$($rows -join '; ')}"
    }
    if ($v -is [System.Collections.IDictionary]) {
        $rows = foreach ($k in @($v.Keys)) { "$k=$(show $v[$k])" }
        return "$type{$($rows -join '; ')}"
    }
    if ($v -is [System.Collections.IEnumerable] -and $v -isnot [string]) {
        $rows = foreach ($i in $v) { show $i }
        return "$type($($rows -join ', '))"
    }
    return "$type`:$v"
}
function oops($e) {
    "ERR $($e.Exception.GetType().Name) $($e.FullyQualifiedErrorId) $($e.CategoryInfo.Category)"
}
"""


@dataclass(frozen=True)
class Snippet:
    """A script, and the scripts that it calls, which lie beside it."""

    name: str
    text: str
    files: dict[str, str] = field(default_factory=dict)


def snippet(seed: int, number: int) -> Snippet:
    """The snippet of that number; the same for the same seed."""
    draw = Statements(f"{seed}/{number}")
    body = [draw.statement() for _ in range(draw.number(2, 5))]
    if draw.chance(0.08) and not draw.formatted_output:  # the judge's host drops a table at an exit
        body.append(draw.one([f"exit {draw.number(0, 9)}", "exit", "return 3"]))
    return Snippet(f"s{number}", PRELUDE.lstrip() + "\n".join(body) + "\n", draw.files)
