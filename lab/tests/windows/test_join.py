from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from k8swin_lab.kubernetes.cluster import Cluster
from k8swin_lab.machines.windows import WindowsMachine
from k8swin_lab.machines.windows_programs import STUB
from k8swin_lab.network import HttpRequest

from .conftest import TOKEN, Result

Run = Callable[[str], Result]
KUBELET = (
    r"C:\k\kubelet.exe --windows-service --config=C:/var/lib/kubelet/config.yaml "
    r"--bootstrap-kubeconfig=C:/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig=C:/etc/kubernetes/kubelet.conf "
    r"--cert-dir=C:/var/lib/kubelet/pki --hostname-override=winworker01 --node-ip=127.160.0.21"
)
CNI = '{"cniVersion":"0.3.0","name":"cbr0","type":"flannel","delegate":{"type":"win-bridge","apiVersion":2}}'
CONFIG = b"version = 3\n[plugins.'io.containerd.cri.v1.runtime'.cni]\n  bin_dirs = ['C:\\opt\\cni\\bin']\n  conf_dir = 'C:\\etc\\cni\\net.d'\n"


def _pin(cluster: Cluster) -> str:
    key = x509.load_pem_x509_certificate(cluster.authority.certificate_pem).public_key()
    return (
        "sha256:"
        + hashlib.sha256(
            key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        ).hexdigest()
    )


@pytest.fixture
def prepared(machine: WindowsMachine, run: Run) -> WindowsMachine:
    """Programs in place, Containers installed, containerd and an unstarted kubelet service."""
    prepare(machine, run)
    return machine


def prepare(machine: WindowsMachine, run: Run, kubelet: str = KUBELET) -> None:
    feature = machine.features.find("Containers")
    assert feature is not None
    machine.features.install(feature)
    machine.reboot()
    for folder in (
        r"C:\k",
        r"C:\containerd",
        r"C:\opt\cni\bin",
        r"C:\etc\cni\net.d",
        r"C:\var\lib\kubelet",
        r"C:\etc\kube-flannel",
    ):
        machine.files.make_directory(folder)
    for name, version in (
        ("kubelet", "1.36.4"),
        ("kubeadm", "1.36.4"),
        ("kube-proxy", "1.36.4"),
        ("flanneld", "0.28.9"),
        ("nssm", "2.24"),
    ):
        machine.files.write(rf"C:\k\{name}.exe", STUB + f"{name} {version}\n".encode())
    for name in ("flannel", "win-bridge", "host-local"):
        machine.files.write(rf"C:\opt\cni\bin\{name}.exe", STUB + f"{name} 1.9.1\n".encode())
    machine.files.write(r"C:\containerd\containerd.exe", STUB + b"containerd 2.3.4\n")
    machine.files.write(r"C:\containerd\config.toml", CONFIG)
    assert (
        run(
            r"C:\containerd\containerd.exe --register-service --config C:\containerd\config.toml"
        ).code
        == 0
    )
    machine.services.start("containerd")
    machine.services.create("kubelet", kubelet, start=2, depends=["containerd"])


def _join(run: Run, cluster: Cluster, token: str = TOKEN, pin: str = "") -> Result:
    return run(
        rf"C:\k\kubeadm.exe join 127.160.0.11:6443 --token {token} --discovery-token-ca-cert-hash {pin or _pin(cluster)}"
    )


def test_a_prepared_worker_joins_and_becomes_ready_with_a_cni_configuration(
    prepared: WindowsMachine, run: Run, cluster: Cluster
) -> None:
    result = _join(run, cluster)
    assert result.code == 0, result.err
    assert "This node has joined the cluster" in result.out
    assert prepared.files.exists(r"C:\etc\kubernetes\kubelet.conf")
    assert not prepared.files.exists(r"C:\etc\kubernetes\bootstrap-kubelet.conf")
    assert b"--hostname-override=winworker01" in prepared.files.read(
        r"C:\var\lib\kubelet\kubeadm-flags.env"
    )
    assert cluster.wait_until(lambda: cluster.object("nodes", "winworker01") is not None)
    node = cluster.object("nodes", "winworker01")
    assert node is not None
    assert node["metadata"]["labels"]["node.kubernetes.io/windows-build"] == "10.0.20348"
    assert _ready(cluster)["status"] == "False"
    assert "cni plugin not initialized" in _ready(cluster)["message"]
    prepared.files.write(r"C:\etc\cni\net.d\10-flannel.conf", CNI.encode())
    assert cluster.wait_until(lambda: _ready(cluster)["status"] == "True")


def _ready(cluster: Cluster) -> dict[str, Any]:
    node = cluster.object("nodes", "winworker01")
    assert node is not None
    return next(dict(c) for c in node["status"]["conditions"] if c["type"] == "Ready")


def test_a_byte_order_mark_spoils_the_cni_configuration(prepared: WindowsMachine) -> None:
    prepared.files.write(r"C:\etc\cni\net.d\10-flannel.conf", b"\xef\xbb\xbf" + CNI.encode())
    assert prepared.network_ready() == "cni plugin not initialized"


def test_a_wrong_pin_and_a_wrong_token_are_refused(
    prepared: WindowsMachine, run: Run, cluster: Cluster
) -> None:
    assert "none of the public keys" in _join(run, cluster, pin="sha256:" + "0" * 64).err
    assert (
        'could not find a JWS signature in the cluster-info ConfigMap for token ID "zzzzzz"'
        in _join(run, cluster, "zzzzzz.0123456789abcdef").err
    )
    refused = _join(run, cluster, "abcdef.0000000000000000").err
    assert "failed to verify JWS signature of received cluster info object" in refused


def test_join_wants_the_kubelets_folder(
    prepared: WindowsMachine, run: Run, cluster: Cluster
) -> None:
    prepared.files.remove(r"C:\var\lib\kubelet")
    assert r"open \var\lib\kubelet\instance-config.yaml" in _join(run, cluster).err


def test_a_second_join_is_refused_until_a_reset(
    prepared: WindowsMachine, run: Run, cluster: Cluster
) -> None:
    _join(run, cluster)
    again = _join(run, cluster)
    assert again.code == 1
    assert "FileAvailable--etc-kubernetes-kubelet.conf" in again.err
    assert run(r"C:\k\kubeadm.exe reset -f").code == 0
    assert _join(run, cluster).code == 0


def test_flanneld_creates_the_hns_network_and_interrupts_the_machine(
    prepared: WindowsMachine, run: Run, cluster: Cluster
) -> None:
    _join(run, cluster)
    _flannel(prepared, run, cluster)
    assert cluster.wait_until(lambda: prepared.files.exists("/run/flannel/subnet.env")), (
        prepared.files.read(r"C:\flanneld.log")
    )
    network = prepared.net.network_named("cbr0")
    node = cluster.object("nodes", "winworker01")
    assert network is not None
    assert node is not None
    assert network.kind == "L2Bridge"
    assert network.subnets[0]["AddressPrefix"] == node["spec"]["podCIDR"]
    assert network.management_address == "127.160.0.21"
    assert prepared.net.primary().name == "vEthernet (Ethernet)"
    assert prepared.unreachable_until > 0
    assert node["metadata"]["annotations"]["flannel.alpha.coreos.com/public-ip"] == "127.160.0.21"
    assert any(e.name == "cbr0_ep" and e.address.endswith(".2") for e in prepared.net.hns_endpoints)


def _flannel(machine: WindowsMachine, run: Run, cluster: Cluster) -> None:
    import yaml
    from k8swin_lab.windows.kubernetes.client_certificate import kubeconfig_text

    machine.files.write(r"C:\etc\cni\net.d\10-flannel.conf", CNI.encode())
    machine.files.write(
        r"C:\etc\kube-flannel\net-conf.json",
        b'{"Network":"10.244.0.0/16","Backend":{"Name":"cbr0","Type":"host-gw"}}',
    )
    certificate, key = cluster.authority.issue("flannel", ("system:masters",))
    machine.files.write(r"C:\etc\kube-flannel\login.pem", certificate + key)
    text = kubeconfig_text(
        "https://127.160.0.11:6443",
        cluster.authority.certificate_pem,
        "flannel",
        certificate_file=r"C:\etc\kube-flannel\login.pem",
    )
    assert yaml.safe_load(text)
    machine.files.write(r"C:\etc\kube-flannel\kubeconfig", text.encode())
    run(r"C:\k\nssm.exe install flanneld C:\k\flanneld.exe --kubeconfig-file=C:\etc\kube-flannel\kubeconfig "
        r"--iface=127.160.0.21 --ip-masq --kube-subnet-mgr --net-config-path=C:\etc\kube-flannel\net-conf.json")  # fmt: skip
    run(r"C:\k\nssm.exe set flanneld AppEnvironmentExtra NODE_NAME=winworker01")
    run(r"C:\k\nssm.exe set flanneld AppStderr C:\flanneld.log")
    assert cluster.wait_until(lambda: cluster.object("nodes", "winworker01") is not None)
    assert run(r"C:\k\nssm.exe start flanneld").code == 0


def test_kube_proxy_ends_without_its_hns_network(
    prepared: WindowsMachine, run: Run, cluster: Cluster
) -> None:
    _join(run, cluster)
    result = run(
        r"set KUBE_NETWORK=cbr0&& C:\k\kube-proxy.exe --kubeconfig=C:\etc\kubernetes\kubelet.conf --hostname-override=winworker01"
    )
    assert result.code == 1
    assert "Unable to find HNS Network specified" in result.err
    gate = run(r"C:\k\kube-proxy.exe --feature-gates=WinOverlay=false")
    assert "cannot set feature gate WinOverlay to false" in gate.err


def test_a_worker_comes_back_by_itself_after_a_reboot(
    prepared: WindowsMachine, run: Run, cluster: Cluster
) -> None:
    _join(run, cluster)
    prepared.reboot()
    assert cluster.wait_until(
        lambda: prepared.services.state("kubelet") == "Running" and prepared.kubelet_running()
    )


WEB_SERVER = r"""
$listener = New-Object System.Net.HttpListener
$listener.Prefixes.Add('http://*:80/')
$listener.Start()
$address = (Get-NetIPAddress -AddressFamily IPv4 | Where-Object { $_.IPAddress -notlike '127.*' }).IPAddress
Write-Host "listening on $address"
while ($listener.IsListening) {
    $context = $listener.GetContext()
    $bytes = [System.Text.Encoding]::UTF8.GetBytes("$env:COMPUTERNAME $address $($context.Request.Url.AbsolutePath) $env:GREETING")
    $context.Response.OutputStream.Write($bytes, 0, $bytes.Length)
    $context.Response.Close()
}
"""


def test_a_windows_pod_serves_with_a_script_nobody_has_seen(
    prepared: WindowsMachine, run: Run, cluster: Cluster
) -> None:
    _join(run, cluster)
    _flannel(prepared, run, cluster)
    assert cluster.wait_until(lambda: prepared.files.exists("/run/flannel/subnet.env"))
    client = cluster.client()
    client.create(
        "configmaps",
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "app"},
            "data": {"server.ps1": WEB_SERVER},
        },
        "default",
    )
    client.create("pods", _pod("web", "mcr.microsoft.com/windows/servercore:ltsc2022"), "default")
    assert cluster.wait_until(lambda: _phase(cluster, "web") == "Running"), cluster.object(
        "pods", "web", "default"
    )
    container = prepared.containers.running[0]
    assert cluster.wait_until(lambda: 80 in container.http), container.logs()
    address = (cluster.object("pods", "web", "default") or {})["status"]["podIP"]
    answer = container.http[80](HttpRequest("GET", f"http://{address}/hello"))
    assert answer.body.decode() == f"web {address} /hello good day"
    assert f"listening on {address}" in container.logs()
    code, out, _ = container.exec(["cmd.exe", "/c", "echo %COMPUTERNAME%"])
    assert (code, out) == (0, b"web\r\n")


def test_an_image_of_another_build_does_not_start(
    prepared: WindowsMachine, run: Run, cluster: Cluster
) -> None:
    assert "no match for platform" in (
        prepared.pull("mcr.microsoft.com/windows/servercore:ltsc2019") or ""
    )


def _phase(cluster: Cluster, name: str) -> str:
    return str(((cluster.object("pods", name, "default") or {}).get("status") or {}).get("phase"))


def _pod(name: str, image: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {
            "nodeName": "winworker01",
            "containers": [
                {
                    "name": "web",
                    "image": image,
                    "command": ["powershell.exe", "-NoProfile", "-File", r"C:\app\server.ps1"],
                    "env": [{"name": "GREETING", "value": "good day"}],
                    "volumeMounts": [{"name": "app", "mountPath": r"C:\app"}],
                }
            ],
            "volumes": [{"name": "app", "configMap": {"name": "app"}}],
        },
    }
