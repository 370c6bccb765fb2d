from __future__ import annotations

import base64
import copy
import itertools
import json
import pickle
import shlex
import sys
import types
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from k8swin_nb import secret as secret_module
from k8swin_nb.errors import ParamsError
from k8swin_nb.redact import MASK, RedactedStream, Redactor, redact
from k8swin_nb.secret import CommonSecret, Secret, SecretRef, know_names, resolve

VALUE = "p@ss wörd/'\"\\$1"


def utf16(text: str) -> str:
    return base64.b64encode(text.encode("utf-16-le")).decode()


@pytest.mark.parametrize(
    "form",
    [
        VALUE,
        base64.b64encode(VALUE.encode()).decode(),
        utf16(VALUE),
        quote(VALUE, safe=""),
        json.dumps(VALUE),
        json.dumps({"a": [VALUE]}, ensure_ascii=False),
        shlex.quote(VALUE),
        base64.b64encode(f"user:{VALUE}".encode()).decode(),
        utf16(f"$p = '{VALUE}'; x"),
    ],
)
def test_a_secret_is_masked_in_every_form(form: str) -> None:
    Secret(VALUE)
    masked = redact(f"before {form} after")
    assert MASK in masked and masked.startswith("before ") and masked.endswith(" after")
    for part in (VALUE, quote(VALUE, safe=""), base64.b64encode(VALUE.encode()).decode()):
        assert part not in masked


@pytest.mark.parametrize("word", ["windows", "kube-system", "true", "1000", "linuxmaster"])
def test_a_secret_that_is_a_word_is_masked_and_its_reference_is_told(
    word: str, monkeypatch: pytest.MonkeyPatch, forgotten_secrets: None
) -> None:
    monkeypatch.setenv("DOOR_WORD", word)
    with pytest.warns(CommonSecret) as told:
        resolve("env:DOOR_WORD")
    (warning,) = told
    assert "`env:DOOR_WORD`" in str(warning.message) and word not in str(warning.message)
    assert redact(f"node {word} Ready") == f"node {MASK} Ready"


def test_a_secret_that_is_the_name_of_a_host_or_a_user_is_told_too(
    monkeypatch: pytest.MonkeyPatch, forgotten_secrets: None
) -> None:
    monkeypatch.setattr(secret_module, "_NAMES", set())
    know_names(["winworker01", "Administrator"])
    for name in ("WINWORKER01", "administrator", "Administrator"):
        monkeypatch.setenv("DOOR_WORD", name)
        with pytest.warns(CommonSecret, match="`env:DOOR_WORD`"):
            resolve("env:DOOR_WORD")


def test_a_secret_that_is_no_word_needs_no_warning(
    monkeypatch: pytest.MonkeyPatch, forgotten_secrets: None
) -> None:
    for value in ("Tr0ub4dor&3", "Windows", "hunter22", "1234567", "correct horse battery staple!"):
        monkeypatch.setenv("DOOR_WORD", value)
        resolve("env:DOOR_WORD")


KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow+/=\nabc\n-----END RSA PRIVATE KEY-----"
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("kubeadm join --token abcdef.0123456789abcdef x", "kubeadm join --token ***** x"),
        ("The token is abcdef.0123456789abcdef.", "The token is *****."),
        (f"a\n{KEY}\nb", "a\n*****\nb"),
        (f"token: {JWT}", "token: *****"),
        ("Authorization: Bearer abcdefgh12345", "Authorization: Bearer *****"),
        ("    client-key-data: TFMwdExTMUNSVWRK", "    client-key-data: *****"),
        ("--certificate-key " + "0f" * 32, "--certificate-key *****"),
        ("Using certificate key:\n" + "0f" * 32, "Using certificate key:\n*****"),
    ],
)
def test_what_looks_like_a_secret_is_masked_unknown(text: str, masked: str) -> None:
    assert redact(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "sha256:" + "0f" * 32,
        "registry.k8s.io/kube-apiserver:v1.36.4",
        "-----BEGIN CERTIFICATE-----\nMIIC\n-----END CERTIFICATE-----",
        "certificate-authority-data: TFMwdExTMUNSVWRK",
        "10.244.0.0/16 via 192.168.160.2 dev eth0",
        "net.bridge.bridge-nf-call-iptables = 1",
        "kubelet.service, docker.service: the certificate key is kept",
    ],
)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert redact(text) == text


def test_masking_keeps_json_readable() -> None:
    event = {"a": KEY, "b": KEY[:60] + '"', "c": "client-key-data: QUJDREVGR0g=", "d": f"x {JWT}\\"}
    assert set(json.loads(redact(json.dumps(event)))) == set(event)
    assert "MIIEow" not in redact(json.dumps(event))


@settings(max_examples=200, deadline=None)
@given(
    parts=st.lists(
        st.sampled_from(
            [
                "word ",
                "\n",
                "\r\n",
                "geheim: ",
                "s3cret val",
                "first\nsecond line",
                KEY,
                JWT,
                "abcdef.0123456789abcdef",
                "Bearer abcdefgh12345",
                "certificate key:\n" + "0f" * 32,
            ]
        ),
        max_size=8,
    ),
    cuts=st.lists(st.integers(0, 400), max_size=12),
)
def test_where_a_stream_is_cut_does_not_matter(parts: list[str], cuts: list[int]) -> None:
    redactor = Redactor()
    redactor.add("s3cret val")
    redactor.add("first\nsecond line")
    text = " ".join(parts)
    stream = RedactedStream(redactor)
    places = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    shown = "".join(stream.feed(text[start:end]) for start, end in itertools.pairwise(places))
    assert shown + stream.flush() == redactor.redact(text)


def test_a_stream_shows_whole_lines_at_once_and_long_ones_in_time() -> None:
    stream = RedactedStream(Redactor())
    assert stream.feed("whole\nhalf") == "whole\n"
    assert stream.feed(" and half\n") == "half and half\n"
    assert stream.feed("progress 1%\rprogress 2%\r") == "progress 1%\r"
    assert stream.feed("x" * 40_000)
    assert stream.flush()


def test_a_secret_does_not_let_itself_be_shown() -> None:
    secret = Secret("niemals zeigen")
    assert "niemals" not in repr(secret) + str(secret) + repr([secret]) + repr({"a": secret})
    with pytest.raises(TypeError):
        f"{secret}"
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        copy.deepcopy(secret)
    with pytest.raises(TypeError):
        json.dumps(secret)
    assert secret.reveal() == "niemals zeigen"
    assert secret == Secret("niemals zeigen") and secret != Secret("etwas anderes")


@pytest.mark.parametrize("value", ["", "a", "abc"])
def test_a_secret_that_cannot_be_masked_is_refused(value: str) -> None:
    with pytest.raises(ParamsError, match="at least 4"):
        Secret(value)


def test_references_are_resolved_when_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_PASSWORD", "aus der umgebung")
    file = tmp_path / "password"
    file.write_text("aus der datei\n")
    file.chmod(0o600)
    assert resolve("env:SOME_PASSWORD").reveal() == "aus der umgebung"
    assert resolve("file:password", tmp_path).reveal() == "aus der datei"
    assert resolve(f"file:{file}").reveal() == "aus der datei"
    assert resolve("cmd:echo 'vom befehl'").reveal() == "vom befehl"


def test_the_keyring_is_asked_if_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = types.ModuleType("keyring")
    answers = {("k8swin", "admin"): "aus dem schlüsselbund"}
    fake.get_password = lambda service, user: answers.get((service, user))  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "keyring", fake)
    assert resolve("keyring:k8swin/admin").reveal() == "aus dem schlüsselbund"
    with pytest.raises(ParamsError, match="no entry"):
        resolve("keyring:k8swin/other")
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(ParamsError) as caught:
        resolve("keyring:k8swin/admin")
    assert caught.value.hint == "pip install keyring"


def test_the_mark_that_an_editor_of_windows_writes_is_no_part_of_a_secret(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_bytes(b"\xef\xbb\xbfganz geheim\r\n")
    file.chmod(0o600)
    assert resolve("file:password", tmp_path).reveal() == "ganz geheim"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "password"
    file.write_text("ganz geheim")
    file.chmod(mode)
    with pytest.raises(ParamsError, match="read by others") as caught:
        resolve("file:password", tmp_path)
    assert "chmod 600" in (caught.value.hint or "")


@pytest.mark.parametrize("text", ["hunter22", "http://x", "env:", "file:", "", "ENV:X"])
def test_a_literal_value_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(ParamsError) as caught:
        SecretRef.parse(text)
    assert "hunter22" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["env:NOT_SET_AT_ALL", "file:not/there", "cmd:false", "cmd:no-such-program-here", "cmd:true"],
)
def test_a_secret_that_is_not_there_is_an_error_with_a_hint(text: str, tmp_path: Path) -> None:
    with pytest.raises(ParamsError) as caught:
        resolve(text, tmp_path)
    assert caught.value.hint


def test_nobody_is_asked_where_nobody_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    with Path("/dev/null").open() as nobody:
        monkeypatch.setattr(sys, "stdin", nobody)
        with pytest.raises(ParamsError, match="asks a person"):
            resolve("prompt:password")
