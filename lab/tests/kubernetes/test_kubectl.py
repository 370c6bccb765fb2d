"""The real kubectl against the lab's HTTPS server; skipped where there is none."""

from __future__ import annotations

import functools
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from lab.tests.kubernetes.conftest import Served, web, web_service
from lab.tests.programs import KUBECTLS

pytestmark = pytest.mark.wire
Run = Callable[..., subprocess.CompletedProcess[str]]


OPENAPI_3 = 27
"""From this minor on kubectl asks the third OpenAPI for what a server can; before it asks the second, which the lab refuses."""

SINCE = {"explain": OPENAPI_3, "diff": OPENAPI_3, "auth whoami": 28, "create token": 24}
"""From which minor on kubectl has a command, or has it in the form that the lab serves."""


@functools.cache
def minor_of(path: str) -> int:
    """The minor version of a kubectl."""
    said = subprocess.run(
        [path, "version", "--client", "-o", "json"], capture_output=True, text=True, check=True
    )
    found: str = json.loads(said.stdout)["clientVersion"]["minor"]
    return int(found.rstrip("+"))


@pytest.fixture(params=KUBECTLS, ids=lambda path: f"kubectl-{KUBECTLS.index(path) + 1}")
def kubectl(served: Served, tmp_path: Path, request: pytest.FixtureRequest) -> Run:
    if not request.param:
        pytest.skip("no kubectl: set K8SWIN_KUBECTL or put one on PATH")

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        for words, since in SINCE.items():
            if " ".join(arguments).startswith(words) and minor_of(request.param) < since:
                pytest.skip(
                    f"kubectl 1.{minor_of(request.param)}: `{words}` is tried from 1.{since} on"
                )
        environment = {
            "KUBECONFIG": str(served.kubeconfig),
            "HOME": str(tmp_path),
            "PATH": os.defpath,
        }
        return subprocess.run(
            [request.param, *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    return run


@pytest.fixture
def manifest(kubectl: Run, served: Served, tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "web.yaml"
    path.write_text(yaml.safe_dump_all([web(), web_service()]))
    yield path
    kubectl("delete", "-f", str(path), "--ignore-not-found")
    assert served.lab.cluster.wait_until(lambda: not served.lab.pods())


def test_nodes_are_shown_wide(kubectl: Run) -> None:
    lines = kubectl("get", "nodes", "-o", "wide").stdout.splitlines()
    assert lines[0].split()[:6] == ["NAME", "STATUS", "ROLES", "AGE", "VERSION", "INTERNAL-IP"]
    assert lines[2].split()[:3] == ["win1", "Ready", "<none>"]


def test_a_manifest_is_applied_rolled_out_read_back_and_deleted(
    kubectl: Run, manifest: Path
) -> None:
    assert kubectl("apply", "-f", str(manifest)).stdout == (
        "deployment.apps/web created\nservice/web created\n"
    )
    assert kubectl("rollout", "status", "deploy/web", "--timeout=200s").returncode == 0
    assert kubectl("apply", "-f", str(manifest)).stdout == (
        "deployment.apps/web unchanged\nservice/web unchanged\n"
    )
    assert kubectl("diff", "-f", str(manifest)).returncode == 0
    nowhere = kubectl("diff", "--server=https://127.0.0.1:1", "-f", str(manifest))
    assert (nowhere.returncode, nowhere.stdout) == (2, "")
    assert kubectl("logs", "deploy/web").stdout == "started web\n"
    assert kubectl("exec", "deploy/web", "--", "echo", "hi").stdout == "hi\n"
    refused = kubectl("exec", "deploy/web", "--", "nothing")
    assert (refused.returncode, refused.stderr.splitlines()[0]) == (3, "no such program")
    deleted = kubectl("delete", "-f", str(manifest))
    assert (deleted.returncode, deleted.stderr) == (0, "")


def test_server_side_apply_reads_back(kubectl: Run, manifest: Path) -> None:
    made = kubectl("apply", "--server-side", "-f", str(manifest))
    assert made.stdout == "deployment.apps/web serverside-applied\nservice/web serverside-applied\n"
    # Until then the controller writes what a comparison would find.
    assert kubectl("rollout", "status", "deploy/web", "--timeout=200s").returncode == 0
    assert kubectl("diff", "--server-side", "-f", str(manifest)).returncode == 0


def test_scale_patch_and_wait(kubectl: Run, manifest: Path) -> None:
    kubectl("apply", "-f", str(manifest))
    assert kubectl("scale", "deploy/web", "--replicas=3").returncode == 0
    change = json.dumps({"spec": {"template": {"spec": {"hostname": "w"}}}})
    assert kubectl("patch", "deploy", "web", "-p", change).returncode == 0
    assert kubectl("rollout", "status", "deploy/web", "--timeout=200s").returncode == 0
    waited = kubectl("wait", "--for=condition=Available", "deploy/web", "--timeout=200s")
    assert waited.stdout == "deployment.apps/web condition met\n"


def test_drain_evicts_and_uncordon_lets_pods_come_back(kubectl: Run, manifest: Path) -> None:
    kubectl("apply", "-f", str(manifest))
    kubectl("rollout", "status", "deploy/web", "--timeout=200s")
    drained = kubectl("drain", "win1", "--ignore-daemonsets", "--delete-emptydir-data")
    assert (drained.returncode, drained.stdout.splitlines()[-1]) == (
        0,
        # Before 1.22 it was said in another word.
        f"node/win1 {'evicted' if 'evicted' in drained.stdout.splitlines()[-1] else 'drained'}",
    )
    assert "SchedulingDisabled" in kubectl("get", "node", "win1").stdout
    assert kubectl("uncordon", "win1").stdout == "node/win1 uncordoned\n"


@pytest.mark.parametrize(
    "command",
    [
        "describe node win1",
        "describe pods -A",
        "api-resources",
        "explain deployment.spec.strategy",
        "get events -A",
        "get all -A",
        "cluster-info",
        "auth whoami",
        "create token default --duration=1h",
        "get --raw /readyz",
    ],
)
def test_reading_commands_succeed(kubectl: Run, command: str) -> None:
    done = kubectl(*command.split())
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip()


def test_protobuf_bodies_are_understood(kubectl: Run) -> None:
    assert kubectl("create", "namespace", "proto").stdout == "namespace/proto created\n"
    made = kubectl("create", "deployment", "a", "--image=b", "--replicas=0", "-n", "proto")
    assert made.stdout == "deployment.apps/a created\n"
    found = kubectl("get", "deploy", "a", "-n", "proto", "-o", "jsonpath={.spec.replicas}")
    assert found.stdout == "0"
    assert kubectl("delete", "namespace", "proto").returncode == 0


def test_a_kind_that_is_not_served_has_no_match(kubectl: Run, tmp_path: Path) -> None:
    path = tmp_path / "old.yaml"
    path.write_text(yaml.safe_dump({**web(), "apiVersion": "extensions/v1beta1"}))
    refused = kubectl("apply", "-f", str(path))
    assert refused.returncode == 1
    assert 'no matches for kind "Deployment" in version "extensions/v1beta1"' in refused.stderr


def test_somebody_else_is_refused_what_an_administrator_may(kubectl: Run) -> None:
    refused = kubectl("get", "secrets", "-A", "--as=jane")
    assert refused.returncode == 1
    assert 'User "jane" cannot list resource "secrets" in API group ""' in refused.stderr
