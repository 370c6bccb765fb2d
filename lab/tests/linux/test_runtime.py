from __future__ import annotations

import json
from pathlib import Path

import pytest
from k8swin_lab.linux.software import linux_software
from k8swin_lab.machines import containerd_config
from k8swin_lab.machines.linux import LinuxMachine

UNIMPLEMENTED = (
    "FATA[0000] validate service connection: validate CRI v1 runtime API for endpoint "
    '"unix:///run/containerd/containerd.sock": rpc error: code = Unimplemented desc = unknown service '
    "runtime.v1.RuntimeService\n"
)


@pytest.fixture
def installed(network, tmp_path: Path) -> LinuxMachine:
    return LinuxMachine(
        "host",
        "192.168.160.20",
        network,
        linux_software(),
        root=tmp_path / "host",
        packages=["containerd.io", "cri-tools"],
    )


@pytest.fixture
def on(installed: LinuxMachine):
    from lab.tests.linux.conftest import run_on

    return lambda line, **options: run_on(installed, line, **options)


def test_the_default_configuration_is_printed_as_containerd_prints_it():
    recorded = Path(containerd_config.__file__).with_name("containerd-config.toml").read_text()
    assert containerd_config.render(containerd_config.default("2.3.4")) == recorded


def test_the_vendors_package_has_cri_disabled(on):
    assert on("systemctl is-active containerd").out == "active\n"
    assert on("crictl info").err == UNIMPLEMENTED


def test_cri_answers_once_it_is_enabled_and_the_service_restarted(installed, on):
    config = on("containerd config default").out
    installed.write_file("/etc/containerd/config.toml", config)
    assert on("crictl version").code == 1
    on("systemctl restart containerd")
    assert "RuntimeVersion:  v2.3.4" in on("crictl version").out
    status = json.loads(on("crictl info").out)["status"]["conditions"]
    assert [one["status"] for one in status] == [True, False, True]


def test_a_configuration_that_is_no_toml_keeps_the_service_from_starting(installed, on):
    installed.write_file("/etc/containerd/config.toml", "version = = 3\n")
    found = on("systemctl restart containerd")
    assert found.code == 1
    assert found.err.startswith(
        "Job for containerd.service failed because the control process exited"
    )
    assert on("ctr images ls").code == 1


def test_an_older_format_is_understood(installed, on):
    text = 'version = 2\n[plugins."io.containerd.grpc.v1.cri"]\nsandbox_image = "site/pause:1"\n'
    installed.write_file("/etc/containerd/config.toml", text)
    assert "sandbox = 'site/pause:1'" in on("containerd config dump").out


def test_images_are_pulled_listed_and_run(on):
    reference = "docker.io/library/hello-world:latest"
    assert on(f"ctr -n k8s.io images pull {reference}").code == 0
    assert on("ctr -n k8s.io images ls -q").out.splitlines()[0] == reference
    assert on("ctr images ls -q").out == ""
    assert "Hello from Docker!" in on(f"ctr -n k8s.io run --rm {reference} t1").out
    assert on("ctr -n k8s.io containers ls -q").out == ""


@pytest.mark.parametrize(
    ("reference", "text"),
    [
        ("docker.io/library/nosuch:latest", "docker.io/library/nosuch:latest: not found"),
        ("nosuch.example/a:1", "dial tcp: lookup nosuch.example: no such host"),
        ("mcr.microsoft.com/windows/servercore:ltsc2022", "no match for platform in manifest"),
    ],
)
def test_a_pull_that_fails_says_why(on, reference, text):
    found = on(f"ctr -n k8s.io images pull {reference}")
    assert found.code == 1
    assert text in found.err


def test_users_do_not_reach_the_socket(on):
    assert "permission denied" in on("ctr images ls", user="ubuntu").err


def test_a_machine_without_the_service_has_no_socket(on):
    on("systemctl stop containerd")
    assert "no such file or directory" in on("crictl info").err
