"""A cluster's description: what is accepted, and what each wrong value is told."""

from pathlib import Path

import pytest

from k8swin_nb.description import (
    Description,
    HostDescription,
    check_description,
    project_path,
    read_description,
)
from k8swin_nb.errors import ParamsError

ROOT = Path(__file__).parent.parent
MASTER = {
    "name": "linuxmaster",
    "address": "10.1.0.2",
    "os": "linux",
    "role": "control-plane",
    "user": "u",
}
WORKER = {
    "name": "winworker01",
    "address": "10.1.0.3",
    "os": "windows",
    "user": "Administrator",
    "credential": "env:WIN_PASSWORD",
}


def described(**changes):
    return {"host_subnet": "10.1.0.0/24", "hosts": [MASTER, WORKER], **changes}


def refused(**changes) -> ParamsError:
    with pytest.raises(ParamsError) as caught:
        check_description(described(**changes))
    return caught.value


@pytest.mark.parametrize(
    "text", ["10.244.0.0/16,fd00:10:244::/56", "fd00::/48", "10.1.0.0/16,10.2.0.0/16"]
)
def test_two_families_are_refused_by_what_they_are(text):
    with pytest.raises(ParamsError, match="not one IPv4 network") as caught:
        check_description(described(pod_subnet=text))
    assert "leading zeros" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("http://me:hunter2@proxy:3128", "/etc/environment"),
        ("proxy.example:3128", "is not a proxy such as"),
        ("http://proxy:3128/'; rm", "is not a proxy such as"),
    ],
)
def test_a_proxy_is_an_address_without_a_password(text, says):
    with pytest.raises(ParamsError, match=says) as caught:
        check_description(described(linux_proxy=text))
    assert "hunter2" not in str(caught.value)
    assert check_description(described(linux_proxy="http://proxy.example:3128")).linux_proxy


@pytest.mark.parametrize("name", ["lab.yaml", "lab-classic.yaml", "example.yaml"])
def test_the_shipped_descriptions_are_valid(name):
    assert check_description(read_description(ROOT / "params" / name)).hosts


def test_the_example_explains_every_key():
    example = read_description(ROOT / "params" / "example.yaml")
    assert set(example) == set(Description.model_fields)
    keys = {key for host in example["hosts"] for key in host}
    assert keys == set(HostDescription.model_fields) - {"ssh_password"}


def test_the_example_says_the_defaults_of_the_model():
    text = (ROOT / "params" / "example.yaml").read_text()
    for name in ("kubernetes_version", "containerd_version", "flannel_version"):
        assert f'Default: "{Description.model_fields[name].default}"' in text


def test_the_name_of_the_backend_leads_to_the_topology():
    assert "unknown parameter `flannel_backend`, did you mean `topology`?" in str(
        refused(flannel_backend="vxlan")
    )


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"pod_subnet": "10.244.0.0/016"}, "`10.244.0.0/016` has leading zeros; write `10.244.0.0/16`"),
        ({"service_subnet": "10.096.0.0/12"}, "`10.096.0.0/12` has leading zeros; write `10.96.0.0/12`"),
        ({"dns_service_ip": "10.96.0.010"}, "`10.96.0.010` has leading zeros; write `10.96.0.10`"),
        ({"pod_subnet": "10.244.0.1/16"}, "host bits set; the network is `10.244.0.0/16`"),
        ({"anti_spoofing_attested": "yes"}, "is not a name and a date such as `A. Miller, 2026-11-26`"),
    ],
)  # fmt: skip
def test_an_address_that_programs_read_differently_is_refused_with_the_right_one(changes, says):
    assert says in str(refused(**changes))


def test_two_hosts_at_one_address_are_refused():
    worker = {**WORKER, "address": MASTER["address"]}
    assert "`hosts[0].address` and `hosts[1].address` are both `10.1.0.2`" in str(
        refused(hosts=[MASTER, worker])
    )


def test_a_version_that_arrived_as_a_number_is_not_repaired():
    error = refused(kubernetes_version=1.36)
    assert "`kubernetes_version` arrived as the number 1.36" in str(error)
    assert "-r kubernetes_version" in str(error)


def test_a_misspelt_key_is_named_with_the_nearest_one():
    assert "`kubernets_version`, did you mean `kubernetes_version`?" in str(
        refused(kubernets_version="1.36.4")
    )


def test_a_misspelt_key_of_a_host_is_named_with_its_place():
    host = {**WORKER, "winrm_prot": 5985}
    assert "`hosts[1].winrm_prot`, did you mean `winrm_port`?" in str(refused(hosts=[MASTER, host]))


def test_a_list_where_a_string_belongs_is_named():
    error = refused(pod_subnet=["10.244.0.0/16"])
    assert "`pod_subnet` (list)" in str(error)


def test_host_bits_are_refused_with_the_network_that_was_meant():
    error = refused(pod_subnet="10.244.3.1/16")
    assert "`10.244.3.1/16` has host bits set; the network is `10.244.0.0/16`" in str(error)


def test_a_literal_secret_is_refused_and_not_repeated():
    error = refused(hosts=[MASTER, {**WORKER, "credential": "hunter2hunter2"}])
    assert "hosts[1].credential" in str(error)
    assert "hunter2" not in "\n".join(error.lines())


def test_a_parameter_that_looks_like_a_secret_is_refused_without_its_value():
    error = refused(admin_password="hunter2hunter2")
    assert "`admin_password`" in str(error)
    assert "hunter2" not in "\n".join(error.lines())


@pytest.mark.parametrize(
    ("host", "told"),
    [
        ({**MASTER, "name": "LinuxMaster"}, "has capitals"),
        ({**MASTER, "os": "windows", "credential": "env:X"}, "control plane runs on linux"),
        ({**WORKER, "name": "a-windows-worker-01"}, "Windows takes 15"),
        ({**WORKER, "winrm_auth": "basic", "winrm_scheme": "http"}, "in clear"),
        ({**WORKER, "address": "10.1.0.2"}, "are both `10.1.0.2`"),
        ({**WORKER, "address": "10.1.0"}, "not an IPv4 address"),
        ({k: v for k, v in WORKER.items() if k != "credential"}, "credential` is missing"),
    ],
)
def test_a_host_that_cannot_work_is_refused(host, told):
    hosts = [host, WORKER] if host["name"].lower() == "linuxmaster" else [MASTER, host]
    assert told in str(refused(hosts=hosts))


@pytest.mark.parametrize("port", [80, 29999, 32768])
def test_a_node_port_outside_of_its_range_is_refused(port):
    # 80 would be the Service's own port, which Windows does not lead anywhere.
    assert "test_node_port" in str(refused(test_node_port=port))


def test_the_dashboards_version_is_a_whole_one_or_left_out():
    assert check_description(described(dashboard_version="2.7.0")).dashboard_version == "2.7.0"
    assert check_description(described()).dashboard_version == ""
    assert "not a full version" in str(refused(dashboard_version="2.7"))


def test_every_problem_is_told_at_once():
    message = str(
        refused(pod_subnet="x", service_subnet="10.96.0.10/12", kubernetes_version="1.36")
    )
    assert all(name in message for name in ("pod_subnet", "service_subnet", "kubernetes_version"))


def test_a_file_that_is_no_yaml_is_told_with_its_line(tmp_path):
    path = tmp_path / "broken.yaml"
    path.write_text("cluster_name: lab\nhosts: [\n")
    with pytest.raises(ParamsError, match="line 3"):
        read_description(path)


def test_a_missing_file_is_told_by_name(tmp_path):
    with pytest.raises(ParamsError, match=r"nothing\.yaml"):
        read_description(tmp_path / "nothing.yaml")


def test_relative_paths_start_at_the_folder_that_holds_params(tmp_path, monkeypatch):
    (tmp_path / "params").mkdir()
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    assert project_path(".k8swin/known_hosts") == tmp_path / ".k8swin" / "known_hosts"
    assert project_path("/etc/hosts") == Path("/etc/hosts")
