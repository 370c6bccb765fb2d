"""The preflight scripts on simulated machines: what is bad is found before anything is changed, with the fix."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from k8swin_lab.internet import install
from k8swin_lab.linux.software import linux_software
from k8swin_lab.machines.linux import LinuxMachine
from k8swin_lab.machines.program import Process
from k8swin_lab.machines.virtual_machines import VirtualAdapter, VirtualMachine
from k8swin_lab.machines.windows import WindowsMachine
from k8swin_lab.network import HttpResponse, Network
from k8swin_lab.sites import MOODS
from k8swin_lab.windows.software import windows_software

from k8swin_nb.description import check_description
from k8swin_nb.hosts import inventory_of
from k8swin_nb.phases.preflight.checks import LINUX, WINDOWS, HostFacts, PreflightCheck, parse
from k8swin_nb.plan import network_plan
from k8swin_nb.scripts import Script
from tests.cluster.certificates import Authority
from tests.scripts.test_windows_scripts import run_on
from tests.test_description import described

HOSTS = inventory_of(check_description(described()))
SWAP_SERVICE = (
    "[Service]\nExecStart=/sbin/swapon /var/swap\n[Install]\nWantedBy=multi-user.target\n"
)
Look = Callable[..., tuple[dict[str, PreflightCheck], HostFacts]]


def by_name(findings: list[PreflightCheck]) -> dict[str, PreflightCheck]:
    return {f"{finding.id} {finding.check}": finding for finding in findings}


@pytest.fixture
def network() -> Network:
    made = Network()
    install(made)
    return made


@pytest.fixture
def linux(network: Network, tmp_path: Path) -> Iterator[LinuxMachine]:
    machine = LinuxMachine(
        "linuxmaster", "192.168.160.10", network, linux_software(), root=tmp_path / "root"
    )
    yield machine
    machine.shut_down()


@pytest.fixture
def look_linux(linux: LinuxMachine) -> Look:
    def look(**given: str) -> tuple[dict[str, PreflightCheck], HostFacts]:
        values = {
            "NODE_NAME": "linuxmaster",
            "NODE_ADDRESS": "192.168.160.10",
            "NODE_USER": "root",
            "NODE_ROLE": "control-plane",
            "MASTER_ADDRESS": "192.168.160.10",
            "API_ENDPOINT": "192.168.160.10:6443",
            "CGROUP_V2_REQUIRED": "true",
            **given,
        }
        out, err = io.BytesIO(), io.BytesIO()
        env = {"HOME": "/root", "PATH": "/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin", **values}
        text = Script.load(LINUX).text
        process = Process(linux, [], env, "/root", "root", io.BytesIO(text.encode()), out, err)
        code = linux.shell("bash -s", process)
        assert code == 0, err.getvalue().decode()
        findings, facts = parse(out.getvalue().decode(), HOSTS.host("linuxmaster"))
        return by_name(findings), facts

    return look


def stopping(findings: dict[str, PreflightCheck]) -> list[str]:
    return [name for name, finding in findings.items() if finding.stops]


def test_nothing_stops_on_a_fresh_linux_host_and_every_probe_answers(look_linux):
    findings, facts = look_linux()
    assert stopping(findings) == []
    assert [f for f in findings.values() if "could not be found out" in f.found] == []
    assert {f.split()[0] for f in findings} >= {
        *(f"L{n:02d}" for n in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 14, 15, 17, 18, 19, 20, 21)),
        *(f"L{n:02d}" for n in (22, 25, 26, 27, 29, 30, 31, 32, 33, 34)),
    }
    for name in ("mac", "mtu", "prefix", "machine_id", "product_uuid", "host_name", "clock_last"):
        assert facts.get(name), name
    assert [str(route.network) for route in facts.routes] == ["192.168.160.0/24"]


def test_a_host_name_in_capitals_stops_with_the_name_to_set(look_linux, linux):
    linux.name = "Linux_Master"
    finding = look_linux()[0]["L10 host-name"]
    assert finding.stops
    assert finding.fix == "hostnamectl set-hostname linux-master"


@pytest.mark.parametrize(
    ("file", "text", "found"),
    [
        ("/etc/fstab", "/dev/sdb1 none swap sw 0 0\n", "fstab:/dev/sdb1"),
        ("/etc/systemd/system/site-swap.service", SWAP_SERVICE, "site-swap.service"),
    ],
)
def test_swap_that_would_come_back_after_a_boot_is_found(look_linux, linux, file, text, found):
    linux.write_file(file, text)
    if file.endswith(".service"):
        linux.write_file(f"/etc/systemd/system/multi-user.target.wants/{found}", text)
    finding = look_linux()[0]["L08 swap"]
    assert not finding.holds
    assert found in finding.found


def test_a_service_that_makes_swap_among_other_things_stops(look_linux, linux):
    linux.write_file("/etc/systemd/system/boot-tune.service", SWAP_SERVICE)
    linux.write_file("/etc/systemd/system/multi-user.target.wants/boot-tune.service", SWAP_SERVICE)
    finding = look_linux()[0]["L08 swap-makers"]
    assert finding.stops
    assert "boot-tune.service by /sbin/swapon" in finding.found


def test_a_folder_with_a_files_name_stops(look_linux, linux):
    linux.write_file("/etc/containerd/config.toml/theirs", "")
    finding = look_linux()[0]["L06 places"]
    assert finding.stops
    assert "/etc/containerd/config.toml (a folder)" in finding.found


def test_a_host_of_another_cluster_stops(look_linux, linux):
    linux.write_file(
        "/etc/kubernetes/kubelet.conf", "clusters:\n- cluster:\n    server: https://10.9.9.9:6443\n"
    )
    finding = look_linux()[0]["L25 other-cluster"]
    assert finding.stops
    assert "a node of https://10.9.9.9:6443" in finding.found


def test_another_endpoint_or_port_of_a_cluster_of_ours_is_told_with_what_to_write(
    look_linux, linux
):
    """Nobody is sent to `kubeadm reset` because a line of the description was changed."""
    server = "clusters:\n- cluster:\n    server: https://{}\n"
    linux.write_file("/etc/kubernetes/admin.conf", server.format("api.site.example:7443"))
    linux.write_file("/etc/kubernetes/kubelet.conf", server.format("192.168.160.150:7443"))
    linux.write_file(
        "/etc/kubernetes/manifests/kube-apiserver.yaml", "    - --secure-port=7443\n    - --x=y\n"
    )
    finding = look_linux(API_ENDPOINT="api.site.example:6443", API_PORT="6443")[0][
        "L25 other-cluster"
    ]
    assert finding.stops and "has the endpoint https://api.site.example:7443" in finding.found
    for wanted in ("`control_plane_endpoint: api.site.example:7443`", "`api_port: 7443`"):
        assert wanted in finding.fix
    finding = look_linux(API_ENDPOINT="api.site.example:7443", API_PORT="6443")[0][
        "L25 other-cluster"
    ]
    assert finding.stops and "listens on port 7443, planned is 6443" in finding.found
    assert "`api_port: 7443`" in finding.fix and "reset" not in finding.fix


def test_a_worker_of_the_cluster_that_is_meant_by_another_endpoint_is_told_so(
    look_linux, linux, look_windows, server
):
    pem = b"-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n"
    ca = base64.b64encode(pem).decode()
    text = f"clusters:\n- cluster:\n    certificate-authority-data: {ca}\n    server: https://old.example:6443\n"
    linux.write_file("/etc/kubernetes/kubelet.conf", text)
    finding = look_linux(NODE_ROLE="worker", CLUSTER_CA=ca)[0]["L25 other-cluster"]
    assert finding.stops and "`control_plane_endpoint`" in finding.fix
    finding = look_linux(NODE_ROLE="worker", CLUSTER_CA="BBBB")[0]["L25 other-cluster"]
    assert finding.stops and "kubeadm reset" in finding.fix
    server.files.make_directory("C:\\etc\\kubernetes")
    server.files.write("C:\\etc\\kubernetes\\kubelet.conf", text.encode())
    finding = look_windows(ClusterCa=ca)[0]["W33 other-cluster"]
    assert finding.stops and "`control_plane_endpoint`" in finding.fix


def test_remains_of_a_control_plane_stop_unless_an_own_attempt_was_interrupted(look_linux, linux):
    linux.write_file("/etc/kubernetes/manifests/etcd.yaml", "kind: Pod\n")
    finding = look_linux()[0]["L25 other-cluster"]
    assert finding.stops
    assert "/etc/kubernetes/manifests/etcd.yaml" in finding.found
    linux.write_file("/etc/k8swin/kubeadm-init.started", "")
    assert look_linux()[0]["L25 other-cluster"].holds


def test_a_proxy_is_told_without_its_password(look_linux):
    _, facts = look_linux(https_proxy="http://me:hunter2@proxy.site:3128", no_proxy="localhost")
    assert facts.get("proxy_session") == "http://proxy.site:3128"
    assert facts.get("no_proxy_session") == "localhost"


def test_an_address_that_the_host_does_not_have_stops(look_linux):
    findings, _ = look_linux(NODE_ADDRESS="192.168.160.77")
    assert findings["L14 address"].stops


def test_a_worker_that_cannot_reach_the_api_server_stops(look_linux):
    findings, facts = look_linux(
        NODE_ROLE="worker", MASTER_ADDRESS="192.168.160.99", API_ENDPOINT="192.168.160.99:6443"
    )
    assert findings["X4 api-server"].stops
    assert facts.get("route_to_master")


def test_a_worker_that_reaches_the_api_server_may_join(look_linux, network, tmp_path):
    master = LinuxMachine(
        "master", "192.168.160.11", network, linux_software(), root=tmp_path / "master"
    )
    master.listening[6443] = lambda request: HttpResponse(403)
    findings, _ = look_linux(
        NODE_ROLE="worker", MASTER_ADDRESS="192.168.160.11", API_ENDPOINT="192.168.160.11:6443"
    )
    master.shut_down()
    assert findings["X4 api-server"].holds


def shell(linux: LinuxMachine, line: str) -> str:
    out = io.BytesIO()
    env = {"HOME": "/root", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    process = Process(linux, [], env, "/root", "root", io.BytesIO(), out, out)
    assert linux.shell(line, process) == 0, out.getvalue().decode()
    return out.getvalue().decode()


def test_a_route_over_several_gateways_is_one_route_with_its_first(look_linux, linux):
    for network in ("default", "10.9.0.0/16"):
        shell(
            linux,
            f"ip route replace {network} nexthop via 192.168.160.1 dev eth0 nexthop via 192.168.160.254 dev eth0",
        )
    findings, facts = look_linux()
    assert findings["L14 default-route"].holds
    assert "L16 routes-read" not in findings
    assert [(str(r.network), r.interface, r.via) for r in facts.routes if r.via] == [
        ("10.9.0.0/16", "eth0", "192.168.160.1")
    ]


@pytest.mark.parametrize(
    ("path", "text", "check", "found", "cure"),
    [
        ("/etc/cni/net.d/10-calico.conflist", "{}\n", "L26 cni-configuration", "10-calico", "mv /etc/cni/net.d/10-calico.conflist /root/"),
        ("/var/lib/etcd/lost+found/x", "", "L25 etcd-folder", "lost+found", "rm -r /var/lib/etcd/lost+found"),
        ("/etc/default/kubelet", 'KUBELET_EXTRA_ARGS="--v=2 --node-ip=10.0.0.9"\n', "L25 kubelet-flags", "--node-ip=10.0.0.9", "sed -i s/--node-ip=[0-9.]*// /etc/default/kubelet"),
        ("/etc/default/kubelet", "KUBELET_EXTRA_ARGS=--network-plugin=cni\n", "L25 kubelet-flags", "--network-plugin=cni", "rm /etc/default/kubelet"),
    ],
)  # fmt: skip
def test_what_would_fail_late_stops_and_is_cured_by_its_hint(
    look_linux, linux, path, text, check, found, cure
):
    linux.write_file(path, text)
    finding = look_linux(KUBELET_FLAGS_REMOVED="network-plugin")[0][check]
    assert finding.stops
    assert found in finding.found
    shell(linux, cure)
    assert look_linux(KUBELET_FLAGS_REMOVED="network-plugin")[0][check].holds


def test_a_cni_file_behind_flannels_is_told_and_stops_nothing(look_linux, linux):
    linux.write_file("/etc/cni/net.d/87-podman-bridge.conflist", "{}\n")
    linux.write_file("/etc/cni/net.d/100-crio-bridge.conflist", "{}\n")
    finding = look_linux()[0]["L26 cni-configuration"]
    assert (finding.severity, finding.holds) == ("warn", False)


def test_flags_of_the_plan_itself_are_no_obstacle(look_linux, linux):
    linux.write_file(
        "/etc/default/kubelet", "KUBELET_EXTRA_ARGS=--node-ip=192.168.160.10 --max-pods=50\n"
    )
    assert look_linux()[0]["L25 kubelet-flags"].holds


def test_a_control_plane_of_others_stops_whatever_its_networks_are(look_linux, linux):
    server = "clusters:\n- cluster:\n    server: https://192.168.160.10:6443\n"
    linux.write_file("/etc/kubernetes/kubelet.conf", server)
    linux.write_file("/etc/kubernetes/admin.conf", server)
    linux.write_file("/etc/kubernetes/pki/ca.crt", "its authority\n")
    finding = look_linux()[0]["L25 other-cluster"]
    assert finding.stops
    assert "was not made by these notebooks" in finding.found
    shell(linux, finding.fix.partition("type: ")[2])
    assert look_linux()[0]["L25 other-cluster"].holds
    linux.write_file(
        "/etc/kubernetes/admin.conf", server.replace("192.168.160.10", "k8s.corp.example")
    )
    assert "endpoint https://k8s.corp.example:6443" in look_linux()[0]["L25 other-cluster"].found


def key_of(authority: Authority) -> bytes:
    return authority.key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )


OWN, OLDER = Authority("site-ca"), Authority("older-ca")


@pytest.mark.parametrize(
    ("certificate", "key", "found"),
    [
        (OWN.pem, key_of(OWN), ""),
        (b"Issuer: CN=site-ca\r\n" + OWN.pem.replace(b"\n", b"\r\n"), key_of(OWN), ""),
        (OWN.pem + OLDER.pem, key_of(OWN), "holds 2 certificates"),
        (b"theirs\n", key_of(OWN), "holds 0 certificates"),
        (OWN.pem, key_of(OLDER), "ca.key is not the key of"),
        (OWN.pem, b"", "ca.key is missing"),
    ],
)
def test_a_sites_own_authority_is_one_that_kubernetes_can_sign_with(
    look_linux, linux, certificate, key, found
):
    linux.write_file("/etc/kubernetes/pki/ca.crt", certificate)
    if key:
        linux.write_file("/etc/kubernetes/pki/ca.key", key)
    finding = look_linux()[0]["L25 own-authority"]
    assert finding.holds is not bool(found) and found in finding.found


def certificate_of(node: str) -> bytes:
    """A kubelet's certificate as the API server's authority makes it, with the name at the end of its subject."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "system:nodes"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"system:node:{node}"),
        ]
    )
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=300))
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)


def test_a_kubelets_certificate_of_an_earlier_cluster_stops_and_is_moved_away(look_linux, linux):
    for node, found in (("linuxmaster", "of an earlier cluster"), ("box7", "the node box7")):
        path = "/var/lib/kubelet/pki/kubelet-client-current.pem"
        linux.write_file(path, certificate_of(node).decode())
        finding = look_linux()[0]["L25 kubelet-identity"]
        assert finding.stops
        assert found in finding.found
        shell(linux, re.findall(r"mv \S+ \S+?(?=,)", finding.fix)[0])
        assert look_linux()[0]["L25 kubelet-identity"].holds
        shell(linux, "rm -r /root/kubelet-pki")


@pytest.mark.parametrize(("node", "holds"), [("winworker01", True), ("box7", False)])
def test_a_windows_kubelets_certificate_says_which_node_it_is(look_windows, server, node, holds):
    folder = "C:\\var\\lib\\kubelet\\pki"
    server.files.make_directory(folder)
    server.files.write(f"{folder}\\kubelet-client-current.pem", certificate_of(node))
    finding = look_windows()[0]["W33 other-cluster"]
    assert finding.holds is holds, finding.found
    assert holds or "the node box7 by its certificate" in finding.found


def test_a_login_user_without_a_home_stops(look_linux):
    assert look_linux(NODE_USER="nobody")[0]["L01 home"].stops


@pytest.fixture
def server(network: Network) -> Iterator[WindowsMachine]:
    machine = WindowsMachine("winworker01", "127.160.0.21", network, windows_software(), pace=0.02)
    yield machine
    machine.power_off()


@pytest.fixture
def look_windows(server: WindowsMachine) -> Look:
    def look(**given: str) -> tuple[dict[str, PreflightCheck], HostFacts]:
        values = {
            "NodeName": "winworker01",
            "NodeAddress": "127.160.0.21",
            "ApiEndpoint": "127.160.0.10:6443",
            "SupportedBuilds": "17763,20348,26100",
            "HnsNetwork": "cbr0",
            "FlannelBackend": "host-gw",
            "ApiExpected": "false",
            **given,
        }
        server.files.write("C:\\preflight.ps1", Script.load(WINDOWS).text.encode())
        line = "powershell -NoProfile -File C:\\preflight.ps1 " + " ".join(
            f'-{name} "{value}"' for name, value in values.items()
        )
        out, err = io.BytesIO(), io.BytesIO()
        env = dict(server.login_environment("Administrator"))
        process = Process(server, [], env, "C:\\", "Administrator", io.BytesIO(), out, err)
        code = server.shell(line, process)
        assert code == 0, err.getvalue().decode()
        findings, facts = parse(out.getvalue().decode(), HOSTS.host("winworker01"))
        return by_name(findings), facts

    return look


def test_nothing_stops_on_a_fresh_server_and_every_probe_answers(look_windows):
    findings, facts = look_windows()
    assert stopping(findings) == []
    assert [f for f in findings.values() if "could not be found out" in f.found] == []
    assert {f.split()[0] for f in findings} >= {
        *(f"W{n:02d}" for n in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 20, 21)),
        *(f"W{n:02d}" for n in (22, 24, 25, 26, 28, 29, 30, 31, 32, 33, 36)),
    }
    for name in ("mac", "mtu", "prefix", "machine_id", "product_uuid", "host_name", "booted"):
        assert facts.get(name), name
    assert facts.routes


def test_networks_of_wsl_and_of_docker_hold_no_adapter(look_windows, server):
    """An HNS network of type ICS has a switch of its own; its addresses are held against the plan all the same."""
    server.features.install(server.features.find("Containers"))
    server.reboot()
    for name, kind, prefix in (("WSL", "ICS", "172.29.64.0/20"), ("nat", "NAT", "172.20.0.0/20")):
        gateway = prefix.replace(".0/", ".1/").partition("/")[0]
        server.net.create_hns_network(
            name, kind, [{"AddressPrefix": prefix, "GatewayAddress": gateway}]
        )
    findings, facts = look_windows()
    assert findings["W17 hns-networks"].holds
    assert set(facts.get("hns_nat").split()) == {"172.29.64.0/20", "172.20.0.0/20"}
    server.net.create_hns_network(
        "calico", "L2Bridge", [{"AddressPrefix": "10.9.0.0/24", "GatewayAddress": "10.9.0.1"}]
    )
    findings, _ = look_windows()
    assert findings["W17 hns-networks"].found == "calico"


def test_a_second_adapter_that_is_up_is_told(look_windows, server):
    """HNS takes some adapter that is up: flannel#1628, sig-windows-tools#96 and #291."""
    assert "W14 other-adapters" not in look_windows()[0]
    MOODS["two-adapters"].set(server)
    finding = look_windows()[0]["W14 other-adapters"]
    assert not finding.holds and finding.severity == "warn" and finding.found == "Ethernet 2"
    finding = look_windows(CardUnnamed="name hns.psm1")[0]["W14 other-adapters"]
    assert finding.stops and "name hns.psm1" in finding.fix
    server.features.install(server.features.find("Containers"))
    server.reboot()
    pods = [{"AddressPrefix": "10.244.1.0/24", "GatewayAddress": "10.244.1.1"}]
    server.net.create_hns_network("cbr0", "L2Bridge", pods, "Ethernet")
    assert not look_windows(CardUnnamed="x")[0]["W14 other-adapters"].stops


@pytest.mark.parametrize("mood", ["german", "japanese"])
def test_an_early_flannel_is_refused_where_netsh_speaks_no_english(look_windows, server, mood):
    """flannel v0.11.0 vendor/github.com/rakelkar/gonetsh/netsh/netsh.go:123,155; Virtualization-Documentation#1218."""
    findings, _ = look_windows(ClusterProfile="classic", EarlyFlannel="true")
    assert findings["W37 flannel-netsh"].holds and findings["W37 adapter-name"].holds
    MOODS[mood].set(server)
    findings, _ = look_windows(ClusterProfile="classic", EarlyFlannel="true")
    for name in ("W37 flannel-netsh", "W37 adapter-name"):
        assert not findings[name].holds and findings[name].severity == "fail"
    assert not {
        f for f in look_windows(ClusterProfile="classic", EarlyFlannel="false")[0] if "W37" in f
    }
    assert not {f for f in look_windows()[0] if "W37" in f}


@pytest.mark.parametrize(
    ("name", "holds"),
    [("Ethernet 2", True), ("Ethernet  2", False), ("B\u00fcro", False), ("LAN-\u30a4", False)],
)
def test_an_early_flannel_needs_an_adapters_name_that_netsh_shows_whole(
    look_windows, server, name, holds
):
    """It splits netsh's columns at two spaces, and takes their bytes, in the OEM code page, for the name."""
    server.net.adapters[0].name = name
    findings, _ = look_windows(ClusterProfile="classic", EarlyFlannel="true")
    assert findings["W37 adapter-name"].holds is holds


def test_an_adapter_with_spaces_in_its_name_is_no_obstacle(look_windows, server):
    server.net.primary().name = "Ethernet Instance 0 2"
    findings, facts = look_windows()
    assert stopping(findings) == []
    assert facts.get("interface") == "Ethernet Instance 0 2"
    assert {route.interface for route in facts.routes} >= {"Ethernet Instance 0 2"}


def test_windows_server_2016_is_refused_with_the_reason(look_windows, server):
    server.registry.set(
        r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion",
        "CurrentBuildNumber",
        "14393",
        "REG_SZ",
    )
    finding = look_windows()[0]["W02 build"]
    assert finding.stops
    assert "Windows Server 2016" in finding.fix


@pytest.mark.parametrize(
    ("module", "enabled", "holds"),
    [("*", 1, False), ("Microsoft.PowerShell.*", 1, False), ("*", 0, True), ("Hyper-V", 1, True)],
)
def test_a_policy_that_logs_what_commands_are_given_is_told(
    look_windows, server, module, enabled, holds
):
    """about_Logging, event 4103: ParameterBinding(ConvertFrom-Json) has the whole document of a script, with its secrets."""
    key = r"HKLM\SOFTWARE\Policies\Microsoft\Windows\PowerShell\ModuleLogging"
    server.registry.set(key, "EnableModuleLogging", enabled)
    server.registry.set(rf"{key}\ModuleNames", module, module, "REG_SZ")
    finding = look_windows()[0]["W04 module-logging"]
    assert finding.holds is holds and not finding.stops


def test_vxlan_on_a_2019_server_needs_its_update(look_windows, server):
    key = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion"
    server.registry.set(key, "CurrentBuildNumber", "17763", "REG_SZ")
    server.registry.set(key, "UBR", 253, "REG_DWORD")
    finding = look_windows(FlannelBackend="vxlan")[0]["W03 updates"]
    assert finding.stops
    assert "KB4489899" in finding.wanted
    assert not look_windows()[0]["W03 updates"].stops


@pytest.mark.parametrize(
    ("build", "revision", "holds"),
    [
        (20348, 2402, True),
        (20348, 2582, False),
        (20348, 2700, False),
        (20348, 2762, True),
        (17763, 6054, True),
    ],
)
def test_updates_that_broke_the_network_of_containers_are_told(
    look_windows, server, build, revision, holds
):
    """microsoft/Windows-Containers#516 and calico#9019: from KB5040437 until KB5044281 pods reach nothing."""
    key = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion"
    server.registry.set(key, "CurrentBuildNumber", str(build), "REG_SZ")
    server.registry.set(key, "UBR", revision, "REG_DWORD")
    finding = look_windows()[0]["W03 container-network"]
    assert (finding.holds, finding.stops) == (holds, False)
    assert "KB5040437" in finding.wanted and "KB5044281" in finding.wanted


@pytest.mark.parametrize(
    ("size", "free", "stops"),
    [(100, 40, False), (100, 30, True), (400, 70, True), (400, 90, False)],
)
def test_a_disk_has_room_beyond_what_the_kubelet_keeps_free(
    look_windows, server, size, free, stops
):
    """imagefs.available<15% is the kubelet's limit for evicting pods (its documentation on node pressure)."""
    server.disk_bytes = size * 1024**3
    server.free_bytes = lambda: free * 1024**3
    assert look_windows()[0]["W08 disk"].stops == stops


def test_the_name_of_a_domains_member_stops(look_windows, server):
    server.domain = "corp.example"
    finding = look_windows(NodeName="node-7")[0]["W13 host-name"]
    assert finding.stops and "corp.example" in finding.found
    assert not look_windows()[0]["W13 host-name"].stops


def test_a_policy_that_lets_no_rule_of_this_server_count_stops(server):
    """MS-GPFAS, AllowLocalPolicyMerge: CIS and the STIGs want it for public networks."""
    policy = r"HKLM\SOFTWARE\Policies\Microsoft\WindowsFirewall\PublicProfile"
    rule = {"name": "k8swin-kubelet", "title": "k", "protocol": "TCP", "port": "10250"}
    values = {
        "NodeName": "winworker01",
        "NodeAddress": "127.160.0.21",
        "ApiEndpoint": "127.160.0.10:6443",
        "MasterAddress": "127.160.0.10",
        "SupportedBuilds": "20348",
        "HnsNetwork": "cbr0",
        "ApiExpected": "false",
        "FirewallRules": json.dumps([rule]),
        "WinrmPort": "5985",
    }

    def found() -> PreflightCheck:
        out = run_on(server, "preflight.check", **values).out
        return by_name(parse(out, HOSTS.host("winworker01"))[0])["W16 firewall-policy"]

    assert found().holds
    server.registry.set(policy, "AllowLocalPolicyMerge", 0)
    assert found().stops
    assert found().found.startswith("closed: TCP 10250 on networks of the profile Public, where")


def test_names_of_downloads_are_the_web_proxys_to_resolve(look_windows, server):
    """Behind a proxy a server often resolves no name of the internet."""

    def curl(process):
        return 0

    server.programs = {**server.programs, "curl": curl}
    found = look_windows(DownloadHosts="nowhere.example")[0]
    assert found["W22 downloads"].holds and found["W25 tls-interception"].holds


def test_a_list_that_cannot_be_reached_is_no_interception(look_windows, server):
    def curl(process):
        if "--ssl-no-revoke" in process.argv:
            return 0
        process.err("curl: (35) schannel: next InitializeSecurityContext failed: (0x80092012)\r\n")
        return 35

    server.programs = {**server.programs, "curl": curl}
    found = look_windows(DownloadHosts="mirror.example")[0]
    assert found["W25 tls-interception"].holds and found["W22 downloads"].holds
    assert (
        not found["W22 revocation-lists"].holds
        and "mirror.example" in found["W22 revocation-lists"].found
    )


def test_a_pod_network_made_by_others_has_no_backend_to_look_at(look_windows):
    backend = network_plan(check_description(described(topology="ovn"))).backend
    assert backend == ""
    assert look_windows(FlannelBackend="")[0]["W02 build"].holds


def test_a_worker_of_another_cluster_stops(look_windows, server):
    server.files.make_directory("C:\\etc\\kubernetes")
    server.files.write(
        "C:\\etc\\kubernetes\\kubelet.conf",
        b"clusters:\n- cluster:\n    server: https://10.9.9.9:6443\n",
    )
    finding = look_windows()[0]["W33 other-cluster"]
    assert finding.stops
    assert "a node of https://10.9.9.9:6443" in finding.found


def test_a_worker_of_an_earlier_cluster_at_the_same_address_stops(look_windows, server):
    server.files.make_directory("C:\\etc\\kubernetes")
    server.files.write(
        "C:\\etc\\kubernetes\\kubelet.conf",
        b"    certificate-authority-data: AAAA\n    server: https://127.160.0.10:6443\n",
    )
    assert look_windows(ClusterCa="AAAA")[0]["W33 other-cluster"].holds
    assert look_windows(ClusterCa="BBBB")[0]["W33 other-cluster"].stops


@pytest.mark.parametrize("left", ["pki\\ca.crt", "manifests\\pod.yaml"])
def test_what_the_join_would_stop_over_stops_before(look_windows, server, left):
    path = f"C:\\etc\\kubernetes\\{left}"
    server.files.make_directory(path.rpartition("\\")[0] + "\\")
    server.files.write(path, b"theirs")
    findings, facts = look_windows(ClusterCa="AAAA")
    assert findings["W33 other-cluster"].stops
    assert path in findings["W33 other-cluster"].found
    assert bool(facts.get("authority")) == left.endswith("ca.crt")
    server.files.make_directory("C:\\k8swin\\state\\")
    server.files.write("C:\\k8swin\\state\\kubeadm-join.started", b"")
    assert look_windows(ClusterCa="AAAA")[0]["W33 other-cluster"].holds


PLACES = {
    "Folders": r"C:\k;C:\etc\kubernetes\pki;C:\opt\cni\bin",
    "CniFolder": r"C:\etc\cni\net.d",
    "CniFile": "10-flannel.conf",
    "ControlPlaneAddress": "10.1.0.2",
}
SERVICES = r"HKLM:\SYSTEM\CurrentControlSet\Services"
IN_THE_WAY = [
    (f"Set-ItemProperty {SERVICES}\\mpssvc Start 4", "W11 windows-services", "off: mpssvc", "Start 2"),
    (f"Set-ItemProperty {SERVICES}\\BFE Start 4", "W11 windows-services", "off: BFE, mpssvc", "Start 2"),
    ("Stop-Service Schedule -Force", "W11 windows-services", "off: Schedule", "Start 2"),
    ("Set-Service Winmgmt -StartupType Disabled; Stop-Service Winmgmt -Force", "W11 windows-services", "off: Winmgmt", "Winmgmt: Start 2"),
    ("Set-Service TrustedInstaller -StartupType Disabled", "W11 windows-services", "off: TrustedInstaller", "3 for TrustedInstaller"),
    ("Set-Service wuauserv -StartupType Disabled", "W11 windows-services", "off: wuauserv", "group policy"),
    ("Set-Content C:\\k x", "W08 places", r"C:\k (a file)", "move it away"),
    ("Set-Content C:\\etc x", "W08 places", r"C:\etc (a file)", "move it away"),
    ("mkdir C:\\opt; Set-Content C:\\opt\\cni x", "W08 places", r"C:\opt\cni (a file)", "move it away"),
    ("mkdir C:\\etc\\cni\\net.d\\10-flannel.conf", "W08 places", r"10-flannel.conf (a folder)", "move it away"),
    ("mkdir C:\\etc\\cni\\net.d; Set-Content C:\\etc\\cni\\net.d\\00-calico.conflist x", "W33 other-cni", "00-calico.conflist", "pod_network"),
    (r"attrib +R C:\Windows\System32\drivers\etc\hosts", "W08 places", r"etc\hosts (read-only)", "attrib -R"),
    (r"mkdir C:\etc\kubernetes\pki; Set-Content C:\etc\kubernetes\pki\ca.crt x; attrib +R C:\etc\kubernetes\pki\ca.crt", "W08 places", r"ca.crt (read-only)", "attrib -R"),
    ("New-Service kube-proxy C:\\other\\kube-proxy.exe", "W33 other-cluster", "the service kube-proxy", "nobody needs it"),
    ("New-Service flanneld C:\\other\\flanneld.exe", "W33 other-cluster", "the service flanneld", "nobody needs it"),
    ("New-Service containerd C:\\other\\containerd.exe", "W33 runtime", r"runs C:\other\containerd.exe", "move it there"),
]  # fmt: skip
"""What is typed on a server, the check that finds it, what it finds and what it says to do."""


@pytest.mark.parametrize(("typed", "check", "found", "fix"), IN_THE_WAY)
def test_what_a_step_of_a_later_notebook_would_stop_over_stops_before(
    look_windows, server, typed, check, found, fix
):
    """Without the firewall's service HNS and the rules have no endpoints (docker/for-win#9474, windows_exporter#2105);
    CIM commands are WMI's (CSS-Exchange#1034), jobs the task scheduler's.
    """
    assert on_server(server, typed) == 0
    if "Start 4" in typed:
        server.reboot()
    findings, _ = look_windows(WindowsUpdate="true", **PLACES)
    assert check in stopping(findings)
    assert found in findings[check].found and fix in findings[check].fix


def test_services_that_nothing_needs_may_be_off(look_windows, server):
    others = "BITS Spooler LanmanServer iphlpsvc SharedAccess WinDefend Dnscache wuauserv"
    off = f"foreach ($n in -split '{others}') {{ Set-Service $n -StartupType Disabled; Stop-Service $n -Force }}"
    assert on_server(server, off) == 0
    assert stopping(look_windows(**PLACES)[0]) == []


def on_server(server: WindowsMachine, line: str) -> int:
    """What an administrator types on the server, as its exit code."""
    env = dict(server.login_environment("Administrator"))
    streams = io.BytesIO(), io.BytesIO(), io.BytesIO()
    process = Process(server, [], env, "C:\\", "Administrator", *streams)
    return server.shell(f'powershell -NoProfile -Command "{line}; exit [int](-not $?)"', process)


def test_one_probe_that_breaks_off_is_one_finding(look_windows, server):
    server.registry.set(
        r"HKLM\SOFTWARE\Policies\Microsoft\Windows\WindowsUpdate\AU", "AUOptions", 4, "REG_DWORD"
    )
    server.services.stop("w32time")
    server.services.delete("w32time")
    findings, _ = look_windows()
    broken = {n for n, f in findings.items() if "could not be found out" in f.found}
    assert broken == {"W21 time-service"}
    assert not findings["W31 automatic-restart"].holds
    assert findings["W33 other-cluster"].holds


@pytest.fixture
def hypervisor(server: WindowsMachine) -> WindowsMachine:
    for name in ("Hyper-V", "Hyper-V-PowerShell"):
        feature = server.features.find(name)
        assert feature is not None
        feature.state = "Installed"
    server.virtual_machines = [
        VirtualMachine("Worker 1", adapters=[VirtualAdapter(), VirtualAdapter("Storage")]),
        VirtualMachine("linuxmaster"),
    ]
    return server


@pytest.fixture
def spoofing(hypervisor: WindowsMachine) -> Callable[..., tuple[int, str]]:
    def run(verb: str, **given: str) -> tuple[int, str]:
        text = Script.load(f"windows/mac_spoofing.{verb}.ps1").text
        hypervisor.files.write("C:\\spoofing.ps1", text.encode())
        words = " ".join(f'-{name} "{value}"' for name, value in given.items())
        out, err = io.BytesIO(), io.BytesIO()
        env = dict(hypervisor.login_environment("Administrator"))
        line = f"powershell -NoProfile -File C:\\spoofing.ps1 {words}"
        process = Process(hypervisor, [], env, "C:\\", "Administrator", io.BytesIO(), out, err)
        return hypervisor.shell(line, process), out.getvalue().decode() + err.getvalue().decode()

    return run


def test_mac_address_spoofing_is_set_on_every_adapter_and_read_back(spoofing, hypervisor):
    assert spoofing("check", VmNames="Worker 1")[0] == 10
    code, said = spoofing("apply", VmNames="Worker 1")
    assert (code, said.count("is on for Worker 1")) == (0, 2)
    assert spoofing("check", VmNames="Worker 1")[0] == 0
    assert [a.mac_address_spoofing for a in hypervisor.virtual_machines[0].adapters] == ["On", "On"]
    assert hypervisor.virtual_machines[1].adapters[0].mac_address_spoofing == "Off"
    assert spoofing("apply", VmNames="Worker 1") == (0, "")


def test_a_virtual_machine_that_is_not_there_is_named_with_those_that_are(spoofing):
    code, said = spoofing("check", VmNames="winworker01")
    assert code == 20
    assert "no virtual machine is named winworker01" in said
    assert "Worker 1, linuxmaster" in said
    # It may run on the other Hyper-V host.
    assert spoofing("check", VmNames="winworker01", Hypervisors="2")[0] == 0


def test_every_check_is_explained_in_the_documentation():
    root = Path(__file__).parent.parent.parent
    explained = (root / "docs" / "preflight.md").read_text()
    package = root / "k8swin_nb"
    texts = [Script.load(name).text for name in (LINUX, WINDOWS)]
    texts.append((package / "phases" / "preflight" / "rules.py").read_text())
    ids = {ident for text in texts for ident in re.findall(r"\b([LWX]\d{1,2})\b", text)}
    assert len(ids) > 60
    assert [ident for ident in sorted(ids) if ident not in explained] == []
