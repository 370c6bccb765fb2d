"""How parameters and variables are bound, converted and validated, and what the errors of it say.

Each case is what PowerShell's engine answered; the grammar draws such snippets where the engine is.
"""

from __future__ import annotations

import pytest

from lab.tests.powershell.session import run

_BIND = "'{0}/{1}/{2}' -f $_.CategoryInfo.Activity, $_.InvocationInfo.MyCommand.Name, $_.FullyQualifiedErrorId"
_MESSAGE = "$_.Exception.Message"
_TYPE = "$_.Exception.GetType().Name"
_CANNOT_ADD = (
    "The attribute cannot be added because variable v with value {} would no longer be valid."
)
_NOT_VALID = (
    "The variable cannot be validated because the value {} is not a valid value for the v variable."
)


def said(code: str, what: str) -> str:
    """What a piece of code prints, or of its error."""
    return run(f"try {{ {code} }} catch {{ {what} }}").output.strip()


@pytest.mark.parametrize(
    ("code", "printed"),
    [
        ("function f { param([ValidateSet('a')]$p) }; f -p:(1, 9)", "f/f/ParameterArgumentValidationError,f"),
        ("function f { param([int]$p) }; f x", "f/f/ParameterArgumentTransformationError,f"),
        ("function f { param([Parameter(Mandatory)]$p) }; f", "f/f/MissingMandatoryParameter,f"),
        ("function f { param([Parameter(Mandatory)]$p) }; f $null", "f/f/ParameterArgumentValidationErrorNullNotAllowed,f"),
        ("function f { param([Parameter(Mandatory)]$p) }; f -x 1", "f/f/NamedParameterNotFound,f"),
        ("& { param([int]$p) } x", "//ParameterArgumentTransformationError"),
    ],
)  # fmt: skip
def test_a_binding_error_names_the_command(code: str, printed: str) -> None:
    assert said(code, _BIND) == printed


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("[ValidateCount(1, 2)]$v = 'xyz'", _CANNOT_ADD.format("xyz")),
        ("[ValidateCount(1, 2)]$v = 'x'; $v = 0", _NOT_VALID.format("0")),
        ("$v = 1; [ValidateRange(1, 2)][int]$v = '5'", _NOT_VALID.format("5")),
        ("$v = 1; [ValidateRange(1, 2)]$v = $null", _NOT_VALID.format("$null")),
        ("[ValidatePattern('^a')][array]$v = 'a'; $v = 3", _NOT_VALID.format("System.Object[]")),
        ("[ValidateScript({ throw 'no' })]$v = 'x'", "no"),
        ("[ValidateScript({ [void](1 / 0) })][string]$v = 9", "Attempted to divide by zero."),
        ("[nope]$v = 1", "Unable to find type [nope]."),
    ],
)  # fmt: skip
def test_a_variable_s_attribute_says_what_it_refuses(code: str, message: str) -> None:
    assert said(code, _MESSAGE) == message


def test_what_a_validation_script_throws_at_a_variable_goes_through() -> None:
    assert said("[ValidateScript({ 1 / 0 })]$v = 0", _TYPE) == "RuntimeException"


@pytest.mark.parametrize(
    ("attribute", "argument", "message"),
    [
        ("ValidateLength(2, 4)", "@($null)", "The ValidateLength attribute cannot be applied to a parameter that is not a string"),
        ("ValidateRange(1, 2)", "@($null)", "The argument is null. Provide a valid value"),
        ("ValidatePattern('a')", "@($null)", "The argument is null. Provide a valid value"),
        ("ValidateSet('a')", "@($null)", "The argument is null. Provide a valid value"),
        ("ValidateScript({ $true })", "@('a', $null)", "The argument is null. Provide a valid value"),
        ("ValidateScript({ $true })", "$null", "The argument is null, empty, or an element"),
        ("ValidateCount(1, 2)", "abcde", "The parameter requires at least 1 value(s) and no more than 2 value(s) - 5"),
        ("ValidateCount(2, 2)", "abc", "The parameter requires exactly 2 value(s) - 3"),
        ("ValidateCount(1, 2)", "([version]'1.2')", "The ValidateCount attribute cannot be applied to a non-array"),
        ("ValidateRange(1.5, 5)", "1", "The 1 argument is less than the minimum allowed range of 1.5"),
    ],
)  # fmt: skip
def test_a_parameter_s_attribute_says_what_it_refuses(
    attribute: str, argument: str, message: str
) -> None:
    found = said(f"function f {{ param([{attribute}]$p) }}; f {argument}", _MESSAGE)
    assert found.startswith(f"Cannot validate argument on parameter 'p'. {message}")


def test_windows_powershell_says_how_many_values_are_missing() -> None:
    code = "function f { param([ValidateCount(2, 3)][array]$p) }; try { f 1 } catch { $_.Exception.Message }"
    assert "(1) is fewer than the minimum number" in run(code, edition="Desktop").output


@pytest.mark.parametrize(
    ("code", "printed"),
    [
        ("function f { param([ValidateRange(1, 5)]$p) $p }; f 5.4", "5.4"),
        ("function f { param([ValidateCount(1, 2)][string]$p) $p }; f a", "a"),
        ("function f { param([bool]$p) $p = 'zz'; $p; $p = @{}; $p }; f 1", "True\nTrue"),
        ("function f { [CmdletBinding()] param([string]$p) $p = 1, 2; $p }; f a", "1 2"),
        ("function f { [bool]$b = 1; $b = @{}; $b }; f", "True"),
        ("class C { [bool]$B }; $c = [C]::new(); $c.B = 'x'; $c.B", "True"),
        ("function f { [CmdletBinding()] param($a, $b) \"$a $b\" }; f -b -nope 6", "6 -nope"),
        ("function f { [CmdletBinding()] param($a, $b, [Parameter(ValueFromRemainingArguments)]$r) \"$a $b $r\" }; f 1 -b -nope 3 4", "1 -nope 3 4"),
        ("$v = 1; $private:v = 2; & { $v }", "2"),
        ("$private:v = 2; & { $global:v; $script:v; 'none' }", "none"),
        ("function f { param([version]$p) \"$p\" }; f 1.10", "1.10"),
        ("function f { param([Collections.ArrayList]$p) $p.Count }; f a; f 1, 2", "1\n2"),
        ("function f { param([Parameter(ValueFromPipeline)][Collections.ArrayList]$p) process { \"<$p>\" } }; 'a', 1 | f", "<a>\n<1>"),
        ("function f { param([ValidateNotNull()][string]$p) $p = 1, 2; $p }; f a", "1 2"),
        ("function f { [CmdletBinding()] param($a, $b) $PSBoundParameters.Keys -join ',' }; f 1 -Verbose -b 2", "Verbose,b,a"),
        ("function f { param([bool]$p) $p }; f -p:([DayOfWeek]1)", "True"),
    ],
)  # fmt: skip
def test_a_value_is_taken_as_the_engine_takes_it(code: str, printed: str) -> None:
    assert said(code, "$_.FullyQualifiedErrorId") == printed


@pytest.mark.parametrize(
    ("code", "error_id"),
    [
        ("function f { param([int]$p) $p = 'zz' }; f 1", "InvalidCastFromStringToInteger"),
        ("function f { param([ValidateNotNull()][int]$p) $p = 'zz' }; f 1", "RuntimeException"),
        ("function f { param([DayOfWeek]$p) $p = 'zz' }; f 1", "RuntimeException"),
        ("function f { param([int]$p) $p = 'zz' }; . f 1", "RuntimeException"),
        ("function f { [ValidateNotNull()][bool]$p = 1; $p = 'a' }; f", "RuntimeException"),
        ("function f { param([bool]$p = $null) }; f", "ParameterArgumentTransformationError,f"),
        ("function f { [CmdletBinding()] param([string]$p = @(1, 2)) }; f", "ParameterArgumentTransformationError,f"),
        ("function f { param([Parameter(Mandatory)]$p) }; f 4 5 -nope 3", "PositionalParameterNotFound,f"),
        ("function f { param([Parameter(Mandatory)]$p) }; f 4 -nope 5 6", "NamedParameterNotFound,f"),
        ("function f { param([nope]$p) }; f 1", "TypeNotFound"),
        ("function f { [CmdletBinding(PositionalBinding = $false)] param($p) }; f 1", "PositionalParameterNotFound,f"),
        ("function f { param([Parameter(ValueFromPipeline)][int]$p) }; f -p { 1 }", "ScriptBlockArgumentNoInput,f"),
        ("function f { param([Parameter(Position = 1)]$a, [Parameter(Position = 1)]$b) }; f 1", "AmbiguousPositionalParameterNoName,f"),
        ("function f { param([Parameter(Position = 1)]$a, [Parameter(Position = 1)]$b) }; f -x", "AmbiguousPositionalParameterNoName,f"),
        ("function f { param([Parameter(ParameterSetName = 'A')]$a, [Parameter(ParameterSetName = 'B', ValueFromPipeline)]$b) }; "
         "$ErrorActionPreference = 'Stop'; 1 | f -a 2", "InputObjectNotBound,f"),
        ("function f { [CmdletBinding()] param($a) }; f -a --", "MissingArgument,f"),
        ("function f { param([switch]$p) }; f -p:@(1)", "ParameterArgumentTransformationError,f"),
    ],
)  # fmt: skip
def test_a_value_is_refused_as_the_engine_refuses_it(code: str, error_id: str) -> None:
    assert said(code, "$_.FullyQualifiedErrorId") == error_id


def test_an_argument_without_a_place_is_named_as_a_text() -> None:
    code = "function f { [CmdletBinding()] param() }; f "
    assert said(code + "$null", _MESSAGE).endswith("accepts argument '$null'.")
    assert said(code + "@(1, 2)", _MESSAGE).endswith("accepts argument 'System.Object[]'.")


def test_an_unknown_type_s_error_is_about_its_name() -> None:
    shown = said(
        "[nope[]]1", "$_.TargetObject; $_.TargetObject.Extent.Text; $_ -is [pscustomobject]"
    )
    assert shown.splitlines()[0] == "FullName     : nope"
    assert shown.splitlines()[-2:] == ["nope", "False"]


def test_a_function_that_takes_no_input_says_so_of_each_object() -> None:
    ran = run(
        "function f { [CmdletBinding()] param($a) begin { 'b' } process { 'p' } end { 'e' } }; 1, 2 | f; f"
    )
    assert ran.output.split() == ["b", "e", "b", "p", "e"]
    assert (
        ran.errors.count("The input object cannot be bound to any parameters for the command") == 2
    )


@pytest.mark.parametrize(
    ("parameters", "call", "chosen"),
    [
        ("[Parameter(ParameterSetName = 'B')]$a, $b", "f; f -a 1; f -b 1", "__AllParameterSets\nB\n__AllParameterSets"),
        ("[Parameter(ParameterSetName = 'A', ValueFromPipeline)][int]$a, "
         "[Parameter(Mandatory, ParameterSetName = 'B')]$b", "1 | f", "A"),
    ],
)  # fmt: skip
def test_the_set_of_parameters_in_force(parameters: str, call: str, chosen: str) -> None:
    code = (
        f"function f {{ [CmdletBinding()] param({parameters}) $PSCmdlet.ParameterSetName }}; {call}"
    )
    assert said(code, "$_.FullyQualifiedErrorId") == chosen


@pytest.mark.parametrize(
    ("call", "name"),
    [("f", "' a'"), ("f 1 1kb", "'1kb'"), ("f -x 1", "'x'")],
)
def test_a_binding_error_s_exception_names_the_parameter(call: str, name: str) -> None:
    code = f"function f {{ param([Parameter(Mandatory)]$a) }}; {call}"
    assert said(code, "\"'$($_.Exception.ParameterName)'\"") == name


def test_common_parameters_are_among_what_a_beginning_may_mean() -> None:
    code = "function f { [CmdletBinding()] param($Value, $Verb) }; f -V 1"
    assert said(code, _MESSAGE).endswith("include: -Value -Verb -Verbose.")


def test_a_text_ends_its_lines_at_line_ends_alone() -> None:
    assert run('"a`n"; \'b\'; "c`fd$([char]0x85)e"').output == "a\n\nb\nc\fd\x85e\n"


@pytest.mark.parametrize(
    ("call", "error"),
    [
        ("Get-Command -TotalCount x",
         "ParameterBindingException/CannotConvertArgumentNoMessage,Microsoft.PowerShell.Commands.GetCommandCommand/"
         "Cannot bind parameter 'TotalCount'. Cannot convert value \"x\" to type \"System.Int32\"."),
        ("Write-Output 1 -NoEnumerate:x",
         "ParameterBindingException/CannotConvertArgument,Microsoft.PowerShell.Commands.WriteOutputCommand/"
         "Cannot convert 'System.String' to the type 'System.Management.Automation.SwitchParameter' required by parameter"),
        ("function f { [CmdletBinding()] param() }; f -ErrorAction nope",
         "ParameterBindingException/CannotConvertArgumentNoMessage,f/Cannot bind parameter 'ErrorAction'. Cannot convert"),
    ],
)  # fmt: skip
def test_a_cmdlet_converts_its_arguments_itself(call: str, error: str) -> None:
    facts = (
        "$_.Exception.GetType().Name + '/' + $_.FullyQualifiedErrorId + '/' + $_.Exception.Message"
    )
    assert said(call, facts).startswith(error)


_EVEN = (
    "class EvenAttribute : Management.Automation.ValidateEnumeratedArgumentsAttribute "
    '{ [void] ValidateElement([object]$e) { if ($e % 2) { throw "odd $e" } } }; '
)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (_EVEN + "function f { param([Even()]$p) }; f 3", "ParameterBindingValidationException/ParameterArgumentValidationError,f"),
        (_EVEN + "[Even()]$v = 4; $v = 5", "RuntimeException/odd 5"),
        ("class C { [ValidateRange(1, 3)][int]$A = 9 }; [C]::new()", "ValidationMetadataException/ValidateRangeTooBig"),
    ],
)  # fmt: skip
def test_who_raises_what_an_attribute_refuses(code: str, error: str) -> None:
    assert said(code, "$_.Exception.GetType().Name + '/' + $_.FullyQualifiedErrorId") == error


@pytest.mark.parametrize(
    ("code", "printed"),
    [
        ("[switch]$true -eq $true; [switch]$true -eq 1; 1 -eq [switch]$true", "True\nFalse\nFalse"),
        ("[char]'I' -ne ('a', 'b'); [char]'I' -eq @('I')", "True\nFalse"),
    ],
)
def test_values_that_do_not_convert_are_not_equal(code: str, printed: str) -> None:
    assert run(code).output.strip() == printed
