from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from k8swin_nb.transports.frames import Frame, Word
from k8swin_nb.transports.output import Output

PIECES = st.lists(st.integers(1, 40), min_size=1, max_size=30)
"""Lengths of the pieces in which a stream arrives; the last one is used again and again."""


def fed(frame: Frame, stream: bytes, lengths: list[int]) -> bytes:
    got, at = b"", 0
    while at < len(stream):
        length = lengths.pop(0) if len(lengths) > 1 else lengths[0]
        got += frame.feed(stream[at : at + length])
        at += length
    return got + frame.rest()


@given(noise=st.binary(max_size=60), body=st.binary(max_size=200), lengths=PIECES)
def test_a_scripts_bytes_come_out_as_they_went_in_however_they_are_cut(
    noise: bytes, body: bytes, lengths: list[int]
) -> None:
    word = Word()
    frame = Frame(word)
    stream = noise + word.mark + b"begins\n" + body + word.mark + b"ends 7\n" + noise
    assert fed(frame, stream, lengths) == body
    assert (frame.returncode, frame.noise) == (7, noise)


@given(body=st.binary(max_size=200), lengths=PIECES)
def test_a_stream_that_ends_without_the_word_says_no_exit_code(
    body: bytes, lengths: list[int]
) -> None:
    word = Word()
    frame = Frame(word)
    stream = word.mark + b"begins\n" + body + word.mark[:20]
    assert fed(frame, stream, lengths) == body + word.mark[:20]
    assert frame.returncode is None


def test_a_host_that_repeats_its_input_begins_nothing() -> None:
    word = Word()
    frame = Frame(word)
    assert frame.feed(word.sent + b"begins\n" + word.sent + b"ends 0\n") == b""
    assert not frame.began and not frame.ended


def test_what_only_begins_like_our_line_is_not_held_back_for_ever() -> None:
    word = Word()
    frame = Frame(word)
    frame.feed(word.mark + b"begins\n")
    said = word.mark + b"x" * 100
    assert frame.feed(said) == said
    assert frame.feed(b"text\x1e") == b"text"
    assert frame.feed(b"more") == b"\x1emore"


def test_noise_before_a_script_is_bounded() -> None:
    frame = Frame(Word())
    for _ in range(100):
        frame.feed(b"x" * 10_000)
    assert len(frame.noise) <= 65_536


@given(pieces=st.lists(st.binary(max_size=70), max_size=60))
def test_a_streams_beginning_and_end_are_kept_and_what_is_left_out_is_counted(
    pieces: list[bytes],
) -> None:
    output = Output(kept_bytes=400)
    whole = b"".join(piece.replace(b"\r", b"").replace(b"\xef", b"") for piece in pieces)
    for piece in pieces:
        output.feed("stdout", piece.replace(b"\r", b"").replace(b"\xef", b""))
    text = output.text("stdout")
    left_out = output.left_out("stdout")
    if left_out:
        assert len(whole) - left_out == 400
        assert text.startswith(whole[:200].decode("utf-8", "replace")[:150])
        assert text.endswith(whole[-200:].decode("utf-8", "replace")[-150:])
        assert f"... {left_out} bytes are left out here ..." in text
    else:
        assert text == whole.decode("utf-8", "replace")
    assert output.text("stderr") == ""
