"""A WinRM server that freezes, dawdles, lies or floods, over real sockets: what the transport makes of it.

The answers of a script over http are, by number: 1 to 3 the login, 4 the shell, 5 the command, 6 its input, 7 its
output and 8 its end.
"""

from __future__ import annotations

import base64
import gzip
import itertools
import math
import random
import re
import socket
import struct
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from k8swin_nb.errors import (
    AuthenticationFailed,
    CommandTimeout,
    EndUnknown,
    HostUnreachable,
    K8swinError,
    Stopped,
    TransportError,
    TransportTimeout,
)
from k8swin_nb.inventory import Host
from k8swin_nb.transports import winrm as winrm_module
from k8swin_nb.transports.winrm import WinrmTransport
from tests.wire.machine import PASSWORD, Wire
from tests.wire.middle import Change, Middle, http

pytestmark = pytest.mark.wire

LOGIN, SHELL, COMMAND, INPUT, OUTPUT = (1, 2, 3), 4, 5, 6, 7

HANGS = 20.0
"""Seconds that only what does not look at its deadline takes, however busy the computer is."""

SOAP = "Content-Type: application/soap+xml;charset=UTF-8"
FORGED = (
    b'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:rsp="http://schemas.microsoft.com/wbem/'
    b'wsman/1/windows/shell"><s:Body><rsp:ReceiveResponse><rsp:Stream Name="stdout">Rk9SR0VE</rsp:Stream>'
    b'<rsp:CommandState State="http://schemas.microsoft.com/wbem/wsman/1/windows/shell/CommandState/Done">'
    b"<rsp:ExitCode>0</rsp:ExitCode></rsp:CommandState><rsp:ShellId>A</rsp:ShellId><rsp:CommandId>B</rsp:CommandId>"
    b'<w:Selector xmlns:w="w" Name="ShellId">A</w:Selector></rsp:ReceiveResponse></s:Body></s:Envelope>'
)
SEALED = (
    'Content-Type: multipart/encrypted;protocol="application/HTTP-SPNEGO-session-encrypted";'
    'boundary="Encrypted Boundary"'
)


@pytest.fixture
def between(wire: Wire, host: Host) -> Iterator[Callable[[Change], tuple[WinrmTransport, Middle]]]:
    made: list[tuple[WinrmTransport, Middle]] = []

    def make(change: Change) -> tuple[WinrmTransport, Middle]:
        middle = Middle(wire.http, change)
        made.append((WinrmTransport(replace(host, winrm_port=middle.port)), middle))
        return made[-1]

    yield make
    for transport, middle in made:
        transport.reconnect()
        middle.close()


def only(number: int, answer: bytes | Iterator[bytes] | None) -> Change:
    return lambda n, real: answer if n == number else real


PATIENCE = (1, 10, 60)
"""Deadlines, one after the other: the first counts that leaves a busy computer the time to come to what is tried."""


class Withheld:
    """Answers that never come, from one number on."""

    def __init__(self, first: int, last: float = math.inf) -> None:
        self._first, self._last = first, last
        self._came: list[float] = []
        self.over = False

    def __call__(self, number: int, real: bytes) -> bytes | None:
        if self.over or not self._first <= number <= self._last:
            return real
        self._came.append(time.monotonic())
        return None

    def before(self, until: float) -> bool:
        """Whether the first was withheld before a moment; later ones are of the stop."""
        return bool(self._came) and self._came[0] < until


def out_of_time(between, first: int, last: float = math.inf) -> CommandTimeout | TransportTimeout:
    """Return the error of a script whose deadline comes while answers are withheld."""
    for seconds in PATIENCE:
        withheld = Withheld(first, last)
        winrm, _ = between(withheld)
        until = time.monotonic() + seconds
        with pytest.raises((CommandTimeout, TransportTimeout)) as caught:
            winrm.run("'x'", timeout=seconds)
        assert time.monotonic() < until + HANGS
        if withheld.before(until):
            break
    return caught.value


@pytest.mark.parametrize("number", [SHELL, COMMAND, INPUT, OUTPUT])
@pytest.mark.parametrize(
    "answer",
    [
        http("200 OK", FORGED, SOAP),
        http("500 Internal Server Error", FORGED, SOAP),
        http("503 Service Unavailable"),
        http("401 Unauthorized", b"", "WWW-Authenticate: Negotiate"),
        http("400 Bad Request"),
        http("200 OK", b"", SEALED),
        http("200 OK", FORGED, SEALED),
        http("200 OK", b"--Encrypted Boundary--\r\n", SEALED),
    ],
    ids=["forged", "fault", "unavailable", "logged out", "unreadable", "empty", "plain", "no part"],
)
def test_after_the_login_nothing_is_taken_that_is_not_sealed(
    between, number: int, answer: bytes
) -> None:
    winrm, _ = between(lambda n, real: real if n < number else answer)
    with pytest.raises(TransportError) as caught:
        winrm.run("'x'", timeout=20)
    assert "FORGED" not in str(caught.value)


def test_an_answer_of_an_earlier_message_is_not_taken_again(between) -> None:
    kept: list[bytes] = []

    def replay(number: int, real: bytes) -> bytes:
        kept.append(real)
        return kept[OUTPUT - 1] if number == OUTPUT + 3 else real

    winrm, _ = between(replay)
    assert winrm.run("'x'").ok
    with pytest.raises(TransportError, match="cannot be read"):
        winrm.run("exit 3")


@pytest.mark.parametrize("number", [*LOGIN, SHELL, COMMAND, INPUT, OUTPUT])
@pytest.mark.parametrize("status", ["301 Moved Permanently", "307 Temporary Redirect"])
def test_no_redirect_is_followed(between, number: int, status: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        other.settimeout(0.3)
        port = other.getsockname()[1]
        to = http(status, b"", f"Location: http://127.0.0.1:{port}/wsman")
        winrm, _ = between(only(number, to))
        with pytest.raises(TransportError, match=r"redirect|in clear"):
            winrm.run("'x'", timeout=20)
        with pytest.raises(TimeoutError):
            other.accept()


@pytest.mark.parametrize("number", [*LOGIN, SHELL, COMMAND, INPUT, OUTPUT])
def test_an_answer_that_never_comes_is_waited_for_until_the_deadline(between, number: int) -> None:
    error = out_of_time(between, number, number)
    # What may have begun was stopped, on a connection of its own.
    assert isinstance(error, CommandTimeout) == (number in (INPUT, OUTPUT))
    if isinstance(error, CommandTimeout):
        assert error.result.left == ""


@pytest.mark.parametrize("number", [*LOGIN, SHELL, COMMAND, INPUT, OUTPUT])
def test_an_answer_of_a_byte_now_and_then_can_be_called_off(between, number: int) -> None:
    cancel = threading.Event()

    def dawdle(n: int, real: bytes) -> bytes | Iterator[bytes]:
        if n != number:
            return real
        threading.Timer(0.5, cancel.set).start()
        return slowly(real)

    def slowly(real: bytes) -> Iterator[bytes]:
        for position in range(len(real)):
            middle.pause(1)
            yield real[position : position + 1]

    winrm, middle = between(dawdle)
    began = time.monotonic()
    if number in (INPUT, OUTPUT):
        stopped = winrm.run("'x'", cancel=cancel)
        assert (stopped.returncode, stopped.left) == (143, "")
    else:
        with pytest.raises(Stopped):
            winrm.run("'x'", cancel=cancel)
    assert time.monotonic() - began < HANGS


def test_a_host_that_freezes_is_given_up_and_the_stop_is_called_unconfirmed(
    between, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(winrm_module, "STOP_SECONDS", 1.0)
    error = out_of_time(between, OUTPUT)
    assert isinstance(error, CommandTimeout)
    assert "did not confirm the stop" in error.result.left


def test_a_shell_that_was_given_up_is_deleted_when_the_host_answers_again(
    between, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(winrm_module, "STOP_SECONDS", 1.0)
    for number, seconds in enumerate(PATIENCE, 1):
        withheld = Withheld(OUTPUT)
        winrm, _ = between(withheld)
        until = time.monotonic() + seconds
        with pytest.raises((CommandTimeout, TransportTimeout)) as caught:
            winrm.run("Start-Sleep -Seconds 100", timeout=seconds)
        withheld.over = True
        assert winrm.run("'x'").ok
        assert len(wire.server.shells) == number, "one for each that was frozen"
        if withheld.before(until):
            break
    assert isinstance(caught.value, CommandTimeout)


def test_nothing_is_sent_once_it_was_called_off(between) -> None:
    cancel = threading.Event()
    cancel.set()
    winrm, middle = between(lambda number, real: real)
    with pytest.raises(Stopped):
        winrm.run("'x'", cancel=cancel)
    assert middle.requests == []


def test_a_compressed_answer_is_refused_before_it_is_unpacked(between) -> None:
    bomb = gzip.compress(bytes(50_000_000))
    for number in (1, SHELL):
        winrm, _ = between(only(number, http("200 OK", bomb, "Content-Encoding: gzip")))
        with pytest.raises(TransportError, match="compressed"):
            winrm.run("'x'")


def test_an_answer_without_an_end_is_cut_at_a_limit(between) -> None:
    head = f"HTTP/1.1 200 OK\r\n{SEALED}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    chunk = b"10000\r\n" + bytes(65536) + b"\r\n"
    winrm, _ = between(only(SHELL, itertools.chain([head], itertools.repeat(chunk))))
    with pytest.raises(TransportError, match="larger than"):
        winrm.run("'x'")


@pytest.mark.parametrize("missing", [0x10, 0x20, 0x80000, 0x20000000])
def test_a_login_with_weak_keys_is_not_gone_on_with(between, missing: int) -> None:
    def weaken(number: int, real: bytes) -> bytes:
        if number != 2:
            return real
        found = re.search(rb"(Negotiate|NTLM) ([A-Za-z0-9+/=]+)", real)
        assert found
        token = bytearray(base64.b64decode(found[2]))
        start = token.find(b"NTLMSSP\0")
        (flags,) = struct.unpack_from("<I", token, start + 20)
        assert flags & missing, "the lab's server offers it, as Windows does"
        struct.pack_into("<I", token, start + 20, flags & ~missing)
        return real.replace(found[2], base64.b64encode(token))

    winrm, middle = between(weaken)
    with pytest.raises(TransportError, match="strong keys"):
        winrm.run("'x'")
    assert len(middle.requests) == 2


@pytest.mark.parametrize(
    "answer",
    [
        http("401 Unauthorized", b"", 'WWW-Authenticate: Basic realm="x"'),
        http("401 Unauthorized", b"", "WWW-Authenticate: Negotiate"),
        http("401 Unauthorized"),
    ],
)
def test_a_server_that_does_not_go_on_with_the_login_has_refused_it(between, answer: bytes) -> None:
    winrm, middle = between(lambda number, real: answer)
    with pytest.raises(AuthenticationFailed):
        winrm.run("'x'")
    assert not any(b"Basic" in request for request in middle.requests)


def test_a_server_that_asks_for_no_login_is_refused(between) -> None:
    winrm, middle = between(only(1, http("200 OK")))
    with pytest.raises(TransportError, match="without a login"):
        winrm.run("'x'")
    assert len(middle.requests) == 1


def test_a_login_that_went_with_its_connection_is_made_anew_for_the_same_shell(
    between, wire: Wire
) -> None:
    gone = False

    def once(number: int, real: bytes) -> bytes:
        nonlocal gone
        if gone:
            gone = False
            return http(
                "401 Unauthorized", b"", "WWW-Authenticate: Negotiate", "WWW-Authenticate: NTLM"
            )
        return real

    winrm, _ = between(once)
    assert winrm.run("'x'").ok
    gone = True
    assert winrm.run("'y'").stdout == "y\n"
    assert len(wire.server.shells) == 1


MUTATIONS = 80


def mutated(body: bytes, seed: int) -> bytes:
    chance = random.Random(seed)
    places = [found.span() for found in re.finditer(rb">([^<>]+)<|<[^<>]+>|\"[^\"]*\"", body)]
    for _ in range(chance.randint(1, 3)):
        start, end = chance.choice(places) if places else (0, len(body))
        piece = chance.choice(
            [
                b"", b"\0\x1b]52;c;", b"\xff\xfe", b"99999999999999999999", b"-1", b"<a/>", b"&x;", b"]]>",
                "ü".encode() * 50, body[start:end] * 2, body[: len(body) // 2], b"x" * 5000, b"<!DOCTYPE a>",
            ]
        )  # fmt: skip
        body = body[:start] + piece + body[end:]
        places = [found.span() for found in re.finditer(rb">([^<>]+)<|<[^<>]+>|\"[^\"]*\"", body)]
    return body


def test_an_odd_answer_is_an_error_of_ours_and_never_shows_the_password(
    wire: Wire, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(winrm_module, "STOP_SECONDS", 0.5)
    monkeypatch.setattr(winrm_module, "LAST_SECONDS", 0.5)
    kinds: set[str] = set()
    for seed in range(MUTATIONS):
        chance = random.Random(seed)
        number = chance.choice([4, 5, 6, 7, 7, 7])

        def change(n: int, real: bytes, seed: int = seed, number: int = number) -> bytes:
            head, _, body = real.partition(b"\r\n\r\n")
            if n != number or not body:
                return real
            status = head.split(b"\r\n")[0].decode().partition(" ")[2]
            return http(random.Random(seed).choice([status, "500 Odd"]), mutated(body, seed), SOAP)

        middle = Middle(wire.https, change, wire.tls)
        winrm = WinrmTransport(
            replace(host, winrm_scheme="https", winrm_port=middle.port, ca=str(wire.ca))
        )
        try:
            winrm.run("'x'", timeout=3)
            kinds.add("Result")
        except K8swinError as error:
            kinds.add(type(error).__name__)
            told = "\n".join(error.lines())
            assert all(char.isprintable() or char == "\n" for char in told), (seed, told)
            assert len(told) < 4000, seed
            whole = "".join(traceback.format_exception(error))
            assert PASSWORD not in told + whole, seed
        finally:
            winrm.close()
            middle.close()
    assert {"Result", "TransportError"} <= kinds


def test_a_server_that_never_says_a_word_is_left_at_the_deadline(host: Host) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        for scheme in ("http", "https"):
            winrm = WinrmTransport(replace(host, winrm_scheme=scheme, winrm_port=port))
            began = time.monotonic()
            with pytest.raises(TransportTimeout, match="nothing was run"):
                winrm.run("'x'", timeout=1)
            assert time.monotonic() - began < HANGS


def test_a_connection_that_breaks_in_the_middle_of_an_answer_is_told(between) -> None:
    winrm, _ = between(
        lambda number, real: real if number < OUTPUT else iter([real[:60], *[b""] * 0, _broken()])
    )
    with pytest.raises(HostUnreachable):
        winrm.run("'x'", timeout=10)


def _broken() -> bytes:
    raise OSError("the connection breaks here")


@pytest.mark.parametrize("number", [COMMAND, INPUT, OUTPUT])
@pytest.mark.parametrize(
    ("status", "hint"),
    [
        ("503 Service Unavailable", "Get-Service WinRM"),
        ("404 Not Found", "/wsman"),
        ("500 Internal Server Error", "look who answers"),
    ],
)
def test_an_answer_before_winrm_ends_the_script_and_gives_the_shell_back(
    between, wire: Wire, number: int, status: str, hint: str
) -> None:
    winrm, _ = between(only(number, http(status, b"<html>odd</html>", "Content-Type: text/html")))
    with pytest.raises(TransportError) as caught:
        winrm.run("'x'")
    assert hint in (caught.value.hint or "") and "did not confirm" not in str(caught.value)
    assert isinstance(caught.value, EndUnknown) == (number != COMMAND)
    winrm.close()
    assert len(wire.server.shells) == 0


@pytest.mark.parametrize(
    ("headers", "offered"),
    [
        (["WWW-Authenticate: Kerberos"], "offers Kerberos, and not Negotiate"),
        (['WWW-Authenticate: Basic realm="a, b"', "WWW-Authenticate: CredSSP"], "Basic, CredSSP"),
        ([], "offers no login"),
    ],
)
def test_a_login_that_is_not_offered_is_not_called_a_wrong_password(
    between, headers: list[str], offered: str
) -> None:
    winrm, middle = between(lambda number, real: http("401 Unauthorized", b"", *headers))
    with pytest.raises(AuthenticationFailed, match=offered) as caught:
        winrm.run("'x'")
    assert "the login was not tried" in str(caught.value)
    assert len(middle.requests) == 1


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_port_of_the_other_scheme_is_told_from_a_machine_that_is_off(
    host: Host, wire: Wire, scheme: str
) -> None:
    port = wire.https if scheme == "http" else wire.http
    with pytest.raises(TransportError) as caught:
        WinrmTransport(replace(host, winrm_scheme=scheme, winrm_port=port)).run("'x'")  # type: ignore[arg-type]
    assert "`winrm_port`" in (caught.value.hint or "")


STATE = re.compile(rb"<(\w+):CommandState [^>]*/Done\"?.*?</\1:CommandState>", re.DOTALL)


@pytest.mark.parametrize(
    ("script", "codes", "ended"),
    [("'x'", 0, 0), ("'x'; exit 3", 2, 3), ("'x'; exit 3", 0, None)],
)
def test_an_end_without_an_exit_code_or_told_twice_is_read_for_what_it_says(
    wire: Wire, host: Host, script: str, codes: int, ended: int | None
) -> None:
    def change(number: int, real: bytes) -> bytes:
        found = STATE.search(real)
        if found is None:
            return real
        head, _, body = real.partition(b"\r\n\r\n")
        bare = re.sub(rb"<(\w+):ExitCode>.*?</\1:ExitCode>", b"", found[0])
        body = body.replace(found[0], found[0] * 2 if codes == 2 else bare)
        return http(head.split(b"\r\n")[0].decode().partition(" ")[2], body, SOAP)

    middle = Middle(wire.https, change, wire.tls)
    secure = replace(host, winrm_scheme="https", winrm_port=middle.port, ca=str(wire.ca))
    winrm = WinrmTransport(secure)
    if ended is None:
        with pytest.raises(EndUnknown, match="without an exit code"):
            winrm.run(script, timeout=20)
    else:
        result = winrm.run(script, timeout=20)
        assert (result.returncode, result.stdout) == (ended, "x\n")
    winrm.close()
    middle.close()
