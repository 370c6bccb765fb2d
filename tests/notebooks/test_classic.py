"""The classic profile from the first notebook to the test app: Docker, Kubernetes 1.13, Windows Server 2019."""

import json

import pytest
import yaml

from k8swin_nb.headless.notebooks import run_notebooks
from tests.conftest import ROOT, TO_THE_TEST_APP, running_lab
from tests.notebooks.test_teardown import ask

pytestmark = [pytest.mark.notebook, pytest.mark.wire, pytest.mark.timeout(900)]
KEYS = ("profile", "kubernetes_version")


@pytest.fixture(scope="module")
def classic(tmp_path_factory):
    """A lab of Ubuntu 18.04 and Windows Server 2019, described as the project describes its own."""
    own = yaml.safe_load((ROOT / "params" / "lab-classic.yaml").read_text())
    with running_lab(tmp_path_factory.mktemp("classic"), "classic") as lab:
        hosts = [host for host in lab.description()["hosts"] if host["name"] != "winworker02"]
        lab.params.write_text(
            yaml.safe_dump(
                {
                    **lab.description(),
                    **{key: own[key] for key in KEYS},
                    "cluster_name": "tests-classic",
                    "hosts": hosts,
                }
            )
        )
        yield lab


def test_a_classic_cluster_comes_about_and_goes(classic, tmp_path):
    folder, executed = run_notebooks(
        ROOT / "notebooks", classic.params, tmp_path, names=TO_THE_TEST_APP
    )
    assert [item.error for item in executed if item.error] == []
    log = list(map(json.loads, (folder / "events.jsonl").read_text().splitlines()))
    told = {f"{e['step']} of {e['host']}": e["detail"] for e in log if e["event"] == "step"}
    assert told["container-runtime of linuxmaster"].startswith("Docker 18.06")
    assert told["container-runtime of winworker01"].startswith("Docker 20.10")
    assert "build 17763" in told["facts of winworker01"]
    assert "Windows Server 2019" in told["worker-ready of winworker01"]
    assert told["requests of linuxmaster"].startswith("20 of 20 requests answered")

    _, executed = run_notebooks(
        ROOT / "notebooks",
        classic.params,
        tmp_path,
        names=["90_teardown"],
        more={"confirm": "tests-classic: linuxmaster winworker01"},
    )
    assert [item.error for item in executed] == [None]
    left = ask(
        classic,
        "winworker01",
        r"""
        @(Get-Service kubelet, flanneld, kube-proxy, docker -ErrorAction SilentlyContinue).Count
        @('C:\k', 'C:\flannel', 'C:\k8swin\flanneld.ps1' | Where-Object { Test-Path $_ }).Count
        @(Get-Process flanneld, kubelet -ErrorAction SilentlyContinue).Count
        """,
    )
    assert left.stdout.split() == ["0", "0", "0"]
