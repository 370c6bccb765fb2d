"""The jobs and checks of a Windows worker's pod network, on servers as unkind as the public reports of them.

What Windows does here is known from those who run on it: nssm 2.24 (`service.cpp`, a program that ended within its
first seconds leaves its service paused), WMCO (`payload.go` asks HNS twenty times), K2s (`network.module.psm1` asks
for ten minutes, makes the bridge with -AdapterName and reserves its address), flannel (`hostgw_windows.go` names no
adapter and goes on with a bridge of the same prefix and gateway), RKE2 (`pkg/windows/flannel.go`), SDN (`hns.psm1`).
"""

from __future__ import annotations

import io
import itertools
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from k8swin_lab.internet.binaries import stand_in
from k8swin_lab.machines.program import Process
from k8swin_lab.machines.windows import WindowsMachine
from k8swin_lab.machines.windows_network import Adapter, Address, HnsError
from k8swin_lab.network import Network
from k8swin_lab.powershell.cmdlets import session
from k8swin_lab.powershell.dotnet import dates
from k8swin_lab.sites import MOODS
from k8swin_lab.windows.software import windows_software

from k8swin_nb.scripts import Script
from tests.scripts.test_functions import powershell
from tests.scripts.test_windows_scripts import Answer, run_on

ADDRESS = "127.160.0.21"
JOBS = r"C:\k8swin\jobs"
PODS = "10.244.1.0/24"

Server = Callable[..., WindowsMachine]


@pytest.fixture
def server() -> Iterator[Server]:
    """Make a server with the Containers feature, whose card has the given name."""
    made: list[WindowsMachine] = []

    def make(nic: str = "Ethernet") -> WindowsMachine:
        machine = WindowsMachine(
            "winworker01", ADDRESS, Network(), windows_software(), pace=0.0, nic=nic, gateway="127.160.0.1",
            dns=["127.160.0.53"],
        )  # fmt: skip
        machine.features.install(machine.features.find("Containers"))
        machine.reboot()
        for folder in (
            rf"{JOBS}\pod-network",
            rf"{JOBS}\hns-removed",
            r"C:\k8swin\state",
            r"C:\k",
            r"C:\run\flannel",
            r"C:\t",
        ):
            machine.files.make_directory(folder)
        machine.services.create("flanneld", r"C:\k\nssm.exe")
        made.append(machine)
        return machine

    yield make
    for machine in made:
        machine.power_off()


FLANNELD = f"""
# What flanneld does, and what the service manager says of it, without a cluster.
$global:starts = 0
$global:state = 'Stopped'
function Start-Sleep($Seconds, $Milliseconds) {{ }}
function Get-Service($Name, [switch]$DependentServices, $ErrorAction) {{
    if ($Name -eq 'flanneld' -and -not $DependentServices) {{ [pscustomobject]@{{ Name = $Name; Status = $global:state }} }}
}}
function Stop-Service($Name, [switch]$Force) {{ $global:state = 'Stopped' }}
function Restart-Service($Name, [switch]$Force) {{ }}
function Start-Flanneld {{
    $global:state = 'Running'
    [System.IO.File]::WriteAllText('C:\\run\\flannel\\subnet.env', 'FLANNEL_SUBNET=10.244.1.1/24')
    $network = @(Get-HnsNetwork | Where-Object {{ $_.Name -eq 'cbr0' }})[0]
    if (-not $network) {{
        $wanted = '{{"Name":"cbr0","Type":"L2Bridge","Subnets":[{{"AddressPrefix":"{PODS}","GatewayAddress":"10.244.1.1"}}]}}'
        $network = New-HnsNetwork -JsonString $wanted
    }}
    New-HnsEndpoint -NetworkId $network.ID -Name cbr0_ep -IPAddress 10.244.1.2 | Out-Null
}}
function Start-Service($Name) {{
    $global:starts++
    Start-Flanneld
}}
"""


@pytest.fixture(autouse=True)
def _time_of_a_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two seconds pass whenever a script looks at its watch, and none while it sleeps."""

    def seconds(self: dates.Stopwatch) -> float:
        self.passed += 2
        return self.passed

    monkeypatch.setattr(dates.Stopwatch, "seconds", property(seconds))
    moments = itertools.count(step=3600)
    fast = SimpleNamespace(monotonic=lambda: next(moments), sleep=lambda seconds: None)
    monkeypatch.setattr(session, "time", fast)


def job(
    machine: WindowsMachine, name: str, stubs: str = "", *, before: str = "", **parameters: str
) -> tuple[str, str]:
    """Run a job as its task does, with functions that stand before Windows' commands; return its end and its log.

    `before` is where they stand instead: behind the job's own functions, which they replace.
    """
    text = Script.load(f"windows/{name}.job.ps1").text
    if before:
        body, place, end = text.partition(before)
        whole = body + stubs + place + end
    else:
        head, declared, body = text.partition("$ErrorActionPreference = 'Stop'\n")
        whole = head + declared + stubs + body
    machine.files.write(r"C:\t\job.ps1", whole.encode())
    words = " ".join(f"-{key} {value}" for key, value in parameters.items())
    answer = shell(machine, rf"powershell -NoProfile -File C:\t\job.ps1 {words}")
    folder = rf"{JOBS}\{name.replace('_', '-')}"
    log = rf"{folder}\log.txt"
    said = machine.files.read(log).decode() if machine.files.exists(log) else ""
    assert answer.err == "", answer.err
    status = run_on(machine, "job.status", Job=name.replace("_", "-"))
    return status.out.strip(), said


def shell(machine: WindowsMachine, command: str) -> Answer:
    out, err = io.BytesIO(), io.BytesIO()
    env = dict(machine.login_environment("Administrator"))
    process = Process(machine, [], env, "C:\\", "Administrator", io.BytesIO(), out, err)
    code = machine.shell(command, process)
    return Answer(code, out.getvalue().decode(), err.getvalue().decode())


def saved(machine: WindowsMachine, **changes: object) -> None:
    """Write down the card as the step `folders` does."""
    card = machine.net.adapters[0]
    found = {"alias": card.name, "guid": card.guid, "mac": card.mac, "address": ADDRESS, "prefixLength": 24,
             "gateway": "127.160.0.1", "dns": ["127.160.0.53"], "dhcp": "Disabled"}  # fmt: skip
    machine.files.write(
        r"C:\k8swin\network.json", json.dumps(found | changes, ensure_ascii=False).encode()
    )


def pod_network(
    machine: WindowsMachine, stubs: str = "", *, before: str = "", **changes: str
) -> tuple[str, str]:
    """Run the job that makes the pod network, on a server whose card is written down."""
    values = {
        "NodeAddress": ADDRESS,
        "HnsNetwork": "cbr0",
        "NetworkType": "L2Bridge",
        "NodePodCidr": PODS,
    }
    return job(machine, "pod_network", FLANNELD + stubs, before=before, **{**values, **changes})


def removal(machine: WindowsMachine) -> str:
    values = {"NodeAddress": ADDRESS, "HnsNetwork": "cbr0", "PodSubnet": "10.244.0.0/16"}
    ended, _ = job(
        machine, "hns_removed", "function Start-Sleep($Seconds, $Milliseconds) { }\n", **values
    )
    found = run_on(machine, "hns_removed.check", **values)
    assert found.code == 0, found.out
    return ended


def refuse(machine: WindowsMachine, times: int) -> None:
    """HNS refuses for a while, as it does while the adapter is bound anew."""
    asked = machine.net.require_hns
    left = iter(range(times))

    def require() -> None:
        if next(left, None) is not None:
            raise HnsError("0x80070015", "hnsCall failed in Win32: The device is not ready.")
        asked()

    machine.net.require_hns = require  # type: ignore[method-assign]


def test_a_first_start_that_nssm_calls_paused_rolls_nothing_back(server):
    """nssm 2.24 `throttle_restart`; PowerShell's Start-Service then says that it failed; K2s says it of flanneld by name."""
    machine = server()
    stubs = """
function Start-Service($Name) {
    $global:starts++
    if ($global:starts -eq 1) {
        $global:state = 'Paused'
        Write-Error "Failed to start service 'flanneld (flanneld)'."
        return
    }
    Start-Flanneld
}
"""
    ended, log = pod_network(machine, stubs, AttemptSeconds="10")
    assert ended.startswith("done ") and "at start 2" in ended, log
    assert "rolled-back" not in log


@pytest.mark.parametrize("times", [1, 3, 12])
def test_an_hns_that_refuses_for_a_while_rolls_nothing_back(server, times):
    machine = server()
    refuse(machine, times)
    ended, log = pod_network(machine, AttemptSeconds="60")
    assert ended.startswith("done "), log
    assert machine.net.network_named("cbr0").management_address == ADDRESS


@pytest.mark.parametrize(("times", "code"), [(0, 0), (3, 0), (1000, 10)])
def test_an_hns_that_binds_the_network_of_others_just_now_is_waited_for(server, times, code):
    """Calico's DaemonSet binds the adapter while it is looked at: WMCO's payload.go asks twenty times."""
    machine = server()
    machine.files.make_directory(r"C:\etc\cni\net.d")
    machine.files.write(r"C:\etc\cni\net.d\10-calico.conf", b"{}")
    pods = [{"AddressPrefix": "10.9.0.0/24", "GatewayAddress": "10.9.0.1"}]
    machine.net.create_hns_network("Calico", "Overlay", pods)
    refuse(machine, times)
    stubs = "function Start-Sleep($Seconds) { }\n"
    found = check(machine, "network_of_others", stubs, PodNetwork="calico")
    assert found.code == code and ("Calico" if code == 0 else "service") in found.said, found


@pytest.mark.parametrize("name", ["pod_network", "source_vip", "hns_removed"])
def test_an_hns_that_stays_silent_is_an_answer_of_a_check(server, name):
    """It is to be seen to, and no script that broke off: WMCO's payload.go says the same after its last question."""
    machine = server()
    saved(machine)
    written = b'{"subnet":"10.244.1.0/24","address":"10.244.1.2"}'
    machine.files.write(r"C:\k8swin\state\source-vip.json", written)
    machine.files.make_directory(r"C:\var\lib\cni\networks\cbr0")
    machine.files.write(r"C:\var\lib\cni\networks\cbr0\10.244.1.2", b"x")
    refuse(machine, 1000)
    stubs = "function Start-Sleep($Seconds) { }\n"
    stubs += "function Get-Service { [pscustomobject]@{ Status = 'Running' } }\n"
    values = {"NodeAddress": ADDRESS, "HnsNetwork": "cbr0"}
    values |= {"NetworkType": "L2Bridge"} if name == "pod_network" else {}
    values |= {"PodSubnet": "10.244.0.0/16"} if name == "hns_removed" else {}
    values.pop("NodeAddress") if name == "source_vip" else None
    found = check(machine, name, stubs, **values)
    assert found.code == 10 and "host network service does not answer" in found.said, found


@pytest.mark.parametrize(("version", "restarts"), [("1.13.12", 1), ("1.19.16", 1), ("1.36.4", 0)])
def test_a_kubelet_of_old_starts_anew_when_the_adapter_was_bound_anew(server, version, restarts):
    """client-go asks since 1.20 whether an HTTP/2 connection still lives (kubernetes#87615, golang/net#55)."""
    machine = server()
    machine.files.write(r"C:\k\kubelet.exe", stand_in("kubelet", version, "windows/amd64"))
    stubs = """
function Get-Service($Name, [switch]$DependentServices, $ErrorAction) {
    if ($DependentServices) { return }
    [pscustomobject]@{ Name = $Name; Status = 'Running' }
}
function Restart-Service($Name, [switch]$Force) { [System.IO.File]::AppendAllText('C:\\t\\restarted', $Name) }
"""
    for _ in range(2):  # the second time no adapter is bound
        assert pod_network(machine, stubs)[0].startswith("done ")
    restarted = machine.files.exists(r"C:\t\restarted")
    assert restarted == bool(restarts)
    assert not restarts or machine.files.read(r"C:\t\restarted") == b"kubelet"


def test_a_status_that_somebody_has_open_decides_nothing(server):
    """Move-Item -Force deletes what is there first, which a poll or a scanner may have open (FileSystemProvider.cs)."""
    machine = server()
    status = rf"{JOBS}\pod-network\status.json"
    machine.files.write(status, b'{"state":"waiting","detail":"of before"}')
    machine.files.open.add(status.lower())
    ended, log = pod_network(machine)
    assert ended.startswith("done "), log
    assert machine.net.network_named("cbr0")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "pending there is no task"),
        (b"", "interrupted the task does not run"),
        (b'{"state":"wai', "interrupted the task does not run"),
        (b"\0" * 40, "interrupted the task does not run"),
        (b'\xef\xbb\xbf{"state":"done","detail":"Ger\xc3\xa4t"}', "done Ger\u00e4t"),
        (b'{"state":"done","detail":"Ger\xc3\xa4t"}', "done Ger\u00e4t"),
    ],
)
def test_a_status_that_is_half_or_not_there_is_an_answer(server, content, said):
    machine = server()
    if content is not None:
        machine.files.write(rf"{JOBS}\pod-network\status.json", content)
    answer = run_on(machine, "job.status", Job="pod-network")
    assert answer.code == 0 and answer.out.startswith(said), answer


def test_a_network_that_never_comes_is_rolled_back_with_its_cause(server):
    machine = server()
    machine.files.make_directory(r"C:\var\log\flanneld")
    machine.files.write(r"C:\var\log\flanneld\flanneld.log", b"")
    stubs = """
function Start-Service($Name) {
    [System.IO.File]::AppendAllText('C:\\var\\log\\flanneld\\flanneld.log', "main.go: no interfaces found in netsh output: Konfiguration`n")
}
function Stop-Service($Name, [switch]$Force) { Write-Error 'Cannot stop flanneld service on computer .' }
"""
    ended, log = pod_network(machine, stubs, AttemptSeconds="6")
    assert ended.startswith("rolled-back "), log
    assert "Windows speaks another language" in ended
    assert machine.net.hns_networks == [] and machine.net.primary().name == "Ethernet"


def test_a_configuration_that_cannot_be_read_changes_nothing(server):
    """Before anything is changed there is nothing to roll back: the network of a working node stays."""
    machine = server()
    machine.net.create_hns_network(
        "cbr0", "L2Bridge", [{"AddressPrefix": PODS, "GatewayAddress": "10.244.1.1"}]
    )
    machine.files.write(r"C:\k8swin\network.json", b"{")
    ended, _ = pod_network(machine)
    assert ended.startswith("failed ") and "nothing was changed" in ended
    assert machine.net.network_named("cbr0")


@pytest.mark.parametrize("alias", ["Ethernet", "??????"])
def test_of_two_cards_the_network_holds_the_one_with_the_nodes_address(server, alias):
    """flannel's hostgw_windows.go names no card; K2s makes the bridge with -AdapterName; flannel#1628."""
    machine = server()
    saved(machine, alias=alias)
    other = Adapter(3, "Ethernet 2", "Microsoft Hyper-V Network Adapter #2", "00-15-5D-00-00-02")
    machine.net.adapters.insert(0, other)
    machine.net.addresses.insert(0, Address(3, "10.0.2.15", 24))
    ended, log = pod_network(machine)
    assert ended.startswith("done "), log
    assert machine.net.network_named("cbr0").adapter_name == "Ethernet"
    assert machine.net.network_named("cbr0").management_address == ADDRESS


def test_a_network_on_the_wrong_card_is_seen_and_made_anew(server):
    machine = server()
    saved(machine)
    other = Adapter(3, "Ethernet 2", "Microsoft Hyper-V Network Adapter #2", "00-15-5D-00-00-02")
    machine.net.adapters.append(other)
    machine.net.addresses.append(Address(3, "10.0.2.15", 24))
    subnets = [{"AddressPrefix": PODS, "GatewayAddress": "10.244.1.1"}]
    machine.net.create_hns_network("cbr0", "L2Bridge", subnets, "Ethernet 2")
    machine.files.write(r"C:\run\flannel\subnet.env", b"FLANNEL_SUBNET=10.244.1.1/24\n")
    values = {"NodeAddress": ADDRESS, "HnsNetwork": "cbr0", "NetworkType": "L2Bridge"}
    stubs = (
        "function Get-Service($Name, $ErrorAction) { [pscustomobject]@{ Status = 'Running' } }\n"
    )
    found = check(machine, "pod_network", stubs, **values)
    assert found.code == 10 and "10.0.2.15" in found.said and ADDRESS in found.said
    ended, log = pod_network(machine)
    assert ended.startswith("done "), log
    assert machine.net.network_named("cbr0").management_address == ADDRESS


def test_a_bridge_on_the_wrong_card_that_nobody_can_move_is_told_at_once(server):
    """Without hns.psm1 flanneld makes it, and HNS takes the first card: no wait and no second start changes that."""
    machine = server()
    saved(machine)
    machine.net.adapters.insert(
        0, Adapter(3, "Ethernet 2", "Microsoft Hyper-V Network Adapter #2", "00-15-5D-00-00-02")
    )
    machine.net.addresses.insert(0, Address(3, "10.0.2.15", 24))
    stubs = """
function Import-Hns { $false }
function New-Network { }
function Start-Service($Name) { [System.IO.File]::AppendAllText('C:\\t\\starts', 'x'); Start-Flanneld }
"""
    ended, log = pod_network(machine, stubs, before="try {\n    Write-Status 'started'")
    assert ended.startswith("rolled-back "), log
    assert "after 1 starts" in ended and "10.0.2.15" in ended and "hns.psm1" in ended
    assert machine.files.read(r"C:\t\starts") == b"x" and log.count("waiting:") < 20
    assert machine.net.hns_networks == [] and machine.net.primary().name == "Ethernet"


@pytest.mark.parametrize(("held", "right"), [("127.160.0.77", True), ("169.254.3.4", False)])
def test_a_card_with_several_addresses_is_the_nodes_whichever_hns_names(server, held, right):
    """HNS names one address of the card as ManagementIP; RKE2 and WMCO ask for the card, and not for the address."""
    machine = server()
    saved(machine)
    machine.net.addresses.insert(0, Address(machine.net.adapters[0].index, held, 24))
    ended, log = pod_network(machine, AttemptSeconds="20")
    assert machine.net.network_named("cbr0") is None or right
    assert ended.startswith("done " if right else "rolled-back "), log


def check(machine: WindowsMachine, name: str, stubs: str, **parameters: str) -> Answer:
    text = Script.load(f"windows/{name}.check.ps1").text
    head, declared, body = text.partition("$ErrorActionPreference = 'Stop'\n")
    machine.files.write(r"C:\t\check.ps1", (head + declared + stubs + body).encode())
    words = " ".join(f"-{key} {value}" for key, value in parameters.items())
    return shell(machine, rf"powershell -NoProfile -File C:\t\check.ps1 {words}")


@pytest.mark.parametrize(
    "nic", ["Ethernet", "B\u00fcro-LAN", "\u30a4\u30fc\u30b5\u30cd\u30c3\u30c8", "LAN [1]"]
)
def test_names_of_every_language_survive_the_join_and_the_removal(server, nic):
    """Windows' own names of adapters are in its language (Japanese: the reports on K2s and AKS)."""
    machine = server(nic)
    done = run_on(machine, "folders.apply", Folders=r"C:\k", Places="[]", NodeAddress=ADDRESS)
    assert done.code == 0, done.err
    written = machine.files.read(r"C:\k8swin\network.json")
    assert json.loads(written)["alias"] == nic and written[:1] == b"{"
    ended, log = pod_network(machine)
    assert ended.startswith("done "), log
    assert machine.net.primary().name == f"vEthernet ({nic})"
    assert removal(machine).startswith("done ")
    assert machine.net.primary().name == nic


@pytest.mark.parametrize(
    "moods",
    [
        "german,two-adapters",
        "japanese,dhcp-return",
        "dhcp-return,two-adapters",
        "scanner,japanese",
        "hns-busy,scanner",
    ],
)
def test_the_network_is_made_and_removed_under_moods_of_a_site(server, moods):
    machine = server()
    for name in moods.split(","):
        MOODS[name].set(machine)
    machine.files.scan_seconds /= 400  # time is short here
    card = machine.net.primary().name
    done = run_on(machine, "folders.apply", Folders=r"C:\k", Places="[]", NodeAddress=ADDRESS)
    assert done.code == 0, done.err
    for _ in range(2):
        ended, log = pod_network(machine)
        assert ended.startswith("done "), log
        assert machine.net.network_named("cbr0").adapter_name == card
        assert is_as_before(machine)
    if "dhcp-return" in moods:
        machine.net.returns_as_dhcp = 1
    assert removal(machine).startswith("done ")
    assert machine.net.primary().name == card and is_as_before(machine)


def test_a_removal_takes_what_was_kept_from_pods_out_of_the_store(server):
    machine = server()
    saved(machine)
    store = r"C:\var\lib\cni\networks\cbr0"
    machine.files.make_directory(store)
    for name, holder in (("10.244.1.2", "k8swin-bridge\r\ncbr0_ep"), ("10.244.1.7", "pod\r\neth0")):
        machine.files.write(rf"{store}\{name}", holder.encode())
    assert removal(machine).startswith("done ")
    assert not machine.files.exists(rf"{store}\10.244.1.2") and machine.files.exists(
        rf"{store}\10.244.1.7"
    )


def test_a_service_that_refuses_to_stop_for_a_while_is_stopped(server):
    """nssm 2.24 may not answer a stop while it waits to start its program again."""
    machine = server()
    stubs = """
$global:asked = 0
function Start-Sleep($Seconds) { }
function Get-Service($Name) { [pscustomobject]@{ Status = @('Paused', 'Paused', 'StopPending', 'Stopped')[[Math]::Min($global:asked++, 3)] } }
function Stop-Service($Name, [switch]$Force) { Write-Error "Cannot stop $Name service on computer '.'." }
"""
    assert (
        powershell(
            machine, f"{stubs}\nStop-WindowsService kubelet\n'stopped'", "Stop-WindowsService"
        )
        == "stopped\n"
    )


def is_as_before(machine: WindowsMachine) -> bool:
    """The static address, with its gateway and its DNS server, on one adapter."""
    own = [a for a in machine.net.addresses if a.address == ADDRESS]
    adapter = machine.net.primary()
    hops = [
        r.next_hop
        for r in machine.net.routes
        if (r.prefix, r.index) == ("0.0.0.0/0", adapter.index)
    ]
    return (
        [(a.origin, a.length) for a in own] == [("Manual", 24)]
        and (adapter.dhcp, adapter.dns) == (False, ["127.160.0.53"])
        and hops == ["127.160.0.1"]
    )


@pytest.mark.parametrize("what", ["lost", "leased"])
def test_a_static_server_keeps_its_address_through_a_removal(server, what):
    """sig-windows-tools#162: New-NetIPAddress refuses an interface with DHCP on, and there was nothing else to do it."""
    machine = server()
    saved(machine)
    machine.net.create_hns_network(
        "cbr0", "L2Bridge", [{"AddressPrefix": PODS, "GatewayAddress": "10.244.1.1"}]
    )
    remove = machine.net.remove_hns_network

    def lose(network):
        remove(network)
        card = machine.net.adapters[0]
        card.dhcp, card.dns = True, []
        machine.net.routes = []
        for address in machine.net.addresses:
            if address.address == ADDRESS:
                address.origin = "Dhcp"
        if what == "lost":
            machine.net.addresses = [a for a in machine.net.addresses if a.address != ADDRESS]
            machine.net.addresses.append(Address(card.index, "169.254.7.7", 16, "WellKnown"))

    machine.net.remove_hns_network = lose
    assert removal(machine).startswith("done ")
    assert is_as_before(machine)


def test_a_load_balancer_that_cannot_be_removed_holds_no_network_up(server):
    """SDN's stop.ps1 and RKE2's deleteAllNetworks remove networks with all that is in them."""
    machine = server()
    saved(machine)
    pods = [{"AddressPrefix": PODS, "GatewayAddress": "10.244.1.1"}]
    machine.net.create_hns_network("cbr0", "L2Bridge", pods)
    stubs = "function Start-Sleep($Seconds) { }\n"
    for noun in ("PolicyList", "Endpoint"):
        stubs += f"function Get-Hns{noun} {{ throw 'Element not found. (0x80070490)' }}\n"
    values = {"NodeAddress": ADDRESS, "HnsNetwork": "cbr0", "PodSubnet": "10.244.0.0/16"}
    assert job(machine, "hns_removed", stubs, **values)[0].startswith("done ")
    assert machine.net.hns_networks == []


@pytest.mark.parametrize("times", [1, 7])
def test_a_removal_bears_an_hns_that_refuses_for_a_while(server, times):
    machine = server()
    saved(machine)
    machine.net.create_hns_network(
        "cbr0", "L2Bridge", [{"AddressPrefix": PODS, "GatewayAddress": "10.244.1.1"}]
    )
    refuse(machine, times)
    assert removal(machine).startswith("done ")


def test_the_first_pod_does_not_get_the_address_of_the_bridge(server):
    """kubernetes#74766: it fails once with 0x1392. K2s writes the same file into the store of host-local."""
    machine = server()
    values = {
        "CniConf": "{}", "CniFolder": r"C:\etc\cni\net.d", "CniFile": "10-flannel.conf", "WindowsNetConf": "{}",
        "NetConfFiles": r"C:\etc\kube-flannel\net-conf.json", "HnsNetwork": "cbr0", "NetworkType": "L2Bridge",
        "NodePodCidr": PODS,
    }  # fmt: skip
    for folder in (r"C:\etc\cni\net.d", r"C:\etc\kube-flannel"):
        machine.files.make_directory(folder)
    assert run_on(machine, "cni.check", **values).code == 10
    assert run_on(machine, "cni.apply", **values).code == 0
    assert run_on(machine, "cni.check", **values).code == 0
    reserved = machine.files.read(r"C:\var\lib\cni\networks\cbr0\10.244.1.2")
    assert reserved == b"k8swin-bridge\r\ncbr0_ep"
    machine.files.remove(r"C:\var\lib\cni\networks\cbr0\10.244.1.2")
    assert run_on(machine, "cni.check", **values).code == 10
    assert run_on(machine, "cni.check", **values | {"NetworkType": "Overlay"}).code == 0


def test_flannels_old_exceptions_are_drift_that_is_mended(server):
    """A worker of before had the hosts' whole network among the exceptions (microsoft/SDN#313)."""
    machine = server()
    values = {
        "CniFolder": r"C:\etc\cni\net.d", "CniFile": "10-flannel.conf", "WindowsNetConf": "{}",
        "NetConfFiles": r"C:\etc\kube-flannel\net-conf.json",
    }  # fmt: skip
    for folder in (r"C:\etc\cni\net.d", r"C:\etc\kube-flannel"):
        machine.files.make_directory(folder)
    assert (
        run_on(machine, "cni.apply", CniConf='{"Exceptions":["192.168.160.0/24"]}', **values).code
        == 0
    )
    new = '{"Exceptions":["192.168.160.151/32"]}'
    assert run_on(machine, "cni.check", CniConf=new, **values).code == 10
    done = run_on(machine, "cni.apply", CniConf=new, **values)
    assert done.code == 0 and "kept: " not in done.out
    assert run_on(machine, "cni.check", CniConf=new, **values).code == 0


RUN = """
$global:removed = 0
function Get-HnsEndpoint { [pscustomobject]@{ Name = 'cbr0_ep' } }
function Remove-HnsEndpoint { process { [System.IO.File]::AppendAllText('C:\\t\\removed', 'x') } }
"""


@pytest.mark.parametrize(("always", "wanted"), [(False, "x"), (True, "xx")])
def test_the_endpoint_of_the_last_boot_is_removed_once_a_boot(server, always, wanted):
    """flannel#1423, hcsshim#850; AgentBaker's windowsnodereset.ps1. An early flanneld cannot attach it at any start."""
    machine = server()
    told = {"network": "cbr0", "always": always, "arguments": ["--version"]}
    machine.files.write(r"C:\k8swin\state\flanneld.json", json.dumps(told).encode())
    text = Script.load("windows/flanneld.run.ps1").text
    head, declared, body = text.partition("$ErrorActionPreference = 'Stop'\n")
    body = body.replace(r"& C:\k\flanneld.exe @flags", "")
    machine.files.write(r"C:\t\run.ps1", (head + declared + RUN + body).encode())
    for _ in range(2):
        shell(machine, r"powershell -NoProfile -File C:\t\run.ps1")
    assert machine.files.read(r"C:\t\removed") == wanted.encode()


def test_pods_find_smb_shares_by_name(server):
    """kubernetes.io, "Configure GMSA": reg add HKLM\\SYSTEM\\CurrentControlSet\\Services\\hns\\State; image-builder, AgentBaker."""
    machine = server()
    found = run_on(machine, "system_settings.check", ClusterProfile="current")
    assert found.code == 10 and "EnableCompartmentNamespace" in found.said
    assert run_on(machine, "system_settings.check", ClusterProfile="classic").code == 0
    done = run_on(machine, "system_settings.apply", ClusterProfile="current")
    assert done.code == 0, done.err
    assert run_on(machine, "system_settings.check", ClusterProfile="current").code == 0
    key = r"HKLM\SYSTEM\CurrentControlSet\Services\hns\State"
    assert machine.registry.get(key, "EnableCompartmentNamespace") == 1


GO = shutil.which("go")
PLUGINS = "github.com/containernetworking/plugins/plugins/ipam/host-local@v1.3.0"


@pytest.fixture(scope="module")
def host_local(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """host-local, built for this computer from the module that the Windows build is made of."""
    if GO is None:
        pytest.skip("needs go, to build host-local")
    folder = tmp_path_factory.mktemp("host-local")
    env = {**os.environ, "GOBIN": str(folder), "GOFLAGS": "-mod=mod"}
    built = subprocess.run(
        [GO, "install", PLUGINS], env=env, capture_output=True, text=True, timeout=300
    )
    if built.returncode != 0:
        pytest.skip(f"host-local was not built: {built.stderr.strip()[-200:]}")
    return folder / "host-local"


def ask(
    program: Path, store: Path, command: str, question: bytes, container: str = "pod"
) -> subprocess.CompletedProcess[bytes]:
    env = {
        "CNI_COMMAND": command, "CNI_CONTAINERID": container, "CNI_NETNS": "x", "CNI_IFNAME": "eth0", "CNI_PATH": "/",
    }  # fmt: skip
    return subprocess.run([program], input=question, env=env, capture_output=True, timeout=100)


def question(store: Path) -> bytes:
    return json.dumps(
        {"cniVersion": "0.3.0", "name": "cbr0",
         "ipam": {"type": "host-local", "ranges": [[{"subnet": PODS}]], "dataDir": str(store)}}
    ).encode()  # fmt: skip


def test_the_real_host_local_honours_the_reservation_of_the_bridge(host_local, tmp_path):
    """The store's form is host-local's own (backend/disk/backend.go): a file by address, with its holder."""
    assert b"10.244.1.2/24" in ask(host_local, tmp_path, "ADD", question(tmp_path), "first").stdout
    ask(host_local, tmp_path, "DEL", question(tmp_path), "first")
    (tmp_path / "cbr0" / "last_reserved_ip.0").unlink()
    (tmp_path / "cbr0" / "10.244.1.2").write_bytes(b"k8swin-bridge\r\ncbr0_ep")
    assert b"10.244.1.3/24" in ask(host_local, tmp_path, "ADD", question(tmp_path)).stdout


def test_the_real_host_local_refuses_a_byte_order_mark(host_local, tmp_path):
    """Why the loader takes it away: see dotnet/runtime#28929, ansible#15770."""
    marked = ask(host_local, tmp_path, "ADD", b"\xef\xbb\xbf" + question(tmp_path))
    assert marked.returncode == 1 and "invalid character" in marked.stdout.decode()


def test_the_address_of_kube_proxy_is_reserved_through_a_remote_shell(server):
    """The shell's code page is 65001; a program that a script pipes to must get no byte-order mark all the same."""
    machine = server()
    plugins = r"C:\opt\cni\bin"
    machine.files.make_directory(plugins)
    machine.files.write(
        rf"{plugins}\host-local.exe", stand_in("host-local", "1.9.1", "windows/amd64")
    )
    machine.net.create_hns_network(
        "flannel.4096", "Overlay", [{"AddressPrefix": PODS, "GatewayAddress": "10.244.1.1"}]
    )
    refuse(machine, 2)
    done = run_on(machine, "source_vip.apply", HnsNetwork="flannel.4096", CniPlugins=plugins)
    assert done.code == 0, done.err
    found = run_on(machine, "source_vip.check", HnsNetwork="flannel.4096")
    assert (found.code, found.said) == (0, "10.244.1.2")
    # RKE2's pkg/windows/flannel.go looks into the store as well: an emptied one gives the address to a pod.
    machine.files.remove(r"C:\var\lib\cni\networks\flannel.4096\10.244.1.2")
    assert run_on(machine, "source_vip.check", HnsNetwork="flannel.4096").code == 10
    machine.files.write(r"C:\k8swin\state\source-vip.json", b'{"sub')
    assert run_on(machine, "source_vip.check", HnsNetwork="flannel.4096").code == 10
