"""Phase 80: evidence becomes findings, a silent host is one of them, and a bundle is kept when a step fails."""

import base64
import json
import re
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from k8swin_nb import symptoms
from k8swin_nb.errors import (
    AuthenticationFailed,
    CertificateRejected,
    HostUnreachable,
    ParamsError,
    StepFailed,
    TransportError,
    TransportTimeout,
)
from k8swin_nb.inventory import Host
from k8swin_nb.phases import phase_80_troubleshoot as troubleshoot
from k8swin_nb.phases.troubleshoot import bundle, collecting, failure
from k8swin_nb.phases.troubleshoot.diagnosis import diagnose
from k8swin_nb.phases.troubleshoot.evidence import Evidence, parse
from k8swin_nb.secret import Secret
from k8swin_nb.transports.base import Work
from k8swin_nb.workflow.phase_run import PhaseRun
from k8swin_nb.workflow.runner import apply_step
from k8swin_nb.workflow.step import Verdict
from k8swin_nb.workflow.step_run import StepRun
from tests.runs import ALL_SCRIPTS, Hosts, Machine, make_run

NOW = datetime(2026, 11, 26, 10, 0, tzinfo=UTC)
TIME = int(NOW.timestamp())


def encoded(text: str, first: str = "7b2263") -> str:
    return f"{first}\t{base64.b64encode(text.encode()).decode()}"


def cni_conf(dns: str = "10.96.0.10", services: str = "10.96.0.0/12") -> str:
    return json.dumps(
        {
            "name": "cbr0",
            "delegate": {
                "dns": {"Nameservers": [dns]},
                "policies": [
                    {
                        "value": {
                            "Type": "OutBoundNAT",
                            "Settings": {"Exceptions": ["10.244.0.0/16", services, "10.1.0.0/24"]},
                        }
                    },
                    {"value": {"Type": "SDNRoute", "Settings": {"DestinationPrefix": services}}},
                    {
                        "value": {
                            "Type": "SDNRoute",
                            "Settings": {"DestinationPrefix": "10.1.0.3/32"},
                        }
                    },
                ],
            },
        }
    )


MASTER = f"""\
== host
name\tlinuxmaster
time\t{TIME}
kubelet.conf\tyes
machine-id\taaaa
== disk
Filesystem 1048576-blocks Used Available Capacity Mounted on
/dev/sda1 40060 3054 35003 8% /
== links
2: eth0: <UP> mtu 1500\\    link/ether 02:00:00:00:00:01 brd ff:ff:ff:ff:ff:ff
== routes
default via 10.1.0.1 dev eth0
10.244.1.0/24 via 10.1.0.3 dev eth0
== forward
-P FORWARD ACCEPT
== cni
10-flannel.conflist\t{encoded(cni_conf())}
== certificates
/etc/kubernetes/pki/apiserver.crt\tnotAfter=Nov 26 10:00:00 2027 GMT
== proxies
== nodes
linuxmaster\tlinux\t10.1.0.2\t10.244.0.0/24\tv1.36.4\tTrue\t10.1.0.2\tkubelet is posting ready status
winworker01\twindows\t10.1.0.3\t10.244.1.0/24\tv1.36.4\tTrue\t10.1.0.3\tkubelet is posting ready status
== conditions
linuxmaster\tMemoryPressure=False\tDiskPressure=False\tReady=True
== cluster-services
default/kubernetes\tClusterIP\t10.96.0.1\t443:
default/web\tNodePort\t10.96.0.9\t80:30080
== windows-pods
default/web-1\twinworker01\t{{"kubernetes.io/os":"windows"}}\t
== cluster-networks
  podSubnet: 10.244.0.0/16
  serviceSubnet: 10.96.0.0/12
== net-conf
{{"Network": "10.244.0.0/16", "Backend": {{"Type": "host-gw"}}}}
== dns-address
10.96.0.10
== tokens
abcdef\t1h\t2026-11-26T11:00:00Z
== kubelet-ports
winworker01\t10.1.0.3\t0
"""

WORKER = f"""\
== host
name\twinworker01
time\t{TIME}
build\t26100
kubelet.conf\tyes
== services
kubelet\tRunning\tAutomatic
flanneld\tRunning\tAutomatic
kube-proxy\tRunning\tAutomatic
containerd\tRunning\tAutomatic
docker\tabsent\t
== versions
containerd\tcontainerd github.com/containerd/containerd/v2 v2.3.4 abc
kubelet\tKubernetes v1.36.4
== disk
C:\t80
== addresses
vEthernet (Ethernet)\t10.1.0.3/24
vEthernet (cbr0_ep)\t10.244.1.2/24
== links
Ethernet\tUp\t02-00-00-00-00-02
== profiles
vEthernet (Ethernet)\tPublic
== firewall
k8swin-winrm\tTrue\tAny
== routes
0.0.0.0/0\t10.1.0.1\tvEthernet (Ethernet)
10.244.0.0/24\t10.1.0.2\tvEthernet (Ethernet)
== hns
network\tcbr0\tL2Bridge\t10.244.1.0/24\t10.1.0.3
== cni
10-flannel.conf\t{encoded(cni_conf())}
== containerd-config
  sandbox = 'registry.k8s.io/pause:3.10.2'
== tokens
C:\\etc\\kube-flannel\\kubeconfig\t{TIME + 364 * 86400}
== log flanneld
I1126 main.go:388] Found network config - Backend type: host-gw
"""


@pytest.fixture
def run(tmp_path: Path) -> PhaseRun:
    return make_run(tmp_path, phase=troubleshoot.PHASE)


def answer(run: PhaseRun, **answers: Any) -> Hosts:
    """Let hosts show this evidence, or raise it."""
    run.connections = Hosts({f"{host}:{ALL_SCRIPTS}": answer for host, answer in answers.items()})
    return run.connections


def judged(run: PhaseRun, master: str = MASTER, worker: str = WORKER) -> set[tuple[str, str]]:
    evidence = [
        parse(host, text, TIME, TIME + 1)
        for host, text in zip(run.inventory.hosts, (master, worker), strict=True)
    ]
    found = diagnose(run.plan, run.description.profile, evidence, NOW)
    return {(finding.entry.id, finding.host) for finding in found}


def test_a_healthy_cluster_has_no_finding(run):
    assert judged(run) == set()


CHANGES = [
    ("time\t", "time\t9", "winworker01", "join-token-or-time"),
    ("kube-proxy\tRunning", "kube-proxy\tStopped", "winworker01", "processes-end-with-the-shell"),
    ("kube-proxy\tRunning", "kube-proxy\tabsent", "winworker01", "processes-end-with-the-shell"),
    (
        "vEthernet (Ethernet)\t10.1.0.3/24",
        "vEthernet (Ethernet)\t169.254.9.9/16",
        "winworker01",
        "static-address-lost",
    ),
    (
        "vEthernet (Ethernet)\t10.1.0.3/24",
        "\u30a4\u30fc\u30b5\u30cd\u30c3\u30c8\t169.254.9.9/16\n== links\n\u30a4\u30fc\u30b5\u30cd\u30c3\u30c8\tUp\t00-15-5D-00-00-01",
        "winworker01",
        "static-address-lost",
    ),
    (
        "network\tcbr0\tL2Bridge\t10.244.1.0/24\t10.1.0.3",
        "network\tcbr0\tL2Bridge\t10.244.1.0/24\t10.0.2.15",
        "winworker01",
        "wrong-card-bridged",
    ),
    ("k8swin-winrm\tTrue\tAny\n", "", "winworker01", "network-profile-public"),
    (
        "network\tcbr0\tL2Bridge\t10.244.1.0/24\t10.1.0.3\n",
        "",
        "winworker01",
        "hns-network-not-created",
    ),
    ("cbr0\tL2Bridge", "cbr0\tOverlay", "winworker01", "network-of-another-type"),
    ("\t7b2263\t", "\tefbbbf\t", "winworker01", "cni-not-initialized"),
    (encoded(cni_conf()), encoded("{not json"), "winworker01", "cni-not-initialized"),
    (
        encoded(cni_conf()),
        encoded(cni_conf(dns="10.192.0.10", services="10.192.0.0/12")),
        "winworker01",
        "service-network-differs",
    ),
    (
        "10-flannel.conf\t",
        f"0-containerd-nat.json\t{encoded('{}')}\n10-flannel.conf\t",
        "winworker01",
        "second-cni-configuration",
    ),
    (
        "10.244.0.0/24\t10.1.0.2\tvEthernet (Ethernet)\n",
        "",
        "winworker01",
        "windows-pods-unreachable",
    ),
    ("pause:3.10.2", "pause:3.10.1", "winworker01", "pause-image-too-old"),
    ("C:\t80", "C:\t12", "winworker01", "image-pull-slow-or-disk-full"),
    (
        f"kubeconfig\t{TIME + 364 * 86400}",
        f"kubeconfig\t{TIME + 3 * 86400}",
        "winworker01",
        "credentials-expire",
    ),
    ("02-00-00-00-00-02", "02-00-00-00-00-01", "winworker01", "cloned-machines"),
    (
        "containerd/v2 v2.3.4",
        "containerd v1.7.20",
        "winworker01",
        "container-runtime-too-old",
    ),
    (
        "I1126 main.go:388] Found network config",
        "E1126 http2: no cached connection was available",
        "winworker01",
        "flanneld-without-connection",
    ),
    (
        "\twindows\t10.1.0.3\t",
        "\twindows\t10.244.1.2\t",
        "winworker01",
        "node-has-a-pod-address",
    ),
    ("\twindows\t10.1.0.3\t", "\twindows\t10.9.9.9\t", "winworker01", "wrong-interface"),
    (
        '"Type": "host-gw"',
        '"Type": "vxlan"',
        "linuxmaster",
        "vxlan-numbers-differ",
    ),
    ("80:30080", "80:80", "linuxmaster", "node-port-equals-port"),
    ("10.1.0.3\t0\n", "10.1.0.3\t28\n", "winworker01", "kubelet-port-blocked"),
    (
        'default/web-1\twinworker01\t{"kubernetes.io/os":"windows"}\t',
        "kube-system/kube-proxy-x\twinworker01\t\t",
        "winworker01",
        "linux-pods-on-windows",
    ),
    (
        "winworker01\twindows\t10.1.0.3\t10.244.1.0/24\tv1.36.4\tTrue\t10.1.0.3\tkubelet is posting ready status\n",
        "",
        "winworker01",
        "node-deleted",
    ),
    (
        "== proxies\n",
        "== proxies\nHTTPS_PROXY=http://proxy.example:3128\nNO_PROXY=10.96.0.0/12\n",
        "linuxmaster",
        "proxy-in-the-way",
    ),
    ("Nov 26 10:00:00 2027", "Nov 29 10:00:00 2026", "linuxmaster", "credentials-expire"),
    ("Available Capacity Mounted on\n/dev/sda1 40060 3054 35003", "A C M o\n/dev/sda1 40060 39000 900", "linuxmaster", "image-pull-slow-or-disk-full"),
    ("10.244.1.0/24 via 10.1.0.3 dev eth0\n", "", "linuxmaster", "windows-pods-unreachable"),
    (
        "DiskPressure=False",
        "DiskPressure=True",
        "linuxmaster",
        "image-pull-slow-or-disk-full",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after", "host", "entry"),
    [change for change in CHANGES if change[3]],
    ids=lambda value: value if isinstance(value, str) and "-" in value and " " not in value else "",
)
def test_each_fault_is_found_on_its_host_and_nothing_else_is(run, before, after, host, entry):
    texts = {"linuxmaster": MASTER, "winworker01": WORKER}
    # A node's own row, its ports and its pods are what the control plane's host shows.
    shown = "winworker01" if before in WORKER and host == "winworker01" else "linuxmaster"
    assert before in texts[shown]
    texts[shown] = texts[shown].replace(before, after, 1)
    found = judged(run, texts["linuxmaster"], texts["winworker01"])
    assert (entry, host) in found
    allowed = {entry}
    if entry in ("static-address-lost", "hns-network-not-created"):
        allowed |= {"static-address-lost"}
    assert {name for name, _ in found} <= allowed


def test_what_a_log_tells_of_a_nodes_beginning_is_left_out_once_it_is_ready(run):
    early = MASTER + "== log kubelet\nNetworkPluginNotReady message: cni plugin not initialized\n"
    assert judged(run, early) == set()
    not_ready = early.replace(
        "\tTrue\t10.1.0.2\tkubelet is posting ready status", "\tFalse\t10.1.0.2\t"
    )
    assert judged(run, not_ready) == {("cni-not-initialized", "linuxmaster")}


REFUSED = (
    "The connection to the server 10.1.0.2:6443 was refused\n(not to be had: ask ended with 1)\n"
)


def unread(section: str) -> str:
    """The master's evidence when the API server did not answer for one section."""
    return re.sub(rf"(?ms)^== {section}\n.*?(?=^== )", f"== {section}\n{REFUSED}", MASTER)


def test_a_list_of_nodes_that_was_not_read_is_not_an_empty_one(run):
    assert judged(run, unread("nodes")) == set()


def test_a_list_that_broke_off_is_not_the_whole(run):
    broken = MASTER.replace(
        "winworker01\twindows\t10.1.0.3\t10.244.1.0/24\tv1.36.4\tTrue\t10.1.0.3\tkubelet is posting ready status\n",
        "(not to be had: ask ended with 124)\n",
    )
    assert broken != MASTER
    assert judged(run, broken) == set()


def test_certificates_that_expired_are_told_and_no_reset_is(run):
    master = unread("nodes").replace("Nov 26 10:00:00 2027", "Nov 20 10:00:00 2026")
    assert judged(run, master) == {("credentials-expire", "linuxmaster")}


@pytest.mark.parametrize(
    "section", ["dns-address", "cluster-networks", "net-conf", "cluster-services"]
)
def test_an_error_of_the_api_server_is_no_value_of_the_clusters(run, section):
    assert judged(run, unread(section)) == set()


def test_a_host_that_took_long_to_answer_is_not_said_to_have_another_time(run):
    (host, _) = run.inventory.hosts
    slow = parse(host, MASTER, TIME - 60, TIME + 60)
    assert not diagnose(run.plan, run.description.profile, [slow], NOW) or all(
        f.entry.id != "join-token-or-time"
        for f in diagnose(run.plan, run.description.profile, [slow], NOW)
    )


def test_a_host_that_cannot_be_reached_is_a_finding_and_stops_nothing(run):
    silent = HostUnreachable("winworker01", "nobody answers at 10.1.0.3:5986")
    answer(run, linuxmaster=MASTER, winworker01=silent)
    report = apply_step(run, troubleshoot.PHASE.step("evidence"))
    assert [row.outcome.value for row in report.rows] == ["ok", "ok"]
    assert "cannot be reached: nobody answers" in report.rows[1].detail
    found = [(f.entry.id, f.host) for f in collecting.findings(run)]
    assert ("host-unreachable", "winworker01") in found
    assert len(run.connections.asked) == 2


@pytest.mark.parametrize(
    ("error", "says", "entry"),
    [
        (AuthenticationFailed("winworker01", "Access is denied"), "refuses the login", "login-refused"),
        (CertificateRejected("winworker01", "IP address mismatch"), "is not known to be itself", "identity-refused"),
        (TransportError("winworker01", "no script was started"), "could not be asked", "host-not-asked"),
        (TransportTimeout("winworker01", "no answer after 30 s"), "cannot be reached", "host-unreachable"),
    ],
)  # fmt: skip
def test_a_host_that_refuses_is_not_said_to_be_out_of_reach(run, error, says, entry):
    answer(run, linuxmaster=MASTER, winworker01=error)
    report = apply_step(run, troubleshoot.PHASE.step("evidence"))
    assert says in report.rows[1].detail
    found = [f.entry for f in collecting.findings(run) if f.host == "winworker01"]
    assert [one.id for one in found] == [entry]
    bundled = bundle.written(collecting.collected(run)[1])
    assert says in bundled
    if entry != "host-unreachable":
        assert "unreachable" not in report.rows[1].detail + bundled
        assert "machine is off" not in found[0].cause


def test_a_refused_login_names_what_windows_may_have_against_it():
    (entry,) = (entry for entry in symptoms.entries() if entry.id == "login-refused")
    for word in ("LocalAccountTokenFilterPolicy", "FilterAdministratorToken", "from the network"):
        assert word in entry.cause + entry.fix
    assert "password" in entry.evidence


def test_nodes_that_were_not_read_are_not_taken_for_deleted_ones(run):
    refused = re.sub(
        r"(?ms)^== nodes\n.*?(?=^== )",
        "== nodes\nUnable to connect to the server: x509: certificate has expired\n"
        "(not to be had: ask ended with 1)\n",
        MASTER,
    )
    assert "not to be had" in refused
    found = {entry for entry, _ in judged(run, refused, WORKER)}
    assert "node-deleted" not in found
    assert "join-half-done" not in found


def test_only_the_host_that_was_asked_for_is_looked_at(run):
    run.options["host"] = "10.1.0.3"
    answer(run, winworker01=WORKER)
    report = apply_step(run, troubleshoot.PHASE.step("evidence"))
    assert [(row.host, row.outcome.value) for row in report.rows] == [
        ("linuxmaster", "skipped"),
        ("winworker01", "ok"),
    ]


def test_a_symptom_is_looked_up_by_its_text_and_by_its_words():
    (first,) = collecting.lookup("kubelet: unknown flag: --log-dir")
    assert first.entry.id == "kubelet-crash-loop"
    assert "dns-forwards-to-itself" in [
        f.entry.id for f in collecting.lookup("CoreDNS crashes detected")
    ]
    assert collecting.lookup("") == []
    assert collecting.lookup("zzzz qqqq") == []


def test_the_bundle_is_redacted_bounded_and_readable_by_its_owner_alone(run):
    password = Secret("correct-horse-battery")
    text = (
        MASTER + f"== log kubelet\nlogin with {password.reveal()}\ntoken abcdef.0123456789abcdef\n"
    )
    text += "x" * 2_000_000
    answer(run, linuxmaster=text, winworker01=WORKER)
    for step in troubleshoot.PHASE.steps:
        apply_step(run, step)
    folder = run.record.folder / "diagnostics" / run.record.notebook
    kept = (folder / "linuxmaster.txt").read_text()
    assert "correct-horse" not in kept and "0123456789abcdef" not in kept
    assert len(kept.encode()) < bundle.FILE_BYTES + 100 and kept.endswith("(cut here)\n")
    assert (folder / "linuxmaster.txt").stat().st_mode & 0o077 == 0
    assert {path.name for path in folder.iterdir()} == {
        "linuxmaster.txt", "winworker01.txt", "findings.txt", "parameters.json",
    }  # fmt: skip
    again = apply_step(run, troubleshoot.PHASE.step("bundle"))
    assert again.rows[0].outcome.value == "ok"


def failed(host: str = "winworker01") -> StepFailed:
    return StepFailed(phase="04", step="cni", host=host, detail="apply failed", hint="look there")


def test_a_failed_step_leaves_evidence_and_keeps_its_own_error(run):
    answer(run, winworker01=WORKER)
    error = failed()
    failure.keep_evidence(run, "cni", error)
    folder = run.record.folder / "diagnostics" / "notebook-cni"
    assert "apply failed" in (folder / "error.txt").read_text()
    assert "flanneld" in (folder / "winworker01.txt").read_text()
    assert error.detail == "apply failed"
    assert error.hint == f"look there; evidence is in {folder}"
    assert [e["event"] for e in run.record.events][-1] == "diagnostics"


def test_trouble_with_the_evidence_does_not_hide_the_error(run):
    answer(run, winworker01=RuntimeError("a bug"))
    error = failed()
    failure.keep_evidence(run, "cni", error)
    assert error.detail == "apply failed"
    (run.record.folder / "diagnostics").rename(run.record.folder / "away")
    (run.record.folder / "diagnostics").write_text("a file is in the way")
    error = failed()
    failure.keep_evidence(run, "cni", error)
    assert error.hint == "look there"
    assert "failed" in run.record.events[-1]


def test_a_host_that_hangs_costs_bounded_time(run, monkeypatch):
    monkeypatch.setattr(failure, "SECONDS", 0.3)
    release, ended = threading.Event(), threading.Event()

    def hang(host: Host, work: Work) -> str:
        release.wait(100)
        ended.set()
        return WORKER

    answer(run, winworker01=hang)
    failure.keep_evidence(run, "cni", failed())
    assert not ended.is_set()
    release.set()
    kept = run.record.folder / "diagnostics" / "notebook-cni" / "winworker01.txt"
    assert "gave no answer within" in kept.read_text()


def test_a_refused_login_is_not_tried_again_for_evidence(run):
    answer(run)
    failure.keep_evidence(
        run, "reach", AuthenticationFailed("winworker01", "the login was refused")
    )
    assert run.connections.asked == []


def test_a_dry_run_collects_nothing(run):
    run.dry_run = True
    failure.keep_evidence(run, "cni", failed())
    assert not (run.record.folder / "diagnostics").exists()


def test_what_a_person_typed_wrongly_asks_no_host_for_evidence(run):
    error = ParamsError("not confirmed", hint="type it")
    failure.keep_evidence(run, "confirm", error)
    assert error.hint == "type it"
    assert not (run.record.folder / "diagnostics").exists()


def test_the_error_of_a_step_says_which_entry_it_belongs_to(run):
    def check(at: StepRun) -> Verdict:
        raise at.failed("unknown flag: --log-dir", hint="look there")

    step = Machine().step(check=check, on="control-plane")
    with pytest.raises(StepFailed) as caught:
        apply_step(run, step)
    assert caught.value.hint == "look there; see: 80_troubleshoot#kubelet-crash-loop"
    assert caught.value.lines()[-1].startswith("hint: ")


def test_evidence_without_sections_says_nothing(run):
    hosts = run.inventory.hosts
    assert diagnose(run.plan, "current", [Evidence(host) for host in hosts], NOW) == []
