"""Downloads of a Windows worker: what is trusted, what an end of curl.exe means, and programs that run meanwhile."""

import io
import json
import tarfile

import pytest
from k8swin_lab.internet.binaries import stand_in
from k8swin_lab.windows.programs import network_tools

from tests.scripts.test_functions import powershell
from tests.scripts.test_windows_scripts import GOOD, PARTS, digest, part, serve

CURL = r"C:\Windows\System32\curl.exe"
OFFLINE = (
    "schannel: next InitializeSecurityContext failed: CRYPT_E_REVOCATION_OFFLINE (0x80092013) - The revocation "
    "function was unable to check revocation because the revocation server was offline."
)
"""As curl says it of a certificate whose revocation list cannot be reached: curl#3727, smallstep/certificates#2150."""


@pytest.fixture
def asked(machine, monkeypatch):
    """curl.exe with Schannel at a site whose private authority has no revocation list: what it was asked for."""
    calls: list[list[str]] = []

    def curl(process):
        calls.append(process.argv[1:])
        if "--ssl-no-revoke" in process.argv:
            process.argv.remove("--ssl-no-revoke")
            return network_tools.curl(process)
        process.err(f"curl: (35) {OFFLINE}\r\n")
        return 35

    monkeypatch.setitem(machine.programs, "curl", curl)
    return calls


def test_with_a_locked_hash_no_revocation_list_is_asked_for(machine, run, asked):
    """K2s passes --ssl-no-revoke for the same reason; here the hash says what is right."""
    serve(machine, GOOD)
    answer = run("artifacts.apply", Artifacts=part(digest(GOOD)))
    assert answer.code == 0, answer.err
    assert all("--ssl-no-revoke" in call for call in asked)


@pytest.mark.parametrize("word", ["published", "first-use"])
def test_a_certificate_that_alone_says_what_is_right_needs_its_list(
    machine,
    run,
    asked,
    word,
):
    serve(machine, GOOD)
    answer = run("artifacts.apply", Artifacts=part(word))
    assert answer.code not in (0, 10, 20)
    assert "revocation list" in answer.err and "lock the download's hash" in answer.err
    assert not any("--ssl-no-revoke" in call for call in asked)


@pytest.mark.parametrize(
    ("code", "said", "reason"),
    [
        (35, OFFLINE, "revocation list"),
        (35, "schannel: ... (0x80092012) - Die Sperrfunktion konnte die Sperrung nicht prüfen", "revocation list"),
        # curl 7.55, which Windows Server 2019 came with, ends with 35 for an authority that is not trusted
        (35, "schannel: SEC_E_UNTRUSTED_ROOT (0x80090325)", "does not trust the authority"),
        (60, "schannel: SEC_E_UNTRUSTED_ROOT (0x80090325)", "does not trust the authority"),
        (35, "schannel: SEC_E_CERT_EXPIRED (0x80090328)", "compare the clocks"),
        (60, "schannel: SNI or certificate check failed: SEC_E_WRONG_PRINCIPAL (0x80090322)", "another name"),
        (35, "schannel: next InitializeSecurityContext failed: SEC_E_ILLEGAL_MESSAGE (0x80090326)", "version of TLS"),
        (35, "schannel: failed to receive handshake, SSL/TLS connection failed", "no TLS connection"),
        (77, "error setting certificate verify locations", "CURL_CA_BUNDLE"),
        (6, "Could not resolve host: mirror.example", "no such name"),
        (5, "Could not resolve proxy: proxy.example", "as the proxy's"),
        (22, "The requested URL returned error: 404", "no such file"),
        (56, "", "broke off"),
    ],
)  # fmt: skip
def test_an_end_of_curl_is_told_by_its_cause(machine, code, said, reason):
    """The codes are those of curl's manual, the numbers those of winerror.h: in every language the same."""
    machine.files.make_directory("C:\\t")
    body = f"Get-CurlReason @{{ code = {code}; said = '{said}' }}"
    told = powershell(machine, body, "Get-CurlReason")
    assert told.startswith(f"curl.exe ends with {code}, ") and reason in told


def test_a_transfer_that_breaks_off_is_begun_again(machine, run, monkeypatch):
    codes = [18, 56]

    def curl(process):
        return codes.pop(0) if codes else network_tools.curl(process)

    monkeypatch.setitem(machine.programs, "curl", curl)
    serve(machine, GOOD)
    assert run("artifacts.apply", Artifacts=part(digest(GOOD))).code == 0
    assert codes == []


def containerd(version: str, *, whole: bool = True) -> bytes:
    made = io.BytesIO()
    names = ("containerd", "ctr", "containerd-shim-runhcs-v1") if whole else ("containerd",)
    with tarfile.open(fileobj=made, mode="w:gz") as tar:
        for name in names:
            content = stand_in(name, version, "windows/amd64")
            entry = tarfile.TarInfo(f"bin/{name}.exe")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return made.getvalue()


FOLDER = r"C:\Program Files\containerd"
SHIM = rf"{FOLDER}\containerd-shim-runhcs-v1.exe"


def archive_of(content: bytes) -> str:
    provides = [rf"{FOLDER}\containerd.exe", rf"{FOLDER}\ctr.exe"]
    return json.dumps([{
        "name": "containerd", "url": f"{PARTS}/c.tar.gz", "file": "c.tar.gz", "algorithm": "SHA256",
        "hash": digest(content), "unpack": True, "to": FOLDER, "strip": 1, "services": ["containerd"], "provides": provides,
    }])  # fmt: skip


@pytest.fixture
def pods(machine, run):
    """A worker with containerd and a kubelet that needs it, both running, and a pod's shim."""
    old = containerd("2.3.3")
    serve(machine, old)
    assert run("artifacts.apply", Artifacts=archive_of(old)).code == 0
    services = machine.services
    services.create("containerd", rf"{FOLDER}\containerd.exe")
    machine.files.write(r"C:\k\kubelet.exe", stand_in("kubelet", "1.36.4", "windows/amd64"))
    services.create("kubelet", r"C:\k\kubelet.exe", depends=["containerd"])
    services.of_windows = {*services.of_windows, "containerd", "kubelet"}
    for name in ("containerd", "kubelet"):
        services.start(name)
    from k8swin_lab.machines.program import Process

    process = Process(
        machine, [SHIM], {}, "C:\\", "SYSTEM", io.BytesIO(), io.BytesIO(), io.BytesIO()
    )
    machine.processes.enter(process)
    return machine


def states(server) -> list[str]:
    return [server.services.runtime(name).state for name in ("containerd", "kubelet")]


def test_containerd_is_replaced_while_pods_run_and_what_ran_runs(pods, run):
    """The shims of pods outlive containerd and hold their file: Windows renames it, and refuses to write over it."""
    new = containerd("2.3.4")
    serve(pods, new)
    answer = run("artifacts.apply", Artifacts=archive_of(new))
    assert answer.code == 0, answer.err
    assert pods.program_of(SHIM) == ("containerd-shim-runhcs-v1", "2.3.4")
    assert states(pods) == ["Running", "Running"]
    (aside,) = (f.path for f in pods.files.list(FOLDER) if ".k8swin-old-" in f.path)
    # It is ours, so that a teardown neither keeps nor leaves it.
    assert aside in pods.files.read(r"C:\k8swin\state\written.txt").decode()


def test_services_run_again_when_a_program_cannot_be_replaced(pods, run):
    new = containerd("2.3.4")
    serve(pods, new)
    pods.files.open.add(
        rf"{FOLDER}\ctr.exe".lower()
    )  # and whoever has it open lets nobody rename it
    answer = run("artifacts.apply", Artifacts=archive_of(new))
    assert answer.code not in (0, 10, 20)
    assert "another program holds it" in answer.err
    assert states(pods) == ["Running", "Running"]
    pods.files.open.clear()
    assert run("artifacts.apply", Artifacts=archive_of(new)).code == 0
    assert pods.program_of(rf"{FOLDER}\ctr.exe") == ("ctr", "2.3.4")


def test_nothing_is_stopped_for_an_archive_that_is_not_whole(pods, run):
    new = containerd("2.3.4", whole=False)
    serve(pods, new)
    stopped: list[str] = []
    stop = pods.services.stop
    pods.services.stop = lambda name, *rest, **more: (
        stopped.append(name),
        stop(name, *rest, **more),
    )[1]
    answer = run("artifacts.apply", Artifacts=archive_of(new))
    assert answer.code not in (0, 10, 20) and "holds no" in answer.err
    assert stopped == [] and states(pods) == ["Running", "Running"]


def test_programs_of_windows_itself_are_called_whatever_is_on_the_path(machine, run):
    """Git brings a curl that does not know Windows' authorities, and a tar that takes C: for another computer."""
    machine.files.make_directory(r"C:\Git")
    for name in ("curl", "tar"):
        machine.files.write(rf"C:\Git\{name}.exe", stand_in("nssm", "2.24", "windows/amd64"))
    key = r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Environment"
    path = machine.registry.get(key, "Path")
    machine.registry.set(key, "Path", rf"C:\Git;{path}", "REG_EXPAND_SZ")
    content = containerd("2.3.4")
    serve(machine, content)
    answer = run("artifacts.apply", Artifacts=archive_of(content))
    assert answer.code == 0, answer.err
