"""Types of .NET as scripts use them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from k8swin_lab.machines.program import NotSimulated
from k8swin_lab.network import HttpHandler, HttpRequest, HttpResponse
from k8swin_lab.powershell import dotnet
from k8swin_lab.powershell.api import Terminating
from k8swin_lab.powershell.dotnet.regex_syntax import translate

from lab.tests.powershell.posix_host import PosixHost
from lab.tests.powershell.session import interpreter, run

CASES = [
    line.split(" => ", 1)
    for line in Path(__file__).with_name("cases.txt").read_text().splitlines()
    if line and not line.startswith("#")
]


@pytest.mark.parametrize(("expression", "expected"), CASES, ids=[case[0] for case in CASES])
def test_an_expression_has_the_value_that_powershell_gives(expression: str, expected: str) -> None:
    ran = run(f'$v = {expression}; Write-Output "$v"')
    assert ran.errors == ""
    assert ran.output == expected + "\n"


@pytest.mark.parametrize(
    ("value", "type_name", "message"),
    [
        ("abc", "System.Int32", 'Cannot convert value "abc" to type "System.Int32". Error: '),
        (300, "System.Byte", 'Cannot convert value "300" to type "System.Byte". Error: "Value was'),
        (
            "1",
            "System.Version",
            'Cannot convert value "1" to type "System.Version". Error: "Version',
        ),
        (
            "x",
            "System.DayOfWeek",
            'Cannot convert value "x" to type "System.DayOfWeek". Error: "Unable',
        ),
        (
            1,
            "System.Collections.Hashtable",
            'Cannot convert the "1" value of type "System.Int32" to type',
        ),
    ],
)
def test_a_failed_cast_says_what_powershell_says(value: Any, type_name: str, message: str) -> None:
    with pytest.raises(dotnet.ConversionError) as raised:
        dotnet.convert(None, value, type_name)
    assert str(raised.value).startswith(message)


def test_a_method_that_is_missing_is_refused_with_its_type() -> None:
    with pytest.raises(NotSimulated, match=r"\[System\.Math\]::IEEERemainder\(\)"):
        dotnet.static_call(None, "System.Math", "IEEERemainder", [3, 2])
    with pytest.raises(NotSimulated, match=r"\[System\.Text\.Encoding\]::UTF7$"):
        dotnet.static_get("System.Text.Encoding", "UTF7", None)


def test_a_member_that_nobody_has_is_answered_as_dotnet_does() -> None:
    with pytest.raises(Terminating, match="does not contain a method named 'Nope'"):
        dotnet.static_call(None, "System.Math", "Nope", [])
    assert dotnet.static_get("System.Math", "Nope", None) is None


def test_a_text_has_no_other_methods_than_those_of_dotnet() -> None:
    with pytest.raises(
        Terminating, match=r"\[System.String\] does not contain a method named 'Nope'"
    ):
        dotnet.call_method(None, "x", "Nope", [])


def test_a_wrong_number_of_arguments_is_an_error_of_the_binder() -> None:
    with pytest.raises(Terminating) as raised:
        dotnet.call_method(None, "x", "Substring", [1, 2, 3])
    assert raised.value.error_id == "MethodCountCouldNotFindBest"


@pytest.mark.parametrize(
    ("expression", "named"),
    [
        ("'a'.LastIndexOfAny([char[]]'a', 1)", "[System.String].LastIndexOfAny()"),
        ("[regex]::IsMatch('a', 'a', 'None', [timespan]::Zero)", "Regex]::IsMatch()"),
        ("[decimal]::new(1)", "[System.Decimal]::new()"),
        ("[guid]::new(1, 2, 3, [byte[]](1..8))", "[System.Guid]::new()"),
        ("[array]::Sort((3, 1, 2), 0, 2)", "[System.Array]::Sort()"),
        (
            "[datetime]::Parse('01.02.2024', [cultureinfo]'de-DE')",
            "reading a date in the culture de-DE",
        ),
        ("[IO.Directory]::SetCurrentDirectory('/')", "SetCurrentDirectory()"),
    ],
)
def test_an_overload_that_is_missing_is_refused(
    expression: str, named: str, tmp_path: Path
) -> None:
    ran = run(f"try {{ {expression} }} catch {{ 'caught' }}", str(tmp_path))
    assert (ran.output, ran.code) == ("", 70)
    assert f"not simulated in the lab: {named}" in ran.errors or named in ran.errors


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("'a'.Replace('a', 'b', 'Ordinal')", 'overload for "Replace" and the argument count: "3"'),
        ("'a'.Contains('a', 'Ordinal')", 'overload for "Contains" and the argument count: "2"'),
        ("[IO.FileInfo]::new()", 'overload for "new" and the argument count: "0"'),
        ("[convert]::ToDateTime(1)", "Invalid cast from 'Int32' to 'DateTime'."),
        ("[convert]::ToChar('12')", "String must be exactly one character long."),
        ("([version]'1.2').CompareTo('l')", "Object must be of type Version."),
        ("(1, 2).GetLength(1)", "Index was outside the bounds of the array."),
    ],
)
def test_an_overload_that_nobody_has_gets_dotnets_words(expression: str, said: str) -> None:
    ran = run(f'try {{ {expression} }} catch {{ "$($_.Exception.Message)" }}')
    assert ran.errors == ""
    assert said in ran.output


def test_unnamed_groups_are_numbered_before_named_ones() -> None:
    translated = translate(r"(?<a>x)(y)(?<b>z)")
    assert translated.names == ("0", "1", "a", "b")
    assert translated.numbers == ((0,), (2,), (1,), (3,))


def test_a_regular_expression_without_counterpart_is_refused() -> None:
    with pytest.raises(NotSimulated):
        translate(r"(?<open>\()(?<-open>\))")


def test_hash_algorithms_read_bytes() -> None:
    ran = run(
        "-join ([Security.Cryptography.MD5]::Create().ComputeHash([byte[]]@()) | % { $_.ToString('x2') })"
    )
    assert ran.output == "d41d8cd98f00b204e9800998ecf8427e\n"


def test_files_are_read_and_written_through_the_host(tmp_path: Path) -> None:
    ran = run(
        "[IO.File]::WriteAllLines('a.txt', [string[]]('x', 'y')); [IO.File]::ReadAllLines('a.txt').Count;"
        "[IO.File]::Exists('a.txt'); try { [IO.File]::ReadAllText('b.txt') } catch { $_.Exception.InnerException.GetType().Name }",
        str(tmp_path),
    )
    assert ran.output == "2\nTrue\nFileNotFoundException\n"
    assert (tmp_path / "a.txt").read_bytes().split() == [b"x", b"y"]


def test_standard_input_is_read_by_line_and_whole() -> None:
    ran = run("[Console]::In.ReadLine(); [Console]::In.ReadToEnd()", stdin=b"first\nrest of it")
    assert ran.output == "first\nrest of it\n"


def test_a_secret_is_never_shown() -> None:
    ran = run(
        "$s = ConvertTo-SecureString 'hush' -AsPlainText -Force; \"$s\"; $s | Out-String; $s.Length"
    )
    assert "hush" not in ran.output


class ListeningHost(PosixHost):
    """A host whose ports can be listened on."""

    def __init__(self) -> None:
        super().__init__()
        self.handlers: dict[int, HttpHandler] = {}

    def listen(self, port: int, handler: HttpHandler) -> Callable[[], object]:
        if port in self.handlers:
            raise OSError("in use")
        self.handlers[port] = handler
        return lambda: self.handlers.pop(port)


SERVER = """
$l = [System.Net.HttpListener]::new(); $l.Prefixes.Add('http://+:8080/'); $l.Start()
$c = $l.GetContext()
$bytes = [Text.Encoding]::UTF8.GetBytes("$($c.Request.HttpMethod) $($c.Request.Url.LocalPath)")
$c.Response.StatusCode = 201; $c.Response.ContentType = 'text/plain'; $c.Response.ContentLength64 = $bytes.Length
$c.Response.OutputStream.Write($bytes, 0, $bytes.Length); $c.Response.Close(); $l.Stop()
"""


def test_a_script_serves_http_requests(tmp_path: Path) -> None:
    host = ListeningHost()
    session, _, err = interpreter(str(tmp_path), host=host)
    thread = threading.Thread(target=session.run_script, args=(SERVER,))
    thread.start()
    while 8080 not in host.handlers and thread.is_alive():
        time.sleep(0.01)
    assert 8080 in host.handlers, err.getvalue().decode()
    answer: HttpResponse = host.handlers[8080](
        HttpRequest("GET", "http://pod:8080/hello", peer="10.0.0.9")
    )
    thread.join()
    assert (answer.status, answer.body) == (201, b"GET /hello")
    assert answer.headers["content-type"] == "text/plain"
    assert host.handlers == {}


def test_a_machine_without_ports_refuses_to_listen() -> None:
    ran = run(
        "try { $l = [Net.HttpListener]::new(); $l.Start() } catch { $_.Exception.InnerException.GetType().Name }"
    )
    assert ran.output == "HttpListenerException\n"
