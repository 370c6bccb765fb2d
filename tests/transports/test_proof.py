from __future__ import annotations

import pytest

from k8swin_nb.transports.proof import BEFORE_LIMIT, Proof


def read(proof: Proof, data: bytes, size: int) -> bytes:
    own = b"".join(proof.feed(data[at : at + size]) for at in range(0, len(data), size))
    return own + proof.finish()


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50, 10_000])
@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_the_own_output_is_what_stands_between_begin_and_end(size: int, end: str) -> None:
    proof = Proof()
    word = proof.word
    text = (
        f"\ufeffbanner {word[:9]}{word} begin{end}k8swin k8s{word[:20]}\nlast{word} end 7!{end}late"
    )
    assert read(proof, text.encode(), size).decode() == f"k8swin k8s{word[:20]}\nlastlate"
    assert (proof.began, proof.ended, proof.code) == (True, True, 7)
    assert proof.before.decode() == f"\ufeffbanner {word[:9]}"


@pytest.mark.parametrize("tail", ["0!", "-1073741510!\r", "!\r\n"])
def test_an_end_counts_without_its_line_end(tail: str) -> None:
    proof = Proof()
    own = read(proof, f"{proof.word} begin\nx{proof.word} end {tail}".encode(), 5)
    assert own == b"x" and proof.ended
    assert proof.code == (int(tail.split("!")[0]) if tail[0] != "!" else None)


@pytest.mark.parametrize(
    "text", ["", "exit 0", "WORD", "WORD begin", "WORD end 0!\r\n", "begin\r\n", "word BEGIN\n"]
)
def test_without_the_line_of_the_begin_nothing_began(text: str) -> None:
    proof = Proof()
    printed = text.replace("WORD", proof.word).encode()
    assert read(proof, printed, 3) == b""
    assert not proof.began and not proof.ended
    assert proof.before == printed


def test_an_end_that_is_cut_off_is_none() -> None:
    for tail in ("", " ", " en", " end", " end ", " end 1", " end 12345678901234!"):
        proof = Proof()
        own = read(proof, f"{proof.word} begin\nx{proof.word}{tail}".encode(), 4)
        assert proof.began and not proof.ended
        assert own.startswith(b"x")


def test_what_is_printed_before_is_kept_up_to_a_limit() -> None:
    proof = Proof()
    for _ in range(100):
        assert proof.feed(b"x" * 65536) == b""
    assert len(proof.before) == BEFORE_LIMIT
    assert proof.feed(f"{proof.word} begin\r\nown".encode()) == b"own"


def test_no_two_scripts_have_the_same_word() -> None:
    assert len({Proof().word for _ in range(100)}) == 100
