"""Scripts that another process sends, on OpenSSH's own server."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from pathlib import Path

import pytest

import k8swin_nb
from k8swin_nb.errors import CommandFailed, K8swinError, MultiHostError
from k8swin_nb.secret import Secret, SecretRef

from .openssh import OpenSsh, needs_sshd

pytestmark = needs_sshd

DESCRIPTION = """
cluster_name: elsewhere
kubernetes_version: "1.36.4"
host_subnet: 127.0.0.0/24
host_key_policy: accept-new
hosts:
  - {{name: box, address: 127.0.0.1, os: linux, role: control-plane, user: {user}, ssh_port: {port}, identity: {identity}}}
"""


@pytest.fixture(scope="module")
def executor() -> Iterator[Executor]:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool


@pytest.fixture
def cluster(openssh: OpenSsh, tmp_path: Path) -> Iterator[k8swin_nb.Cluster]:
    port = openssh.start()
    host = openssh.host(port)
    file = tmp_path / "site.yaml"
    file.write_text(DESCRIPTION.format(user=host.user, port=port, identity=host.identity))
    with k8swin_nb.open_cluster(file, runs=tmp_path / "runs") as made:
        yield made


def test_another_process_sends_the_script_and_this_one_keeps_the_record(cluster, executor):
    heard: list[tuple[str, str]] = []
    script = k8swin_nb.Script.from_text(
        ': "${NAME:?}"\necho "hello $NAME"; echo oh >&2; exit 3', "bash"
    )
    answers = cluster.run_script(
        script,
        on="box",
        parameters={"NAME": "you"},
        executor=executor,
        check=False,
        on_output=lambda host, stream, text: heard.append((stream, text)),
    ).all()
    assert (answers["box"].stdout, answers["box"].returncode) == ("hello you\n", 3)
    assert heard == [("stdout", "hello you\n"), ("stderr", "oh\n")]
    kinds = [event["event"] for event in cluster.record.events]
    assert kinds[-2:] == ["script-started", "magic"]
    with pytest.raises(CommandFailed):
        cluster.run_script("exit 4", on="box", executor=executor).all()


def test_a_secret_is_resolved_where_the_script_is_sent_from_and_masked_in_what_comes_back(
    cluster, executor, tmp_path
):
    place = tmp_path / "token"
    place.write_text("brass-otter-7741\n")
    place.chmod(0o600)
    script = k8swin_nb.Script.from_text(
        ': "${TOKEN:?}"\necho "${#TOKEN} characters: $TOKEN"', "bash"
    )
    reference = SecretRef.parse(f"file:{place}")
    found = cluster.run_script(
        script, on="box", secrets={"TOKEN": reference}, executor=executor
    ).all()
    assert "16 characters: " in found["box"].stdout
    assert "otter" not in found["box"].stdout
    # Here the same reference is resolved in this process.
    assert (
        "otter"
        in cluster.run_script(script, on="box", secrets={"TOKEN": reference}).all()["box"].stdout
    )
    with pytest.raises(K8swinError, match="does not leave this process"):
        cluster.run_script(
            script, on="box", secrets={"TOKEN": Secret("brass-otter-7741")}, executor=executor
        )


def test_a_script_that_another_process_has_sent_is_ended_from_here(cluster, executor, tmp_path):
    begun, stop = tmp_path / "begun", threading.Event()

    def when_begun() -> None:
        while not begun.exists():
            time.sleep(0.05)
        stop.set()

    threading.Thread(target=when_begun, daemon=True).start()
    asked = time.monotonic()
    answers = cluster.run_script(
        f"touch {begun}; sleep 300", on="box", executor=executor, cancel=stop, check=False
    )
    assert time.monotonic() - asked < 120
    assert not answers.answers or answers.answers["box"].returncode != 0
    assert not isinstance(answers.error(), MultiHostError)
