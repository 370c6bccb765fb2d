"""Masking: in which forms a secret is found, what is left alone, and how long it takes."""

import base64
import html
import json
import quopri
import random
import shlex
import time
import unicodedata
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

import pytest
import yaml

from k8swin_nb import redact as redact_module
from k8swin_nb.redact import MASK, REDACTOR, RedactedStream, Redactor, know_proxies, redact
from k8swin_nb.secret import Secret
from k8swin_nb.secret_index import Index
from k8swin_nb.tables.code import highlighted
from k8swin_nb.text_readings import joined
from k8swin_nb.text_views import View
from tests.conftest import ROOT

SECRETS = {
    "everything": 'Gr\u00fc\u00df\'"`$x <a>&{"k":1} 100%/+=\\z',
    "markup": "a<b>&c\"d'e",
    "quotes": "that's&so",
    "shell": "$HOME`id`;x",
    "like Base64": "TXlQYXNzd29yZElzQmFzZTY0",
    "short": "zq7!",
    "a word": "false",
    "digits": "90210",
    "with spaces": "wrong donkey charger",
    "no letter of ASCII": "\u043a\u043b\u044e\u0447-\u79d8\u5bc6",
    "backslashes": "D:\\neu\\rest",
    "two lines": "first9\nsecond9",
    "beyond 16 bits": "key\U0001f511door",
}


def wrapped(text: str, width: int, between: str = "\n") -> str:
    return between.join(text[i : i + width] for i in range(0, len(text), width))


def go_json(text: str) -> str:
    """As Go and PowerShell write JSON: what HTML knows is escaped too."""
    written = json.dumps(text, ensure_ascii=False)
    return "".join(f"\\u{ord(c):04x}" if c in "<>&'" else c for c in written)


def encodings(secret: str) -> Iterator[tuple[str, str]]:
    utf8 = secret.encode()
    both = {"le": secret.encode("utf-16-le"), "be": secret.encode("utf-16-be")}
    yield "as it is", secret
    yield "JSON", json.dumps(secret)
    yield "JSON with UTF-8", json.dumps(secret, ensure_ascii=False)
    yield "JSON in JSON", json.dumps(json.dumps(secret))
    yield "JSON with escaped slashes", json.dumps(secret).replace("/", "\\/")
    yield "JSON of Go", go_json(secret)
    yield "JSON of Go in JSON", json.dumps(go_json(secret))
    units = [both["be"][i : i + 2].hex() for i in range(0, len(both["be"]), 2)]
    yield "every character as \\u", "".join(f"\\u{unit}" for unit in units)
    yield "every character as \\U upper", "".join(f"\\u{unit.upper()}" for unit in units)
    yield "URL", quote(secret)
    yield "URL, all of it", quote(secret, safe="")
    yield "URL, form", quote_plus(secret)
    yield "URL twice", quote(quote(secret, safe=""), safe="")
    yield "URL, every byte", "".join(f"%{byte:02x}" for byte in utf8)
    yield "URL, every byte, upper", "".join(f"%{byte:02X}" for byte in utf8)
    yield "HTML", html.escape(secret)
    yield "HTML twice", html.escape(html.escape(secret))
    yield "XML", escape(secret, {'"': "&quot;", "'": "&apos;"})
    yield "XML, decimal", "".join(f"&#{ord(c)};" for c in secret)
    yield "XML, hexadecimal", "".join(f"&#x{ord(c):X};" for c in secret)
    yield "shell", shlex.quote(secret)
    yield "PowerShell '", secret.replace("'", "''")
    special = {"`": "``", '"': '`"', "$": "`$"}
    yield 'PowerShell "', "".join(special.get(c, c) for c in secret)
    yield "YAML", yaml.safe_dump({"a": secret})
    yield "YAML with UTF-8", yaml.safe_dump({"a": secret}, allow_unicode=True)
    yield "Python", repr(secret)
    yield "Python's bytes", repr(utf8)
    yield "octal", "".join(f"\\{byte:03o}" for byte in utf8)
    yield "line ends of Windows", secret.replace("\n", "\r\n")
    yield "CLIXML", "".join(f"_x{unit.upper()}_" for unit in units)
    yield "%u", "".join(f"%u{unit.upper()}" for unit in units)
    yield "PowerShell `u", "".join(f"`u{{{ord(c):x}}}" for c in secret)
    yield "XML, not ended", "".join(f"&#{ord(c)}" for c in secret) + " "
    yield "XML, with zeros", "".join(f"&#x{ord(c):08X};" for c in secret)
    yield "bash's @Q", "'" + secret.replace("'", "'\\''") + "'"
    yield "composed", unicodedata.normalize("NFC", secret)
    yield "decomposed", unicodedata.normalize("NFD", secret)
    yield "struck over", "".join(f"_\b{c}" for c in secret.replace("\n", ""))
    yield "quoted-printable", quopri.encodestring(utf8).decode()
    for name, data in {"utf8": utf8, **both}.items():
        encoded = base64.b64encode(data).decode()
        yield f"Base64 of {name}", encoded
        yield f"Base64 of {name}, URL", base64.urlsafe_b64encode(data).decode()
        yield f"Base64 of {name}, not padded", encoded.rstrip("=")
        yield f"hexadecimal of {name}", data.hex()
        yield f"hexadecimal of {name}, upper", data.hex().upper()
        yield f"hexadecimal of {name}, mixed", mixed(data.hex())
    for name in ("utf-16-le", "utf-16-be"):
        yield f"{name} read as UTF-8", secret.encode(name).decode("utf-8", "replace")
    for page in ("cp1252", "cp850"):
        yield f"{page} read as UTF-8", secret.encode(page, "replace").decode("utf-8", "replace")
    for before in (b"user:", b"user1:", b"user12:"):
        yield f"in the Base64 of a document, {before!r}", base64.b64encode(before + utf8).decode()
        yield f"in Base32, {before!r}", base64.b32encode(before + utf8 + b"end").decode()
    document = json.dumps({"password": secret}).encode()
    yield "escaped within Base64", base64.b64encode(document).decode()
    yield "Base64 twice", base64.b64encode(base64.b64encode(utf8 + b"1")).decode()
    yield "Base64 in hexadecimal", base64.b64encode(document).hex()
    wide = json.dumps({"key": secret}, ensure_ascii=False).encode("utf-16-le")
    yield "escaped within Base64 of sixteen bits", base64.b64encode(wide).decode()
    for before in (b"$p=", b"$pw=", b"$pwd="):
        command = before.decode().encode("utf-16-le") + both["le"]
        yield f"an encoded command, {before!r}", base64.b64encode(command).decode()
    yield "a value of the registry", registry(both["le"])
    yield "bytes of C", ",\n  ".join(f"0x{byte:02x}" for byte in utf8)
    for mark in (" ", ":", "-"):
        yield f"bytes in hexadecimal, {mark!r}", utf8.hex(mark)
    yield "bytes as 0x", ", ".join(f"0x{byte:02X}" for byte in utf8)
    yield "bytes as \\x", "".join(f"\\x{byte:02x}" for byte in utf8)
    yield "bytes in pairs", utf8.hex(" ", 2)
    yield "bytes in decimal", json.dumps(list(utf8))
    whole = base64.b64encode(b"x" * 50 + utf8 + b"y" * 40).decode()
    for width in (1, 2, 3, 4, 5, 7, 10, 16, 20, 60, 64, 76):
        yield f"Base64 wrapped at {width}", wrapped(whole, width)
        yield f"hexadecimal wrapped at {width}", wrapped((b"x" * 9 + utf8 + b"y" * 9).hex(), width)
    yield "Base64 wrapped, line ends of Windows", wrapped(whole, 64, "\r\n")
    yield "Base64 wrapped and indented", wrapped(whole, 64, "\n    ")
    yield "Base64 wrapped in JSON", json.dumps(wrapped(whole, 64))


def mixed(text: str) -> str:
    return "".join(c.upper() if i % 2 else c for i, c in enumerate(text))


def registry(data: bytes) -> str:
    parts = [data[i : i + 9].hex(",") for i in range(0, len(data), 9)]
    return "hex(1):" + ",\\\r\n  ".join(parts) + '\r\n"next"='


def masked(redactor: Redactor, text: str) -> bool:
    """Whether something was masked, and nothing of what stands around it."""
    shown = redactor.redact(text)
    return MASK in shown and shown.startswith("before ") and shown.rstrip().endswith("after")


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_masked_in_every_encoding(name: str) -> None:
    secret = SECRETS[name]
    redactor = Redactor()
    redactor.add(secret)
    clear = []
    for how, form in encodings(secret):
        text = f"before {form} after"
        if not masked(redactor, text) or form in redactor.redact(text):
            clear.append((how, redactor.redact(text)))
    assert not clear


@pytest.mark.parametrize("size", [1, 5, 64])
def test_a_secret_that_arrives_in_pieces_is_masked_in_every_encoding(size: int) -> None:
    shown = []
    for secret in SECRETS.values():
        redactor = Redactor()
        redactor.add(secret)
        for how, form in encodings(secret):
            stream = RedactedStream(redactor)
            text = f"before {form} after\n"
            said = "".join(stream.feed(piece) for piece in map("".join, wrapped_pieces(text, size)))
            said += stream.flush()
            if MASK not in said or form in said:
                shown.append((secret, how, said))
    assert not shown


def wrapped_pieces(text: str, size: int) -> Iterator[str]:
    return (text[i : i + size] for i in range(0, len(text), size))


DUMP = """\
00000000: 7573 6572 3d61 646d 696e 2070 6173 733d  user=admin pass=
00000010: 5265 6465 6c69 6e67 2d46 6163 6164 652d  Redeling-Facade-
00000020: 3838 3120 7265 7374                      881 rest
"""


def octal_words(data: bytes) -> str:
    return " ".join(f"{data[i] + (data[i + 1] << 8):06o}" for i in range(0, len(data) - 1, 2))


def little_words(data: bytes) -> str:
    return " ".join(data[i : i + 2][::-1].hex() for i in range(0, len(data) - 1, 2))


DUMPS = {
    "od": ("{:07o} ", octal_words),
    "od -x": ("{:07o} ", little_words),
    "od -b": ("{:07o} ", lambda data: " ".join(f"{byte:03o}" for byte in data)),
    "od -c": ("{:07o}   ", lambda data: "   ".join(map(chr, data))),
    "hexdump": ("{:07x} ", little_words),
    "xxd": ("{:08x}: ", lambda data: data.hex(" ", -2) + "  " + data.decode()),
    "xxd -b": ("{:08x}: ", lambda data: " ".join(f"{byte:08b}" for byte in data) + "  ab"),
    "xxd -e": (
        "{:08x}: ",
        lambda data: " ".join(data[i : i + 4][::-1].hex() for i in range(0, len(data), 4)) + "  ab",
    ),
    "Format-Hex": ("{:08X}   ", lambda data: data.hex(" ").upper() + "  " + data.decode()),
    "certutil": ("{:04x}\t", lambda data: data.hex(" ") + "   " + data.decode()),
    "hexdump -C": (
        "{:08x}  ",
        lambda data: f"{data[:8].hex(' ')}  {data[8:].hex(' ')}  |{data.decode()}|",
    ),
}


@pytest.mark.parametrize("name", DUMPS)
@pytest.mark.parametrize("wide", [False, True])
def test_a_dump_of_any_program_shows_no_secret(name: str, wide: bool) -> None:
    offset, line = DUMPS[name]
    document = "adding=beef; pass=Redeling-Facade-881; and the rest. "
    data = document.encode("utf-16-le" if wide else "utf-8")
    data = data[: len(data) // 16 * 16]
    lines = [offset.format(i) + line(data[i : i + 16]) for i in range(0, len(data), 16)]
    redactor = Redactor()
    redactor.add("Redeling-Facade-881")
    shown = redactor.redact("\n".join(lines) + "\n")
    assert MASK in shown and shown.startswith(lines[0][:20])
    # Nowhere more of it than fits beside the mask.
    for part in ("ling-Facade", "g-Fac"):
        inner = part.encode("utf-16-le" if wide else "utf-8")
        assert line(inner).strip() not in shown and part not in shown


@pytest.mark.parametrize(
    "between",
    ["\n", "-\n", "`\r\n", "^\r\n", "\\\n    ", "'\n '", " │\n│ ", "\n+", "\n# ", "<br>\n", "</S><S S=\"Error\">",
     "_x000D__x000A_</S>\n<S S=\"Error\">+ ", " ", "'+'", "\\",
     '</span><span style="color: color-mix(in srgb,#BA2121 32%,currentColor); font-weight: bold">', "</span>"],
)  # fmt: skip
def test_a_secret_is_found_however_it_is_wrapped(between: str) -> None:
    for secret in (
        "Redeling-Facade-881",
        "wrong donkey charger",
        'Gr\u00fc\u00df\'"`$x <a>&{"k":1} 100%',
    ):
        redactor = Redactor()
        redactor.add(secret)
        for width in (3, 5, 8):
            shown = redactor.redact("before\n" + wrapped(secret, width, between) + "\nafter")
            assert shown.startswith("before\n*") and shown.endswith("after"), (width, shown)
            assert secret[1:9] not in shown and secret[-9:-1] not in shown


def test_a_secret_that_is_a_word_of_a_listing_s_colours_leaves_its_tags_whole() -> None:
    redactor = Redactor()
    for secret in ("color", "currentColor", "</span>"):
        redactor.add(secret)
    listing = highlighted("if true; then echo 'color'; fi", "bash")
    assert redactor.redact(listing) == listing.replace("'color'", f"'{MASK}'")


def test_letters_alone_are_no_secret_when_they_are_few_or_figures() -> None:
    redactor = Redactor()
    for secret in ("2026-11-29", "10.244.0.0/16", "kube-dns", "on-off.1"):
        redactor.add(secret)
    text = "20261129 at 2026 11 29 10 244 0 0 16, kube dns, on: off 1"
    assert redactor.redact(text) == text


def test_a_dump_shows_a_secret_neither_as_bytes_nor_beside_them() -> None:
    redactor = Redactor()
    redactor.add("Redeling-Facade-881")
    shown = redactor.redact(DUMP)
    assert shown.startswith("00000000: 7573") and MASK in shown
    for part in ("5265 6465", "Redeling", "3838 31", "881"):
        assert part not in shown


@pytest.mark.parametrize(
    "between",
    [
        "\x1b[01;31m\x1b[K",
        "\x1b]0;title\x07",
        "\0",
        "\x07",
        "\x1b[1C",
        "\u200b",
        "\x9b1m",
        "\u202e",
        "\ufe0f",
        "\u034f",
        "\u3164",
        "\U000e0100",
    ],
)
def test_what_cannot_be_seen_does_not_hide_a_secret(between: str) -> None:
    redactor = Redactor()
    redactor.add("Redeling-Facade-881")
    text = f"before Redeling{between}-Facade{between}-881 after"
    assert redactor.redact(text) == f"before {MASK} after"


def test_output_in_sixteen_bit_characters_is_masked_whichever_byte_comes_first() -> None:
    redactor = Redactor()
    redactor.add("Redeling-Facade-881")
    for encoding in ("utf-16-le", "utf-16-be", "utf-16"):
        stream = RedactedStream(redactor)
        text = "key\r\nRedeling-Facade-881\r\n".encode(encoding).decode("utf-8", "replace")
        shown = stream.feed(text) + stream.flush()
        assert MASK in shown and "Redeling" not in shown.replace("\0", "")


# Passwords of proxies --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http_proxy=http://u:p@ss/w@proxy:3128", "http_proxy=http://u:*****@proxy:3128"),
        ("export https_proxy='http://u:p@ss@h'", "export https_proxy='http://u:*****@h'"),
        ("HTTPS_PROXY=u:secret@proxy:8080", "HTTPS_PROXY=u:*****@proxy:8080"),
        ("proxy = http://u:1234/5@h:1", "proxy = http://u:*****@h:1"),
        (
            'Acquire::http::Proxy "http://u:a?b#c@h:3128/";',
            'Acquire::http::Proxy "http://u:*****@h:3128/";',
        ),
        ("Environment=HTTP_PROXY=http://u:p%40ss%2Fw@h", "Environment=HTTP_PROXY=http://u:*****@h"),
        ('{"proxy":"http:\\/\\/u:geheim@h"}', '{"proxy":"http:\\/\\/u:*****@h"}'),
        (
            "Proxy Server(s) :  http=http://u:pw@h:1;x",
            "Proxy Server(s) :  http=http://u:*****@h:1;x",
        ),
        ("Proxy Server(s) :  u:pw@h:1", "Proxy Server(s) :  u:*****@h:1"),
        ("deb https://user:pa:ss@mirror/apt ./", "deb https://user:*****@mirror/apt ./"),
        ("machine h login me password hunter22", "machine h login me password *****"),
        ("https://ghp_0123456789abcdefghij@github.com/x", "https://*****@github.com/x"),
    ],
)
def test_the_password_of_a_url_is_masked_whatever_is_in_it(text: str, shown: str) -> None:
    assert Redactor().redact(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "https://registry.k8s.io:5000/pause@sha256:" + "0f" * 32,
        "https://example.org/search?mail=a@b.example",
        "ssh://git@example.org:22/repository",
        "http://proxy.example:3128 and http://[::1]:80/x@y",
        "no_proxy=localhost,127.0.0.1,.svc",
        "mail somebody@example.org: hello",
    ],
)
def test_a_url_without_a_password_is_left_alone(text: str) -> None:
    assert Redactor().redact(text) == text


def test_the_passwords_of_this_computers_proxies_are_known() -> None:
    know_proxies(
        {"HTTPS_PROXY": "http://u:ganz%40eigen/es@proxy:3128", "OTHER": "http://a:nicht@b"}
    )
    assert REDACTOR.redact("said ganz@eigen/es again") == f"said {MASK} again"
    assert REDACTOR.redact("nicht") == "nicht"


# What is no secret -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["README.md", "docs/architecture.md", "CHANGELOG.md", "params/lab.yaml"]
)
def test_ordinary_text_is_left_alone_whatever_the_secrets_are(name: str) -> None:
    redactor = Redactor()
    for secret in ("zq7!", "Redeling-Facade-881", "90210", "ab1!", "Tr0ub4dor&3", "x9x9", "aB3$"):
        redactor.add(secret)
    text = (ROOT / name).read_text(encoding="utf-8")
    assert redactor.redact(text) == text


def test_scripts_are_left_alone() -> None:
    redactor = Redactor()
    redactor.add("Tr0ub4dor&3")
    for path in (ROOT / "k8swin_nb/scripts").rglob("*.[sp][hs]*"):
        text = path.read_text(encoding="utf-8")
        assert redactor.redact(text) == text, path


# Time ------------------------------------------------------------------------------------------------------------

PIECES = [
    "-----BEGIN PRIVATE KEY-----\x00",
    '-----BEGIN PRIVATE KEY-----"',
    "-----BEGIN PRIVATE KEY----------END PRIVATE KEY-----",
    "-eyJaaaaa",
    "eyJaaaaaaa.",
    "bearer ",
    "client-key-data: ",
    "certificate key ",
    "login password ",
    "http://a:",
    "http://a:b@c ",
    "proxy=",
    "%41",
    "&aaaaaaaaaaaaaaaaaaaa",
    "&#",
    "\\",
    "\\u0041",
    "''",
    "41 ",
    "65, ",
    "41 42 zz ",
    "00000000: 41 ",
    "=41",
    "=\n",
    "\x1b]0;a",
    "\x1b[",
    "\x9d0;a",
    "\x90",
    "\n",
    " \t",
    "a",
    "a.",
    "YWFhYWFhYWFhYWFh ",
    "Redeling",
    "Redeling-Facade-88",
    "\u202e",
    "\r",
    "a\b",
    "_x0041_",
    "<S>a</S>",
    "<a",
    "0000000 7565 6472",
    "0000000 a b\n",
    "R e d ",
    "4142434445464748494a ",
]


def seconds(work: Callable[[], object]) -> float:
    """Return the processor time of the faster of two."""
    taken = []
    for _ in range(2):
        began = time.process_time()
        work()
        taken.append(time.process_time() - began)
    return min(taken)


@pytest.mark.parametrize("piece", PIECES, ids=repr)
def test_masking_takes_time_in_proportion_to_any_text(piece: str) -> None:
    redactor = Redactor()
    redactor.add("Redeling-Facade-881")

    def mask(characters: int) -> Callable[[], object]:
        text = piece * (characters // len(piece))
        return lambda: redactor.redact(text)

    # Eight times the text: what is quadratic takes 64 times as long.
    assert seconds(mask(120_000)) < 24 * max(seconds(mask(15_000)), 0.002)


def test_a_very_long_text_is_read_in_parts_and_its_memory_with_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Secret("Redeling-Facade-881")
    read = redact_module.readings
    lengths = []

    def noted(text: str) -> Any:
        lengths.append(len(text))
        return read(text)

    monkeypatch.setattr(redact_module, "readings", noted)
    text = "a b\n" * 300_000 + "Redeling-" + "Facade-881 end\n" + "x" * 1_500_000
    assert redact(text) == text.replace("Redeling-Facade-881", MASK)
    assert max(lengths) < 600_000


@pytest.mark.parametrize("piece", [*PIECES, "-----BEGIN PRIVATE KEY-----\n", "abc def\n"], ids=repr)
def test_masking_a_stream_takes_time_in_proportion_too(piece: str) -> None:
    redactor = Redactor()
    redactor.add("Redeling-Facade-881")

    def feed(characters: int) -> Callable[[], object]:
        def work() -> None:
            stream = RedactedStream(redactor)
            text = piece * (characters // len(piece))
            for part in wrapped_pieces(text, 512):
                stream.feed(part)
            stream.flush()

        return work

    assert seconds(feed(160_000)) < 40 * max(seconds(feed(20_000)), 0.004)


def test_every_known_form_is_found_wherever_it_stands_and_nothing_else() -> None:
    pick = random.Random(7)
    signs = "abcdefghijklmnopqrstuvwxyzABCXYZ0123456789+/=_-. \n\u00e4\u65e5"
    forms = {"".join(pick.choices(signs, k=pick.randint(4, 20))) for _ in range(300)}
    forms |= {"aaaa", "aaaaa", "baaaab", "\0\0\0\0", "zzzz"}
    index = Index(forms, ())
    for _ in range(40):
        some = pick.choices(sorted(forms), k=10)
        text = "".join(one[: pick.choice((3, 99))] + "a" * pick.randint(0, 6) for one in some)
        expected = {
            (place, place + len(form))
            for form in forms
            for place in range(len(text))
            if text.startswith(form, place)
        }
        assert set(index.spans(text)) == expected


def test_lines_of_a_dump_and_a_line_that_goes_on_are_put_together_where_they_were_apart() -> None:
    read = {
        "a \\\n  b": "ab",
        "a\\\r\n> | b": "ab",
        "a \n\n\\\n b": "a\\b",
        "\na\r\n": "a",
        "> \\\n": ">",
        "a \\ \n": "a \\",
    }
    assert {text: joined(View(text)).text for text in read} == read
