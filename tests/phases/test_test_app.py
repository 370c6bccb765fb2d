"""The test app's manifest: one for every Kubernetes version and both operating systems."""

import pytest
import yaml

from k8swin_nb.errors import StepFailed
from k8swin_nb.phases.pods import test_app as app
from k8swin_nb.workflow.step_run import StepRun
from tests.runs import at, make_run


@pytest.fixture
def make(tmp_path):
    """Make what the steps are given on the control plane; the Ready workers have these builds."""

    def make(builds=("20348",), **changes) -> StepRun:
        run = make_run(tmp_path, **changes)
        run.facts.keep(run.master, app.BUILDS, list(builds))
        return at(run)

    return make


def documents(at: StepRun) -> dict[str, dict]:
    return {d["kind"]: d for d in yaml.safe_load_all(app.manifest(at))}


def pod_spec(at: StepRun) -> dict:
    return documents(at)["Deployment"]["spec"]["template"]["spec"]


def test_the_image_fits_the_workers_build(make):
    container = pod_spec(make())["containers"][0]
    assert container["image"] == "mcr.microsoft.com/windows/servercore:ltsc2022"
    assert "webserver.ps1" in documents(make())["ConfigMap"]["data"]


def test_images_come_from_the_mirrors_that_are_named(make):
    mirrors = {"windows_repository": "mirror.example/win", "image_repository": "mirror.example/k8s"}
    windows, linux = make(**mirrors), make(**mirrors, test_os="linux")
    assert pod_spec(windows)["containers"][0]["image"] == "mirror.example/win/servercore:ltsc2022"
    agnhost = pod_spec(linux)["containers"][0]["image"]
    assert agnhost.startswith("mirror.example/k8s/e2e-test-images/agnhost:")


def test_agnhost_serves_by_itself_on_windows_too(make):
    run = make(test_image="registry.k8s.io/e2e-test-images/agnhost:2.63.0")
    assert "ConfigMap" not in documents(run)
    assert pod_spec(run)["containers"][0]["args"] == ["netexec", "--http-port=80"]
    assert pod_spec(run)["nodeSelector"] == {"kubernetes.io/os": "windows"}


@pytest.mark.parametrize(
    ("version", "label", "says_os", "spread"),
    [
        ("1.13.12", "beta.kubernetes.io/os", False, "affinity"),
        ("1.18.20", "kubernetes.io/os", False, "affinity"),
        ("1.20.2", "kubernetes.io/os", False, "topologySpreadConstraints"),
        ("1.36.4", "kubernetes.io/os", True, "topologySpreadConstraints"),
    ],
)
def test_old_api_servers_are_given_no_fields_that_they_do_not_know(
    make, version, label, says_os, spread
):
    spec = pod_spec(make(kubernetes_version=version, test_os="linux"))
    assert spec["nodeSelector"] == {label: "linux"}
    assert ("os" in spec) is says_os
    assert {"affinity", "topologySpreadConstraints"} & set(spec) == {spread}


def test_every_port_says_its_protocol(make):
    # Kubernetes 1.20 refuses a manifest without it when the server applies it.
    found = documents(make(test_os="linux"))
    ports = found["Service"]["spec"]["ports"]
    ports += found["Deployment"]["spec"]["template"]["spec"]["containers"][0]["ports"]
    assert {port["protocol"] for port in ports} == {"TCP"}


def test_workers_of_different_builds_are_told_what_to_set(make):
    with pytest.raises(StepFailed) as caught:
        app.image(make(builds=("17763", "20348")))
    assert "17763, 20348" in str(caught.value)
    assert "test_image" in caught.value.hint


def test_the_node_port_is_another_number_than_the_port(make):
    (port,) = documents(make())["Service"]["spec"]["ports"]
    # Windows does not lead a node port to a Service whose port has the same number.
    assert port["nodePort"] != port["port"]
