"""The scripts of a Windows worker, one by one, on a machine of the lab: what they find, change and refuse."""

import base64
import hashlib
import io
import json
import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from k8swin_lab.internet import install
from k8swin_lab.internet.binaries import stand_in
from k8swin_lab.machines.program import Process
from k8swin_lab.machines.windows import WindowsMachine
from k8swin_lab.network import HttpResponse, Network
from k8swin_lab.windows.software import windows_software

from k8swin_nb.scripts import Script
from k8swin_nb.secret import Secret
from k8swin_nb.shells import powershell_command, powershell_input
from k8swin_nb.transports.proof import Proof
from tests.conftest import ROOT

ADDRESS = "127.160.0.21"
WINDOWS = ROOT / "k8swin_nb" / "scripts" / "windows"
PARTS = "https://example.org/parts"


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        return (self.out.strip().splitlines() or [""])[-1]


PowerShell = Callable[..., Answer]


def windows_machine() -> WindowsMachine:
    """Return a server with the folders of a worker, on a network with the lab's internet."""
    network = Network()
    install(network)
    made = WindowsMachine(
        "winworker01", ADDRESS, network, windows_software(), build=17763, pace=0.02
    )
    for folder in (r"C:\k8swin\downloads", r"C:\k8swin\state", r"C:\k8swin\jobs", r"C:\k"):
        made.files.make_directory(folder)
    return made


def run_on(
    machine: WindowsMachine, name: str, secrets: dict[str, str] | None = None, **parameters: str
) -> Answer:
    """Run a script of the package on a machine as the WinRM transport does."""
    proof = Proof()
    document = powershell_input(
        Script.load(f"windows/{name}.ps1"),
        parameters,
        {key: Secret(value) for key, value in (secrets or {}).items()},
        word=proof.word,
    )
    out, err = io.BytesIO(), io.BytesIO()
    env = dict(machine.login_environment("Administrator"))
    process = Process(machine, [], env, "C:\\", "Administrator", io.BytesIO(document), out, err)
    program, arguments = powershell_command("k8swin-test")
    code = machine.shell(" ".join([program, *arguments]), process)
    own = proof.feed(out.getvalue()) + proof.finish()
    assert proof.began and proof.ended, err.getvalue()
    return Answer(code, own.decode(), err.getvalue().decode())


def serve(machine: WindowsMachine, *bodies: bytes) -> None:
    """Serve these bodies, one after the other, the last one for ever."""
    left = list(bodies)

    def answer(request):
        return HttpResponse(200, {}, left.pop(0) if len(left) > 1 else left[0])

    machine.network.origins["example.org"] = answer


def part(digest: str, algorithm: str = "SHA256") -> str:
    return json.dumps(
        [
            {
                "name": "tool",
                "url": f"{PARTS}/tool.exe",
                "file": "tool.exe",
                "algorithm": algorithm,
                "hash": digest,
                "to": r"C:\k\tool.exe",
            }
        ]
    )


GOOD, BAD = b"the tool", b"not the tool"


def digest(content: bytes, algorithm: str = "sha256") -> str:
    return hashlib.new(algorithm, content).hexdigest()


def test_a_download_that_is_damaged_once_is_fetched_again(machine, run):
    serve(machine, BAD, GOOD)
    assert run("artifacts.apply", Artifacts=part(digest(GOOD))).code == 0
    assert machine.files.read(r"C:\k\tool.exe") == GOOD
    assert run("artifacts.check", Artifacts=part(digest(GOOD))).code == 0


def test_a_download_that_stays_damaged_is_named_and_nothing_is_put_in_place(machine, run):
    serve(machine, BAD)
    refused = run("artifacts.apply", Artifacts=part(digest(GOOD)))
    assert refused.code == 1
    assert digest(BAD) in refused.err and digest(GOOD) in refused.err
    assert not machine.files.exists(r"C:\k\tool.exe")
    assert not machine.files.exists(r"C:\k8swin\downloads\tool.exe")


def test_a_sha512_is_as_good_as_a_sha256(machine, run):
    serve(machine, GOOD)
    locked = part(digest(GOOD, "sha512"), "SHA512")
    assert run("artifacts.check", Artifacts=locked).code == 10
    assert run("artifacts.apply", Artifacts=locked).code == 0
    assert run("artifacts.check", Artifacts=locked).code == 0


def test_a_file_without_a_published_hash_must_arrive_alike_twice(machine, run):
    serve(machine, GOOD, BAD)
    refused = run("artifacts.apply", Artifacts=part("first-use"))
    assert refused.code == 1 and "two downloads differ" in refused.err
    assert not machine.files.exists(r"C:\k\tool.exe")
    serve(machine, GOOD)
    assert run("artifacts.apply", Artifacts=part("first-use")).code == 0
    found = run("artifacts.check", Artifacts=part("first-use"))
    assert found.code == 0 and digest(GOOD) in found.said
    # later the kept hash is the lock: another file at the origin is no reason to change anything
    serve(machine, BAD)
    machine.files.write(r"C:\k\tool.exe", BAD)
    assert run("artifacts.check", Artifacts=part("first-use")).code == 10
    refused = run("artifacts.apply", Artifacts=part("first-use"))
    assert refused.code == 1 and digest(GOOD) in refused.err


def test_a_page_of_a_proxy_is_not_what_a_file_is_held_against_from_then_on(machine, run):
    serve(machine, b"<!DOCTYPE html>\n<html><title>Please log in</title></html>")
    refused = run("artifacts.apply", Artifacts=part("first-use"))
    assert refused.code == 1 and "answers with a page, expected a file" in refused.err
    assert not machine.files.exists(r"C:\k\tool.exe")
    serve(machine, b"MZ\x90\0the tool")
    assert run("artifacts.apply", Artifacts=part("first-use")).code == 0


KUBECONFIG = (
    "apiVersion: v1\nclusters:\n- cluster:\n    certificate-authority-data: Q0E=\n"
    "    server: https://10.1.0.2:6443\n"
)
PUBLIC = {
    "ApiEndpoint": "10.1.0.2:6443",
    "ClusterCa": "Q0E=",
    "AdminSha256": digest(KUBECONFIG.encode()),
    "AdminDays": "300",
}


def test_the_administrators_kubeconfig_is_for_administrators_alone(machine, run):
    assert run("admin_kubeconfig.check", **PUBLIC).code == 10
    written = run("admin_kubeconfig.apply", {"AdminKubeconfig": KUBECONFIG})
    assert written.code == 0, written.err
    assert "Q0E=" not in written.out
    found = run("admin_kubeconfig.check", **PUBLIC)
    assert found.code == 0 and found.said.startswith("WARNING") and "300 days" in found.said
    assert machine.files.read(r"C:\k\config") == KUBECONFIG.encode()
    machine.shell(
        r"icacls C:\k\config /grant Users:R",
        Process(machine, [], {}, "C:\\", "Administrator", io.BytesIO(), io.BytesIO(), io.BytesIO()),
    )
    assert run("admin_kubeconfig.check", **PUBLIC).code == 10
    assert run("admin_kubeconfig.apply", {"AdminKubeconfig": KUBECONFIG}).code == 0
    assert run("admin_kubeconfig.check", **PUBLIC).code == 0


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"ApiEndpoint": "10.1.0.9:6443"}, 20),
        ({"ClusterCa": "T1RIRVI="}, 20),
        ({"AdminSha256": "0" * 64}, 10),
    ],
)
def test_a_kubeconfig_of_another_cluster_is_left_alone_and_a_renewed_one_is_fetched(
    machine, run, changed, code
):
    run("admin_kubeconfig.apply", {"AdminKubeconfig": KUBECONFIG})
    assert run("admin_kubeconfig.check", **(PUBLIC | changed)).code == code


def test_an_unfinished_kubeconfig_is_written_again(machine, run):
    machine.files.write(r"C:\k\config", b"\r\n")
    assert run("admin_kubeconfig.check", **PUBLIC).code == 10


def test_a_service_is_defined_once_and_every_difference_is_found(machine, run):
    machine.files.write(r"C:\k\nssm.exe", stand_in("nssm", "2.24", "windows/amd64"))
    machine.files.write(r"C:\k\flanneld.exe", stand_in("flanneld", "0.28.9", "windows/amd64"))
    wanted = json.dumps(
        {
            "name": "flanneld",
            "program": r"C:\k\flanneld.exe",
            "arguments": "--ip-masq --kube-subnet-mgr",
            "environment": ["NODE_NAME=winworker01"],
            "depends": "Dnscache",
            "log": r"C:\var\log\flanneld\flanneld.log",
            "start": False,
        }
    )
    assert run("service.check", Service=wanted).code == 10
    made = run("service.apply", Service=wanted)
    assert made.code == 0, made.err
    found = run("service.check", Service=wanted)
    assert found.code == 0, found.said
    key = r"HKLM\SYSTEM\CurrentControlSet\Services\flanneld\Parameters"
    machine.registry.set(key, "AppRotateFiles", 0, "REG_DWORD")
    found = run("service.check", Service=wanted)
    assert found.code == 10 and "AppRotateFiles 0" in found.said
    assert run("service.apply", Service=wanted).code == 0
    assert run("service.check", Service=wanted).code == 0


def test_a_service_of_somebody_else_is_not_touched(machine, run):
    machine.shell(
        r"sc.exe create kubelet binPath= C:\other\kubelet.exe",
        Process(machine, [], {}, "C:\\", "Administrator", io.BytesIO(), io.BytesIO(), io.BytesIO()),
    )
    wanted = json.dumps({"name": "kubelet", "program": "x", "arguments": "", "environment": []})
    assert run("service.check", Service=wanted).code == 20


def token(**claims: object) -> str:
    return (
        "head." + base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=") + ".x"
    )


HERE = {"ApiEndpoint": "10.1.0.2:6443", "ClusterCa": "Q0E="}


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        (KUBECONFIG + f"    token: {token(exp=4102444800)}\n", 0, "valid for"),
        (KUBECONFIG + f"    token: {token(sub='x')}\n", 0, "do not expire"),
        (KUBECONFIG + f"    token: {token(exp=1600000000)}\n", 10, "expires in -"),
        (KUBECONFIG, 10, "not a whole kubeconfig"),
        (KUBECONFIG + "    token: head.eyJleHAi!.x\n", 10, "not a whole kubeconfig"),
        (KUBECONFIG.replace("10.1.0.2", "10.1.0.9"), 20, "another cluster"),
        (KUBECONFIG.replace("Q0E=", "T1RIRVI="), 20, "another cluster"),
        ("\n", 10, "not a whole kubeconfig"),
    ],
)
def test_credentials_are_judged_by_cluster_and_expiry(machine, run, text, code, said):
    for folder in (r"C:\etc\kube-flannel", r"C:\etc\kube-proxy"):
        machine.files.make_directory(folder)
        machine.files.write(folder + r"\kubeconfig", text.encode())
    found = run("credentials.check", **HERE)
    assert (found.code, said in found.said) == (code, True), found


def test_all_credentials_that_are_missing_are_told_by_one_look(run):
    said = run("credentials.check", **HERE).said
    assert "kube-flannel" in said and "kube-proxy" in said


@pytest.mark.parametrize(("left", "code"), [(b"CA", 10), (b"OTHER", 20), (None, 10)])
def test_what_another_cluster_left_of_a_join_is_drift(machine, run, left, code):
    if left is not None:
        machine.files.make_directory(r"C:\etc\kubernetes\pki")
        machine.files.write(r"C:\etc\kubernetes\pki\ca.crt", left)
    assert run("join.check", NodeName="winworker01", **HERE).code == code


STATUS = r"C:\k8swin\jobs\pod-network\status.json"


@pytest.mark.parametrize("state", ["started", "waiting", "restoring", "relaunching"])
def test_a_status_of_work_under_way_without_a_task_is_left_over(machine, run, state):
    machine.files.make_directory(r"C:\k8swin\jobs\pod-network")
    machine.files.write(STATUS, json.dumps({"state": state, "detail": "4 s"}).encode())
    assert run("job.status", Job="pod-network").said == "interrupted 4 s"


@pytest.mark.parametrize("state", ["done", "rolled-back", "failed"])
def test_a_status_of_finished_work_is_told_as_it_is(machine, run, state):
    machine.files.make_directory(r"C:\k8swin\jobs\pod-network")
    machine.files.write(STATUS, json.dumps({"state": state, "detail": "x y"}).encode())
    assert run("job.status", Job="pod-network").said == f"{state} x y"


def test_without_a_job_there_is_nothing_to_follow(machine, run):
    assert run("job.status", Job="pod-network").said == "pending there is no task"


CNI = {
    "CniConf": '{"name":"cbr0"}',
    "CniFolder": r"C:\k\cni\config",
    "CniFile": "cni.conf",
    "WindowsNetConf": '{"Network":"10.244.0.0/16"}',
    "NetConfFiles": r"C:\etc\kube-flannel\net-conf.json;C:\k\net-conf.json",
}


def test_flannels_configuration_is_written_to_every_place_where_it_is_read(machine, run):
    machine.files.make_directory(r"C:\k\cni\config")
    machine.files.make_directory(r"C:\etc\kube-flannel")
    assert run("cni.check", **CNI).code == 10
    assert run("cni.apply", **CNI).code == 0
    assert run("cni.check", **CNI).code == 0
    for file in CNI["NetConfFiles"].split(";"):
        assert machine.files.read(file) == CNI["WindowsNetConf"].encode()
    machine.files.write(r"C:\k\net-conf.json", b"\xef\xbb\xbf" + CNI["WindowsNetConf"].encode())
    assert run("cni.check", **CNI).code == 10
    assert run("cni.apply", **CNI).code == 0
    machine.files.write(r"C:\k\cni\config\0-containerd-nat.json", b"{}")
    assert run("cni.check", **CNI).code == 20


PROXY = {"NoProxy": "localhost,10.244.0.0/16,.svc", "RuntimeService": "Dnscache"}


def test_a_server_without_a_proxy_is_left_as_it_is(run):
    assert run("proxy.check", **PROXY).code == 0


def test_a_proxy_is_told_to_the_runtime_and_the_cluster_passes_it_by(machine, run):
    environment = r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Environment"
    machine.registry.set(environment, "HTTPS_PROXY", "http://proxy.example:3128")
    machine.registry.set(environment, "NO_PROXY", "site.example")
    found = run("proxy.check", **PROXY)
    assert found.code == 10 and "10.244.0.0/16" in found.said
    done = run("proxy.apply", **PROXY)
    assert done.code == 0, done.err
    assert run("proxy.check", **PROXY).code == 0
    assert machine.registry.get(environment, "NO_PROXY", "") == (
        "site.example,localhost,10.244.0.0/16,.svc"
    )
    lines = machine.registry.get(
        r"HKLM\SYSTEM\CurrentControlSet\Services\Dnscache", "Environment", []
    )
    assert "HTTPS_PROXY=http://proxy.example:3128" in lines


def test_outgoing_connections_are_kept_off_the_node_ports(machine, run):
    assert run("system_settings.check").code == 0
    out = io.BytesIO()
    machine.shell(
        "netsh interface ipv4 set dynamicportrange tcp start=10000 num=50000",
        Process(machine, [], {}, "C:\\", "Administrator", io.BytesIO(), out, out),
    )
    machine.net.dynamic_ports["udp"] = machine.net.dynamic_ports["tcp"]
    found = run("system_settings.check")
    # What one run changes is told by one look, all of it.
    assert found.code == 10 and found.said.count("10000 to 59999") == 2
    done = run("system_settings.apply")
    assert done.code == 0, done.err
    assert run("system_settings.check").code == 0


ENVIRONMENT = r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Environment"


def test_path_keeps_its_variables_and_its_kind(machine, run):
    before = machine.registry.get(ENVIRONMENT, "Path")
    assert "%" in before
    for _ in range(2):
        made = run("folders.apply", Folders=r"C:\k;C:\k8swin", Places="[]", NodeAddress=ADDRESS)
        assert made.code == 0, made.err
    value = machine.registry.key(ENVIRONMENT).values["path"]
    assert (value.content, value.kind) == (before.rstrip(";") + r";C:\k", "REG_EXPAND_SZ")


@pytest.mark.parametrize("alias", ["Ethernet", "Ethernet0 2"])
def test_the_saved_configuration_names_the_adapter_whatever_it_is_called(machine, run, alias):
    machine.net.adapters[0].name = alias
    saved = run("folders.apply", Folders=r"C:\k;C:\k8swin", Places="[]", NodeAddress=ADDRESS)
    assert saved.code == 0, saved.err
    found = json.loads(machine.files.read(r"C:\k8swin\network.json"))
    assert found["alias"] == alias and found["address"] == ADDRESS
    assert run("folders.check", Folders=r"C:\k;C:\k8swin").code == 0


TAKES_A_BLOCK = re.compile(
    r"^function [\w-]+\(([^)]*\[scriptblock\][^)]*)\) \{.*?^\}\n", re.M | re.S | re.I
)


@pytest.mark.parametrize("path", sorted(WINDOWS.glob("*.ps1")), ids=lambda path: path.name)
def test_a_block_meets_no_parameter_of_the_function_that_calls_it(path):
    """PowerShell looks a variable up in the caller's scope first: `$name` of a block would be the function's `$Name`."""
    text = path.read_text(encoding="utf-8")
    for function in TAKES_A_BLOCK.finditer(text):
        elsewhere = text[: function.start()] + text[function.end() :]
        blocks = TAKES_A_BLOCK.sub("", elsewhere)
        for name in re.findall(r"\$(\w+)", function[1]):
            assert not re.search(rf"\${name}\b", blocks, re.I), f"${name}"


def test_the_logs_of_programs_are_in_the_evidence(machine, run):
    machine.files.make_directory(r"C:\var\log\kubelet")
    machine.files.write(r"C:\var\log\kubelet\kubelet.log", b"the kubelet's last words\n")
    told = run("evidence.check").out.replace("\r\n", "\n")
    assert "== log kubelet\nthe kubelet's last words" in told


def test_versions_in_the_evidence_are_lines_wherever_programs_say_them(machine, run):
    """flanneld says its version on standard error, whose first line 5.1 shows with place and category when it is formatted."""
    machine.files.write(r"C:\k\kubelet.exe", stand_in("kubelet", "1.36.4", "windows/amd64"))
    machine.files.write(r"C:\k\flanneld.exe", stand_in("flanneld", "0.28.7", "windows/amd64"))

    def flanneld(process):
        process.err("v0.28.7\r\n\r\n")
        return 0

    machine.programs = {**machine.programs, "flanneld": flanneld}
    told = run("evidence.check").out.replace("\r\n", "\n")
    versions = told.partition("== versions\n")[2].partition("\n==")[0].splitlines()
    assert versions == ["kubelet\tKubernetes v1.36.4", "flanneld\tv0.28.7"]
