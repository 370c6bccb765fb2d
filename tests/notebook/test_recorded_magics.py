"""What a magic leaves in the record: its script, all that it printed, how it ended; and nothing secret, whatever goes wrong."""

import base64
import errno
import hashlib
import json
import os
import signal
import time
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml
from IPython.core.interactiveshell import InteractiveShell

from k8swin_nb.api import Cluster
from k8swin_nb.description import check_description
from k8swin_nb.errors import HostUnreachable, RecordError
from k8swin_nb.notebook import context
from k8swin_nb.notebook.cells import Cells, begins_here
from k8swin_nb.secret import Secret
from k8swin_nb.transports.base import End, Work
from k8swin_nb.transports.output import Output
from k8swin_nb.transports.pool import Pool
from k8swin_nb.workflow import output_log
from k8swin_nb.workflow.cell_digest import outputs_digest
from k8swin_nb.workflow.host_lock import HostLocks
from k8swin_nb.workflow.output_log import KeptOutput
from k8swin_nb.workflow.record import Record, read_events
from tests.notebook.test_in_a_kernel import Kernel
from tests.notebook.test_magics import HOSTS, Echo, run
from tests.test_description import described

CANARY = "Nicht-ins-Protokoll-8"
FORMS = {
    "plain": CANARY,
    "base64": base64.b64encode(CANARY.encode()).decode(),
    "base64 of UTF-16": base64.b64encode(CANARY.encode("utf-16-le")).decode(),
    "hexadecimal": CANARY.encode().hex(),
    "URL": urllib.parse.quote(CANARY, safe=""),
    "JSON": json.dumps(CANARY).replace("N", "\\u004e"),
}


class Says(Echo):
    """A host that prints what it is told to, in pieces."""

    pieces: ClassVar[list[tuple[str, bytes]]] = []

    def _run(self, work: Work, output: Output) -> End:
        if "host_lock.check" in work.script.name:
            return super()._run(work, output)
        for stream, piece in self.pieces:
            output.feed(stream, piece)
        if "breaks" in work.script.text:
            raise HostUnreachable(self.host.name, "gone")
        return End(3 if "fails" in work.script.text else 0)


@pytest.fixture
def shell() -> Iterator[InteractiveShell]:
    shell = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "k8swin_nb")
    yield shell
    shell.run_line_magic("unload_ext", "k8swin_nb")
    InteractiveShell.clear_instance()


@pytest.fixture
def cluster(shell: InteractiveShell, tmp_path: Path) -> Cluster:
    cluster = Cluster(check_description(described(hosts=HOSTS)), runs=tmp_path)
    cluster.pool = Pool(opener=lambda host, _: Says(host))
    cluster.locks = HostLocks(cluster.pool, cluster.run_id)
    context.open_context(cluster)
    return cluster


def ended(cluster: Cluster) -> dict[str, Any]:
    return [event for event in cluster.record.events if event["event"] == "magic"][-1]


def kept(cluster: Cluster) -> str:
    event = ended(cluster)
    content = (cluster.record.folder / event["output"]).read_bytes()
    assert hashlib.sha256(content).hexdigest() == event["output_sha256"]
    return content.decode()


def test_a_record_begins_with_who_opened_the_cluster_and_holds_script_and_whole_output(
    shell: InteractiveShell, cluster: Cluster
) -> None:
    lines = b"".join(b"line %d\n" % n for n in range(20_000))
    Says.pieces = [("stdout", lines[i : i + 30_000]) for i in range(0, len(lines), 30_000)]
    run(shell, "%%remote_bash --host cp1 --env LEVEL=3\necho it")
    assert [event["event"] for event in cluster.record.events] == [
        "notebook-opened",
        "script-started",
        "magic",
    ]
    opened, began, end = cluster.record.events
    assert opened["phase"] == "" and opened["hosts"][0]["name"] == "cp1"
    assert kept(cluster) == lines.decode()
    script = cluster.record.folder / began["script_file"]
    assert script.read_text() == "echo it\n" and began["environment"] == {"LEVEL": "3"}
    assert end["exit_code"] == 0 and end["script_file"] == began["script_file"]
    assert end["as_root"] is False
    assert len(list(cluster.record.logs.iterdir())) == 1, "nothing is kept twice"


def test_streams_are_told_apart_and_an_end_that_is_none_leaves_what_had_come(
    shell: InteractiveShell, cluster: Cluster
) -> None:
    Says.pieces = [("stdout", b"one"), ("stderr", b"two\n"), ("stdout", b"three\n")]
    run(shell, "%%remote_bash --host cp1 --no-raise-error\nfails")
    marks = ["--- standard error ---", "two", "--- standard output ---", "onethree", ""]
    assert kept(cluster).split("\n") == marks, "a line is kept when it is whole"
    assert ended(cluster)["exit_code"] == 3
    with pytest.raises(HostUnreachable):
        run(shell, "%%remote_bash --host cp1\nbreaks")
    assert "two" in kept(cluster) and ended(cluster)["error_kind"] == "HostUnreachable"
    Says.pieces = []
    run(shell, "%%remote_bash --host cp1\nsilent")
    assert ended(cluster)["output"] == ""
    assert ended(cluster)["output_sha256"] == hashlib.sha256(b"").hexdigest()


@pytest.mark.parametrize("form", FORMS)
def test_no_secret_is_kept_in_any_form_however_it_arrives(
    shell: InteractiveShell, cluster: Cluster, form: str
) -> None:
    Secret(CANARY)
    told = f"before {FORMS[form]} behind\n".encode()
    half = len(told) // 2
    Says.pieces = [
        *(("stdout", told[i : i + 1]) for i in range(len(told))),
        ("stdout", told[:half]),
        ("stdout", told[half:]),
        # Half on each stream: neither has it, and both side by side would.
        ("stdout", b"\n"),
        ("stdout", told[:half]),
        ("stderr", told[half:]),
    ]
    run(shell, f"%%remote_bash --host cp1 --no-raise-error\nfails # {FORMS[form]}")
    with pytest.raises(HostUnreachable):
        run(shell, f"%%remote_bash --host cp1\nbreaks # {FORMS[form]}")
    files = [path for path in cluster.record.folder.rglob("*") if path.is_file()]
    assert len(files) > 3
    for path in files:
        text = path.read_text()
        assert FORMS[form] not in text and CANARY not in text, path
    assert "*****" in kept(cluster)


def test_a_full_disk_stops_no_script_and_is_told_by_the_magic_and_the_record(
    shell: InteractiveShell, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = []

    def write(descriptor: int, content: bytes) -> int:
        if written:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written.append(content)
        return os.write(descriptor, content[:7])

    monkeypatch.setattr(output_log, "os", type("Os", (), {"write": write, "close": os.close}))
    Says.pieces = [("stdout", b"a long line\n"), ("stdout", b"more of it\n")]
    with pytest.raises(RecordError, match="No space left") as caught:
        run(shell, "%%remote_bash --host cp1 --out text\necho it")
    assert "exit code 0" in str(caught.value.hint)
    assert shell.user_ns["text"] == "a long line\nmore of it\n", "what it did and said is not lost"
    assert kept(cluster) == "a long "
    assert "No space left" in ended(cluster)["output_lost"]


def test_a_folder_that_cannot_be_written_begins_nothing(
    shell: InteractiveShell, cluster: Cluster
) -> None:
    Says.pieces = []
    run(shell, "%%remote_bash --host cp1\nhello")
    cluster.record.path.unlink()
    cluster.record.path.mkdir()
    before = len(Says.works)
    with pytest.raises(RecordError):
        run(shell, "%%remote_bash --host cp1\nhello")
    assert len(Says.works) == before


def test_an_output_is_kept_in_little_memory(tmp_path: Path) -> None:
    import tracemalloc

    output = KeptOutput(Record(tmp_path, "r", "n"), "it")
    piece = "a line of it\n" * 5_000
    tracemalloc.start()
    for _ in range(300):
        output.take("stdout", piece)
    assert tracemalloc.get_traced_memory()[1] < 10 * len(piece)
    tracemalloc.stop()
    told = output.close()
    path = tmp_path / "r" / told["output"]
    assert path.stat().st_size == 300 * len(piece)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == told["output_sha256"]


def test_a_kernel_that_dies_leaves_that_its_cell_began(tmp_path: Path) -> None:
    (tmp_path / "params").mkdir()
    (tmp_path / "params/own.yaml").write_text(yaml.safe_dump(described(cluster_name="own")))
    kernel = Kernel(tmp_path)
    try:
        kernel.run("%load_ext k8swin_nb")
        kernel.run("%k8swin open params/own.yaml")
        assert not (tmp_path / "runs").exists(), "nothing has run"
        kernel.run(
            "from k8swin_nb.notebook import context\nrecord = context.current().cluster.record"
        )
        path = next((tmp_path / "runs").iterdir()) / "events.jsonl"
        kernel.client.execute("print('on its way', flush=True)\nimport time; time.sleep(1000)")
        deadline = time.monotonic() + 100
        while [e.get("cell") for e in read_events(path) if e["event"] == "cell-started"][-1:] != [
            4
        ]:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        os.kill(kernel.manager.provisioner.pid, signal.SIGKILL)
    finally:
        kernel.close()
    events = [(event["event"], event.get("cell")) for event in read_events(path)]
    assert events == [
        ("notebook-opened", None),
        ("cell", 1),
        ("cell", 2),
        ("cell-started", 3),
        ("cell", 3),
        ("cell-started", 4),
    ]


def test_what_an_output_widget_takes_is_not_its_cells() -> None:
    class Kernel:
        def get_parent(self, channel: str) -> dict[str, Any]:
            return {"header": {"msg_id": "m"}}

    class Shell:
        kernel, history_manager, execution_count = Kernel(), None, 1

    class Info:
        store_history, silent, raw_cell, count = True, False, "x", 1

    shell: Any = Shell()
    cells = Cells(shell)
    cells.begin(Info())
    cells.heard("stream", {"name": "stdout", "text": "shown\n"}, "m")
    opened = {"comm_id": "w", "data": {"state": {"msg_id": "", "outputs": []}}}
    cells.heard("comm_open", opened, "m")
    cells.heard("comm_msg", {"comm_id": "w", "data": {"state": {"msg_id": "m"}}}, "m")
    cells.heard("stream", {"name": "stdout", "text": "taken\n"}, "m")
    cells.heard("comm_msg", {"comm_id": "w", "data": {"state": {"msg_id": ""}}}, "m")
    cells.heard("stream", {"name": "stdout", "text": "too\n"}, "m")
    shown = {"output_type": "stream", "name": "stdout", "text": "shown\ntoo\n"}
    assert cells._cells["m"].shown()["outputs_sha256"] == outputs_digest([shown])


@pytest.mark.parametrize(
    ("source", "whole"),
    [
        ("%load_ext k8swin_nb\nprint(1)", True),
        ("# first\n\nfrom k8swin_nb import open_phase\nphase = open_phase('x')", True),
        ("print(1)\n%load_ext k8swin_nb", False),
        ("x", False),
    ],
)
def test_a_cell_that_may_have_shown_something_before_it_is_followed_is_told(
    source: str, whole: bool
) -> None:
    assert begins_here(source) is whole
