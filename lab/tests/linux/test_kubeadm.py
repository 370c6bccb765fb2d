from __future__ import annotations

import base64
import json
import threading
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from k8swin_lab.linux.software import linux_software
from k8swin_lab.machines.linux import LinuxMachine

from lab.tests.linux.conftest import prepare, run_on

VALID = """
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
kubernetesVersion: v1.36.4
networking: {podSubnet: 10.244.0.0/16}
"""


def test_a_fresh_host_is_refused_with_kubeadms_own_words(network, tmp_path: Path):
    machine = LinuxMachine(
        "host",
        "192.168.160.30",
        network,
        linux_software(),
        root=tmp_path / "host",
        packages=["containerd.io", "kubeadm"],
    )
    found = run_on(machine, "kubeadm init --kubernetes-version v1.36.4")
    assert found.code == 1
    assert "unknown service runtime.v1.RuntimeService" in found.err
    assert "[ERROR FileContent--proc-sys-net-ipv4-ip_forward]" in found.err
    assert "[WARNING Swap]" in found.err
    assert (
        found.err.splitlines()[-2]
        == "error: error execution phase preflight: preflight checks failed"
    )
    assert not machine.exists("/etc/kubernetes/pki/ca.crt")


def test_a_check_can_be_passed_over_by_name(network, tmp_path: Path):
    machine = LinuxMachine(
        "host", "192.168.160.30", network, linux_software(), root=tmp_path / "host", cpus=1, swap=False,
        packages=["containerd.io", "kubeadm"],
    )  # fmt: skip
    prepare(machine)
    assert "[ERROR NumCPU]" in run_on(machine, "kubeadm init").err
    passed = run_on(machine, "kubeadm init --ignore-preflight-errors=numcpu")
    assert "[WARNING NumCPU]" in passed.err
    assert passed.code == 0


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("podSubnet", "podSubnett", 'strict decoding error: unknown field "networking.podSubnett"'),
        ("v1beta4", "v1beta9", "unknown configuration APIs: []schema.GroupVersionKind{"),
        ("10.244.0.0/16", "10.244.0.0", 'Invalid value: "10.244.0.0": couldn\'t parse subnet'),
        ("v1.36.4", "v1.20.0", "only supports deploying clusters with the control plane version"),
        ("kind: ClusterConfiguration", "a: b", "kind and apiVersion is mandatory information"),
    ],
)
def test_a_configuration_that_is_not_valid_is_refused(prepared, old, new, text):
    prepared.write_file("/root/c.yaml", VALID.replace(old, new))
    found = run_on(prepared, "kubeadm config validate --config /root/c.yaml")
    assert found.code == 1
    assert text in found.err


def test_a_valid_configuration_is_ok_and_lists_its_images(prepared):
    prepared.write_file("/root/c.yaml", VALID)
    assert run_on(prepared, "kubeadm config validate --config /root/c.yaml").out == "ok\n"
    images = run_on(prepared, "kubeadm config images list --config /root/c.yaml").out.split()
    assert images[0] == "registry.k8s.io/kube-apiserver:v1.36.4"
    assert images[-1] == "registry.k8s.io/etcd:3.6.8-0"


def test_an_unhealthy_kubelet_ends_the_init(prepared):
    text = VALID + "---\napiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n"
    prepared.write_file("/root/c.yaml", text)
    prepared.swap_on("/swap.img")
    found = run_on(prepared, "kubeadm init --config /root/c.yaml")
    assert found.code == 1
    assert "The kubelet is not healthy after 4m0" in found.out
    assert "running with swap on is not supported" in run_on(prepared, "journalctl -u kubelet").out


def test_init_writes_real_certificates(cluster: LinuxMachine):
    ca = x509.load_pem_x509_certificate(cluster.path("/etc/kubernetes/pki/ca.crt").read_bytes())
    server = x509.load_pem_x509_certificate(
        cluster.path("/etc/kubernetes/pki/apiserver.crt").read_bytes()
    )
    server.verify_directly_issued_by(ca)
    names = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "kubernetes.default.svc.cluster.local" in names.get_values_for_type(x509.DNSName)
    admin = yaml.safe_load(cluster.read_text("/etc/kubernetes/admin.conf"))
    pem = base64.b64decode(admin["users"][0]["user"]["client-certificate-data"])
    x509.load_pem_x509_certificate(pem).verify_directly_issued_by(ca)


def test_secret_files_are_roots_alone(cluster: LinuxMachine):
    for path in ("admin.conf", "pki/ca.key", "manifests/etcd.yaml", "kubelet.conf"):
        assert cluster.path(f"/etc/kubernetes/{path}").stat().st_mode & 0o777 == 0o600


def test_a_second_init_finds_what_the_first_left(cluster: LinuxMachine):
    found = run_on(cluster, "kubeadm init --kubernetes-version v1.36.4")
    assert found.code == 1
    for check in ("Port-6443", "Port-10250", "DirAvailable--var-lib-etcd"):
        assert f"[ERROR {check}]" in found.err


def test_the_pin_of_the_join_command_is_what_openssl_computes(cluster: LinuxMachine):
    public = run_on(cluster, "openssl x509 -pubkey -noout -in /etc/kubernetes/pki/ca.crt").out
    cluster.write_file("/root/public.pem", public)
    run_on(cluster, "openssl pkey -pubin -outform der -in /root/public.pem -out /root/public.der")
    digest = run_on(cluster, "openssl dgst -sha256 -hex /root/public.der").out.split()[-1]
    command = run_on(cluster, "kubeadm token create --print-join-command").out
    assert f"--discovery-token-ca-cert-hash sha256:{digest}" in command


def test_tokens_are_listed_with_what_they_are_for(cluster: LinuxMachine):
    made = run_on(cluster, "kubeadm token create --ttl 2h --description 'k8swin join'").out.strip()
    listed = run_on(cluster, "kubeadm token list").out
    row = next(line for line in listed.splitlines() if line.startswith(made))
    assert "1h" in row
    assert "k8swin join" in row
    assert (
        run_on(cluster, f"kubeadm token delete {made[:6]}").out
        == f'bootstrap token "{made[:6]}" deleted\n'
    )
    found = run_on(cluster, "kubeadm token delete abcdef")
    assert 'secrets "bootstrap-token-abcdef" not found' in found.err


def test_a_worker_joins_and_leaves(cluster: LinuxMachine, tmp_path: Path):
    worker = LinuxMachine(
        "worker", "192.168.160.12", cluster.network, linux_software(), root=tmp_path / "worker", swap=False,
        packages=["containerd.io", "kubeadm"],
    )  # fmt: skip
    prepare(worker)
    command = run_on(cluster, "kubeadm token create --print-join-command").out.strip()
    wrong = run_on(worker, command[:-6] + "000000")
    assert "none of the public keys" in wrong.err
    found = run_on(worker, command)
    assert found.code == 0, found.err
    assert "This node has joined the cluster" in found.out
    admin = {"KUBECONFIG": "/etc/kubernetes/admin.conf"}
    assert "worker" in run_on(cluster, "kubectl get nodes", **admin).out
    assert "already exists" in run_on(worker, command).err
    assert run_on(worker, "kubeadm reset -f").code == 0
    assert not worker.exists("/etc/kubernetes/kubelet.conf")
    run_on(cluster, "kubectl delete node worker", **admin)


def test_a_token_that_does_not_exist_is_not_enough(cluster: LinuxMachine, tmp_path: Path):
    worker = LinuxMachine(
        "worker2", "192.168.160.13", cluster.network, linux_software(), root=tmp_path / "worker", swap=False,
        packages=["containerd.io", "kubeadm"],
    )  # fmt: skip
    prepare(worker)
    found = run_on(
        worker,
        "kubeadm join 192.168.160.10:6443 --token abcdef.0123456789abcdef"
        " --discovery-token-unsafe-skip-ca-verification",
    )
    assert (
        'could not find a JWS signature in the cluster-info ConfigMap for token ID "abcdef"'
        in found.err
    )


def test_a_token_is_waited_for_until_the_control_plane_signs_for_it(
    cluster: LinuxMachine, tmp_path: Path
):
    worker = LinuxMachine(
        "worker3", "192.168.160.14", cluster.network, linux_software(), root=tmp_path / "worker", swap=False,
        packages=["containerd.io", "kubeadm"],
    )  # fmt: skip
    prepare(worker)
    token = "fedcba.0123456789abcdef"
    later = threading.Timer(1.0, run_on, [cluster, f"kubeadm token create {token}"])
    later.start()
    joined = run_on(
        worker,
        f"kubeadm join 192.168.160.10:6443 --token {token}"
        " --discovery-token-unsafe-skip-ca-verification",
    )
    later.join()
    assert joined.code == 0, joined.err
    assert run_on(worker, "kubeadm reset -f").code == 0
    run_on(cluster, "kubectl --kubeconfig /etc/kubernetes/admin.conf delete node worker3")


def test_reset_makes_the_host_fit_for_another_init(prepared: LinuxMachine):
    assert run_on(prepared, "kubeadm init --kubernetes-version v1.36.4").code == 0
    assert 6443 in prepared.listening
    assert run_on(prepared, "kubeadm reset -f").code == 0
    assert 6443 not in prepared.listening
    assert run_on(prepared, "kubeadm init --kubernetes-version v1.36.4").code == 0


def test_the_version_is_told_in_every_form(prepared: LinuxMachine):
    assert run_on(prepared, "kubeadm version -o short").out == "v1.36.4\n"
    found = json.loads(run_on(prepared, "kubeadm version -o json").out)
    assert found["clientVersion"]["gitVersion"] == "v1.36.4"


def test_the_runtime_shows_the_control_planes_containers(cluster: LinuxMachine):
    assert cluster.cluster is not None
    cluster.cluster.wait_until(lambda: "etcd" in run_on(cluster, "crictl ps").out)
    shown = run_on(cluster, "crictl ps").out
    assert "kube-apiserver-linuxmaster" in shown
    assert "etcd-linuxmaster" in run_on(cluster, "crictl pods").out
