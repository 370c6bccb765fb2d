"""Digests of outputs and the comparison of a notebook with its record, without a kernel."""

import random
from typing import Any

import pytest

from k8swin_nb.workflow.cell_compare import compare_notebook
from k8swin_nb.workflow.cell_digest import CellOutputs, outputs_digest, source_digest

TEXTS = [
    ("a\rb\n", "b\n"),
    ("long line\rshort\n", "shortline\n"),
    ("a\r\nb\r\r\n", "a\nb\n"),
    ("abc\b\bX", "aX"),
    ("\ra", "a"),
    ("a\r", "a"),
    ("1 %\r50 %\r100 %", "100 %"),
    ("ab😀\rx", "xb😀"),
    ("😀b\rxyz", "xyz"),
    ("x\x0cy\u2028z\n", "x\x0cy\u2028z\n"),
]
"""Printed text, and what JupyterLab 4 keeps of it."""


def stream(text: Any, name: str = "stdout") -> dict[str, Any]:
    return {"output_type": "stream", "name": name, "text": text}


def data(forms: dict[str, Any], kind: str = "display_data") -> dict[str, Any]:
    return {"output_type": kind, "data": forms, "metadata": {}}


@pytest.mark.parametrize(("raw", "kept"), TEXTS)
def test_text_counts_as_a_terminal_leaves_it_in_whatever_pieces_it_comes(raw, kept):
    wanted = outputs_digest([stream(kept)])
    assert outputs_digest([stream(raw)]) == wanted
    assert outputs_digest([stream(raw.splitlines(True))]) == wanted
    assert outputs_digest([stream(piece) for piece in raw]) == wanted
    assert outputs_digest([stream(kept + ".")]) != wanted


def test_pieces_of_any_size_are_one_text():
    drawn = random.Random(7)
    for _ in range(200):
        text = "".join(drawn.choice(["a", "bc", "\n", "\r", "\b", "😀", "\r\n"]) for _ in range(40))
        places = sorted(drawn.sample(range(len(text) + 1), 5))
        pieces = [text[i:j] for i, j in zip([0, *places], [*places, len(text)], strict=True)]
        whole = outputs_digest([stream(text)])
        assert outputs_digest([stream(piece) for piece in pieces]) == whole, (text, pieces)


@pytest.mark.parametrize("many", [65_535, 65_536, 65_537, 200_000])
def test_a_line_without_an_end_is_one_text(many):
    text = "x" * many
    halves = [stream(text[: many // 2]), stream(text[many // 2 :])]
    assert outputs_digest([stream(text)]) == outputs_digest(halves)
    assert outputs_digest([stream(text + "y")]) != outputs_digest([stream(text + "z")])
    assert outputs_digest([stream(text + "\n")]) != outputs_digest([stream(text)])


def test_what_front_ends_write_otherwise_counts_as_the_same():
    same = [
        ([stream("a"), stream(""), stream("b")], [stream("ab")]),
        ([stream("a"), stream("", "stderr"), stream("b")], [stream("ab")]),
        ([data({"text/plain": ["a\n", "b"]})], [data({"text/plain": "a\nb"}, "execute_result")]),
        ([data({"application/json": {"a": 1.0, "b": 10**20}})], [data({"application/json": {"b": 1e20, "a": 1}})]),
        ([data({"image/png": "AA\nBB\n"})], [data({"image/png": "AABB"})]),
        ([data({"text/plain": "x", "application/vnd.jupyter.widget-view+json": {"model_id": "1"}})], [data({"text/plain": "x"})]),
        ([{"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["a", "b"]}], [{"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["a\nb"]}]),
    ]  # fmt: skip
    for one, other in same:
        assert outputs_digest(one) == outputs_digest(other)
    others = [
        ([stream("a"), stream("b", "stderr")], [stream("b", "stderr"), stream("a")]),
        ([stream("ab")], [data({"text/plain": "ab"})]),
        ([data({"application/json": {"a": True}})], [data({"application/json": {"a": 1}})]),
        ([data({"text/plain": "a"})], [data({"text/html": "a"})]),
        ([data({"text/plain": "a"})], [data({"text/plain": "a"}), data({"text/plain": "a"})]),
        ([stream("a \n")], [stream("a\n")]),
        ([], [data({})]),
    ]
    for one, other in others:
        assert outputs_digest(one) != outputs_digest(other)


def test_half_a_character_does_no_harm():
    for text in ("\ud83d", "\udc80x"):
        assert outputs_digest([stream(text)]) == outputs_digest([stream("\ufffd" + text[1:])])
        assert outputs_digest([data({"text/plain": text})])
        assert source_digest(text)


def ran(count: int, source: str, *outputs: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    event = {"cell": count, "kernel": "k1", "notebook": "n", "cell_id": "", **more}
    began = {**event, "event": "cell-started"}
    shown = {"source": source, "source_sha256": source_digest(source)}
    shown["outputs_sha256"] = outputs_digest(outputs)
    return [began, {**event, "event": "cell", "ended": "ok", "followed": "whole", **shown, **more}]


def cell(count: int | None, source: str, *outputs: dict[str, Any]) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "execution_count": count,
        "source": source,
        "outputs": list(outputs),
    }


def kinds(cells: list[Any], events: list[Any]) -> list[str]:
    return [one.kind for one in compare_notebook({"cells": cells}, events)]


def test_the_last_execution_of_a_cell_counts_also_by_a_kernel_that_was_started_anew():
    events = [
        *ran(1, "a", cell_id="A"),
        *ran(2, "b", stream("1"), cell_id="B"),
        *ran(3, "b", stream("2"), cell_id="B"),
        *ran(4, "c", cell_id="C"),
        *ran(1, "c", stream("anew"), cell_id="C", kernel="k2"),
    ]
    cells = [cell(1, "a"), cell(3, "b", stream("2")), cell(1, "c", stream("anew"))]
    assert kinds(cells, events) == []
    cells[1] = cell(2, "b", stream("1"))
    assert kinds(cells, events) == ["removed"], "an older state of it is no later one"
    cells[1] = cell(3, "b", stream("1"))
    assert kinds(cells, events) == ["output"]


def test_cells_of_another_notebook_of_the_run_prove_nothing():
    events = [*ran(1, "a"), *ran(2, "b"), *ran(3, "x", notebook="m", kernel="k2")]
    assert kinds([cell(1, "a"), cell(2, "b")], events) == []
    assert kinds([cell(1, "a"), cell(2, "b"), cell(3, "x")], events) == ["added"]


def test_what_a_cell_showed_at_its_end_and_after_each_update_is_true():
    events = ran(1, "a", data({"text/plain": "first"}))
    update = {"event": "cell-updated", "cell": 1, "kernel": "k1", "notebook": "n"}
    events.append({**update, "outputs_sha256": outputs_digest([data({"text/plain": "then"})])})
    for text, found in (("first", []), ("then", []), ("else", ["output"])):
        assert kinds([cell(1, "a", data({"text/plain": text}))], events) == found


def test_what_cannot_be_known_is_no_certain_difference():
    began = ran(2, "b")[:1]
    cells = [cell(1, "a"), cell(2, "b", stream("half"))]
    found = compare_notebook({"cells": cells}, [*ran(1, "a"), *began])
    assert [(one.kind, one.certain, one.cell) for one in found] == [("unknown", False, 2)]
    partly = ran(1, "a", stream("late"), followed="in part")
    assert kinds([cell(1, "a", stream("early late"))], partly) == ["unknown"]
    assert kinds([cell(1, "a", stream("late"))], partly) == []


def test_events_that_make_no_sense_are_passed_over():
    odd = [{"event": "cell"}, {"event": "cell", "cell": "x"}, {"event": "cell-updated", "cell": 9}]
    assert kinds([cell(1, "a")], [*odd, *ran(1, "a")]) == []
    assert kinds([{"cell_type": "markdown", "source": "x"}], []) == []


def test_outputs_come_about_from_messages_as_from_a_file():
    shown = CellOutputs()
    shown.stream("stdout", "gone")
    shown.clear(wait=True)
    shown.display({"text/plain": "1"}, "id")
    shown.display({"text/plain": "2"}, "id")
    shown.update("other", {"text/plain": "3"})
    assert shown.digests() == [outputs_digest([data({"text/plain": "2"})] * 2)]
    shown.clear(wait=False)
    assert not shown.update("id", {"text/plain": "4"})
    assert shown.digests() == [outputs_digest([])]
    shown.page({"text/plain": "help"})
    assert shown.digests()[1] == outputs_digest([data({"text/plain": "help"})])
