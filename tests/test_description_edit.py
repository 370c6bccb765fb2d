"""Changes of a description's file: what was to change has changed, and nothing else."""

import difflib
import shutil

import pytest
import yaml

from k8swin_nb.description import open_description, read_description
from k8swin_nb.description_edit import _flow, change_description, change_host
from k8swin_nb.errors import K8swinError, ParamsError
from k8swin_nb.reading import yaml_document
from tests.conftest import ROOT
from tests.test_description import MASTER, WORKER

HEAD = """\
# the plant's cluster
cluster_name: plant1   # short
pod_subnet: "10.244.0.0/16"  # since 2025
site_networks: # of the others
  - 10.20.0.0/16 # office
  # a comment between
  - 10.30.0.0/16 # printers

# the machines
"""
HOSTS = yaml.safe_dump({"hosts": [MASTER, WORKER]}, sort_keys=False)


@pytest.fixture
def file(tmp_path):
    (tmp_path / "params").mkdir()
    path = tmp_path / "params" / "mine.yaml"
    path.write_text(HEAD + HOSTS)
    return path


def changed_lines(change) -> list[str]:
    lines = difflib.ndiff(change.before.splitlines(), change.after.splitlines())
    return [line for line in lines if line[0] in "+-"]


def test_a_value_changes_and_its_comment_and_quotes_stay(file):
    change = change_description(file, pod_subnet="10.245.0.0/16")
    assert changed_lines(change) == [
        '- pod_subnet: "10.244.0.0/16"  # since 2025',
        '+ pod_subnet: "10.245.0.0/16"  # since 2025',
    ]
    assert "mine.yaml (now)" in change.diff() and file.read_text() == HEAD + HOSTS
    change.write()
    assert open_description(file).pod_subnet == "10.245.0.0/16"


def test_a_new_key_stands_behind_the_one_that_it_follows_in_the_example(file):
    change = change_description(file, service_subnet="10.112.0.0/12", topology="vxlan")
    lines = change.after.splitlines()
    assert lines[lines.index("cluster_name: plant1   # short") + 1] == "topology: vxlan"
    at = lines.index("service_subnet: 10.112.0.0/12")
    assert lines[at - 1].startswith("pod_subnet:")


@pytest.mark.parametrize(
    ("networks", "lines"),
    [
        (["10.20.0.0/16"], ["-   - 10.30.0.0/16 # printers"]),
        (
            ["10.20.0.0/16", "10.40.0.0/16", "10.50.0.0/16"],
            ["-   - 10.30.0.0/16 # printers", "+   - 10.40.0.0/16", "+   - 10.50.0.0/16"],
        ),
        (["10.30.0.0/16"], ["-   - 10.20.0.0/16 # office"]),
        (["10.20.0.0/16", "10.30.0.0/16"], []),
    ],
)
def test_a_list_of_lines_keeps_those_that_stay_with_their_comments(file, networks, lines):
    change = change_description(file, site_networks=networks)
    assert sorted(changed_lines(change)) == sorted(lines)
    assert "# a comment between" in change.after


def test_a_list_can_be_emptied_and_filled_anew(file):
    other = change_description(file, site_networks=["10.9.0.0/16"])
    assert "# a comment between" in other.after and "# of the others" in other.after
    change_description(file, site_networks=[]).write()
    assert "site_networks: [] # of the others" in file.read_text()
    change_description(file, site_networks=["10.9.0.0/16"]).write()
    assert open_description(file).site_networks == ["10.9.0.0/16"]


def test_a_host_is_added_behind_the_others_and_changed_where_it_stands(file):
    fields = {"address": "10.1.0.9", "os": "windows", "user": "Administrator"}
    change = change_host(file, "winworker09", **fields, credential="file:a b.password")
    assert all(line.startswith("+") for line in changed_lines(change))
    change.write()
    host = open_description(file).hosts[-1]
    assert (host.name, host.address, host.credential) == (
        "winworker09",
        "10.1.0.9",
        "file:a b.password",
    )
    before = file.read_text()
    change = change_host(file, "winworker09", credential="env:WIN", winrm_port=55986)
    assert len(changed_lines(change)) == 3
    change.write()
    host = open_description(file).hosts[-1]
    assert (host.credential, host.winrm_port) == ("env:WIN", 55986)
    assert file.read_text().partition("winworker09")[0] == before.partition("winworker09")[0]


def test_the_example_takes_any_change_and_keeps_every_comment(tmp_path):
    (tmp_path / "params").mkdir()
    path = tmp_path / "params" / "mine.yaml"
    shutil.copy(ROOT / "params" / "example.yaml", path)
    before = [line for line in path.read_text().splitlines() if line.lstrip().startswith("#")]
    change_description(
        path, pod_subnet="10.200.0.0/16", topology="vxlan", site_networks=["10.21.0.0/16"]
    ).write()
    change_host(path, "winworker02", credential="keyring:k8swin/winworker02").write()
    change_host(path, "linuxmaster", ssh_port=2222, sudo_password="env:SUDO").write()
    change_host(path, "lin02", address="192.168.160.9", os="linux", user="ubuntu").write()
    lines = path.read_text().splitlines()
    assert [line for line in lines if line.lstrip().startswith("#")] == before
    hosts = {host.name: host for host in open_description(path).hosts}
    assert hosts["winworker02"].credential == "keyring:k8swin/winworker02"
    assert (hosts["linuxmaster"].ssh_port, hosts["linuxmaster"].sudo_password) == (2222, "env:SUDO")
    assert list(hosts)[-1] == "lin02"


@pytest.mark.parametrize(
    "form",
    [
        HEAD.replace("\n", "\r\n") + HOSTS.replace("\n", "\r\n"),
        HEAD
        + "hosts: [{name: linuxmaster, address: 10.1.0.2, os: linux, role: control-plane, user: u}]",
        HEAD + HOSTS.rstrip("\n"),
        HEAD + HOSTS + "  # of the last host\n# of nobody\n",
        HOSTS + "pod_subnet:\n  10.244.0.0/16\n",
        "---\n" + HEAD + HOSTS,
    ],
    ids=[
        "ends of Windows",
        "a flow of hosts",
        "no last end",
        "comments behind",
        "on the next line",
        "mark",
    ],
)
def test_files_of_other_forms_are_changed_too(file, form):
    file.write_bytes(form.encode())
    change_description(file, pod_subnet="10.245.0.0/16", api_port=7443).write()
    change_host(file, "lin09", address="10.1.0.99", os="linux", user="u").write()
    change_host(file, "lin09", ssh_port=2222).write()
    found = open_description(file)
    assert (found.pod_subnet, found.api_port, found.hosts[-1].ssh_port) == (
        "10.245.0.0/16",
        7443,
        2222,
    )
    content = file.read_bytes()
    assert content.count(b"\r\n") in (0, content.count(b"\n"))
    for comment in form.split("#")[1:]:
        assert comment.partition("\n")[0].strip().encode() in content


@pytest.mark.parametrize(
    "form",
    [
        "a: &net 10.244.0.0/16\n",
        "{pod_subnet: 10.244.0.0/16, hosts: [{name: m, address: 10.1.0.2, os: linux, role: control-plane, user: u}]}",
        HEAD.replace(
            'pod_subnet: "10.244.0.0/16"', "service_subnet: &n 10.96.0.0/12\npod_subnet: *n"
        )
        + HOSTS,
    ],
)
def test_what_cannot_be_changed_alone_is_refused_and_left(file, form):
    file.write_text(form)
    with pytest.raises(K8swinError) as caught:
        change_description(file, pod_subnet="10.245.0.0/16")
    assert caught.value.hint
    assert file.read_text() == form


def test_nothing_is_written_that_is_no_description_or_over_somebody_elses_change(file):
    with pytest.raises(ParamsError, match="pod_subnet"):
        change_description(file, pod_subnet="10.245.0.1/16")
    with pytest.raises(ParamsError, match="literal value"):
        change_host(file, WORKER["name"], credential="Passw0rd-zz")
    with pytest.raises(ParamsError, match="looks like a secret"):
        change_host(file, WORKER["name"], password="Passw0rd-zz")
    change = change_description(file, pod_subnet="10.245.0.0/16")
    file.write_text(HEAD + "# somebody else\n" + HOSTS)
    with pytest.raises(K8swinError, match="by somebody else"):
        change.write()
    assert "somebody else" in file.read_text() and "10.245" not in file.read_text()


@pytest.mark.parametrize(
    "value",
    ["a", "a b", "a: b", "yes", "1.36.4", "1.5", "#x", "- x", "", "null", "é ü", 'say "x"', "C:\\a", "x:", "~", "a, b",
     ["a", "b, c"], {"a": "b: c"}, True, 7, "env:NAME", "file:../x.password", "2026-11-30", "0x1f", "[x]", "{x}", "*a"],
)  # fmt: skip
def test_what_is_written_is_read_as_the_same_value(value):
    assert yaml_document(f"a: {_flow(value)}  # c") == {"a": value}
    assert yaml_document(f"a: [{_flow(value)}, x]") == {"a": [value, "x"]}


def test_the_whole_of_a_description_survives_many_changes(file):
    for n in range(3):
        change_description(file, cluster_name=f"plant{n}", allow_cgroup_v1=n % 2 == 0).write()
    assert read_description(file) == {
        "hosts": [MASTER, WORKER],
        "cluster_name": "plant2",
        "pod_subnet": "10.244.0.0/16",
        "site_networks": ["10.20.0.0/16", "10.30.0.0/16"],
        "allow_cgroup_v1": True,
    }


def test_the_mark_of_the_encoding_and_each_lines_end_stay(file):
    file.write_bytes(("\ufeff" + HEAD.replace("\n", "\r\n") + HOSTS).encode())
    change_description(file, pod_subnet="10.245.0.0/16", service_subnet="10.112.0.0/12").write()
    change_host(file, WORKER["name"], winrm_port=55986).write()
    wanted = "\ufeff" + HEAD.replace("10.244", "10.245").replace("\n", "\r\n") + HOSTS
    content = file.read_bytes().decode()
    lines = ["service_subnet: 10.112.0.0/12\r\n", "  winrm_port: 55986\n"]
    assert [line for line in content.splitlines(True) if line not in wanted] == lines
    assert "".join(line for line in content.splitlines(True) if line not in lines) == wanted


def test_comments_stay_when_a_list_is_emptied_and_one_within_a_value_is_not_lost(file):
    emptied = change_description(file, site_networks=[]).after
    assert "site_networks: [] # of the others\n  # a comment between\n" in emptied
    within = "[\n  10.20.0.0/16, # office\n  10.30.0.0/16]\n"
    file.write_text(HOSTS + "site_networks: " + within)
    with pytest.raises(K8swinError, match="comments stand within the value of `site_networks`"):
        change_description(file, site_networks=["10.20.0.0/16"])
    assert within in change_description(file, pod_subnet="10.245.0.0/16").after
    file.write_text(HOSTS + "pod_subnet: # ours\n  # why\n  10.244.0.0/16 # old\n")
    kept = "pod_subnet: # ours\n  # why\n  10.245.0.0/16 # old\n"
    assert kept in change_description(file, pod_subnet="10.245.0.0/16").after


def test_a_file_that_is_read_only_or_of_another_encoding_is_left(file):
    change = change_description(file, pod_subnet="10.245.0.0/16")
    file.chmod(0o444)
    with pytest.raises(K8swinError, match="is read-only; nothing was written"):
        change.write()
    file.chmod(0o644)
    file.write_bytes((HEAD + HOSTS).encode("utf-16"))
    with pytest.raises(K8swinError, match="UTF-16"):
        change_description(file, pod_subnet="10.245.0.0/16")


def test_of_a_link_what_it_leads_to_is_written(file, tmp_path):
    link = tmp_path / "here.yaml"
    link.symlink_to(file)
    change_description(link, pod_subnet="10.245.0.0/16").write()
    assert link.is_symlink() and "10.245" in file.read_text()
