"""The test app's manifest: one for every Kubernetes version and both operating systems."""

import pytest
import yaml

from k8swin_nb.description import check_description
from k8swin_nb.inventory import Host
from k8swin_nb.phases import phase_05_test_app as app
from tests.test_description import described

HOST = Host(name="linuxmaster", address="10.1.0.2", os="linux", roles=("control-plane",), user="u")


class _Run:
    def __init__(self, builds=("20348",), **changes) -> None:
        self.description = check_description(described(**changes))
        self.facts = {"linuxmaster": {"builds": list(builds)}}


def documents(run) -> dict[str, dict]:
    return {d["kind"]: d for d in yaml.safe_load_all(app.manifest(run, HOST))}


def pod_spec(run) -> dict:
    return documents(run)["Deployment"]["spec"]["template"]["spec"]


def test_the_image_fits_the_workers_build():
    container = pod_spec(_Run())["containers"][0]
    assert container["image"] == "mcr.microsoft.com/windows/servercore:ltsc2022"
    assert "webserver.ps1" in documents(_Run())["ConfigMap"]["data"]


def test_images_come_from_the_mirrors_that_are_named():
    mirrors = {"windows_repository": "mirror.example/win", "image_repository": "mirror.example/k8s"}
    windows, linux = _Run(**mirrors), _Run(**mirrors, test_os="linux")
    assert pod_spec(windows)["containers"][0]["image"] == "mirror.example/win/servercore:ltsc2022"
    agnhost = pod_spec(linux)["containers"][0]["image"]
    assert agnhost.startswith("mirror.example/k8s/e2e-test-images/agnhost:")


def test_agnhost_serves_by_itself_on_windows_too():
    run = _Run(test_image="registry.k8s.io/e2e-test-images/agnhost:2.63.0")
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
def test_old_api_servers_are_given_no_fields_that_they_do_not_know(version, label, says_os, spread):
    spec = pod_spec(_Run(kubernetes_version=version, test_os="linux"))
    assert spec["nodeSelector"] == {label: "linux"}
    assert ("os" in spec) is says_os
    assert {"affinity", "topologySpreadConstraints"} & set(spec) == {spread}


def test_every_port_says_its_protocol():
    # Kubernetes 1.20 refuses a manifest without it when the server applies it.
    found = documents(_Run(test_os="linux"))
    ports = found["Service"]["spec"]["ports"]
    ports += found["Deployment"]["spec"]["template"]["spec"]["containers"][0]["ports"]
    assert {port["protocol"] for port in ports} == {"TCP"}


def test_workers_of_different_builds_are_told_what_to_set():
    from k8swin_nb.errors import StepFailed

    with pytest.raises(StepFailed) as caught:
        app.image(_Run(builds=("17763", "20348")), HOST)
    assert "17763, 20348" in str(caught.value)
    assert "test_image" in caught.value.hint


def test_the_node_port_is_another_number_than_the_port():
    (port,) = documents(_Run())["Service"]["spec"]["ports"]
    # Windows does not lead a node port to a Service whose port has the same number.
    assert port["nodePort"] != port["port"]
