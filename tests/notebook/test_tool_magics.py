"""The magics of a day's work: their lines, their examples, and what they make of what they are given."""

from __future__ import annotations

import inspect
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from IPython.core.interactiveshell import InteractiveShell

from k8swin_nb.errors import K8swinError, TransferFailed
from k8swin_nb.host_tools.content import difference, encoded
from k8swin_nb.host_tools.host_files import Found
from k8swin_nb.host_tools.kubectl import elsewhere, verb_of
from k8swin_nb.host_tools.kubectl_frames import age, frames
from k8swin_nb.host_tools.pulling import _inside
from k8swin_nb.inventory import Host, Inventory
from k8swin_nb.machines import Machines
from k8swin_nb.notebook import file_magics, host_magics, job_magics, kubectl_magic, reboot_magic
from k8swin_nb.notebook.heard import Heard
from k8swin_nb.notebook.kubectl_magic import _is_table
from k8swin_nb.notebook.kubectl_words import kubectl_words
from k8swin_nb.notebook.magic_line import LineParser, MagicUsageError, split
from k8swin_nb.notebook.tool_line import with_report

MODULES = (file_magics, host_magics, job_magics, reboot_magic)
BOX = Host("box", "127.0.0.1", "linux", ("worker",), "me")


@pytest.mark.parametrize(
    ("name", "parser"), [pair for module in MODULES for pair in module.PARSERS.items()]
)
def test_every_example_of_a_magic_is_a_line_that_it_takes(name: str, parser: LineParser) -> None:
    lines = [line.strip() for line in (parser.epilog or "").splitlines()]
    examples = [line.partition(f"%{name}")[2] for line in lines if f"%{name}" in line]
    assert examples
    for example in examples:
        if example.rstrip().endswith(").df"):
            example = example.partition(")")[0]
        _, rest = parser.read([word for word, _ in split(example)])
        assert rest == []


def test_a_word_that_may_not_stand_there_is_answered_with_the_nearest() -> None:
    with pytest.raises(MagicUsageError, match="did you mean `attach`"):
        job_magics.JOBS.read(["atach", "1"])
    for job in ("d3f9a21", "1"):
        with pytest.raises(MagicUsageError, match=f"`{job}` is a job: .*attach {job}"):
            job_magics.JOBS.read([job])
    with pytest.raises(MagicUsageError, match="did you mean `--force`"):
        file_magics.PULL.read(["a", "b", "--forze"])
    with pytest.raises(MagicUsageError, match="stands behind `--`"):
        file_magics.PUSH.read(["--", "-dash", "/tmp/x", "--sudo"])


def test_a_name_that_a_host_sends_stays_below_the_folder(tmp_path: Path) -> None:
    assert _inside(BOX, tmp_path, "a b/ü") == tmp_path / "a b" / "ü"
    (tmp_path / "link").symlink_to("/etc")
    for name in ("../x", "/etc/passwd", "a/../../x", "link/passwd", "a\n"):
        with pytest.raises(TransferFailed):
            _inside(BOX, tmp_path, name)
    assert _inside(BOX, tmp_path, "12:00?") == tmp_path / "12:00?"
    with pytest.raises(TransferFailed):
        _inside(replace(BOX, os="windows"), tmp_path, "C:\\x:y")


def test_what_differs_is_said_of_texts_and_not_of_bytes() -> None:
    assert "-a\n+b\n" in difference("f", b"a\n", b"b\n")
    assert difference("f", b"\xff\x00", b"b\n") == ""
    assert difference("f", b"a\r\n", b"a\n") == "the same text, with other line ends\n"
    assert encoded("a\nü", "utf-8-bom", crlf=True) == b"\xef\xbb\xbfa\r\n\xc3\xbc"
    assert encoded("a", "utf-16") == b"\xff\xfea\x00"


def test_an_owner_is_compared_by_name_and_by_number() -> None:
    found = Found("file", 1, "", "640", "root:0", "adm:4")
    assert all(map(found.has_owner, ("root", "root:adm", ":adm", "0:4")))
    assert not found.has_owner("root:root") and found.has_mode("0640")


GET = """\
NAMESPACE   NAME   READY   RESTARTS     AGE    NOMINATED NODE   IP
a           one    1/1     2 (5m ago)   3d4h   <none>           10.0.0.1
b           two    0/1     0            15s    node 1           <none>
"""


def test_tables_of_kubectl_have_types_and_what_is_missing_is_missing() -> None:
    (table,) = frames(GET, "kubectl get pods -A")
    assert list(table["RESTARTS"]) == [2, 0] and str(table["RESTARTS"].dtype) == "Int64"
    assert list(table["AGE"]) == [timedelta(days=3, hours=4), timedelta(seconds=15)]
    assert list(table["IP"].isna()) == [False, True]
    assert table.caption.startswith("kubectl get pods -A") and ": 1" in table[:1].caption
    odd = frames("NAME   TEAM   TEAM   COUNT\n1      007    b      2\n", "x")[0]
    assert odd.iloc[0].tolist() == ["1", "007", "b", 2] and list(odd)[1:3] == ["TEAM", "TEAM"]
    two = frames("NAME   AGE\nns/a   1s\n\nNAME    TYPE\nsvc/b   ClusterIP\n", "x")
    assert [list(one.columns) for one in two] == [["NAME", "AGE"], ["NAME", "TYPE"]]
    assert age("5y3d") == timedelta(days=5 * 365 + 3) and age("web") is None


def test_only_a_get_that_prints_a_table_is_one() -> None:
    for line in (
        "get pods",
        "-n kube-system get pods -o wide",
        "get pods -owide",
        "get no -o=wide",
        "get pods -Ao wide",
        "get pods -A --watch=false -n web",
    ):
        assert _is_table(line.split()), line
    for line in (
        "describe node",
        "get pods -o yaml",
        "get pods -w",
        "get --raw /",
        "get po -oname",
        "get pods -Aw",
        "get pods -Aojson",
        "get pods -Ao json",
    ):
        assert not _is_table(line.split()), line
    assert verb_of(["-n", "get", "delete", "pod"]) == "delete"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (
            "get pods -o jsonpath='{.items[*].metadata.name}'",
            ["jsonpath={.items[*].metadata.name}"],
        ),
        (
            """get po -o jsonpath='{range .items[*]}{.name}{"\\n"}{end}'""",
            ['jsonpath={range .items[*]}{.name}{"\\n"}{end}'],
        ),
        (
            "get po -o go-template='{{range .items}}x{{end}}'",
            ["go-template={{range .items}}x{{end}}"],
        ),
        ("""patch no x -p '{"spec":{"a":true}}'""", ['{"spec":{"a":true}}']),
        ("""patch no x -p='[{"op":"x"}]'""", ['-p=[{"op":"x"}]']),
        ("""patch no x -p '{{"spec":{{"a":"{name}"}}}}'""", ['{"spec":{"a":"web"}}']),
        ("exec web -- sh -c 'echo \"a b\" | grep a'", ['echo "a b" | grep a']),
        ("""exec web -- sh -c "echo \\"a\\" '{name}'\"""", ["echo \"a\" 'web'"]),
        ("create cm x --from-literal=a='b c'", ["--from-literal=a=b c"]),
        (r"apply -f C:\k\x.yaml", [r"C:\k\x.yaml"]),
        ("get pods {' '.join(two)}", ["one", "two"]),
        ("get pods '{names(two)}'", ["one two"]),
        ("get pods -l 'app in (a, b)' ''", ["app in (a, b)", ""]),
    ],
)
def test_words_of_kubectl_are_quoted_as_in_a_shell_and_its_templates_stay(
    line: str, words: list[str]
) -> None:
    known = {"name": "web", "two": ["one", "two"], "names": " ".join}
    assert kubectl_words(line, known)[-len(words) :] == words


def test_what_belongs_to_a_shell_is_no_word_of_kubectls() -> None:
    for line in ("get po | grep x", "get po >x", "get po 2>&1", "get po && x", "get po; x", "x &"):
        with pytest.raises(MagicUsageError, match="is a shell's"):
            kubectl_words(line, {})
    with pytest.raises(MagicUsageError, match="not closed"):
        kubectl_words("get po 'x", {})
    assert kubectl_words("exec x -- grep '|' f", {})[-2:] == ["|", "f"]


@pytest.mark.parametrize(
    ("line", "refused"),
    [
        ("get pods -A --server https://other", "--server"),
        ("get pods -shttps://other", "-s"),
        ("get pods -As https://other", "-s"),
        ("get pods --token=x", "--token"),
        ("exec web -- curl -s --user me:you http://here", ""),
        ("create clusterrolebinding ops --clusterrole=view --user=jane", ""),
        ("-n web create rolebinding ops --role=view --user jane --token x", "--token"),
        ("get pods -l app=s -n system -o wide --sort-by=x", ""),
    ],
)
def test_kubectl_is_not_led_to_another_cluster_and_what_a_pod_runs_has_its_own_options(
    line: str, refused: str
) -> None:
    assert elsewhere(line.split()) == refused


def test_what_a_job_has_printed_is_told_to_who_comes_late_and_then_as_it_comes() -> None:
    heard, told = Heard(), []
    heard.hear("a", "stdout", "1\n")

    def listen(host: str, stream: str, text: str) -> None:
        told.append(text)

    heard.listen(listen)
    heard.hear("a", "stdout", "2\n")
    heard.leave(listen)
    heard.hear("a", "stdout", "3\n")
    assert told == ["1\n", "2\n"] and heard.text("a", "stdout") == "1\n2\n3\n"


def test_what_would_be_rebooted_is_said_of_hosts_without_a_control_plane(tmp_path: Path) -> None:
    with Machines(Inventory((BOX,)), runs=tmp_path) as machines:
        report = machines.reboot("box", dry_run=True)
    assert [(row.host, row.outcome) for row in report.rows] == [("box", "would change")]


def test_a_reboot_that_fails_says_why(tmp_path: Path) -> None:
    away = [replace(BOX, name=name, ssh_port=1) for name in ("one", "two")]
    with Machines(Inventory(tuple(away)), runs=tmp_path) as machines:
        with pytest.raises(K8swinError, match="one: SSH to"), with_report():
            machines.reboot("one", seconds=1)
        with pytest.raises(K8swinError, match="2 hosts failed: one, two"), with_report():
            machines.reboot("all", together=True, seconds=1)


def test_kubectl_shows_its_examples() -> None:
    assert "%kubectl get nodes" in inspect.getdoc(kubectl_magic.KubectlMagic.kubectl)


def test_in_a_notebook_that_changes_nothing_nothing_is_carried_or_rebooted(monkeypatch) -> None:
    asked: list[bool] = []

    def takes(*_: object, dry_run: bool, **__: object) -> None:
        asked.append(dry_run)

    cluster = SimpleNamespace(push=takes, pull=takes, write_file=takes, reboot=takes)
    opened = SimpleNamespace(cluster=cluster, dry_run=True)
    monkeypatch.setattr(file_magics.context, "current", lambda: opened)
    monkeypatch.setattr(file_magics, "hosts_of", lambda *_: ())
    monkeypatch.setattr(reboot_magic, "selected", lambda *_: ())
    shell = InteractiveShell()
    files, boots = file_magics.FileMagics(shell), reboot_magic.RebootMagic(shell)
    files.push("a b --host linux")
    files.pull("a b --host linux")
    files.remote_file("/a --host linux", "text")
    boots.reboot("linux --yes")
    assert asked == [True] * 4
