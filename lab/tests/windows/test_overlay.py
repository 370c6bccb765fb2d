"""The encapsulated network of a Windows worker: flanneld with vxlan, the reserved address, kube-proxy."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from k8swin_lab.kubernetes.cluster import Cluster
from k8swin_lab.machines.windows import WindowsMachine

from .conftest import Result
from .test_join import _flannel, _join
from .test_join import prepared as prepared

Run = Callable[[str], Result]
_QUESTION = '{"cniVersion":"0.3.0","name":"flannel.4096","ipam":{"type":"host-local","ranges":[[{"subnet":"10.244.1.0/24"}]],"dataDir":"/var/lib/cni/networks"}}'


def overlay(machine: WindowsMachine, run: Run, cluster: Cluster, backend: str) -> None:
    _join(run, cluster)
    _flannel(machine, run, cluster)
    run(r"C:\k\nssm.exe stop flanneld")
    for network in list(machine.net.hns_networks):
        machine.net.remove_hns_network(network)
    if machine.files.exists("/run/flannel/subnet.env"):
        machine.files.remove("/run/flannel/subnet.env")
    machine.files.write(
        r"C:\etc\kube-flannel\net-conf.json",
        f'{{"Network":"10.244.0.0/16","Backend":{backend}}}'.encode(),
    )
    machine.files.write(r"C:\flanneld.log", b"")
    run(r"C:\k\nssm.exe start flanneld")


def test_flanneld_makes_an_overlay_and_tells_its_mac(
    prepared: WindowsMachine, run: Run, cluster: Cluster
) -> None:
    overlay(prepared, run, cluster, '{"Type":"vxlan","VNI":4096,"Port":4789}')
    assert cluster.wait_until(lambda: prepared.files.exists("/run/flannel/subnet.env")), (
        prepared.files.read(r"C:\flanneld.log")
    )
    network = prepared.net.network_named("flannel.4096")
    node = cluster.object("nodes", "winworker01")
    assert network is not None
    assert node is not None
    assert network.kind == "Overlay"
    notes = node["metadata"]["annotations"]
    assert notes["flannel.alpha.coreos.com/backend-type"] == "vxlan"
    data = json.loads(notes["flannel.alpha.coreos.com/backend-data"])
    assert data == {"VNI": 4096, "VtepMAC": network.source_mac.replace("-", ":").lower()}
    assert not any(e.name.endswith("_ep") for e in prepared.net.hns_endpoints)
    assert b"FLANNEL_MTU=1450" in prepared.files.read("/run/flannel/subnet.env")
    proxy = r"C:\k\kube-proxy.exe --kubeconfig=C:\etc\kubernetes\kubelet.conf --hostname-override=winworker01 --network-name=flannel.4096"
    assert "source-vip flag not set" in run(proxy).err
    # It does not outlive a boot (device_windows.go, EnableNonPersistent): flanneld makes another one.
    prepared.reboot()
    assert cluster.wait_until(
        lambda: (
            network.id not in [n.id for n in prepared.net.hns_networks]
            and prepared.net.network_named("flannel.4096") is not None
        )
    )


@pytest.mark.parametrize(
    ("backend", "said"),
    [('{"Type":"vxlan","VNI":1}', "must be greater than or equal to 4096"), ('{"Type":"vxlan","Port":8472}', "Port [8472] is not supported"),
     ('{"Type":"vxlan","DirectRouting":true}', "DirectRouting is not supported")],
)  # fmt: skip
def test_settings_that_windows_cannot_have_end_flanneld(
    prepared: WindowsMachine, run: Run, cluster: Cluster, backend: str, said: str
) -> None:
    overlay(prepared, run, cluster, backend)
    assert cluster.wait_until(lambda: said.encode() in prepared.files.read(r"C:\flanneld.log"))


def host_local(run: Run, command: str) -> Result:
    return run(f"set CNI_COMMAND={command}&& set CNI_CONTAINERID=proxy&& set CNI_NETNS=proxy&& set CNI_IFNAME=vip&& "
               rf"set CNI_PATH=C:\opt\cni\bin&& type C:\question.json | C:\opt\cni\bin\host-local.exe")  # fmt: skip


def test_host_local_reserves_an_address_once(prepared: WindowsMachine, run: Run) -> None:
    prepared.files.write(r"C:\question.json", _QUESTION.encode())
    first = host_local(run, "ADD")
    assert first.code == 0
    assert json.loads(first.out)["ips"] == [
        {"version": "4", "address": "10.244.1.2/24", "gateway": "10.244.1.1"}
    ]
    assert prepared.files.exists(r"C:\var\lib\cni\networks\flannel.4096\10.244.1.2")
    again = host_local(run, "ADD")
    assert again.code == 1
    assert "duplicate allocation is not allowed" in json.loads(again.out)["msg"]
    assert host_local(run, "DEL").code == 0
    assert json.loads(host_local(run, "ADD").out)["ips"][0]["address"] == "10.244.1.2/24"
