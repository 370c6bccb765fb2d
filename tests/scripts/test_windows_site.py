"""What a site says, on a Windows worker: the control plane's name, files of registries, a pod network of others."""

import base64

import pytest

from tests.scripts.test_windows_scripts import run_on, windows_machine

HOSTS = r"C:\Windows\System32\drivers\etc\hosts"
NAMED = {"ApiEndpoint": "api.site.example:6443"}
GIVEN = {**NAMED, "ControlPlaneAddress": "10.1.0.2"}


@pytest.fixture
def machine():
    return windows_machine()


def test_the_control_planes_name_has_a_line_of_its_own_and_all_others_stay_to_the_byte(machine):
    theirs = b"# of the site \xe4\xf6\r\n10.9.0.1 other.example # no end of line"
    machine.files.write(HOSTS, theirs)
    assert run_on(machine, "api_name.check", **GIVEN).code == 10
    assert run_on(machine, "api_name.apply", **GIVEN).code == 0
    assert run_on(machine, "api_name.check", **GIVEN).said == "api.site.example leads to 10.1.0.2"
    assert machine.files.read(HOSTS) == theirs + b"\r\n10.1.0.2 api.site.example # k8swin api\r\n"
    # Another address, and none any more.
    alone = run_on(machine, "api_name.check", **NAMED)
    assert alone.code == 20 and "by our line in the hosts file alone" in alone.said
    other = {**NAMED, "ControlPlaneAddress": "10.1.0.7"}
    assert run_on(machine, "api_name.check", **other).code == 10
    assert run_on(machine, "api_name.apply", **other).code == 0
    assert run_on(machine, "api_name.check", **other).code == 0
    assert run_on(machine, "api_name_removed.check").code == 10
    assert run_on(machine, "api_name_removed.apply").code == 0
    assert run_on(machine, "api_name_removed.check").code == 0
    assert machine.files.read(HOSTS) == theirs + b"\r\n"


def test_a_line_of_somebodys_with_another_address_stops_and_a_name_that_nobody_knows_too(machine):
    machine.files.write(HOSTS, b"10.1.0.9 x API.site.example y\r\n")
    found = run_on(machine, "api_name.check", **GIVEN)
    assert found.code == 20 and "10.1.0.9" in found.said
    machine.files.write(HOSTS, b"# 10.1.0.9 api.site.example\r\n")
    found = run_on(machine, "api_name.check", **NAMED)
    assert found.code == 20 and found.said == "api.site.example leads nowhere"


def test_files_of_registries_are_written_as_they_are_and_looked_at_again(machine):
    path = r"C:\etc\containerd\certs.d\m.example_5000_\hosts.toml"
    content = 'server = "https://m.example:5000"\n'
    files = f"{path} {base64.b64encode(content.encode()).decode()}"
    assert run_on(machine, "registries.check", RegistryFiles=files).code == 10
    assert run_on(machine, "registries.apply", RegistryFiles=files).code == 0
    assert machine.files.read(path) == content.encode()
    assert run_on(machine, "registries.check", RegistryFiles=files).code == 0
    machine.files.write(path, content.upper().encode())
    assert path in run_on(machine, "registries.check", RegistryFiles=files).said
    # What somebody has made of it since is theirs.
    assert run_on(machine, "registries.check", RegistryFiles="").code == 0


def test_files_of_registries_that_are_described_no_more_are_taken_back(machine):
    folder = r"C:\etc\containerd\certs.d"
    theirs, ours = rf"{folder}\docker.io\hosts.toml", rf"{folder}\m.example_5000_\hosts.toml"
    machine.files.make_directory(rf"{folder}\docker.io")
    machine.files.write(theirs, b"# of the site\r\n")
    text = base64.b64encode(b"server = 1\n").decode()
    both = f"{theirs} {text}\n{ours} {text}"
    assert run_on(machine, "registries.apply", RegistryFiles=both).code == 0
    for files in (f"{theirs} {text}", ""):
        found = run_on(machine, "registries.check", RegistryFiles=files)
        assert found.code == 10 and "which is not described any more" in found.said
        assert run_on(machine, "registries.apply", RegistryFiles=files).code == 0
        assert run_on(machine, "registries.check", RegistryFiles=files).code == 0
        assert not machine.files.exists(rf"{folder}\m.example_5000_")
    assert machine.files.read(theirs) == b"# of the site\r\n"


def test_a_pod_network_of_others_is_missed_until_it_has_brought_its_configuration(machine):
    found = run_on(machine, "network_of_others.check", PodNetwork="calico")
    assert found.code == 10 and "calico has not brought a CNI configuration" in found.said
    assert "hint: " in found.out
