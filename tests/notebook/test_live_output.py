"""What a cell shows of what hosts print: bounded, as text, and where the rest is."""

import contextlib
from pathlib import Path
from typing import Any

import pytest

from k8swin_nb.notebook import stream
from k8swin_nb.notebook.host_text import KEPT_LINES, KEPT_SIZE, HostText, settled
from k8swin_nb.notebook.stream import Block, LiveOutput
from k8swin_nb.workflow.heartbeat import Heartbeat
from k8swin_nb.workflow.record import Record


@pytest.fixture
def record(tmp_path: Path) -> Record:
    return Record(tmp_path / "runs", "r1", "notebook")


def written(record: Record) -> str:
    (log,) = record.logs.iterdir()
    return log.read_text(encoding="utf-8")


def test_a_cell_that_only_grows_shows_the_first_lines_the_last_and_where_all_are(
    record: Record, capsys: pytest.CaptureFixture[str]
) -> None:
    with LiveOutput(interactive=False, keep=record.open_log) as live:
        for number in range(20_000):
            live.write("h1", "stdout", f"line {number} of many, some more words\n")
        live.write("h2", "stderr", "short\n")
    shown = capsys.readouterr().out
    lines = [line for line in shown.splitlines() if line.startswith("[h1]")]
    assert lines[0] == "[h1] line 0 of many, some more words"
    assert lines[-1] == "[h1] line 19999 of many, some more words"
    assert len(shown) < KEPT_SIZE + 20_000 and len(lines) < KEPT_LINES + 50
    (told,) = [line for line in lines if "not shown" in line]
    assert "runs/r1/logs/0001-output-h1.log" in told
    assert "[h2] stderr: short" in shown
    whole = written(record)
    assert whole.count("\n") == 20_000 and whole.startswith("line 0 ")


def test_what_fits_into_a_cell_leaves_no_file(
    record: Record, capsys: pytest.CaptureFixture[str]
) -> None:
    with LiveOutput(interactive=False, keep=record.open_log) as live:
        live.write("h1", "stdout", "one\ntwo\n")
    assert capsys.readouterr().out == "[h1] one\n[h1] two\n"
    assert not list(record.logs.iterdir())


def test_a_display_that_is_updated_shows_the_last_lines_and_says_where_all_are(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks: list[Block] = []

    class Handle:
        def update(self, block: Block) -> None:
            blocks.append(block)

    def display(block: Block, display_id: bool) -> Handle:
        blocks.append(block)
        return Handle()

    monkeypatch.setattr(stream, "display", display)
    monkeypatch.setattr(stream, "INTERVAL", 30.0)
    with LiveOutput(interactive=True, keep=record.open_log) as live:
        for number in range(5_000):
            live.write("h1", "stdout", f"line {number}\n")
    text = repr(blocks[-1])
    assert text.splitlines()[-1] == "[h1] line 4999"
    assert f"{5_000 - KEPT_LINES} lines above; all of it is in runs/r1/logs/" in text
    assert written(record).count("\n") == 5_000
    assert "\n" not in blocks[-1]._repr_html_()


def test_a_line_without_an_end_does_not_fill_the_memory() -> None:
    text = HostText()
    for _ in range(500):
        text.add("stdout", "x" * 100_000)
    assert sum(map(len, text.lines)) <= KEPT_SIZE
    assert all(len(rest) < 100_000 for rest in text._rest.values())


@pytest.mark.parametrize(
    ("line", "lines"),
    [
        ("1%\r2%\r100%", ["100%"]),
        ("[##  ] 12 kB\r[### ] 34 kB\rdone", ["[### ] 34 kB", "done"]),
        (
            "all 3 nodes are broken\rall nodes are fine",
            ["all 3 nodes are broken", "all nodes are fine"],
        ),
        ("secret words\r\r\rok\r", ["secret words", "ok"]),
        ("", [""]),
        ("\x1b[2Jgone", ["^[[2Jgone"]),
    ],
)
def test_a_carriage_return_hides_no_words(line: str, lines: list[str]) -> None:
    assert settled(line) == lines


def test_a_folder_that_cannot_be_written_is_said_in_the_cell(
    record: Record, capsys: pytest.CaptureFixture[str]
) -> None:
    import shutil

    shutil.rmtree(record.folder)
    with LiveOutput(interactive=False, keep=record.open_log) as live:
        for number in range(2_000):
            live.write("h1", "stdout", f"line {number}\n")
    shown = capsys.readouterr().out
    assert "line 1999" in shown and "cannot be written" in shown


def test_a_bar_of_progress_is_seen_as_it_moves_and_does_not_fill_the_memory() -> None:
    text = HostText()
    for number in range(100_000):
        text.add("stderr", f"\r[{'#' * (number % 40):<40}] {number} kB")
    assert text.moving() == [f"stderr: [{'#' * 39:<40}] 99999 kB"]
    assert text.lines == [] and len(text._rest["stderr"]) < 2_000
    assert repr(Block("h1", text)) == f"[h1] stderr: [{'#' * 39:<40}] 99999 kB"
    text.add("stderr", "\rdone\n")
    assert text.moving() == [] and text.lines[-1] == "stderr: done"


def test_words_that_are_overwritten_long_after_are_kept() -> None:
    text = HostText()
    text.add("stdout", "all 3 nodes are broken")
    for number in range(5_000):
        text.add("stdout", f"\r{number} %")
    text.add("stdout", "\n")
    assert text.lines == ["all 3 nodes are broken", "4999 %"]


def test_the_box_of_a_host_is_at_its_end_whenever_it_is_drawn_anew() -> None:
    text = HostText()
    text.add("stdout", "<script>one</script>\ntwo\n")
    html = Block("h<1>", text)._repr_html_()
    assert "column-reverse" in html and "<script>" not in html and "h<1>" not in html


def test_a_front_end_that_takes_no_display_ends_the_live_output_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise OSError("gone")

    monkeypatch.setattr(stream, "display", broken)
    with LiveOutput(interactive=True) as live:
        live.write("h1", "stdout", "one\n")
    assert capsys.readouterr().err == "live output is not shown: OSError: gone\n"


def test_what_takes_long_is_one_line_that_is_updated_and_says_in_the_end_how_long_it_took(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [0.0]
    shown: list[str] = []

    class Handle:
        def update(self, line: object) -> None:
            shown.append(repr(line))

    def display(line: object, display_id: bool) -> Handle:
        shown.append(repr(line))
        return Handle()

    monkeypatch.setattr(stream, "display", display)
    monkeypatch.setattr(stream, "INTERVAL", 30.0)
    with LiveOutput(interactive=True, beat=Heartbeat(clock=lambda: now[0])) as live:
        for second in range(3_600):
            now[0] = float(second)
            live._beats()
    assert shown[0] == "still running 2 s, silent for 2 s"
    assert shown[-1] == "ran 59 min 59 s"
    assert 600 < len(shown) < 1_000


@pytest.mark.parametrize("went_wrong", [False, True])
def test_what_hosts_said_is_taken_away_when_all_went_well_and_kept_for_a_place_of_its_own(
    monkeypatch: pytest.MonkeyPatch, went_wrong: bool
) -> None:
    shown: list[str] = []

    class Handle:
        def update(self, block: Any) -> None:
            shown.append(block._repr_html_())

    def display(block: Any, display_id: bool) -> Handle:
        handle = Handle()
        handle.update(block)
        return handle

    monkeypatch.setattr(stream, "display", display)
    monkeypatch.setattr(stream, "INTERVAL", 30.0)
    with contextlib.suppress(OSError), LiveOutput(interactive=True, folds=True) as live:
        live.write("h1", "stdout", "one\n")
        live._show()
        if went_wrong:
            raise OSError
    assert "one" in shown[0] and ("one" in shown[-1]) is went_wrong
    assert live.folded().startswith("<details") and "h1 said 1 line" in live.folded()
