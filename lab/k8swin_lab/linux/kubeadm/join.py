"""kubeadm join: from a prepared host to a worker of a cluster that answers over the network."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from dataclasses import dataclass
from typing import Any

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from k8swin_lab.arguments import Parsed
from k8swin_lab.kubernetes.cluster import Cluster
from k8swin_lab.kubernetes.kubelet import Kubelet
from k8swin_lab.linux.files import machine_of
from k8swin_lab.linux.kubeadm import files
from k8swin_lab.linux.kubeadm.configuration import Configuration, Object
from k8swin_lab.linux.kubeadm.errors import in_phase
from k8swin_lab.linux.kubeadm.initialize import annotate_socket, unhealthy_kubelet
from k8swin_lab.linux.kubeadm.preflight import join_checks, report
from k8swin_lab.linux.kubeadm.texts import reading_configuration
from k8swin_lab.linux.kubeadm.versions import kubelet_config_map, minor
from k8swin_lab.machines.linux import LinuxMachine
from k8swin_lab.machines.program import NotSimulated, Process
from k8swin_lab.machines.units import UnitError
from k8swin_lab.web_client import WebError, send


@dataclass(slots=True)
class _Discovered:
    """What the cluster's public information says."""

    server: str
    authority: bytes
    cluster: Cluster


def join(process: Process, configuration: Configuration, parsed: Parsed, version: str) -> int:
    """Run kubeadm join.

    Raises:
        KubeadmError: with the phase that failed.
    """
    machine = machine_of(process)
    if configuration.join.get("controlPlane") or "--control-plane" in parsed:
        raise NotSimulated("kubeadm join --control-plane")

    def say(text: str) -> None:
        process.out(f"{text}\n")

    ignored = parsed.all("--ignore-preflight-errors") + list(
        configuration.registration.get("ignorePreflightErrors") or []
    )
    say("[preflight] Running pre-flight checks")
    report(process, join_checks(machine, configuration, version), ignored, version)
    discovery = configuration.join["discovery"].get("bootstrapToken")
    if not discovery:
        raise NotSimulated("kubeadm join with a discovery file")
    found = _discover(machine, discovery)
    token = configuration.join["discovery"].get("tlsBootstrapToken") or discovery["token"]
    for line in reading_configuration("preflight", version):
        say(line)
    kubelet = _kubelet_configuration(machine, found, str(token), version)
    node = configuration.registration["name"]
    machine.write_file(f"{files.PKI}/ca.crt", found.authority)
    files.write_kubelet_files(machine, configuration, kubelet, version, say)
    files.write_node_credentials(
        machine, found.cluster.authority, node, "default-cluster", found.server
    )
    say("[kubelet-start] Starting the kubelet")
    machine.cluster, machine.node_name = found.cluster, node
    try:
        machine.units.restart("kubelet.service")
    except UnitError as error:
        raise in_phase("kubelet-start", f"couldn't start the kubelet: {error}") from error
    if minor(version) >= 30:
        say(
            "[kubelet-check] Waiting for a healthy kubelet at http://127.0.0.1:10248/healthz. This can take up"
            " to 4m0s"
        )
    if not machine.kubelet_running():
        process.out(unhealthy_kubelet())
        raise in_phase("kubelet-start", "error uploading crisocket: Unauthorized")
    if minor(version) >= 30:
        say("[kubelet-check] The kubelet is healthy after 501.1ms")
    more = "" if minor(version) >= 31 else "..."
    say(f"[kubelet-start] Waiting for the kubelet to perform the TLS Bootstrap{more}")
    taints = configuration.registration.get("taints") or []
    machine.kubelet = Kubelet(
        found.cluster, machine, register_taints=taints, register_labels=machine.node_labels()
    )
    machine.kubelet.start(found.cluster)
    if not found.cluster.wait_until(lambda: found.cluster.object("nodes", node) is not None, 10):
        raise in_phase("kubelet-start", f'nodes "{node}" not found')
    if minor(version) < 35:
        annotate_socket(found.cluster, node, configuration.registration["criSocket"])
    process.out(
        "\nThis node has joined the cluster:\n"
        "* Certificate signing request was sent to apiserver and a response was received.\n"
        "* The Kubelet was informed of the new secure connection details.\n\n"
        "Run 'kubectl get nodes' on the control-plane to see this node join the cluster.\n\n"
    )
    return 0


SIGNATURE_SECONDS = 3.0
"""How long a token's signature is waited for; the real kubeadm asks again for five minutes."""


def _cluster_info(machine: LinuxMachine, endpoint: str) -> Object:
    """Ask a control plane, which nobody vouches for yet, what it is."""
    url = f"https://{endpoint}/api/v1/namespaces/kube-public/configmaps/cluster-info"
    try:
        response = send(machine, "GET", f"{url}?timeout=10s", {}, verify=False)
    except WebError as error:
        host, _, port = endpoint.rpartition(":")
        why = {
            "name": f"dial tcp: lookup {host}: no such host",
            "refused": f"dial tcp {error.address}:{port}: connect: connection refused",
            "timeout": f"dial tcp {error.address}:{port}: i/o timeout",
            "unreachable": f"dial tcp {error.address}:{port}: connect: no route to host",
        }.get(error.kind, str(error))
        raise in_phase(
            "preflight",
            "couldn't validate the identity of the API Server: failed to request the cluster-info ConfigMap:"
            f' Get "{url}?timeout=10s": {why}',
        ) from error
    found: Object = json.loads(response.body) if response.status == 200 else {}
    return found.get("data") or {}


def _discover(machine: LinuxMachine, discovery: Object) -> _Discovered:
    endpoint = discovery["apiServerEndpoint"]
    identifier = discovery["token"].partition(".")[0]
    end = time.monotonic() + SIGNATURE_SECONDS
    data = _cluster_info(machine, endpoint)
    while f"jws-kubeconfig-{identifier}" not in data:
        # The control plane signs for a new token a moment after it was made.
        if time.monotonic() >= end:
            raise in_phase(
                "preflight",
                "couldn't validate the identity of the API Server: could not find a JWS signature in the cluster-info"
                f' ConfigMap for token ID "{identifier}"',
            )
        time.sleep(0.1)
        data = _cluster_info(machine, endpoint)
    kubeconfig = yaml.safe_load(data["kubeconfig"])
    entry = kubeconfig["clusters"][0]["cluster"]
    authority = base64.b64decode(entry["certificate-authority-data"])
    _check_pin(discovery, authority)
    address, port = (
        machine.network.resolve(machine, endpoint.rpartition(":")[0]),
        endpoint.rpartition(":")[2],
    )
    handler = machine.network.open(machine, address, int(port))
    cluster = getattr(handler, "cluster", None)
    if not isinstance(cluster, Cluster):
        raise in_phase("preflight", "couldn't validate the identity of the API Server")
    return _Discovered(str(entry["server"]), authority, cluster)


def _check_pin(discovery: Object, authority: bytes) -> None:
    pins = discovery.get("caCertHashes") or []
    if not pins:
        return
    certificate = x509.load_pem_x509_certificate(authority)
    public = certificate.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    own = f"sha256:{hashlib.sha256(public).hexdigest()}"
    if own not in pins:
        raise in_phase(
            "preflight",
            "couldn't validate the identity of the API Server: cluster CA found in cluster-info ConfigMap is"
            f' invalid: none of the public keys "{own}" are pinned',
        )


def _kubelet_configuration(
    machine: LinuxMachine, found: _Discovered, token: str, version: str
) -> dict[str, Any]:
    """Read the cluster's kubelet configuration with the token, as the API server lets it."""
    url = f"{found.server}/api/v1/namespaces/kube-system/configmaps/{kubelet_config_map(version)}"
    headers = {"authorization": f"Bearer {token}"}
    try:
        response = send(machine, "GET", url, headers, trusted=found.authority)
    except WebError as error:
        raise in_phase(
            "preflight", f"unable to fetch the kubeadm-config ConfigMap: {error}"
        ) from error
    if response.status != 200:
        message = json.loads(response.body).get("message", "")
        raise in_phase(
            "preflight",
            f"unable to fetch the kubeadm-config ConfigMap: failed to get config map: {message}",
        )
    loaded: dict[str, Any] = yaml.safe_load(json.loads(response.body)["data"]["kubelet"])
    return loaded
