"""A Windows Server 2019 becomes a node of the Docker generation: kubelet 1.13, flanneld 0.11, kube-proxy 1.13."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from k8swin_lab.internet.windows_classic import cni_archive, docker_archive, node_archive
from k8swin_lab.kubernetes.cluster import Cluster
from k8swin_lab.machines.windows import WindowsMachine
from k8swin_lab.machines.windows_programs import STUB

from .conftest import Result

Run = Callable[[str], Result]
PAUSE = "mcr.microsoft.com/oss/kubernetes/pause:1.4.1"
CORE = "mcr.microsoft.com/windows/servercore:ltsc2019"
KUBELET = (
    "--hostname-override=winworker01 --pod-infra-container-image={pause} --resolv-conf= --allow-privileged=true "
    r"--enable-debugging-handlers --cluster-dns=10.96.0.10 --cluster-domain=cluster.local --kubeconfig=C:\k\config "
    r"--hairpin-mode=promiscuous-bridge --image-pull-progress-deadline=20m --cgroups-per-qos=false --log-dir=C:\k\log "
    r"--logtostderr=false --enforce-node-allocatable= --network-plugin=cni --cni-bin-dir=C:\k\cni "
    r"--cni-conf-dir=C:\k\cni\config --node-ip=127.160.0.21"
)
CNI = '{"cniVersion":"0.2.0","name":"cbr0","type":"flannel","delegate":{"type":"win-bridge"}}'


@pytest.fixture
def machine(server_2019: WindowsMachine) -> WindowsMachine:
    return server_2019


@pytest.fixture
def worker(machine: WindowsMachine, run: Run, cluster: Cluster) -> WindowsMachine:
    """Docker runs, the programs are in place, and C:\\k\\config is the administrator's."""
    prepare(machine, run)
    machine.files.write(r"C:\k\config", administrator(cluster).encode())
    return machine


def prepare(machine: WindowsMachine, run: Run) -> None:
    feature = machine.features.find("Containers")
    assert feature is not None
    machine.features.install(feature)
    machine.reboot()
    for folder in (r"C:\k\log", r"C:\k\cni\config", r"C:\etc\kube-flannel"):
        machine.files.make_directory(folder)
    machine.files.write(r"C:\docker.zip", docker_archive("20.10.23"))
    machine.files.write(r"C:\node.tar.gz", node_archive("1.13.12"))
    machine.files.write(r"C:\cni.tgz", cni_archive("0.8.7"))
    for line in (
        r"tar.exe -xf C:\docker.zip -C C:\\", r"tar.exe -xf C:\node.tar.gz -C C:\k --strip-components 3", r"tar.exe -xf C:\cni.tgz -C C:\k\cni",
        r"C:\docker\dockerd.exe --register-service",
    ):  # fmt: skip
        assert run(line).code == 0, line
    machine.services.start("docker")
    for name, version in (("flanneld", "0.11.0"), ("nssm", "2.24")):
        machine.files.write(rf"C:\k\{name}.exe", STUB + f"{name} {version}\n".encode())
    machine.files.write(
        r"C:\etc\kube-flannel\net-conf.json",
        b'{"Network":"10.244.0.0/16","Backend":{"name":"cbr0","type":"host-gw"}}',
    )


def administrator(cluster: Cluster) -> str:
    """A kubeconfig as kubeadm writes it for the administrator."""
    certificate, key = cluster.authority.issue("kubernetes-admin", ("system:masters",))
    encoded = {
        name: base64.b64encode(content).decode()
        for name, content in (
            ("ca", cluster.authority.certificate_pem),
            ("cert", certificate),
            ("key", key),
        )
    }
    return yaml.safe_dump({
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "clusters": [{"name": "k", "cluster": {"server": "https://127.160.0.11:6443", "certificate-authority-data": encoded["ca"]}}],
        "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
        "users": [{"name": "u", "user": {"client-certificate-data": encoded["cert"], "client-key-data": encoded["key"]}}],
    })  # fmt: skip


def service(run: Run, name: str, program: str, arguments: str, *environment: str) -> None:
    assert run(rf"C:\k\nssm.exe install {name} {program} {arguments}").code == 0
    if environment:
        run(rf"C:\k\nssm.exe set {name} AppEnvironmentExtra {' '.join(environment)}")
    run(rf"C:\k\nssm.exe set {name} AppDirectory C:\\")
    run(rf"C:\k\nssm.exe set {name} AppStderr C:\k\log\{name}.log")
    run(rf"C:\k\nssm.exe start {name}")


def start_kubelet(run: Run, pause: str = PAUSE) -> None:
    service(run, "kubelet", r"C:\k\kubelet.exe", KUBELET.format(pause=pause))


def start_flanneld(run: Run) -> None:
    service(run, "flanneld", r"C:\k\flanneld.exe",
            r"--kubeconfig-file=C:\k\config --iface=127.160.0.21 --ip-masq=1 --kube-subnet-mgr=1", "NODE_NAME=winworker01")  # fmt: skip


def node(cluster: Cluster) -> dict[str, Any]:
    found = cluster.object("nodes", "winworker01")
    assert found is not None
    return found


def ready(cluster: Cluster) -> dict[str, Any]:
    return next(dict(c) for c in node(cluster)["status"]["conditions"] if c["type"] == "Ready")


def joined(worker: WindowsMachine, run: Run, cluster: Cluster, pause: str = PAUSE) -> None:
    start_kubelet(run, pause)
    assert cluster.wait_until(lambda: cluster.object("nodes", "winworker01") is not None)
    start_flanneld(run)
    made = cluster.wait_until(lambda: worker.files.exists("/run/flannel/subnet.env"))
    assert made, worker.files.read(r"C:\k\log\flanneld.log").decode()
    worker.files.write(r"C:\k\cni\config\cni.conf", CNI.encode())
    assert cluster.wait_until(lambda: ready(cluster)["status"] == "True")


def test_the_kubelet_registers_through_docker_and_waits_for_a_network(
    worker: WindowsMachine, run: Run, cluster: Cluster
) -> None:
    start_kubelet(run)
    assert cluster.wait_until(lambda: cluster.object("nodes", "winworker01") is not None)
    info = node(cluster)["status"]["nodeInfo"]
    assert info["containerRuntimeVersion"] == "docker://20.10.23"
    assert info["kubeletVersion"] == "v1.13.12"
    assert "node.kubernetes.io/windows-build" not in node(cluster)["metadata"]["labels"]
    assert "cni config uninitialized" in ready(cluster)["message"]
    logs = [info.path for info in worker.files.list(r"C:\k\log")]
    assert any("kubelet.exe." in path and ".log.INFO." in path for path in logs)
    assert (
        run(
            r"C:\k\kubectl.exe get nodes winworker01 -o name --kubeconfig C:\k\config --request-timeout 5s"
        ).out
        == "node/winworker01\n"
    )


@pytest.mark.parametrize(
    ("version", "flags", "said"),
    [
        ("1.13.12", r"--kubeconfig=C:\k\config --no-such-flag", "unknown flag: --no-such-flag"),
        (
            "1.15.12",
            r"--kubeconfig=C:\k\config --allow-privileged=true",
            "unknown flag: --allow-privileged",
        ),
        (
            "1.13.12",
            r"--kubeconfig=C:\k\config --cgroups-per-qos=false",
            "not supported unless CgroupsPerQOS",
        ),
        ("1.13.12", r"--kubeconfig=C:\k\nothing", "cannot find the file specified"),
        (
            "1.13.12",
            r"--kubeconfig=C:\k\config --log-dir=C:\nowhere --logtostderr=false",
            "log: cannot create log: open",
        ),
        (
            "1.36.4",
            r"--kubeconfig=C:\k\config --network-plugin=cni",
            "unknown flag: --network-plugin",
        ),
    ],
)
def test_a_wrong_command_line_ends_the_kubelet(
    worker: WindowsMachine, run: Run, version: str, flags: str, said: str
) -> None:
    worker.files.write(r"C:\k\kubelet.exe", STUB + f"kubelet {version}\n".encode())
    ended = run(rf"C:\k\kubelet.exe {flags}")
    assert ended.code != 0
    assert said in ended.err


def test_the_kubelet_ends_without_docker(worker: WindowsMachine, run: Run) -> None:
    worker.services.stop("docker")
    ended = run(
        r"C:\k\kubelet.exe --kubeconfig=C:\k\config --resolv-conf= --cgroups-per-qos=false --enforce-node-allocatable="
    )
    assert ended.code == 255
    assert "failed to get docker version" in ended.err


def test_a_worker_joins_and_serves(worker: WindowsMachine, run: Run, cluster: Cluster) -> None:
    joined(worker, run, cluster)
    network = worker.net.network_named("cbr0")
    assert network is not None
    assert network.kind == "L2Bridge"
    service(run, "kube-proxy", r"C:\k\kube-proxy.exe",
            r"--v=4 --proxy-mode=kernelspace --hostname-override=winworker01 --kubeconfig=C:\k\config --cluster-cidr=10.244.0.0/16 "
            r"--log-dir=C:\k\log --logtostderr=false", "KUBE_NETWORK=cbr0")  # fmt: skip
    assert cluster.wait_until(lambda: 10256 in worker.listening)
    pod = {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"},
        "spec": {"nodeName": "winworker01", "containers": [
            {"name": "web", "image": CORE, "command": ["cmd", "/c", "echo hello from %COMPUTERNAME% & ping -t localhost"]}]},
    }  # fmt: skip
    cluster.client().create("pods", pod, "default")
    assert cluster.wait_until(lambda: phase(cluster, "web") == "Running"), cluster.object(
        "pods", "web", "default"
    )
    shown = run(r'C:\docker\docker.exe ps --format "{{.Names}}"').out
    assert "k8s_web_web_default_" in shown
    assert "k8s_POD_web_default_" in shown
    status = (cluster.object("pods", "web", "default") or {})["status"]
    assert status["containerStatuses"][0]["containerID"].startswith("docker://")
    cluster.client().delete("pods", "web", "default", grace=0)
    assert cluster.wait_until(lambda: run(r"C:\docker\docker.exe ps -q").out == "")


def phase(cluster: Cluster, name: str) -> str:
    return str(((cluster.object("pods", name, "default") or {}).get("status") or {}).get("phase"))


def test_a_pod_waits_for_a_pause_image_that_fits(
    worker: WindowsMachine, run: Run, cluster: Cluster
) -> None:
    joined(worker, run, cluster, "kubeletwin/pause")
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"},
           "spec": {"nodeName": "winworker01", "containers": [{"name": "web", "image": CORE, "command": ["ping", "-t", "localhost"]}]}}  # fmt: skip
    cluster.client().create("pods", pod, "default")

    def told() -> bool:
        return any(
            "unable to pull sandbox image" in str(e.get("message"))
            for e in cluster.objects("events")
        )

    assert cluster.wait_until(told)
    assert phase(cluster, "web") == "Pending"
    worker.files.write(
        r"C:\k\Dockerfile",
        b"FROM mcr.microsoft.com/windows/nanoserver:1809\nCMD cmd /c ping -t localhost > nul\n",
    )
    assert run(r"C:\docker\docker.exe build -t kubeletwin/pause C:\k").code == 0
    assert cluster.wait_until(lambda: phase(cluster, "web") == "Running")


def test_flanneld_of_that_time_knows_no_net_config_path(worker: WindowsMachine, run: Run) -> None:
    ended = run(
        r"C:\k\flanneld.exe --kubeconfig-file=C:\k\config --kube-subnet-mgr --net-config-path=C:\etc\kube-flannel\net-conf.json"
    )
    assert ended.code == 2
    assert "flag provided but not defined: -net-config-path" in ended.err


def test_flanneld_of_that_time_fails_on_an_endpoint_that_is_attached_already(
    worker: WindowsMachine, run: Run, cluster: Cluster
) -> None:
    joined(worker, run, cluster)
    run(r"C:\k\nssm.exe stop flanneld")
    again = run(
        r"set NODE_NAME=winworker01&& C:\k\flanneld.exe --kubeconfig-file=C:\k\config --iface=127.160.0.21 --kube-subnet-mgr"
    )
    assert again.code == 1
    assert "failed to hot attach bridge HNSEndpoint cbr0_ep" in again.err
    assert (
        run(
            "powershell -NoProfile -Command \"Get-HnsEndpoint | Where-Object { $_.Name -eq 'cbr0_ep' } | Remove-HnsEndpoint\""
        ).code
        == 0
    )
    run(r"C:\k\nssm.exe start flanneld")
    assert cluster.wait_until(lambda: any(e.name == "cbr0_ep" for e in worker.net.hns_endpoints))


def test_kube_proxy_of_that_time_takes_its_network_from_the_environment(
    worker: WindowsMachine, run: Run, cluster: Cluster
) -> None:
    assert (
        "unknown flag: --network-name"
        in run(r"C:\k\kube-proxy.exe --kubeconfig=C:\k\config --network-name=cbr0").err
    )
    assert (
        "unrecognized feature gate: WinDSR"
        in run(r"C:\k\kube-proxy.exe --feature-gates=WinDSR=true").err
    )
    ended = run(
        r"set KUBE_NETWORK=cbr0&& C:\k\kube-proxy.exe --proxy-mode=kernelspace --kubeconfig=C:\k\config"
    )
    assert ended.code == 255
    assert "Unable to find HNS Network specified by cbr0" in ended.err


def test_a_node_is_not_ready_while_docker_is_stopped(
    worker: WindowsMachine, run: Run, cluster: Cluster
) -> None:
    joined(worker, run, cluster)
    worker.services.stop("docker")
    assert cluster.wait_until(lambda: ready(cluster)["status"] == "False")
    worker.services.start("docker")
    assert cluster.wait_until(lambda: ready(cluster)["status"] == "True")
