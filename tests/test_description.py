"""A cluster's description: what is accepted, and what each wrong value is told."""

import os
import re
from pathlib import Path

import pytest

from k8swin_nb.description import (
    Description,
    check_description,
    check_run_id,
    project_path,
    read_description,
)
from k8swin_nb.errors import ParamsError
from k8swin_nb.host_description import HostDescription
from k8swin_nb.hosts import inventory_of
from k8swin_nb.registry_description import RegistryDescription
from k8swin_nb.workflow.record import new_run_id

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
        ("proxy.example:3128", "write `http://proxy.example:3128`"),
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
    # Of what excludes each other one is shown as it is, the others behind a `#`.
    text = (ROOT / "params" / "example.yaml").read_text()
    keys |= set(re.findall(r"^    # ((?:winrm|ssh|sudo|identity)_\w+): [^ ]", text, re.MULTILINE))
    assert keys == set(HostDescription.model_fields) - {"ssh_password"}
    keys = {key for registry in example["registries"] for key in registry}
    assert keys == set(RegistryDescription.model_fields)


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
    assert "`pod_subnet` is a list" in str(error)


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


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "site.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def unreadable(path: Path) -> str:
    with pytest.raises(ParamsError) as caught:
        read_description(path)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def test_a_key_that_stands_twice_loses_no_hosts_without_a_word(tmp_path):
    text = "host_subnet: 10.1.0.0/24\nhosts:\n  - {name: a}\nhosts:\n  - {name: b}\n"
    assert "`hosts` stands twice, in line 2 and in line 4" in unreadable(written(tmp_path, text))


def test_a_description_in_utf_16_is_read_and_in_latin_1_refused_with_the_line(tmp_path):
    text = "# Größe\ncluster_name: lab\n"
    assert read_description(written(tmp_path, text.encode("utf-16"))) == {"cluster_name": "lab"}
    assert read_description(written(tmp_path, b"\xef\xbb\xbf" + text.encode())) == {
        "cluster_name": "lab"
    }
    assert "line 1 is not UTF-8" in unreadable(written(tmp_path, text.encode("latin-1")))


def test_what_is_no_file_of_parameters_is_one_line(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(100 * 1024 * 1024)
    for path, said in (
        (tmp_path, "a folder"), (pipe, "a pipe"), (Path("/dev/zero"), "a device"), (large, "1024 kB"),
        (Path("/proc/self/mem"), ""), (tmp_path / "a\0b", ""), (written(tmp_path, b"\0\0"), "NUL"),
    ):  # fmt: skip
        assert said in unreadable(path)


@pytest.mark.parametrize(
    "text",
    [
        "credential: *S3cret-zz\n",
        "credential: !S3cret-zz\n",
        "a: &S3cret-zz1 &S3cret-zz2 x\n",
        "a: 'S3cret-zz\n",
    ],
)
def test_what_cannot_be_read_is_not_repeated_because_it_may_be_a_password(tmp_path, text):
    assert "S3cret" not in unreadable(written(tmp_path, text))


@pytest.mark.parametrize("port", ["22:22", "022", "22.0", "'22'", "0x16", "70000", "true"])
def test_a_port_that_is_none_is_refused_and_never_another_number(tmp_path, port):
    path = written(
        tmp_path, f"hosts: [{{name: a, address: 10.1.0.2, os: linux, ssh_port: {port}, user: u}}]"
    )
    with pytest.raises(ParamsError, match=r"hosts\[0\]\.ssh_port"):
        check_description(read_description(path))


SITE = "hosts: [{name: m1, address: 10.1.0.2, os: linux, role: control-plane, user: u, ssh_port: 22}]\n"

MISTYPED = [
    ("api_port: " + "9" * 5000, "expected a whole number of few digits"),
    ("api_port: \u00b2", "`\u00b2`, expected a whole number"),
    ("api_port: 0755", "write 755, without quotes"),
    ("api_port: 64:43", "is the text `64:43`, expected a whole number"),
    ("api_port: 6443.0", "is the number 6443.0, expected a whole number"),
    ("api_port: 70000", "is 70000, expected at most 65535"),
    ("test_node_port: -80", "is -80, expected at least 30000"),
    ("api_port: on", "is true, expected a whole number"),
    ("lock_wait: 5m", "is the text `5m`, expected a whole number"),
    ("kubernetes_version: 2024-01-01", "arrived as the date 2024-01-01; pass it as text: `-r"),
    ("kubernetes_version: 1.30", "arrived as the number 1.3; pass it as text: `-r"),
    ("cluster_name: no", "arrived as false, as which YAML takes off and no too"),
    ("cluster_name: !!binary aGVsbG8=", "is binary, expected one text"),
    ("cluster_name: " + "x" * 500_000, "is not a host name"),
    ("cluster_name:", "has no value: leave it out"),
    ("profile: no", "is false, expected one of 'current' or 'classic'"),
    ('windows_update: "yes"', "write true, without quotes, for papermill `-p windows_update True`"),
    ("windows_update: 1", "is the number 1, expected true or false"),
    ("windows_update: disabled", "is the text `disabled`, expected true or false"),
    ("site_networks: !!set {10.0.0.0/8}", "is a set, expected a list"),
    ("pod_subnet: 10.244.0.0/255.255.0.0", "has a mask, expected the length of its prefix; write `10.244.0.0/16`"),
    ("on: off", "the description has a key that is true"),
    ("2024-01-01: x", "has a key that is the date 2024-01-01"),
    ("~: x", "has a key that is nothing"),
    ("dry_run: true", "is a parameter of a notebook"),
    ("adminPwd: hunter2hunter2", "looks like a secret"),
    ("pass: hunter2hunter2", "looks like a secret"),
    ("cluster_name: *name", "`*`, which stands for a value of that name"),
    ("cluster_name: !vault x", "`!`, which stands for a kind of value"),
    ("? [a, b]\n: x", "a key is a list or a mapping"),
    ("topology = l3", "a second `: ` in one line, or none in the line before"),
    ("topology: \x07l3", "line 1: it is not YAML: U+0007 (control character) stands there"),
    ("topology:\tl3", "a tab stands where spaces belong"),
    ("site_networks: &s [*s]", "refers to itself"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "said"), MISTYPED, ids=lambda one: one[:30])
def test_what_is_typed_otherwise_than_meant_is_told_in_one_line_that_says_what_to_type(
    tmp_path, line, said
):
    path = written(tmp_path, f"{line}\n{SITE}")
    with pytest.raises(ParamsError) as caught:
        check_description(read_description(path), source="`site.yaml`")
    told = str(caught.value)
    assert said in told and "should be" not in told and "hunter2" not in told
    assert len(told.splitlines()) == 1 and len(told) < 400


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("user: u", "user:", "`hosts[0].user` has no value, and is needed"),
        ("user: u", "user: no", "`hosts[0].user` arrived as false"),
        ("user: u", "user: 1000", "`hosts[0].user` arrived as the number 1000; pass it as text, in quotes"),
        ("user: u", "user: u, labels: {on: x}", "`hosts.0.labels` has a key that is true"),
        ("user: u", "user: u, labels: x", "`hosts[0].labels` is the text `x`, expected a mapping"),
        ("22}]", "22}]\nsite_networks: []\nhosts: []", "`hosts` stands twice"),
        (SITE, "hosts: []", "`hosts` is empty, expected one at least"),
        (SITE, "hosts:", "`hosts` has no value, and is needed"),
        (SITE, "hosts: [" + "{name: A}, " * 3000 + "]", "and 11980 more"),
    ],
    ids=lambda one: one[:30],
)  # fmt: skip
def test_a_host_that_is_typed_otherwise_than_meant_is_told_in_one_line(tmp_path, old, new, said):
    with pytest.raises(ParamsError) as caught:
        check_description(read_description(written(tmp_path, SITE.replace(old, new))))
    assert said in str(caught.value) and len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    "value", [98761234, 9876.1234, True, ["98761234"], {"a": "98761234"}, "env:", "file: "]
)
def test_what_stands_where_a_secret_is_referred_to_is_not_repeated(value):
    for key in ("credential", "ssh_password"):
        error = refused(hosts=[MASTER, {**WORKER, key: value}])
        assert f"hosts[1].{key}" in str(error)
        assert "9876" not in "\n".join(error.lines()) and "True" not in str(error)


def test_a_password_under_a_host_is_refused_without_its_value_and_without_a_guess():
    error = refused(hosts=[MASTER, {**WORKER, "password": "hunter2hunter2"}])
    text = "\n".join(error.lines())
    assert "`password` looks like a secret" in text and "credential: env:NAME" in text
    assert "hunter2" not in text and "did you mean" not in text


@pytest.mark.parametrize(
    ("name", "value"),
    [("kubernetes_apt_source", "deb https://site:S3cret-zz@mirror.example ./"),
     ("kubernetes_apt_key", "https://site:S3cret-zz@mirror.example/key"),
     ("image_repository", "site:S3cret-zz@mirror.example/k8s"), ("test_image", "https://S3cret-zz@mirror.example/x"),
     ("runtime_test_image", "u:S3cret-zz@mirror.example/x:1")],
)  # fmt: skip
def test_a_login_in_an_address_is_refused_and_not_repeated(name, value):
    error = refused(**{name: value})
    assert "holds a login in its address" in str(error)
    assert "S3cret" not in "\n".join(error.lines())


def test_a_list_that_arrived_as_text_is_told_how_papermill_takes_one():
    error = refused(site_networks="[10.20.0.0/16]")
    assert "-y 'site_networks: [10.20.0.0/16]'" in str(error)


WRONG = {
    "image_repository": ["", "https://mirror.example/k8s", "mirror.example/k8s/", "Mirror.example/K8s", "a b", "a'b",
                         'a"b', "a\\b", "a&b", "mirror.example/k8s:1", "a//b", "../x", "-a", "a;b", "a$(x)", "a\nb"],
    "coredns_repository": ["x y", "http://x"],
    "runtime_test_image": ["", "hello-world", "library/hello-world:1", "docker.io/Library/x", "docker.io/x:a b"],
    "test_image": ["a b", "X", "x:", "x@sha256:12", "x;y"],
    "test_external_name": ["a b", "x; Remove-Item C:\\", "$(id)", "a..b", "-a", "a'b", "A", "x" * 300, "a/b"],
    "kubernetes_apt_source": ["x", "deb m ./", "deb https://m.example", "deb https://m.example ./\ndeb http://evil ./",
                              "deb [trusted=yes] http://m.example ./", "deb-src https://m.example ./"],
    "kubernetes_apt_key": ["ftp://x/y", "https://x", "https://[x/y", "https://u:p@x/y", "x"],
    "kubernetes_apt_fingerprint": ["123", "zz" * 20],
    "cluster_name": ["a/b", "..", "A", "a b", ""],
    "known_hosts": ["a\nb", "a\x1b[2Jb"],
    "artifacts": ["a\0b", "\u202eb"],
}  # fmt: skip


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, values in WRONG.items() for v in values])
def test_a_value_that_would_change_the_text_that_it_becomes_part_of_is_refused(name, value):
    error = refused(**{name: value})
    assert f"`{name}`" in str(error) and len(str(error).splitlines()) == 1
    assert str(error).isprintable()


RIGHT = {
    "image_repository": ["registry.k8s.io", "mirror.example:5000/a/b_c", "10.1.0.9:5000", "localhost/x", "a.b/c__d/e--f"],
    "runtime_test_image": ["docker.io/library/hello-world:latest", f"m.example:5000/x:1@sha256:{'0' * 64}"],
    "test_image": ["", "x", "m.example/x:1", f"m.example/x@sha256:{'a' * 64}", "localhost:5000/web:V1.0_x"],
    "test_external_name": ["", "ntp", "a-b.example", "xn--bcher-kva.example"],
    "kubernetes_apt_source": ["", "deb https://m.example ./", "deb [trusted=yes] file:/opt/apt ./",
                              "deb [arch=amd64 signed-by=/k/a.gpg] http://m.example bookworm stable",
                              "deb [trusted=yes] https://m.example kubernetes-xenial main"],
}  # fmt: skip


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, values in RIGHT.items() for v in values])
def test_what_sites_write_is_taken(name, value):
    assert getattr(check_description(described(**{name: value})), name) == value


@pytest.mark.parametrize(
    "name",
    [
        "control-plane",
        "master",
        "workers",
        "linux",
        "windows",
        "all",
        "node",
        "target",
        "localhost",
        "hypervisor",
    ],
)
def test_a_host_is_not_called_as_hosts_are_selected(name):
    assert "means something else" in str(refused(hosts=[MASTER, {**WORKER, "name": name}]))


def test_a_windows_name_is_not_all_digits_and_no_machine_is_described_twice():
    assert "all digits" in str(refused(hosts=[MASTER, {**WORKER, "name": "12345"}]))
    twice = {**WORKER, "name": "winworker02", "address": "10.1.0.4", "vm_name": "W"}
    error = refused(hosts=[MASTER, {**WORKER, "vm_name": "W"}, twice])
    assert (
        "`hosts[1].vm_name` and `hosts[2].vm_name` are both `W` (winworker01, winworker02)"
        in str(error)
    )


@pytest.mark.parametrize(
    ("sign", "said"),
    [("\u00a0", "U+00A0 (no-break space)"), ("\u200b", "U+200B (zero width space)"), ("\u00ad", "U+00AD"),
     ("\u2009", "U+2009"), ("\ufeff", "U+FEFF"), ("\x1b", "U+001B (control character)")],
)  # fmt: skip
def test_what_nobody_sees_in_a_value_or_a_name_is_refused_by_what_it_is(sign, said):
    for changes in (
        {"hosts": [MASTER, {**WORKER, "user": f"Admin{sign}istrator"}]},
        {"known_hosts": f"a{sign}b"},
        {f"cluster_name{sign}": "plant1"},
        {"hosts": [MASTER, {**WORKER, f"vm{sign}_name": "W"}]},
    ):
        error = refused(**changes)
        assert said in str(error) and "did you mean" not in str(error)


def test_quotes_that_a_program_for_letters_made_are_refused_and_an_apostrophe_is_not():
    error = refused(hosts=[MASTER, {**WORKER, "user": "\u201cAdministrator\u201d"}])
    assert "begins with U+201C" in str(error)
    named = {**WORKER, "vm_name": "Bob\u2019s\u3000VM"}
    assert check_description(described(hosts=[MASTER, named])).hosts[1].vm_name == named["vm_name"]


def test_one_virtual_machine_is_not_two_workers_under_names_that_hyper_v_does_not_tell_apart():
    twice = {**WORKER, "name": "winworker02", "address": "10.1.0.4"}
    for first, second in (("Worker", "WORKER"), (None, "WinWorker01")):
        hosts = [MASTER, {**WORKER, "vm_name": first}, {**twice, "vm_name": second}]
        assert "`hosts[1].vm_name` and `hosts[2].vm_name` are both" in str(refused(hosts=hosts))
    linux = {**MASTER, "name": "w1", "address": "10.1.0.5", "role": "worker"}
    assert check_description(described(hosts=[MASTER, linux, {**WORKER, "vm_name": "w1"}]))


def test_a_working_directory_that_is_gone_is_one_line(tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(ParamsError, match="working directory is gone"):
        project_path("runs")


def test_a_home_folder_that_nobody_has_is_no_exception_of_python():
    found = check_description(described(known_hosts="~nobody-of-this-name/known_hosts"))
    assert str(found.host_keys()).endswith("~nobody-of-this-name/known_hosts")


@pytest.mark.parametrize(
    "user", ["", " ", "-oProxyCommand=x", "a b\n", "a;b", "a:b", " a", "a ", "$(id)", "a`b"]
)
def test_a_user_that_is_none_is_refused(user):
    assert "hosts[1].user" in str(refused(hosts=[MASTER, {**WORKER, "user": user}]))


@pytest.mark.parametrize(
    "user",
    ["ubuntu", "Administrator", "PLANT\\svc-k8s", "svc@plant.example", "José", "a b", "svc$"],
)
def test_users_of_both_systems_are_taken(user):
    found = check_description(described(hosts=[MASTER, {**WORKER, "user": user}]))
    assert found.hosts[1].user == user


@pytest.mark.parametrize(
    "run_id", ["../x", "..", ".", "/tmp/x", "a/b", "a\\b", "", "a b", "-x", "a\n", "x" * 101]
)
def test_a_run_id_is_a_name_and_leads_out_of_no_folder(run_id):
    with pytest.raises(ParamsError, match="is no name of a folder"):
        check_run_id(run_id)


def test_a_run_id_of_ours_and_of_a_scheduler_are_taken():
    for run_id in (new_run_id(), "nightly_2026-11-29.1"):
        assert check_run_id(run_id) == run_id


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"winrm_auth": "kerberos"}, "write `winrm_host: winworker01.DOMAIN`, or `winrm_spn: HTTP/winworker01.DOMAIN`"),
        ({"winrm_auth": "kerberos", "winrm_host": "w.corp.example", "winrm_keytab": "k"},
         "takes its ticket from one place, found `credential` and `winrm_keytab`"),
        ({"winrm_auth": "kerberos", "winrm_host": "w.corp.example", "user": "CORP\\operator"}, "write `NAME@REALM`"),
        ({"winrm_auth": "certificate"}, "`hosts[1].winrm_certificate` is missing"),
        ({"winrm_auth": "certificate", "winrm_certificate": "c.pem"}, "not used by `winrm_auth: certificate`: delete it"),
        ({"winrm_auth": "certificate", "winrm_certificate": "c.pem", "winrm_scheme": "http"}, "write `winrm_scheme: https`"),
        ({"winrm_auth": "basic", "winrm_scheme": "http"}, "write `winrm_scheme: https`, or `winrm_auth: ntlm`"),
        ({"winrm_auth": "negotiate"}, "write `ntlm`, or `kerberos` with an account of a domain"),
        ({"winrm_auth": "credssp", "credential": None}, "`hosts[1].credential` is missing"),
        ({"winrm_keytab": "k"}, "`winrm_auth: kerberos`, found `ntlm`"),
        ({"winrm_delegation": True}, "`winrm_auth: kerberos`, found `ntlm`"),
        ({"winrm_key": "k"}, "`winrm_auth: certificate`, found `ntlm`"),
        ({"winrm_scheme": "http", "ca": "ca.pem"}, "`winrm_scheme: http` has none: delete it"),
        ({"ca": "ca.pem", "winrm_fingerprint": "ab" * 32}, "pins one certificate: delete one of them"),
        ({"winrm_fingerprint": "AB:" * 19 + "AB"}, "is a SHA-1 thumbprint"),
        ({"winrm_fingerprint": "ignore"}, "64 hexadecimal digits"),
        ({"winrm_host": "https://w.corp.example"}, "no name in DNS"),
        ({"winrm_host": "w.corp.example:5986"}, "ports have keys of their own"),
        ({"winrm_spn": "w.corp.example", "winrm_auth": "kerberos"}, "no service principal such as `HTTP/"),
        ({"winrm_jump": "bastion"}, "neither one of `jump_hosts` nor a Linux host; there are: linuxmaster"),
        ({"winrm_key_passphrase": "open sesame"}, "a secret is given as a reference"),
        ({"os": "linux", "winrm_host": "w.corp.example"}, "is for Windows"),
    ],
)  # fmt: skip
def test_ways_in_that_do_not_go_together_are_refused_with_what_to_write(changes, told):
    error = "\n".join(refused(hosts=[MASTER, {**WORKER, **changes}]).lines())
    assert told in error
    assert "open sesame" not in error


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("winrm_server_cert_validation", "ignore"), ("ansible_winrm_server_cert_validation", "ignore"),
        ("ansible_psrp_cert_validation", "ignore"), ("winrm_verify", False), ("insecure", True), ("verify_ssl", False),
        ("skip_tls_verify", True), ("validate_certs", False), ("ssl_verify", False), ("winrm_insecure", True),
        ("ca", False), ("ca", "ignore"), ("ca", "none"),
    ],
)  # fmt: skip
def test_a_certificate_that_is_not_to_be_checked_is_refused_and_the_way_is_said(key, value):
    error = str(refused(hosts=[MASTER, {**WORKER, key: value}]))
    assert f"hosts[1].{key}`" in error
    assert "pin the listener's by its SHA-256, `winrm_fingerprint" in error


def test_other_tools_words_lead_to_ours():
    for word, ours in (
        ("ansible_winrm_transport", "winrm_auth"),
        ("ansible_psrp_auth", "winrm_auth"),
    ):
        error = refused(hosts=[MASTER, {**WORKER, word: "x"}])
        assert f"`hosts[1].{word}`, did you mean `{ours}`?" in str(error)


def test_a_fingerprint_is_taken_as_programs_print_it():
    for text in ("AB:" * 31 + "AB", "ab" * 32, "SHA256:" + "aB" * 32, "AB " * 32):
        host = {**WORKER, "winrm_fingerprint": text.strip()}
        assert (
            check_description(described(hosts=[MASTER, host])).hosts[1].winrm_fingerprint
            == "ab" * 32
        )


def test_a_jump_host_is_one_of_its_own_list_or_a_linux_host(tmp_path):
    bastion = {"name": "bastion", "address": "jump.corp.example", "user": "pass", "identity": "key"}
    for name in ("bastion", "linuxmaster"):
        values = described(hosts=[MASTER, {**WORKER, "winrm_jump": name}], jump_hosts=[bastion])
        worker = inventory_of(check_description(values, folder=tmp_path)).host("winworker01")
        assert worker.winrm_jump and worker.winrm_jump.name == name
    assert "given twice" in str(refused(jump_hosts=[bastion, bastion]))
    assert "given twice" in str(refused(jump_hosts=[{**bastion, "name": "linuxmaster"}]))
    assert "did you mean `identity`" in str(refused(jump_hosts=[{**bastion, "identty": "x"}]))
    assert "hunter2" not in str(refused(jump_hosts=[{**bastion, "ssh_password": "hunter2"}]))


def test_paths_and_caches_of_a_login_start_at_the_description(tmp_path):
    host = {k: v for k, v in WORKER.items() if k != "credential"}
    host |= {
        "winrm_auth": "kerberos",
        "winrm_host": "w.corp.example",
        "user": "operator@CORP.EXAMPLE",
    }
    for given, used in (
        ("cache", f"FILE:{tmp_path}/cache"), ("FILE:cache", f"FILE:{tmp_path}/cache"),
        ("FILE:/tmp/krb5cc_0", "FILE:/tmp/krb5cc_0"), ("KEYRING:persistent:0", "KEYRING:persistent:0"), ("KCM:", "KCM:"),
    ):  # fmt: skip
        values = described(hosts=[MASTER, {**host, "winrm_ticket_cache": given}])
        found = inventory_of(check_description(values, folder=tmp_path)).host("winworker01")
        assert found.winrm_ticket_cache == used
