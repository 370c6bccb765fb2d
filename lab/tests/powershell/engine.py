"""Runs snippets in the real engine, many to a process, and in the lab, and tells what differs.

The engine's own program runs one script a process, in a second; its entry is called here once for
each snippet from a script of ours, with a fresh runspace each, so that they share the start alone.
"""

from __future__ import annotations

import os
import re
import subprocess
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from lab.tests.powershell.grammar.snippets import Snippet
from lab.tests.powershell.session import interpreter

_DRIVER = r"""
param([string]$List)
$any = [Reflection.BindingFlags]'Static,NonPublic,Public'
foreach ($a in [AppDomain]::CurrentDomain.GetAssemblies()) {
    $t = $a.GetType('PsEngine.ScriptRun')
    if ($t) { $run = $t.GetMethod('Execute', $any) }
}
$mine = [Management.Automation.Runspaces.Runspace]::DefaultRunspace
$out, $err = [Console]::Out, [Console]::Error
foreach ($file in [IO.File]::ReadAllLines($List)) {
    $o, $e = [IO.StringWriter]::new(), [IO.StringWriter]::new()
    [Console]::SetOut($o)
    [Console]::SetError($e)
    try { $code = $run.Invoke($null, @([IO.File]::ReadAllText($file), $file, [string[]]@())) }
    catch { $code = -1; $e.Write($_.Exception.ToString()) }
    finally {
        [Management.Automation.Runspaces.Runspace]::DefaultRunspace = $mine
        [Console]::SetOut($out)
        [Console]::SetError($err)
    }
    [IO.File]::WriteAllText("$file.out", $o.ToString())
    [IO.File]::WriteAllText("$file.err", $e.ToString())
    [IO.File]::WriteAllText("$file.rc", "$code")
}
"""
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_LONG_NUMBER = re.compile(r"\d+\.\d{14,}(E[+-]\d+)?|\d\.\d+E[+-]\d+")
_DOUBLE = re.compile(r"double:(-?[\d.]+(?:E[+-]\d+)?)")
_ASSEMBLY = re.compile(r", [\w.]+, Version=[\d.]+, Culture=\w+, PublicKeyToken=\w+")
_BLOCKS = re.compile(r",Microsoft\.PowerShell\.Commands\.(ForEach|Where)ObjectCommand")
_WORDS = (
    (re.compile(r"The input string '[^']*' was not in a correct format"), "Input string was not in a correct format"),
    (re.compile(r" \(Parameter '(\w+)'\)"), r"\nParameter name: \1"),
    (re.compile(r"into an object of type \"([^\"]*)\""), r"into an object of type \1"),
    (re.compile(r"[Ss]tring '[^']*' was not recognized as a valid"), "string was not recognized as a valid"),
    (re.compile(r"String was not recognized as a valid"), "string was not recognized as a valid"),
    (re.compile(r"starting at index '(\d+)'"), r"starting at index \1"),
    (re.compile(r"Invalid pattern '(.*?)' at offset \d+\. "), r'parsing "\1" - '),
    (re.compile(r"Decimal constructor requires an array or span of four valid decimal bytes"),
     "Decimal byte array constructor requires an array of length four containing valid decimal bytes"),
    (re.compile(r"Unrecognized Guid format|Guid should contain 32 digits[^\n\"]*(?=\.)"), "no guid"),
    (re.compile(r"a name of a cmdlet, function, script file, or executable program\.\n"),
     "the name of a cmdlet, function, script file, or operable program. "),
)  # fmt: skip
"""Sentences of .NET Core and of PowerShell 7, and those of their predecessors."""
_NOT_SIMULATED = 70
_PATIENCE = 20.0
"""Seconds that a snippet may run in the lab."""


@dataclass(frozen=True)
class Result:
    """What a snippet printed, its exit code, and what it said on standard error."""

    output: str
    code: int
    errors: str = ""


def in_engine(command: str, snippets: Iterable[Snippet], work: Path) -> Iterator[Result]:
    """The snippets' results in order; `command` is the engine's, as the environment names it."""
    files = [_written(s, work) for s in snippets]
    driver, listed = work / "driver.ps1", work / "list.txt"
    driver.write_text(_DRIVER)
    listed.write_text("\n".join(str(f) for f in files))
    done = subprocess.run([*command.split(), str(driver), str(listed)],
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr + done.stdout
    for file in files:
        yield Result(
            normal(Path(f"{file}.out").read_text()),
            int(Path(f"{file}.rc").read_text()),
            Path(f"{file}.err").read_text(),
        )


def in_lab(snippet: Snippet, work: Path) -> Result:
    """What the lab's interpreter says; a fault of Python's is code -2."""
    file = _written(snippet, work)
    session, out, err = interpreter(str(work))
    patience = threading.Timer(_PATIENCE, session.cancelled_event.set)
    patience.daemon = True
    patience.start()
    try:
        code = session.run_script(snippet.text, name=str(file))
    except Exception as error:
        return Result(normal(out.getvalue().decode()), -2, f"{type(error).__name__}: {error}")
    finally:
        patience.cancel()
    return Result(normal(out.getvalue().decode()), code, err.getvalue().decode())


def _written(snippet: Snippet, work: Path) -> Path:
    file = work / f"{snippet.name}.ps1"
    file.write_text(snippet.text)
    for name, text in snippet.files.items():
        (work / name).write_text(text)
    return file


def normal(text: str) -> str:
    """Output without colours, trailing blanks, and digits that only .NET Core prints."""

    def shorter(match: re.Match[str]) -> str:
        return f"{float(match.group()):.12g}"

    text = _ASSEMBLY.sub("", text).replace("InvocationWithFormatProvider", "Invocation")
    text = _BLOCKS.sub("", text)
    for pattern, words in _WORDS:
        text = pattern.sub(words, text)
    text = _DOUBLE.sub(lambda match: f"double:{float(match[1]) + 0.0:.12g}", text)
    text = _LONG_NUMBER.sub(shorter, _COLOUR.sub("", text.replace("\r\n", "\n")))
    return "\n".join(line.rstrip() for line in text.split("\n")).rstrip()


def refused(result: Result) -> bool:
    """Whether the lab said aloud that it does not simulate something."""
    return result.code == _NOT_SIMULATED and "not simulated in the lab" in result.errors


def peer() -> str:
    """The command that runs a script in the real engine, or nothing."""
    named = os.environ.get("K8SWIN_PSENGINE", "")
    beside = Path(__file__).resolve().parents[4] / "shared" / "pwsh" / "psengine"
    return named or (f"{beside} run" if os.access(beside, os.X_OK) else "")
