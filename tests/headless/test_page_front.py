"""What the page of a run says first, and where its links lead: of runs that ended, failed, were stopped or killed, and of others'."""

import hashlib
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import nbformat
import pytest

from k8swin_nb.headless.page import write_page
from k8swin_nb.headless.page_html import clean, from_markdown, no_link
from k8swin_nb.scripts import Script
from k8swin_nb.tables.code import highlighted
from k8swin_nb.tables.table import folding
from k8swin_nb.workflow.record import Record

HOSTS = [
    {"name": "m", "address": "10.0.0.1", "os": "linux", "user": "root"},
    {"name": "w", "address": "10.0.0.2", "os": "windows", "user": "Administrator"},
]
SWAP = Script.load("linux/swap.apply.sh")
LOOK = Script.load("linux/swap.check.sh")


class Page(HTMLParser):
    """A page as a browser has it: its links, its places, and what is in it as text."""

    VOID = frozenset({"meta", "br", "hr", "img", "wbr", "col"})

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.places: list[str] = []
        self.tags: list[tuple[str, dict]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(path.read_text())
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.tags.append((tag, given))
        if "id" in given:
            self.places.append(given["id"])
        if tag == "a":
            self.links.append(given["href"])
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in self.VOID:  # `<br/>` is told as both
            assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] != ["style"]:
            self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))

    def said(self, head: str) -> str:
        """Return what the verdict says under a heading."""
        verdict = self.text.partition("Cluster and versions")[0]
        heads = "Asked|True now|Changed|Failed|Did not run|End not known|Who, when|Seal"
        found = re.search(rf" {head} (.*?)(?= (?:{heads}) |$)", verdict)
        assert found, verdict
        return found[1]


def whole(folder: Path, notebooks=()) -> Page:
    """Write a page, and return it when every link of it leads somewhere and no place is there twice."""
    path = write_page(folder, notebooks)
    page = Page(path)
    assert len(set(page.places)) == len(page.places)
    for link in page.links:
        if link.startswith("#"):
            assert link[1:] in page.places, link
        else:
            assert not re.match(r"[a-z]+:|/", link) and (folder / unquote(link)).is_file(), link
    return page


def opened(record: Record, **more) -> None:
    """Write what a notebook's first event says of any computer but this one."""
    told = {"dry_run": False, "target": "", "controller": "desk", **more}
    record.write("notebook-opened", phase=record.notebook, hosts=HOSTS, **told)


def step(record: Record, name: str, outcome: str, host="m", **more) -> None:
    record.write("step-started", phase=record.notebook, step=name, host=host)
    told = {
        "step": name,
        "host": host,
        "outcome": outcome,
        "seconds": 1.0,
        "detail": f"{name} it is",
    }
    record.write("step", phase=record.notebook, **{**told, **more})


def script(record: Record, name: str, one: Script, verb: str, *, ended=True, **more) -> None:
    told = {"step": name, "host": "m", "verb": verb, "tag": f"{record.run_id}-{name}-{verb}"}
    told |= {"script": one.name, "sha256": one.sha256, "sudo": True, **more}
    record.write("script-started", **told)
    if ended:
        output, digest = record.keep_output(f"{name}-m-{verb}", "printed")
        record.write(
            "script", **told, exit_code=0, seconds=0.1, output=output, output_sha256=digest
        )


def notebook(path: Path, *cells) -> Path:
    nbformat.write(nbformat.v4.new_notebook(cells=list(cells)), path)
    return path


def cell(source: str, *outputs):
    return nbformat.v4.new_code_cell(source, outputs=list(outputs), execution_count=1)


def html_output(text: str):
    return nbformat.v4.new_output("execute_result", {"text/html": text}, execution_count=1)


def test_a_run_that_is_done_says_so_first_with_who_when_and_what_changed(tmp_path):
    record = Record(tmp_path, "r", "02_master")
    opened(
        record,
        reason="CHG-17",
        operator_by="K8SWIN_OPERATOR",
        **{"from": "192.0.2.7"},
        parameters={
            "description": {"cluster_name": "north", "kubernetes_version": "1.36.4"},
            "ip": None,
        },
        toolkit={"version": "9.8.7", "commit": "abc1234", "changed": True},
    )
    record.write(
        "host-identified", host="m", by="ssh", host_key="SHA256:of-m", boot_id="b-1", pinned=True
    )
    script(record, "swap", LOOK, "check")
    script(record, "swap", SWAP, "apply")
    step(record, "swap", "changed", found="swap: on", difference="-a\n+b", now="swap: off")
    record.write("notebook-finished", phase="02_master")
    page = whole(tmp_path / "r")
    assert "Run r is done" in page.text[:40]
    assert "reason: CHG-17" in page.said("Asked") and "cluster_name north" in page.said("Asked")
    assert "m: 1 changed" in page.said("Changed") and page.said("Failed") == "nothing"
    assert "K8SWIN_OPERATOR" in page.said("Who, when") and "from 192.0.2.7" in page.said(
        "Who, when"
    )
    assert "not sealed" in page.said("Seal")
    assert "k8swin_nb 9.8.7, commit abc1234, with changes that are not committed" in page.text
    assert "host key SHA256:of-m, boot b-1, pinned: yes" in page.text
    before, difference, after = (
        page.text.index(f"{word}:") for word in ("before", "difference", "after")
    )
    assert before < difference < after
    assert "swap: on" in page.text and "swap: off" in page.text


def test_each_script_is_there_once_closed_and_those_that_change_something_are_open_on_paper(
    tmp_path,
):
    record = Record(tmp_path, "r", "02_master")
    opened(record)
    for _ in range(3):
        script(record, "swap", LOOK, "check")
        script(record, "swap", SWAP, "apply")
        step(record, "swap", "changed")
    listing = folding(
        "", highlighted(SWAP.text, "bash"), heading=f"<code>apply: {SWAP.name}</code>"
    )
    path = notebook(tmp_path / "r" / "02_master.ipynb", cell("x", html_output(listing)))
    page = whole(tmp_path / "r", [path])
    source = (tmp_path / "r" / "index.html").read_text()
    line = "Lines of /etc/fstab become"
    assert page.text.count(line) == 1
    assert len(re.findall(rf"<details[^>]*><summary><code>{SWAP.name}</code>", source)) == 1
    apply = re.search(rf"<details([^>]*)><summary><code>{SWAP.name}</code> <small>([^<]*)", source)
    check = re.search(rf"<details([^>]*)><summary><code>{LOOK.name}</code> <small>([^<]*)", source)
    assert 'class="paper-open"' in apply[1] and "class" not in check[1] and " open" not in apply[1]
    for one, found in ((SWAP, apply), (LOOK, check)):
        assert one.sha256 in found[2].replace("<wbr/>", "") or one.sha256[:32] in found[2]
        assert "ran 3 times" in found[2]
    assert "paper-open::details-content{content-visibility:visible" in source
    assert re.search(r"pre \.q\d\{color: color-mix", source)


def test_a_kept_script_is_shown_as_its_file_has_it_and_one_that_is_nowhere_is_told(tmp_path):
    record = Record(tmp_path, "r", "02_master")
    opened(record)
    kept = "# The masked text of it.\necho *****\n"
    file = f"scripts/{hashlib.sha256(kept.encode()).hexdigest()}.sh"
    (tmp_path / "r" / "scripts").mkdir()
    (tmp_path / "r" / file).write_text(kept)
    mine = Script.from_text("echo geheim", "bash", "mine.apply.sh")
    script(record, "swap", mine, "apply", script_file=file)
    other = Script.from_text("echo lost", "bash", "lost.apply.sh")
    script(record, "swap", other, "apply", script_file="../../../../etc/passwd")
    step(record, "swap", "changed")
    page = whole(tmp_path / "r")
    assert "The masked text of it." in page.text and file in page.links
    assert f"lost.apply.sh, sha256 {other.sha256[:32]}" in page.text and "root:" not in page.text


def test_a_failed_run_names_what_failed_and_what_did_not_run(tmp_path):
    Record(tmp_path, "r", "k8swin run").write(
        "run-begun", notebooks=["01_network", "02_master", "03_flannel"]
    )
    first = Record(tmp_path, "r", "01_network")
    opened(first)
    step(first, "plan", "ok")
    first.write("notebook-finished", phase="01_network")
    second = Record(tmp_path, "r", "02_master")
    opened(second)
    step(second, "preflight", "failed", detail="the disk is full")
    second.write("failed", phase="02_master", step="preflight", error="preflight: the disk is full")
    page = whole(tmp_path / "r")
    assert "Run r failed" in page.text[:40]
    assert "02_master/preflight on m: the disk is full" in page.said("Failed")
    said = page.said("Did not run")
    assert "Notebooks not begun: 03_flannel" in said
    assert (
        "02_master failed; steps not ended:" in said and "swap" in said and "preflight" not in said
    )


def test_what_failed_and_was_done_later_is_no_failure_of_the_run(tmp_path):
    record = Record(tmp_path, "r", "02_master")
    opened(record)
    step(record, "swap", "failed")
    record.write("failed", phase="02_master", step="swap", error="x")
    step(record, "swap", "changed")
    record.write("notebook-finished", phase="02_master")
    page = whole(tmp_path / "r")
    assert "is done" in page.text[:40]
    assert page.said("Failed") == "earlier, and not any more: swap"


def test_a_run_whose_kernel_was_killed_says_so_and_names_the_script_of_which_nobody_knows_the_end(
    tmp_path,
):
    record = Record(tmp_path, "r", "02_master")
    opened(record)
    script(record, "swap", SWAP, "apply", ended=False)
    with record.path.open("a") as log:
        log.write('{"event": "scri')
    page = whole(tmp_path / "r")
    assert "Run r has not ended" in page.text[:40]
    assert "has not said that it ended" in page.said("Did not run")
    assert SWAP.name in page.said("End not known")


def test_a_run_that_was_stopped_says_by_what_and_who_was_left_out(tmp_path):
    record = Record(tmp_path, "r", "02_master")
    opened(record)
    step(
        record,
        "swap",
        "skipped",
        host="w",
        detail="left out while it was looked at; this step changed nothing",
    )
    record.write(
        "interrupted", phase="02_master", step="time", stopped=["m"], left=["w"], running=[]
    )
    Record(tmp_path, "r", "k8swin run").write(
        "run-stopped", by="SIGTERM", what="time", left=["03_flannel"]
    )
    page = whole(tmp_path / "r")
    assert "Run r was stopped" in page.text[:40]
    said = page.said("Did not run")
    assert "Stopped by SIGTERM" in said and "03_flannel" in said and "w at swap: left out" in said
    assert "02_master/time was interrupted; stopped on m; not begun on w." in said


def test_two_workers_that_join_side_by_side_are_two_notebooks(tmp_path):
    record = Record(tmp_path, "r", "04_join_windows")
    for address in ("10.0.0.1", "10.0.0.2"):
        opened(record, target=address)
    step(record, "facts", "ok", host="w")
    record.write("notebook-finished", phase="04_join_windows")
    page = whole(tmp_path / "r")
    assert "04_join_windows-m has not said" in page.said("Did not run")
    assert "04_join_windows-w" not in page.said("Did not run")


def test_a_dry_run_and_the_last_seal_are_named(tmp_path):
    record = Record(tmp_path, "r", "02_master")
    opened(record, dry_run=True)
    step(record, "swap", "would change")
    record.write("notebook-finished", phase="02_master")
    seals = tmp_path / "r" / "seals"
    seals.mkdir()
    for number in (1, 2):
        said = {"predicate": {"operator": "<b>eve</b>", "time": f"T{number}"}}
        (seals / f"000{number}.json").write_text(json.dumps(said))
    (seals / "0002.json.sig").write_text("x")
    page = whole(tmp_path / "r")
    assert "was a dry run" in page.text[:50] and "m: 1 would be changed" in page.said("Changed")
    said = page.said("Seal")
    assert (
        "at T2 by <b>eve</b>" in said and "seals/0002.json.sig" in said and "audit verify" in said
    )
    assert "This page checks nothing" in said
    (seals / "0003.json").write_text("[")
    assert "it cannot be read" in whole(tmp_path / "r").said("Seal")


def test_links_lead_to_notebooks_of_the_page_to_files_beside_it_and_nowhere_else(tmp_path):
    text = (
        "[next](03_flannel.ipynb) [join](04_join_windows.ipynb) [gone](90_teardown.ipynb) [a file](note.txt) "
        "[site](https://example.org/x) [up](../secret) [js](javascript:alert(1)) ![p](http://example.org/p.png)"
    )
    folder = tmp_path / "r"
    folder.mkdir()
    (folder / "note.txt").write_text("")
    paths = [
        notebook(folder / "02_master.ipynb", nbformat.v4.new_markdown_cell(text)),
        notebook(folder / "03_flannel.ipynb"),
        notebook(folder / "04_join_windows-w #1.ipynb"),
    ]
    page = whole(folder, paths)
    assert {"#nb-03_flannel", "note.txt"} <= set(page.links)
    assert any(link.startswith("#nb-04_join_windows-w--1-") for link in page.links)
    assert "site (https://example.org/x)" in page.text
    assert not [link for link in page.links if "teardown" in link or "secret" in link]
    moved = tmp_path / "moved here" / "r"
    shutil.copytree(folder, moved)
    assert whole(moved, sorted(moved.glob("*.ipynb"))).links == page.links


EVIL = [
    '<script>alert(1)</script><img src=x onerror=alert(1)><a href="javascript:x">y</a>',
    "</details></section></main><h1>Run r is done</h1><style>header{display:none}</style>",
    '<iframe src="http://evil.example"></iframe><form action="//x"><input></form><svg><script>1</script></svg>',
    '<table><tr><td style="position:fixed;top:0">x<td colspan="&quot;><b>">y</table></div></div>',
    '<a href="beside:../x">z</a><p id="steps">twice</p><b onclick="x" class="paper" style="display:none">k</b>',
]


@pytest.mark.parametrize("evil", EVIL)
def test_html_of_a_notebook_breaks_out_of_nothing_and_hides_nothing(tmp_path, evil):
    folder = tmp_path / "r"
    folder.mkdir()
    path = notebook(
        folder / "02_master.ipynb",
        nbformat.v4.new_markdown_cell(evil),
        cell("1", html_output(evil)),
    )
    page = whole(folder, [path])
    names = [tag for tag, _ in page.tags]
    assert names.count("h1") == 1 and names.count("style") == 1 and names.count("main") == 1
    assert not {"script", "iframe", "form", "input", "svg"} & set(names)
    assert not [1 for _, given in page.tags for name in given if name.startswith("on")]
    inside = [given for tag, given in page.tags[names.index("main") :]]
    assert not [given for given in inside if "style" in given]


@pytest.mark.parametrize(
    "kind", ["notebook-opened", "step", "script", "magic", "run-begun", "host-identified"]
)
@pytest.mark.parametrize(
    "value", ["<b>&\"'</b>\u202e\x1b", None, 7, ["x"], {"a": "<i>"}, True, "../../x", "\0"]
)
def test_a_record_with_anything_in_any_field_has_a_page(tmp_path, kind, value):
    names = re.findall(
        r"\w+",
        "notebook operator operator_by controller from reason toolkit parameters parameters_sha256 hosts target unfinished phase step "
        "host outcome seconds detail found difference now tags script sha256 script_file output exit_code tag verb sudo as_root name "
        "notebooks dry_run by host_key boot_id pinned time n error",
    )
    base = {
        "event": kind,
        "notebook": "02_master",
        "phase": "02_master",
        "step": "swap",
        "host": "m",
    }
    lines = [{"event": "notebook-opened", "notebook": "02_master", "hosts": HOSTS}]
    lines += [{**base, name: value} for name in names]
    lines.append({**base, **dict.fromkeys(names, value), "event": kind})
    (tmp_path / "events.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    page = whole(tmp_path)
    assert "<b>" not in [f"<{tag}>" for tag, _ in page.tags if tag in ("i", "script")]
    assert "\u202e" not in page.text and "\x1b" not in page.text


def test_what_is_no_notebook_is_named(tmp_path):
    for content in (
        "[]",
        "{}",
        '{"cells": 5, "nbformat": 4, "nbformat_minor": 5, "metadata": {}}',
        "\xff",
    ):
        (tmp_path / "x.ipynb").write_text(content, encoding="latin-1")
        assert "x.ipynb cannot be read" in whole(tmp_path, [tmp_path / "x.ipynb"]).said("Failed")


def test_an_error_of_a_cell_is_told_first_where_the_record_knows_of_none(tmp_path):
    error = nbformat.v4.new_output(
        "error", ename="NameError", evalue="nodes\nmore", traceback=["a\x1b[31mb"]
    )
    page = whole(tmp_path, [notebook(tmp_path / "02_master.ipynb", cell("nodes", error))])
    assert "failed" in page.text[:60]
    assert "02_master cell [1]: NameError: nodes" in re.sub(r" +", " ", page.said("Failed"))


def test_the_parser_of_html_writes_what_is_balanced_whatever_it_reads():
    assert clean("<p>a<p>b", no_link) == "<p>a</p><p>b</p>"
    assert clean("<b><i>x</b></i>", no_link) == "<b><i>x</i></b>"
    assert clean("<h1>a</h1>", no_link, heading=3) == "<h4>a</h4>"
    assert from_markdown("a & b\n\n|x|\n|-|\n|1|", no_link).count("<table") == 1


def test_notebooks_that_a_stop_ended_were_stopped_and_did_not_fail(tmp_path):
    record = Record(tmp_path, "r", "04_join_windows")
    opened(record)
    step(record, "facts", "ok", "w")
    by = Record(tmp_path, "r", "k8swin run")
    by.write("run-stopped", by="Ctrl-C", what="04_join_windows", left=["05_test_app"])
    cell = nbformat.v4.new_code_cell("1", execution_count=1)
    cell.outputs = [
        nbformat.v4.new_output("error", ename="KeyboardInterrupt", evalue="", traceback=[])
    ]
    notebook = tmp_path / "r" / "04_join_windows.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), notebook)
    page = whole(tmp_path / "r", [notebook])
    assert page.said("Failed") == "nothing"
    left = page.said("Did not run")
    assert "04_join_windows was stopped; steps not ended" in left and "runs still" not in left


def test_a_text_of_any_length_pushes_nothing_of_the_verdict_away_and_no_sheet_aside(tmp_path):
    record = Record(tmp_path, "r", "01_network")
    opened(record, reason="r" * 50_000)
    step(record, "plan", "failed", detail="d" * 5_000)
    step(record, "proxy", "changed", found="f" * 5_000)
    wide = "<table><tr>" + "<td>wide</td>" * 40 + "</tr></table>"
    cell = nbformat.v4.new_code_cell("1", execution_count=1)
    cell.outputs = [
        nbformat.v4.new_output("stream", name="stdout", text="s" * 5_000),
        nbformat.v4.new_output("display_data", {"text/html": wide}),
    ]
    notebook = tmp_path / "r" / "01_network.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), notebook)
    page = whole(tmp_path / "r", [notebook])
    assert page.text.index("Cluster and versions") < 3_000
    assert "more characters, in the record" in page.said("Asked")
    # On the screen all of it is there, and paper says what it lacks and where that is.
    joined = page.text.replace(" ", "")  # a long word has places where it may be broken
    assert "d" * 5_000 in joined and "f" * 5_000 in joined and "s" * 5_000 in joined
    assert "Not printed: 4400 more characters; whole in events.jsonl" in page.text
    assert "Not printed: an output with very long lines" in page.text
    assert "Not printed: a table of 40 columns" in page.text


def test_a_table_of_nodes_is_printed_with_the_columns_that_paper_has_room_for(tmp_path):
    record = Record(tmp_path, "r", "05_test_app")
    opened(record)
    heads = ["NAME", "STATUS", *(f"MORE-{n}" for n in range(20)), "VERSION"]
    made = (
        "<table><caption>1 node: 1 Ready</caption><thead><tr>"
        + "".join(f'<th scope="col">{head}</th>' for head in heads)
        + "</tr></thead><tbody><tr>"
        + "".join(f"<td>of {head}</td>" for head in heads)
        + "</tr></tbody></table>"
    )
    cell = nbformat.v4.new_code_cell("phase.nodes()", execution_count=1)
    cell.outputs = [nbformat.v4.new_output("display_data", {"text/html": made})]
    notebook = tmp_path / "r" / "05_test_app.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), notebook)
    page = whole(tmp_path / "r", [notebook])
    assert "Not printed: a table" not in page.text
    written = (tmp_path / "r" / "index.html").read_text()
    assert "<td>of VERSION</td>" in written and '<td class="screen">of MORE-3</td>' in written


def test_what_is_the_same_on_several_hosts_stands_once(tmp_path):
    record = Record(tmp_path, "r", "04_join_windows")
    opened(record)
    for host in ("w", "v"):
        step(record, "proxy", "skipped", host, detail="no proxy")
        step(record, "reboot", "changed", host, found="pending", now="none")
        step(record, "join", "changed", host, found=f"{host} is not joined")
    page = whole(tmp_path / "r")
    assert page.text.count("no proxy") == 1 and page.text.count("before: pending") == 1
    for told in ("reboot on w, v", "join on w", "join on v"):
        assert f"04_join_windows/{told} " in page.text
