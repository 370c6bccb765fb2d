"""The files kubeadm writes: certificates, kubeconfigs, the kubelet's configuration, manifests."""

from __future__ import annotations

import base64
import copy
import ipaddress
import time
from dataclasses import dataclass
from typing import Any

import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from k8swin_lab.internet.catalogue import components
from k8swin_lab.kubernetes.authority import CertificateAuthority, key_pem
from k8swin_lab.linux.kubeadm.configuration import Configuration, extra_arguments
from k8swin_lab.linux.kubeadm.versions import image_repository, minor
from k8swin_lab.machines.linux import LinuxMachine

PKI = "/etc/kubernetes/pki"
Object = dict[str, Any]


@dataclass(slots=True)
class Authorities:
    """The three authorities of a cluster, and the key that signs service accounts' tokens."""

    cluster: CertificateAuthority
    front_proxy: CertificateAuthority
    etcd: CertificateAuthority
    service_accounts: bytes


def to_yaml(value: object) -> str:
    """Return YAML as Kubernetes programs write it: keys sorted, long lines whole."""
    return yaml.safe_dump(value, sort_keys=True, width=4096, default_flow_style=False)


def write_pki(machine: LinuxMachine, configuration: Configuration, say: Any) -> Authorities:
    """Make and write all certificates; an authority that is there is kept, as kubeadm does."""
    say(f'[certs] Using certificateDir folder "{PKI}"')
    address = configuration.init["localAPIEndpoint"]["advertiseAddress"]
    node = configuration.registration["name"]
    networking = configuration.cluster["networking"]
    domain = networking["dnsDomain"]
    service = str(ipaddress.ip_network(networking["serviceSubnet"].split(",")[0], strict=False)[1])
    names = ["kubernetes", "kubernetes.default", "kubernetes.default.svc",
             f"kubernetes.default.svc.{domain}", node]  # fmt: skip
    addresses = [service, address]
    host = configuration.endpoint.rpartition(":")[0]
    for extra in [
        host,
        *map(str, configuration.cluster.get("apiServer", {}).get("certSANs") or []),
    ]:
        listed = addresses if _is_address(extra) else names
        if extra not in listed:
            listed.append(extra)
    local = [node, "localhost", address, "127.0.0.1", "::1"]

    cluster = _authority(machine, "ca", "kubernetes", say)
    _issue(machine, cluster, "apiserver", "kube-apiserver", say, sans=[*sorted(names), *addresses])
    say(
        f"[certs] apiserver serving cert is signed for DNS names [{' '.join(sorted(names))}] and IPs [{' '.join(addresses)}]"
    )
    _issue(machine, cluster, "apiserver-kubelet-client", "kube-apiserver-kubelet-client", say,
           groups=["kubeadm:cluster-admins" if minor(configuration.version) >= 29 else "system:masters"])  # fmt: skip
    front = _authority(machine, "front-proxy-ca", "front-proxy-ca", say)
    _issue(machine, front, "front-proxy-client", "front-proxy-client", say)
    etcd = _authority(machine, "etcd/ca", "etcd-ca", say)
    for name in ("etcd/server", "etcd/peer"):
        _issue(machine, etcd, name, node, say, sans=local)
        say(
            f"[certs] {name} serving cert is signed for DNS names [{node} localhost] and IPs [{address} 127.0.0.1 ::1]"
        )
    _issue(machine, etcd, "etcd/healthcheck-client", "kube-etcd-healthcheck-client", say)
    _issue(machine, etcd, "apiserver-etcd-client", "kube-apiserver-etcd-client", say)
    say('[certs] Generating "sa" key and public key')
    key = rsa.generate_private_key(65537, 2048)
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    machine.write_file(f"{PKI}/sa.key", key_pem(key), 0o600)
    machine.write_file(f"{PKI}/sa.pub", public, 0o600)
    return Authorities(cluster, front, etcd, key_pem(key))


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _authority(
    machine: LinuxMachine, name: str, common_name: str, say: Any
) -> CertificateAuthority:
    certificate, key = f"{PKI}/{name}.crt", f"{PKI}/{name}.key"
    if machine.exists(certificate) and machine.exists(key):
        say(f"[certs] Using existing {name} certificate authority")
        return CertificateAuthority(
            machine.path(certificate).read_bytes(), machine.path(key).read_bytes()
        )
    say(f'[certs] Generating "{name}" certificate and key')
    made = CertificateAuthority.create(common_name)
    machine.write_file(certificate, made.certificate_pem)
    machine.write_file(key, made.key_pem, 0o600)
    return made


def _issue(
    machine: LinuxMachine,
    authority: CertificateAuthority,
    name: str,
    common_name: str,
    say: Any,
    *,
    groups: list[str] | None = None,
    sans: list[str] | None = None,
) -> None:
    say(f'[certs] Generating "{name}" certificate and key')
    certificate, key = authority.issue(
        common_name, groups or (), sans=sans or (), server=sans is not None
    )
    machine.write_file(f"{PKI}/{name}.crt", certificate)
    machine.write_file(f"{PKI}/{name}.key", key, 0o600)


def kubeconfig(
    cluster_name: str, server: str, authority_pem: bytes, user: str, credentials: Object
) -> str:
    """Return a kubeconfig file with one context."""
    context = f"{user}@{cluster_name}"
    return to_yaml({
        "apiVersion": "v1",
        "clusters": [{
            "cluster": {"certificate-authority-data": _base64(authority_pem), "server": server},
            "name": cluster_name,
        }],
        "contexts": [{"context": {"cluster": cluster_name, "user": user}, "name": context}],
        "current-context": context,
        "kind": "Config",
        "users": [{"name": user, "user": credentials}],
    })  # fmt: skip


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def certificate_credentials(
    authority: CertificateAuthority, user: str, groups: tuple[str, ...]
) -> Object:
    """Return a kubeconfig's user with a new client certificate."""
    certificate, key = authority.issue(user, groups)
    return {"client-certificate-data": _base64(certificate), "client-key-data": _base64(key)}


def write_kubeconfigs(
    machine: LinuxMachine, configuration: Configuration, authority: CertificateAuthority, say: Any
) -> None:
    """Write admin.conf and its siblings, and the kubelet's with its own certificate."""
    say('[kubeconfig] Using kubeconfig folder "/etc/kubernetes"')
    name = configuration.cluster["clusterName"]
    server = f"https://{configuration.endpoint}"
    node = configuration.registration["name"]
    number = minor(configuration.version)
    # From 1.29 on the administrator has what a binding gives, and another file what nobody can take away.
    admin = "kubeadm:cluster-admins" if number >= 29 else "system:masters"
    for file, user, groups in (
        ("admin", "kubernetes-admin", (admin,)),
        *([("super-admin", "kubernetes-super-admin", ("system:masters",))] if number >= 29 else []),
        ("kubelet", f"system:node:{node}", ("system:nodes",)),
        ("controller-manager", "system:kube-controller-manager", ()),
        ("scheduler", "system:kube-scheduler", ()),
    ):
        say(f'[kubeconfig] Writing "{file}.conf" kubeconfig file')
        if file == "kubelet":
            write_node_credentials(machine, authority, node, name, server)
            continue
        credentials = certificate_credentials(authority, user, groups)
        text = kubeconfig(name, server, authority.certificate_pem, user, credentials)
        machine.write_file(f"/etc/kubernetes/{file}.conf", text, 0o600)


def write_node_credentials(
    machine: LinuxMachine, authority: CertificateAuthority, node: str, cluster: str, server: str
) -> None:
    """Write kubelet.conf and the certificate it points to, as after TLS bootstrap."""
    certificate, key = authority.issue(f"system:node:{node}", ("system:nodes",))
    stamp = time.strftime("%Y-%m-%d-%H-%M-%S", time.gmtime())
    folder = "/var/lib/kubelet/pki"
    machine.write_file(f"{folder}/kubelet-client-{stamp}.pem", certificate + key, 0o600)
    current = machine.path(folder) / "kubelet-client-current.pem"
    current.unlink(missing_ok=True)
    current.symlink_to(f"{folder}/kubelet-client-{stamp}.pem")
    pem = f"{folder}/kubelet-client-current.pem"
    user = f"system:node:{node}"
    text = kubeconfig(cluster, server, authority.certificate_pem, user,
                      {"client-certificate": pem, "client-key": pem})  # fmt: skip
    machine.write_file("/etc/kubernetes/kubelet.conf", text, 0o600)


def kubelet_configuration(configuration: Configuration) -> Object:
    """Return the KubeletConfiguration of a cluster: kubeadm's defaults under the user's own."""
    networking = configuration.cluster["networking"]
    number = minor(configuration.version)
    dns = str(ipaddress.ip_network(networking["serviceSubnet"].split(",")[0], strict=False)[10])
    found: Object = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"cacheTTL": "0s", "enabled": True},
            "x509": {"clientCAFile": f"{PKI}/ca.crt"},
        },
        "authorization": {
            "mode": "Webhook",
            "webhook": {"cacheAuthorizedTTL": "0s", "cacheUnauthorizedTTL": "0s"},
        },
        **({"cgroupDriver": "systemd"} if number >= 22 else {}),
        "clusterDNS": [dns],
        "clusterDomain": networking["dnsDomain"],
        "cpuManagerReconcilePeriod": "0s",
        "evictionPressureTransitionPeriod": "0s",
        "fileCheckFrequency": "0s",
        "healthzBindAddress": "127.0.0.1",
        "healthzPort": 10248,
        "httpCheckFrequency": "0s",
        "imageMinimumGCAge": "0s",
        "kind": "KubeletConfiguration",
        "nodeStatusReportFrequency": "0s",
        "nodeStatusUpdateFrequency": "0s",
        "rotateCertificates": True,
        "runtimeRequestTimeout": "0s",
        "staticPodPath": "/etc/kubernetes/manifests",
        "streamingConnectionIdleTimeout": "0s",
        "syncFrequency": "0s",
        "volumeStatsAggPeriod": "0s",
    }
    if number >= 20:
        found |= {
            "shutdownGracePeriod": "0s",
            "shutdownGracePeriodCriticalPods": "0s",
            "logging": {},
        }
    if number >= 28:
        found |= {
            "containerRuntimeEndpoint": "",
            "imageMaximumGCAge": "0s",
            "memorySwap": {},
            "logging": {
                "flushFrequency": 0,
                "options": {"json": {"infoBufferSize": "0"}, "text": {"infoBufferSize": "0"}},
                "verbosity": 0,
            },
        }
    if number >= 33:
        found["crashLoopBackOff"] = {}
    found.update(copy.deepcopy(configuration.kubelet))
    return found


def write_kubelet_files(
    machine: LinuxMachine, configuration: Configuration, kubelet: Object, version: str, say: Any
) -> None:
    """Write what the kubelet's service reads.

    Args:
        machine: whose kubelet it is.
        configuration: gives the node's registration.
        kubelet: the KubeletConfiguration.
        version: of kubeadm.
        say: takes lines of output.
    """
    registration = configuration.registration
    number = minor(version)
    flags = "/var/lib/kubelet/kubeadm-flags.env"
    say(f'[kubelet-start] Writing kubelet environment file with flags to file "{flags}"')
    words = [f"--{name}={value}" for name, value in extra_arguments(registration)]
    words += _runtime_flags(machine, registration["criSocket"], kubelet, version)
    if registration["name"] != machine.name.lower():
        words.append(f"--hostname-override={registration['name']}")
    taints = [
        f"{taint['key']}={taint.get('value', '')}:{taint['effect']}"
        for taint in registration.get("taints") or []
    ]
    if taints:
        words.append(f"--register-with-taints={','.join(taints)}")
    machine.write_file(flags, f'KUBELET_KUBEADM_ARGS="{" ".join(sorted(words))}"\n')
    machine.path("/var/lib/kubelet").chmod(0o700)
    socket = registration["criSocket"]
    if number >= 35:
        instance = "/var/lib/kubelet/instance-config.yaml"
        say(f'[kubelet-start] Writing kubelet configuration to file "{instance}"')
        machine.write_file(instance, f'containerRuntimeEndpoint: "{socket}"\n')
        say(
            '[patches] Applied patch of type "application/strategic-merge-patch+json" to target'
            ' "kubeletconfiguration"'
        )
        kubelet = {**kubelet, "containerRuntimeEndpoint": socket}
    say('[kubelet-start] Writing kubelet configuration to file "/var/lib/kubelet/config.yaml"')
    machine.write_file("/var/lib/kubelet/config.yaml", to_yaml(kubelet))


def _runtime_flags(machine: LinuxMachine, socket: str, kubelet: Object, version: str) -> list[str]:
    """Return the flags with which the kubelet finds its container runtime."""
    number = minor(version)
    pause = f"{image_repository(f'v{version}')}/pause:{components(version)['pause']}"
    sandbox = [f"--pod-infra-container-image={pause}"] if number < 35 else []
    if number >= 35:
        return []
    if number >= 24:
        return [f"--container-runtime-endpoint={socket}", *sandbox]
    if machine.runtime_at(socket) is not machine.docker:
        return ["--container-runtime=remote", f"--container-runtime-endpoint={socket}"]
    driver = machine.docker.cgroup_driver
    found = ["--network-plugin=cni", *sandbox]
    if "cgroupDriver" not in kubelet:
        found.append(f"--cgroup-driver={driver}")
    return found


def write_manifests(machine: LinuxMachine, manifests: dict[str, Object]) -> None:
    """Write the static pods of a control plane."""
    machine.path("/etc/kubernetes").mkdir(parents=True, exist_ok=True)
    for name, pod in manifests.items():
        machine.write_file(
            f"/etc/kubernetes/manifests/{name}", to_yaml({**pod, "status": {}}), 0o600
        )
    machine.path("/etc/kubernetes/manifests").chmod(0o700)
