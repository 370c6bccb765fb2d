"""Text of others: what is read of it, and that nothing but our own error comes out."""

import os
import random
import time

import pytest

from k8swin_nb.reading import (
    Unreadable,
    address,
    file_text,
    json_document,
    lines,
    network,
    strings,
    whole,
    yaml_document,
)


@pytest.mark.parametrize(
    ("text", "first", "second"),
    [
        ("a: 1\nb: 2\na: 3\n", 1, 3),
        ("hosts:\n  - name: x\n    user: u\n    name: y\n", 2, 4),
        ("a: {b: {c: 1, c: 2}}\n", 1, 1),
        ("a: 1\n'a': 2\n", 1, 2),
        ("on: 1\ntrue: 2\n", 1, 2),
        ("a: &x {k: 1}\nb:\n  <<: *x\n  <<: *x\n", 3, 4),
    ],
)
def test_a_key_that_stands_twice_is_refused_with_both_lines(text, first, second):
    with pytest.raises(Unreadable, match=f"in line {first} and in line {second}"):
        yaml_document(text)


def test_merged_mappings_are_no_key_that_stands_twice():
    text = "a: &a {k: 1, l: 1}\nb: {<<: *a, k: 2}\nc: {<<: [*a, {m: 1}]}\n"
    read = yaml_document(text)
    assert read["b"] == {"k": 2, "l": 1} and read["c"] == {"k": 1, "l": 1, "m": 1}


@pytest.mark.parametrize("text", ["22:22", "022", "0x16", "1_000", "0b1"])
def test_a_number_is_what_people_write_and_never_another(text):
    assert yaml_document(f"port: {text}") == {"port": text}


def repeated(depth: int) -> str:
    levels = (f"l{i}: &l{i} [{','.join([f'*l{i - 1}'] * 9)}]\n" for i in range(1, depth))
    return "l0: &l0 [x, x]\n" + "".join(levels)


def test_aliases_that_repeat_a_little_are_read():
    read = yaml_document(repeated(4))
    assert read["l3"][8][0][1] == ["x", "x"]


def test_whole_numbers_are_numbers():
    assert yaml_document("[22, -1, 0, +5]") == [22, -1, 0, 5]


@pytest.mark.parametrize(
    "text",
    ["a: 2001-99-99", "a: !!bool x", "a: !!timestamp x", "a: !!float .", "a: [", "a: \x07", "[" * 9000,
     "a: !!python/object/apply:os.system [id]", "a: b\n---\nc: d", "? [a]\n: 1", "a: !!int x\n<<: [1]"],
)  # fmt: skip
def test_whatever_is_wrong_with_yaml_is_one_error_in_one_line(text):
    with pytest.raises(Unreadable) as caught:
        yaml_document(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "9" * 5000, "\ud800", b"\xff\xfe", "nul"])
def test_whatever_is_wrong_with_json_is_one_error_in_one_line(text):
    with pytest.raises(Unreadable) as caught:
        json_document(text)
    assert "\n" not in str(caught.value)


def _bomb(line: str) -> str:
    lines = ["a0: &a0 {k: [x, x, x, x, x, x, x, x, x, x]}"]
    lines += [f"a{n}: &a{n} {line.replace('*', f'*a{n - 1}')}" for n in range(1, 15)]
    return "\n".join([*lines, "hosts: [*a14]"])


@pytest.mark.parametrize("line", ["[*, *, *, *, *, *, *, *]", "{<<: [*, *, *, *, *, *, *, *]}"])
def test_references_that_write_out_to_billions_of_values_are_refused_at_once(line):
    began = time.process_time()  # of this process alone, however busy the computer is
    with pytest.raises(Unreadable, match="more than 100000 values once its references"):
        yaml_document(_bomb(line))
    assert time.process_time() - began < 2


@pytest.mark.parametrize("text", ["hosts: &h\n - *h\n", "&a\nhosts: [*a]\nb: *a\n"])
def test_a_value_that_refers_to_itself_is_refused(text):
    with pytest.raises(Unreadable, match="line 1: a value refers to itself"):
        yaml_document(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hosts:\n\t- a: 1\n", "line 2, column 1: it is not YAML: a tab stands where spaces belong"),
        ("hosts:\n\u00a0\u00a0- {a: 1}\n  - {a: 2}\n", "U+00A0 (no-break space)"),
        ("a:\u00a01\nb: 2\n", "U+00A0 (no-break space)"),
        ("a: {b: \u201cx: y\u201d: z}\n", "U+201C (left double quotation mark)"),
        ("a: 1\nb: 2026-13-45\n", "line 2 holds a value that is none of its kind (timestamp)"),
        ("a: 1\n---\na: 2\n", "line 2: another document begins, expected one in a file"),
    ],
)  # fmt: skip
def test_what_an_editor_or_a_copied_page_put_in_is_named_with_its_place(text, said):
    with pytest.raises(Unreadable) as caught:
        yaml_document(text)
    assert said in str(caught.value)


def test_noise_is_read_or_refused_and_nothing_else():
    source = random.Random(7)
    signs = "{}[]:,-#&*!|>'\"%@`? \n\tabc019.~<=_\\\0\x85\u2028\ufeff²٣é"
    for _ in range(3000):
        text = "".join(source.choices(signs, k=source.randrange(40)))
        for read in (yaml_document, json_document):
            try:
                read(text)
            except Unreadable:
                pass
        whole(text), address(text), network(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [("12", 12), (" 12\r", 12), ("-3", -3), ("²", None), ("٣", None), ("012", None), ("", None),
     ("9" * 5000, None), ("1e3", None), (None, None), (12, None)],
)  # fmt: skip
def test_a_whole_number_is_one_or_unknown(text, value):
    assert whole(text) == value


def test_lines_end_where_a_script_ended_them_and_nowhere_else():
    assert lines("a\r\nb\n\nc\n") == ["a", "b", "", "c"]
    assert lines("") == [] and lines("\n") == [""] and lines("a") == ["a"]
    inner = "x\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029\r7"
    assert lines(f"{inner}\n{inner}") == [inner, inner]


def test_addresses_and_networks_are_what_they_are_or_unknown():
    assert str(address("10.0.0.1")) == "10.0.0.1"
    assert str(network("10.0.0.1/24")) == "10.0.0.0/24"
    for text in ("", "10.0.0", "300.1.1.1", "fd00::1", "10.0.0.0/33", "default", None, 7, b"x"):
        assert address(text) is None and network(text) is None


def test_only_text_is_taken_of_an_object():
    assert strings({"a": "b", "c": 1, "d": None}) == {"a": "b"}
    assert strings(["a"]) == strings("a") == strings(None) == {}


def test_a_file_is_read_in_utf_8_and_utf_16_with_and_without_a_mark(tmp_path):
    path = tmp_path / "f"
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        path.write_text("größe: 1\n", encoding=encoding)
        assert file_text(path) == "größe: 1\n", encoding


def test_a_file_in_another_encoding_is_told_with_its_line(tmp_path):
    path = tmp_path / "f"
    path.write_bytes("a: 1\nb: größe\n".encode("latin-1"))
    with pytest.raises(Unreadable, match="line 2 is not UTF-8"):
        file_text(path)
    path.write_bytes("a: b\n".encode("utf-16-le"))
    with pytest.raises(Unreadable, match="NUL"):
        file_text(path)


def test_what_is_no_file_of_text_is_refused_at_once(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path, said in ((tmp_path, "a folder"), (pipe, "a pipe"), ("/dev/zero", "a device")):
        with pytest.raises(Unreadable, match=said):
            file_text(path)
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(100 * 1024 * 1024)
    with pytest.raises(Unreadable, match="more than 1024 kB"):
        file_text(large)
