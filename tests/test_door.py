"""One door: whoever shows or keeps something sends it through `k8swin_nb.shown`, and nobody writes beside it."""

import ast
import io
import json
import logging
import re
import sys
import traceback
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from k8swin_nb import __main__ as command_line
from k8swin_nb.description import check_description
from k8swin_nb.errors import (
    CommandFailed,
    K8swinError,
    MultiHostError,
    ParamsError,
    StepFailed,
    UnexpectedError,
)
from k8swin_nb.hosts import inventory_of
from k8swin_nb.phases.troubleshoot.bundle import write_bundle
from k8swin_nb.redact import MASK
from k8swin_nb.result import Result
from k8swin_nb.secret import Secret, SecretRef
from k8swin_nb.shown import (
    LINE,
    ShownStream,
    coloured,
    masked,
    shown,
    shown_line,
    shown_lines,
    visible,
)
from k8swin_nb.tables import StaticTable, escaped, preformatted
from k8swin_nb.tables.frames import ShownFrame
from k8swin_nb.workflow.report import Report, Row
from k8swin_nb.workflow.step import Outcome
from tests.conftest import ROOT
from tests.runs import make_run
from tests.test_description import MASTER, WORKER, described

pytestmark = pytest.mark.usefixtures("forgotten_secrets")

PACKAGE = ROOT / "k8swin_nb"

SINKS = {
    "print": "shows",
    "display": "shows",
    "write": "writes",
    "writelines": "writes",
    "write_text": "writes",
    "write_bytes": "writes",
    "write_whole": "writes",
    "dump": "writes",
    "HTML": "shows",
    "Markdown": "shows",
    "publish_display_data": "shows",
    "echo": "shows",
    "warn": "shows",
    "getLogger": "shows",
    "basicConfig": "shows",
}
"""Names by which something is shown or kept."""

BEHIND = {
    "__main__.py": "its streams are `ShownStream`s",
    "tables/frames.py": "text that is masked and shown as text, into the buffer that `to_string` is given",
    "audit/archive.py": "what a run's folder holds, which passed the door when it was written; names by `shown_line`",
    "audit/sealing.py": "digests, what the record says already, `masked`, `visible`; a signature of another program",
    "audit/signers.py": "the seal itself, for the program that signs it",
    "audit/signatures.py": "the seal and its signature, for the program that judges it",
    "headless/audit_commands.py": "`shown_line`, JSON in ASCII; a command's streams are `ShownStream`s",
    "cluster/client_file.py": "a kubeconfig in memory or in a file of the account's alone, for kubectl",
    "cluster/tls.py": "gives the client a certificate, in memory or in a file of the account's alone",
    "description_edit.py": "writes the description itself; its difference through `shown`",
    "headless/desk.py": "copies notebooks without outputs; a command's streams are `ShownStream`s",
    "headless/run_page.py": "a command's streams are `ShownStream`s; the page is `headless/page.py`'s",
    "headless/engine.py": "executed notebooks, behind the kernel's door",
    "headless/notebooks.py": "errors of notebooks through `shown`",
    "headless/unlocking.py": "a command's streams are `ShownStream`s",
    "headless/page.py": "`escaped` and `redact`; what notebooks hold, through `page_html`",
    "headless/pdf.py": "a copy of the page, for the program that prints it",
    "headless/progress.py": "`shown_line`",
    "host_tools/asking.py": "writes the record",
    "host_tools/detached.py": "the record, which masks",
    "host_tools/kubectl.py": "writes the record, and into kubectl's standard input",
    "host_tools/pulling.py": "writes the record, and what a host's file holds into the place that was asked for",
    "headless/saving.py": "executed notebooks, behind the kernel's door",
    "local_files.py": "its callers, who are named here too",
    "notebook/context.py": "jobs and holders of locks, by `shown_line`",
    "notebook/live_buttons.py": "widgets of `escaped` and `preformatted` text",
    "notebook/live_view.py": "displays a `Bar` and `Steps`, prints by `shown_line`",
    "notebook/table_magics.py": "displays tables of a cluster, behind `ShownFrame`",
    "notebook/file_magics.py": "`shown_line`, and a report's own writers",
    "notebook/host_text.py": "masked by the transport, `visible`",
    "notebook/opening.py": "displays a `StaticTable`",
    "notebook/phase_view.py": "displays a `Report` and views",
    "notebook/job_magics.py": "writes into `LiveOutput`",
    "notebook/kubectl_magic.py": "behind the kernel's door, and `LiveOutput`",
    "notebook/reboot_magic.py": "`shown_line`",
    "notebook/tool_line.py": "displays a report",
    "notebook/stream.py": "masked by the transport, `visible`",
    "phases/network/anti_spoofing.py": "writes the record, and what the operator declared",
    "phases/network/plan_file.py": "writes the plan",
    "phases/network/host_widget.py": "`escaped`, `preformatted`, tables",
    "phases/network/subnet_widget.py": "`escaped`, `preformatted`",
    "phases/network/widget_parts.py": "`escaped`, `preformatted`; writes a `Change`",
    "phases/pods/dashboard.py": "writes a token into a file of the owner's alone, which is what it is for",
    "phases/troubleshoot/bundle.py": "`redact`, `masked`, `visible`",
    "phases/troubleshoot/failure.py": "writes the record",
    "phases/verify/trying.py": "writes the record",
    "workshop/__main__.py": "its streams are `ShownStream`s",
    "workshop/colleague.py": "`shown_line`",
    "workshop/desk.py": "numbers, times and the exercises' own ids",
    "machines.py": "writes the record",
    "opened.py": "writes the record",
    "workflow/host_lock.py": "writes the record",
    "workflow/runner.py": "writes the record",
    "workflow/step_run.py": "writes the record",
    "workflow/record.py": "`masked`, `visible`",
    "notebook/k8swin_magic.py": "`shown`, names of hosts and fingerprints",
    "notebook/magics.py": "names of magics, by `shown_line`",
    "notebook/outputs.py": "displays what `Result` and `preformatted` made",
    "notebook/remote_magics.py": "`shown`, and writes into `LiveOutput`",
    "notebook/parameter_cell.py": "writes the notebooks' own parameters",
    "project.py": "copies files of the package",
    "secret.py": "warns of a secret by its reference, without the value",
    "shown.py": "the door itself",
    "transports/connection.py": "quiets the logger of paramiko",
    "transports/hostkeys.py": "writes known_hosts",
    "workflow/cell_compare.py": "differences through `shown_line`",
    "workflow/cell_digest.py": "digests alone",
    "notebook/cells.py": "what has passed the kernel's door, as digests; the record masks",
    "host_tools/file_events.py": "writes the record, which masks",
    "host_tools/following.py": "writes the record, which masks",
    "notebook/kernel_door.py": "the kernel's door itself; its own trouble through `shown_line`",
    "workflow/output_log.py": "what `Output` has masked, through `visible`",
    "workflow/script_events.py": "writes the record, which masks",
    "workflow/log_file.py": "appends what `record` has masked",
    "phases/teardown/removal.py": "writes the record",
    "api.py": "writes the record",
}
"""Modules that show or keep something, and by what they are behind the door. A new one is to be looked at, then named."""


def calls(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            function = node.func
            name = getattr(function, "attr", getattr(function, "id", ""))
            if name in SINKS:
                yield name


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def test_every_module_that_shows_or_keeps_something_is_behind_the_door() -> None:
    found = {path.relative_to(PACKAGE).as_posix(): sorted(set(calls(path))) for path in modules()}
    new = {name: names for name, names in found.items() if names and name not in BEHIND}
    assert new == {}
    assert not [name for name in BEHIND if name not in found]


def test_the_one_place_that_escapes_html_is_behind_the_door() -> None:
    using = {
        path.relative_to(PACKAGE).as_posix()
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        # To read what is escaped, others may.
        if (
            isinstance(node, ast.Attribute)
            and node.attr == "escape"
            and getattr(node.value, "id", "") == "html"
        )
        or (isinstance(node, ast.ImportFrom) and node.module == "html")
        or (isinstance(node, ast.Import) and any(n.name == "html" and n.asname for n in node.names))
    }
    assert using == {"tables/text.py"}


def test_every_html_of_an_object_is_made_by_the_writers_of_tables_and_text() -> None:
    writers = {"table_html", "preformatted", "escaped", "highlighted", "attribute", "_repr_svg_"}
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name == "_repr_html_":
                called = {
                    getattr(call.func, "attr", getattr(call.func, "id", ""))
                    for call in ast.walk(node)
                    if isinstance(call, ast.Call)
                }
                assert called & writers, f"{path.name}:{node.lineno}"


# What the door does ----------------------------------------------------------------------------------------------

CANARY = "Durch-die-Tuer-4711"
EVIL = f"\x1b]52;c;Y3VybA==\x07\x1b]0;t\x07\x1b[2J\x9b2J\u202egnp {CANARY} \x1b[31mred\x1b[0m"
RAW = ("\x1b", "\x9b", "\x9d", "\u202e", "\x07", CANARY)


@pytest.fixture(autouse=True)
def known(forgotten_secrets: None) -> None:
    Secret(CANARY)


def assert_clean(text: str) -> None:
    assert text and not [raw for raw in RAW if raw in text], ascii(text)


def result(text: str) -> Result:
    return Result(f"run {text}", 1, text, text, "h1", 1.0)


class Table(ShownFrame):
    pass


SHOWERS = {
    "an error": lambda: str(K8swinError(EVIL)),
    "an error's repr": lambda: repr(K8swinError(EVIL)),
    "an error's lines": lambda: "\n".join(K8swinError("x", hint=EVIL).lines()),
    "a hint by itself": lambda: str(ParamsError("x", hint=EVIL).hint),
    "a hint": lambda: "\n".join(ParamsError("x", hint=EVIL)._render_traceback_()),
    "a failed command": lambda: "\n".join(CommandFailed(result(EVIL)).lines()),
    "a failed step": lambda: "\n".join(
        StepFailed(phase="p", step="s", host="h", detail=EVIL, result=result(EVIL)).lines()
    ),
    "errors of many hosts": lambda: "\n".join(
        MultiHostError(
            {"a": ValueError(EVIL), "b": K8swinError(EVIL), EVIL: KeyError(EVIL)}
        ).lines()
    ),
    "a traceback": lambda: _traceback(),
    "a result": lambda: repr(result(EVIL)) + result(EVIL)._repr_html_(),
    "a table": lambda: repr(StaticTable(EVIL, (EVIL,), [(EVIL,)])),
    "a table as HTML": lambda: StaticTable(EVIL, (EVIL,), [(EVIL,)])._repr_html_(),
    "a frame": lambda: repr(Table.of([(EVIL,)], columns=["a"])),
    "a frame that others filled": lambda: repr(Table([(EVIL,)], columns=["a"])),
    "a frame as HTML": lambda: Table([(EVIL,)], columns=["a"])._repr_html_(),
    "a frame as text": lambda: Table([(EVIL,)], columns=["a"]).to_string(),
    "a frame's cells": lambda: str(Table.of([(EVIL,)], columns=["a"]).iloc[0, 0]),
    "a report": lambda: repr(report()) + report()._repr_html_() + str(report().frame()),
    "a row": lambda: repr(Row("s", "h", Outcome.OK, 1.0, EVIL)),
    "text as HTML": lambda: preformatted(EVIL) + escaped(EVIL),
    "a structure": lambda: visible(
        json.dumps(
            masked(
                {"a": [EVIL, {"b": EVIL}]},
            ),
            ensure_ascii=False,
        )
    ),
}


def report() -> Report:
    return Report("title", [Row("s", "h", Outcome.FAILED, 1.0, EVIL)])


def _traceback() -> str:
    try:
        try:
            raise ValueError(EVIL)
        except ValueError as inner:
            raise UnexpectedError("h1", inner) from inner
    except UnexpectedError as error:
        return "".join(traceback.format_exception(error))


@pytest.mark.parametrize("shower", SHOWERS)
def test_what_shows_itself_is_masked_and_text(shower: str) -> None:
    assert_clean(SHOWERS[shower]())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("\x1b[2J", "^[[2J"),
        ("\x1b]0;t\x07", "^[]0;t"),
        ("\x9b2J", "<U+009B>2J"),
        ("a\u202eb\u200b", "a<U+202E>b<U+200B>"),
        ("\x1b[1mbold\x1b[0m\x1b[K", "bold"),
        ("one\r\ntwo\rthree", "one\ntwo\nthree"),
        ("a\0b\x08c\x7f", "ab^Hc^?"),
        ("line\u2028end\x85\x0b", "line<U+2028>end<U+0085>^K"),
        ("lone \ud800", "lone <U+D800>"),
        ("tab\tumlaut ü 漢字 🔑", "tab\tumlaut ü 漢字 🔑"),
    ],
)
def test_what_is_unseen_stands_as_text(text: str, told: str) -> None:
    assert visible(text) == told


def test_colours_are_kept_for_a_front_end_and_hide_nothing() -> None:
    assert coloured("\x1b[1;31mred\x1b[0m\x1b[38;5;8m") == "\x1b[1;31mred\x1b[0m\x1b[38;5;8m"
    assert coloured("\x1b[8mhidden\x1b[08;1mtoo") == "^[[8mhidden^[[08;1mtoo"
    assert coloured("\x1b[2J\x1b]0;t\x07") == "^[[2J^[]0;t^G"


def test_long_texts_are_bounded_and_secrets_at_the_edge_masked() -> None:
    assert len(shown("x" * 10_000_000)) < 25_000
    assert len(shown_line("y" * 10_000_000)) < LINE + 100
    assert all(len(line) < LINE + 100 for line in shown_lines("z" * 1_000_000, last=3))
    for shift in range(len(CANARY) + 2):
        # The cut goes through the secret at each of its characters.
        text = "a" * 50 + CANARY + "b" * (100 - shift)
        assert not any(part in shown(text, most=100) for part in (CANARY[-6:],))
        text = "a" * (100 - shift) + CANARY + "b" * 50
        assert CANARY[:6] not in shown_line(text, most=100)


def test_html_has_no_line_in_which_markdown_could_begin() -> None:
    text = "x\n\n[a](javascript:alert(1)) ![](http://evil/x.png)\n\n# X"
    for made in (
        preformatted(text),
        escaped(text),
        result(text)._repr_html_(),
        StaticTable(text, (text,), [(text,)])._repr_html_(),
        Table([(text,)], columns=[text])._repr_html_(),
    ):
        assert "\n" not in made


def test_front_ends_find_no_formula_in_what_a_host_says() -> None:
    text = r"$\href{https://evil.example}{click}$ \(x\)"
    for made in (
        StaticTable(text, (text,), [(text,)])._repr_html_(),
        Table([(text,)], columns=[text])._repr_html_(),
        Report(text, [Row("s", "h", Outcome.FAILED, 1.0, text)])._repr_html_(),
        Report(text, [Row("s", "h", Outcome.OK, 1.0, text)])._repr_html_(),
        Report(text, [Row("s", "h", Outcome.OK, 1.0, text)] * 2)._repr_html_(),
    ):
        # All of the text stands in elements that are not searched.
        tag = re.match(r'<(\w+) class="tex2jax_ignore mathjax_ignore"', made)
        assert tag and made.endswith(f"</{tag[1]}>") and made.count(f"<{tag[1]}") == 1


def test_tables_show_some_rows_and_say_how_many_more_there_are() -> None:
    many = [(f"pod-{number}", "Running") for number in range(5_000)]
    # A frame shows as many as pandas' own options say.
    for table, left in (
        (StaticTable("t", ("a", "b"), many), 4500),
        (Table(many, columns=["a", "b"]), 4990),
    ):
        made = table._repr_html_()
        assert len(made) < 100_000
        assert f"... {left} more rows" in made
    assert "... 4500 more rows" in repr(StaticTable("t", ("a", "b"), many))
    wide = StaticTable("t", ("a",), [("x" * 1_000_000,)] * 300)
    assert len(wide._repr_html_()) < 1_100_000


def test_a_cell_of_several_lines_is_one_row_of_text() -> None:
    table = StaticTable("t", ("host", "state"), [("h1", "failed\nh2  ok")])
    assert repr(table).splitlines() == ["t", "host  state", "h1    failed ↵ h2  ok"]


def test_names_and_numbers_of_a_structure_stay() -> None:
    for word in ("true", "null", "host", "1000", "12345678"):
        Secret(word)
    found = masked({"host": "host", "n": [1000, 1.5, True, None], "digits": 12345678})
    assert found == {"host": MASK, "n": [1000, 1.5, True, None], "digits": MASK}


def test_a_proxys_password_is_masked_by_the_name_beside_it() -> None:
    given = {"http_proxy": "http://u:1234/w@h", "env": {"HTTPS_PROXY": "u:p@ss@h:1"}}
    assert masked(given) == {
        "http_proxy": "http://u:*****@h",
        "env": {"HTTPS_PROXY": "u:*****@h:1"},
    }


# The command line ------------------------------------------------------------------------------------------------


def test_whatever_is_printed_in_a_command_passes_the_door(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def check(_options: object) -> int:
        sys.stdout.write(EVIL + "\n")
        print(EVIL, file=sys.stderr)  # noqa: T201
        sys.stderr.write(warnings.formatwarning(EVIL, UserWarning, "a.py", 1))
        logger = logging.getLogger("a.library")
        logger.propagate = False
        logger.warning("%s", EVIL)
        raise ValueError(EVIL)

    monkeypatch.setattr(command_line, "_check", check)
    with pytest.raises(SystemExit) as left:
        command_line.main(["check", "x"])
    assert left.value.code == 1
    said = capsys.readouterr()
    for text in said:
        assert_clean(text)
    assert "ValueError" in said.err and "UserWarning" in said.err
    assert not isinstance(sys.stdout, ShownStream)


def test_an_unknown_options_value_is_not_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (
        ["--password", "hunter22"],
        ["--password=hunter22"],
        ["hunter22", "hunter23"],
    ):
        with pytest.raises(SystemExit):
            command_line.main(["check", "x", *arguments])
        assert "hunter2" not in capsys.readouterr().err


def test_a_question_is_shown_before_its_answer_and_half_a_secret_is_not() -> None:
    behind = io.StringIO()
    stream = ShownStream(behind)
    stream.write("Type yes: ")
    assert behind.getvalue() == ""
    stream.flush()
    assert behind.getvalue() == "Type yes: "
    stream.write(CANARY[:8])
    stream.write(CANARY[8:] + "\n")
    assert behind.getvalue() == f"Type yes: {MASK}\n"


# What may be the secret ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reference", ["cmd:false hunter22", "cmd:no-such-program --password=hunter22", "env:hunter22!"]
)
def test_a_reference_does_not_say_what_may_be_the_secret(reference: str) -> None:
    parsed = SecretRef.parse(reference)
    with pytest.raises(ParamsError) as caught:
        parsed.resolve()
    assert "hunter22" not in "\n".join(caught.value.lines())
    assert reference.startswith("env:") or "hunter22" not in f"{parsed} {parsed!r}"


def test_what_a_command_is_given_is_in_nothing_that_is_shown_or_kept(tmp_path: Path) -> None:
    worker = {**WORKER, "credential": "cmd:sshpass -p hunter22 show"}
    master = {**MASTER, "ssh_password": "cmd:pass show", "sudo_password": "cmd:pass -p hunter22"}
    description = check_description(described(hosts=[master, worker]))
    run = make_run(tmp_path, description=description)
    (kept,) = write_bundle(run, "x", [], []).glob("parameters.json")
    assert "hunter22" not in kept.read_text() and "cmd:sshpass *****" in kept.read_text()
    assert "hunter22" not in f"{description!r} {inventory_of(description)!r}"
    assert shown("login refused (ntlm, cmd:sshpass -p hunter22 show)").endswith(
        "cmd:sshpass *****)"
    )
    assert shown("show it") == "show it"


@pytest.mark.parametrize(
    "value", ["98761234", "true", "2026-01-01", "*hunter22", "!hunter22 x", "[hunter22", "hunter22"]
)
def test_what_stands_in_place_of_a_reference_is_not_repeated(
    value: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (ROOT / "params/lab.yaml").read_text(encoding="utf-8")
    lines = [
        line.partition("credential:")[0] + f"credential: {value}" if "credential:" in line else line
        for line in text.splitlines()
    ]
    file = tmp_path / "mine.yaml"
    file.write_text("\n".join(lines), encoding="utf-8")
    assert command_line.main(["check", str(file)]) == 2
    said = capsys.readouterr().err
    assert "credential" in said or "is not YAML" in said
    assert value not in said and "hunter22" not in said
