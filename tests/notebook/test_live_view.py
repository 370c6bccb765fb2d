"""The live view of a notebook: what it shows while steps run, when one fails, and what is left of it, in a real kernel."""

import re
import threading
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest
from jupyter_client.manager import start_new_kernel

from k8swin_nb.errors import K8swinError, MultiHostError
from k8swin_nb.notebook.board import Board, sentence
from k8swin_nb.notebook.live_picture import Bar, Steps
from k8swin_nb.notebook.live_view import LiveView
from k8swin_nb.workflow.runner import StepProgress
from k8swin_nb.workflow.step import Outcome
from tests.conftest import ROOT
from tests.live_phase import SEEN, STEPS
from tests.runs import make_run, phase_of

LIMIT = 120
"""Seconds that only a hang reaches."""


class Page(HTMLParser):
    """Tags and links of a piece of HTML, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.links: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.links += [value or "" for name, value in attrs if name == "href"]

    def handle_data(self, data: str) -> None:
        self.text += data


def board_with(*told: StepProgress) -> Board:
    board = Board("02_master", STEPS)
    board.begin("first", ["a", "b"])
    for one in told:
        board.told(one)
    return board


def progress(
    step: str, host: str, outcome: Outcome | None = None, detail: str = ""
) -> StepProgress:
    return StepProgress("02_master", step, host, outcome, detail)


def test_a_failure_shows_its_reason_its_fix_its_step_and_its_evidence_and_escapes_what_hosts_say():
    run = make_run(phase=phase_of(*STEPS))
    view = LiveView(run)
    view.board.begin("login", ["a"])
    view.told(progress("login", "a"))
    view.told(progress("login", "a", Outcome.FAILED, "<script>alert(1)</script>"))
    error = K8swinError(
        "a: the login was <b>refused</b>", hint="check `credential`; evidence is in runs/r1/x y"
    )
    view.board.rest()
    view.failed("login", error, Path("runs/r1/x y"))
    picture = view.board.picture()
    page = Page(Bar(picture, held=True)._repr_html_())
    assert "a: the login was <b>refused</b>" in page.text and "fix: check `credential`" in page.text
    assert page.links == ["#The-login-works", "runs/r1/x%20y/findings.txt"]
    assert page.tags["b"] == 3 and not page.tags["script"]
    assert "failed" in page.text and "✗" in page.text
    table = Page(Steps(picture)._repr_html_())
    assert "<script>" in table.text and not table.tags["script"]
    assert repr(Bar(picture)).splitlines()[1:] == [
        "  a: the login was <b>refused</b>",
        "  fix: check `credential`",
        "  evidence: runs/r1/x y",
    ]


def test_a_failure_is_told_at_once_while_its_hosts_are_asked_for_the_cause():
    view = LiveView(make_run(phase=phase_of(*STEPS)))
    view.begin("login", ["a"])
    view.told(progress("login", "a", Outcome.FAILED, "refused"))
    view.board.beat.began -= 3
    view.looks_into("login", K8swinError("a: refused", hint="check `credential`"))
    told = repr(Bar(view.board.picture()))
    assert "failed: at login" in told and "a: refused" in told and "fix: check" in told
    assert "the hosts are asked for the cause, for 45 s at most" in told
    assert 'accesskey="k"' in Bar(view.board.picture())._repr_html_()


def test_hosts_that_failed_for_several_reasons_are_told_with_all_fixes():
    view = LiveView(make_run(phase=phase_of(*STEPS)))
    errors = {f"h{n}": K8swinError(f"h{n}: broke", hint=f"mend {n % 2}") for n in range(5)}
    view.failed("login", MultiHostError(errors), None)
    assert repr(Bar(view.board.picture())).splitlines()[1:] == [
        "  h0: broke", "  fix: mend 0", "  h1: broke", "  fix: mend 1", "  h2: broke", "  fix: mend 0",
        "  and 2 more hosts",
    ]  # fmt: skip
    errors = {
        "win1": K8swinError("no file", hint="write it"),
        "win2": K8swinError("win2: off", hint="switch it on"),
    }
    errors |= {f"h{n}": K8swinError(f"h{n}: broke", hint="mend") for n in range(3)}
    view.failed("login", MultiHostError(errors), None)
    lines = repr(Bar(view.board.picture())).splitlines()[1:]
    assert lines[:2] == ["  win1: no file", "  fix: write it"]
    shown = Page(Bar(view.board.picture())._repr_html_()).text
    assert shown.index("switch it on") < shown.index("h0: broke") < shown.index("mend")


def test_the_bar_is_held_in_sight_by_a_style_sheet_that_only_jupyterlab_matches():
    picture = Board("02_master", STEPS).picture()
    held, still = Bar(picture, held=True)._repr_html_(), Bar(picture)._repr_html_()
    (sheet,) = re.findall("<style>(.*?)</style>", held)
    assert "@media screen" in sheet and "position:fixed" in sheet
    selectors = re.findall(r"(?<=[{}])([^{}]+)\{", sheet.removeprefix("@media screen"))
    assert selectors and all(one.startswith(".jp-NotebookPanel ") for one in selectors)
    assert "<style" not in still and "k8swin-held" not in still
    assert "\n" not in held and "role='status'" in still


def test_a_picture_of_work_says_of_when_it_is_and_what_to_do_where_it_is_old():
    board = board_with()
    board.run = "r1"
    picture = board.picture()
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", picture.when)
    html = Bar(picture, held=True)._repr_html_()
    page = Page(html)
    assert f"old: this was so at {picture.when}" in page.text and "k8swin page r1" in page.text
    assert f"as of {picture.when}" in repr(Bar(picture))
    # Hidden on a screen alone, and only for as long as another picture may still come.
    (sheet,) = re.findall("<style>(@media screen{.k8swin-late.*?)</style>", html)
    assert "animation:k8swin-late" in sheet and "visibility:visible" in sheet
    board.rest()
    assert "k8swin-late" not in Bar(board.picture(), held=True)._repr_html_()


def test_five_thousand_hosts_fit_into_a_picture_and_the_failed_one_is_in_it():
    board = board_with()
    for number in range(5_000):
        board.told(progress("first", f"h{number}"))
    for number in range(4_000):
        board.told(progress("first", f"h{number}", Outcome.OK))
    board.told(progress("first", "h4500", Outcome.FAILED, "it broke"))
    html = Steps(board.picture())._repr_html_()
    assert "4000 hosts" in html and "h4500" in html and "more row" in html
    assert len(html) < 100_000
    assert len(repr(Steps(board.picture()))) < 100_000


def test_a_step_that_is_applied_again_stands_once_with_its_last_outcome():
    board = board_with(
        progress("first", "a"), progress("first", "a", Outcome.FAILED), progress("first", "a")
    )
    assert [(line.step, line.outcome) for line in board.picture().lines] == [("first", None)]
    board.told(progress("first", "a", Outcome.CHANGED))
    board.rest()
    assert [line.outcome for line in board.picture().lines] == [Outcome.CHANGED]
    assert "changed=1; next: asked" in repr(Bar(board.picture()))


def test_a_step_that_is_for_no_host_has_ended_when_its_turn_has_come():
    board = Board("02_master", STEPS)
    first, *others = (step.name for step in STEPS)
    board.begin(first, ["a"])
    board.told(progress(first, "a"))
    board.told(progress(first, "a", Outcome.OK))
    for name in others:
        assert board.picture().mood == "works"
        board.begin(name, [])
    board.rest()
    assert board.picture().mood == "done"
    assert sentence(board.picture()).startswith(f"{len(STEPS)} of {len(STEPS)} steps: ok=1")


def test_what_an_interrupt_cut_off_is_no_line_that_runs_for_ever():
    board = board_with(progress("first", "a"))
    board.rest()
    assert board.picture().lines == []


def test_a_view_that_cannot_be_drawn_ends_and_the_work_goes_on(capsys):
    view = LiveView(make_run(phase=phase_of(*STEPS)))

    class Broken:
        def update(self, what: object) -> None:
            raise OSError("no front end")

    view._bar = view._steps = Broken()
    with view.working():
        view.begin("first", ["a"])
    with view.working():
        pass
    told = capsys.readouterr().err
    assert told.count("the live view ends here: OSError: no front end") == 1


def test_widgets_that_fail_cost_the_buttons_and_nothing_of_the_view(capsys):
    view = LiveView(make_run(phase=phase_of(*STEPS)))
    shown: list[str] = []

    class Place:
        def update(self, what: object) -> None:
            shown.append(repr(what))

    class BrokenButtons:
        def refresh(self, *, at_work: bool) -> bool:
            raise AttributeError("another version of ipywidgets")

    view._bar = view._steps = Place()
    view._buttons = BrokenButtons()
    view.board.begin("first", ["a"])
    for _ in range(2):
        view._draw()
    assert view._buttons is None and sum("step 1 of 7" in one for one in shown) == 2
    told = capsys.readouterr().err
    assert told.count("has no buttons: AttributeError: another version of ipywidgets") == 1


@pytest.fixture(scope="module")
def kernel():
    manager, client = start_new_kernel(kernel_name="python3", cwd=str(ROOT))
    try:
        yield Kernel(manager, client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


class Kernel:
    """A kernel of which every message counts."""

    def __init__(self, manager, client) -> None:
        self.manager, self.client = manager, client
        self.shown: dict[str, dict[str, str]] = {}
        """By display id, what is seen there now."""

    def run(
        self, code: str, *, asks: bool = True, seen: tuple[str, ...] = (), then=None
    ) -> tuple[dict, list]:
        """Run a cell; when texts are seen together, do something. Return its reply and messages."""
        messages = []
        done = threading.Event()

        def hook(message) -> None:
            content = message["content"]
            messages.append((message["msg_type"], content))
            name = (content.get("transient") or {}).get("display_id")
            if name:
                self.shown[name] = content["data"]
            if seen and all(text in str(content) for text in seen) and not done.is_set():
                done.set()
                then()

        reply = self.client.execute_interactive(
            code, allow_stdin=asks, output_hook=hook, stdin_hook=None, timeout=LIMIT
        )
        return reply["content"], messages

    def bar(self) -> str:
        bars = [data["text/plain"] for data in self.shown.values() if "k8swin-live" in str(data)]
        return bars[-1]


OPEN = "from tests.live_phase import open_live\nphase = open_live()"


def kinds(messages: list) -> Counter:
    return Counter(kind for kind, _ in messages)


def printed(messages: list) -> str:
    return "".join(content["text"] for kind, content in messages if kind == "stream")


def test_a_person_sees_steps_waits_failures_and_stops_where_the_setup_cell_is(kernel):
    reply, messages = kernel.run(OPEN)
    assert reply["status"] == "ok" and "7 steps, none has run yet" in kernel.bar()
    assert any("as of 20" in data.get("text/html", "") for data in kernel.shown.values())
    kernel.run('phase.apply("first", "asked")')
    assert "2 of 7 steps: ok=3; next: ready" in kernel.bar()
    # The stop button's interrupt, once it is seen what is waited for.
    reply, messages = kernel.run(
        'phase.apply("ready")', seen=("servercore",), then=kernel.manager.interrupt_kernel
    )
    assert reply["ename"] == "Interrupted"
    assert "stopped: at ready" in kernel.bar() and "stopped on winworker01" in kernel.bar()
    assert any(SEEN in str(content) for _, content in messages)
    reply, messages = kernel.run('phase.apply("login")')
    assert reply["status"] == "error"
    assert "failed: at login" in kernel.bar() and "fix: check `credential`" in kernel.bar()
    # A page that was loaded again knows no display of before: the next cell that runs there shows it, each time it runs.
    session, first = kernel.client.session, kernel.client.session.session
    session.session, session.metadata = "loaded again", {"cellId": "one"}
    for cell, bars in ("one", 1), ("one", 1), ("two", 0):
        session.metadata = {"cellId": cell}
        _, messages = kernel.run("1")
        found = [text for kind, text in messages if kind == "display_data"]
        assert sum("k8swin-held" in str(text) for text in found) == bars
        assert "failed: at login" in kernel.bar()
    session.session, session.metadata = first, {}
    # Another cell's error is seen there too, and gone when that cell is mended.
    kernel.run("phase.summary()")
    # An exercise that is not done is no failure of the phase that happens to be open.
    kernel.run("from k8swin_nb.workshop.looked import NotDone\nraise NotDone('1 of 5 are true')")
    assert "NotDone" not in kernel.bar()
    kernel.run("1 / 0")
    assert any("k8swin-held" in str(data) for data in kernel.shown.values())
    assert "ZeroDivisionError" in kernel.bar()
    _, messages = kernel.run("import threading\nprint([t.name for t in threading.enumerate()])")
    assert "live" not in printed(messages)
    # The setup cell once more: the former view stands where it is, another one begins.
    kernel.run(OPEN)
    assert "none has run yet" in kernel.bar()
    held = [data for data in kernel.shown.values() if "k8swin-held" in str(data)]
    assert len(held) == 1
    # All cells of a page that was loaded again: the view came with the first of them, and goes when its own cell has another.
    for front in ("once more", "and again"):
        for cell, code in ("parameters", "1"), ("setup", OPEN):
            session.session, session.metadata = front, {"cellId": cell}
            kernel.run(code)
    session.session, session.metadata = first, {}
    # That of the first two setup cells, which nobody knows, and the last.
    assert sum("k8swin-live" in str(data) for data in kernel.shown.values()) == 3


def test_a_headless_run_gets_lines_at_growing_intervals_and_one_update_a_cell(kernel):
    kernel.run(OPEN, asks=False)
    quick = (
        "import k8swin_nb.notebook.stream as stream, k8swin_nb.workflow.heartbeat as beats\n"
        "stream.QUIET = 0.0\n"
    )
    _, messages = kernel.run(
        quick + 'phase.apply("first", "asked", "ready")',
        asks=False,
        seen=("still running", SEEN),  # a busy computer says the first before it comes there
        then=kernel.manager.interrupt_kernel,
    )
    assert "still running" in printed(messages) and SEEN in printed(messages)
    counts = kinds(messages)
    assert counts["update_display_data"] <= 2 and not counts["comm_open"]
    assert "stopped: at ready" in kernel.bar() and "k8swin-held" not in str(kernel.shown)
