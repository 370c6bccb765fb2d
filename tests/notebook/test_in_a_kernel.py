"""A kernel as a front end has it: cells run one by one, some with their tags, again and in any order."""

import os
import time
from pathlib import Path

import pytest
import yaml

from k8swin_nb.workflow.record import read_events
from tests.test_description import described

PARAMETERS = 'params_file: str = "params/own.yaml"\ndry_run: bool = True\nruns: str = "runs"\n'
OPEN = "from k8swin_nb import open_phase\nphase = open_phase('01_network')"
PLAN = "print(phase.run.plan.topology, phase.cluster.description.cluster_name)"
TAGGED = {"tags": ["parameters"], "cellId": "a"}


class Kernel:
    """One kernel whose cells return what they wrote, errors included."""

    def __init__(self, folder: Path, **environment: str) -> None:
        from jupyter_client.manager import start_new_kernel

        self.manager, self.client = start_new_kernel(
            kernel_name="python3", cwd=str(folder), env={**os.environ, **environment}
        )

    def run(self, source: str, metadata: dict | None = None) -> str:
        content = {
            "code": source,
            "silent": False,
            "store_history": True,
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": False,
        }
        client = self.client
        message = client.session.msg("execute_request", content, metadata=metadata or {})
        client.shell_channel.send(message)
        texts = []
        while True:
            reply = client.get_iopub_msg(timeout=120)
            if reply["parent_header"].get("msg_id") != message["header"]["msg_id"]:
                continue
            told = reply["content"]
            if reply["msg_type"] == "stream":
                texts.append(told["text"])
            elif reply["msg_type"] == "error":
                texts.append("\n".join(told["traceback"]))
            elif reply["msg_type"] == "status" and told["execution_state"] == "idle":
                return "".join(texts)

    def close(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    (folder / "params").mkdir()
    for name, topology in (("own", "host-gw"), ("other", "l3")):
        values = described(cluster_name=name, topology=topology)
        (folder / "params" / f"{name}.yaml").write_text(yaml.safe_dump(values))
    return folder


@pytest.fixture(scope="module")
def kernel(project):
    kernel = Kernel(project)
    yield kernel
    kernel.close()


def test_a_plan_is_what_the_parameters_cell_says_whatever_variables_there_are(kernel):
    kernel.run(PARAMETERS)
    kernel.run('topology = "vxlan"\nfor host in ("a", "b"): ip = host')
    told = kernel.run(OPEN)
    assert (
        "no parameters, because the parameters cell alone sets those: `topology` (cell [2])" in told
    )
    assert kernel.run(PLAN) == "host-gw own\n"
    # The same cell again, changed, with its tag and without.
    kernel.run(PARAMETERS + 'topology: str = "vxlan"', TAGGED)
    told = kernel.run(OPEN)
    assert "no parameters" not in told and "the description has changed: topology\n" in told
    assert kernel.run(PLAN) == "vxlan own\n"
    kernel.run('params_file = "params/other.yaml"', {"cellId": "b"})
    kernel.run(OPEN)
    assert kernel.run(PLAN) == "vxlan own\n"
    kernel.run('params_file = "params/other.yaml"', TAGGED)
    kernel.run(OPEN)
    assert kernel.run(PLAN) == "l3 other\n"
    # A misspelt one stops, and is forgotten once it is mended.
    kernel.run("topologi: str = 'l3'\n" + PARAMETERS, TAGGED)
    assert "unknown parameter" in kernel.run(OPEN)
    kernel.run(PARAMETERS, TAGGED)
    kernel.run(OPEN)
    assert kernel.run(PLAN) == "host-gw own\n"


def test_kernels_of_a_session_write_one_record_and_its_page_and_a_run_id_still_wins(project):
    folder = project / "runs" / "s1"
    folder.mkdir(parents=True)
    before = set(folder.parent.iterdir())
    (folder / "desk.json").write_text('{"params": "params/own.yaml"}')
    first, second = Kernel(folder), Kernel(folder)
    try:
        for kernel, name in ((first, "01_network"), (second, "02_master"), (first, "01_network")):
            kernel.run(PARAMETERS, TAGGED)
            kernel.run(OPEN.replace("01_network", name))
            kernel.run("phase.summary()")
        used = first.run("from k8swin_nb import use; print(use('params/own.yaml').run_id)")
        assert used.splitlines()[-1] == "s1", "magics write the same record"
        first.run(PARAMETERS + "run_id: str = 's2'", TAGGED)
        first.run(OPEN)
    finally:
        first.close()
        second.close()
    events = read_events(folder / "events.jsonl")
    opened = [event["notebook"] for event in events if event["event"] == "notebook-opened"]
    assert opened == ["01_network", "02_master", "01_network"]
    assert set(folder.parent.iterdir()) - before == {folder.parent / "s2"}
    deadline = time.monotonic() + 120
    while not (folder / "index.html").is_file():
        assert time.monotonic() < deadline, "no page was written beside the kernels"
        time.sleep(0.1)
