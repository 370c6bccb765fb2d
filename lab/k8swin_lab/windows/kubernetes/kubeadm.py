"""kubeadm.exe: version, join and reset of a Windows worker."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from dataclasses import dataclass, field
from typing import Any

import yaml
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from k8swin_lab.kubernetes.tokens import detached_signature
from k8swin_lab.machines.program import NotSimulated, Process
from k8swin_lab.machines.windows import WindowsMachine
from k8swin_lab.machines.windows_services import ServiceError
from k8swin_lab.network import HttpRequest, NetworkError
from k8swin_lab.windows.kubernetes.client_certificate import kubeconfig_text
from k8swin_lab.windows.kubernetes.connection import (
    ConnectionFailed,
    Kubeconfig,
    read_kubeconfig,
    request,
)
from k8swin_lab.windows.kubernetes.flags import FlagError, last, numbers, parse
from k8swin_lab.windows.machine_of import full_path, machine_of

_ETC = r"C:\etc\kubernetes"
_KUBELET = r"C:\var\lib\kubelet"
_GONE = "The system cannot find the path specified."
_PIPE = "npipe:////./pipe/containerd-containerd"
_VERSIONS = (("v1beta1", 13, 21), ("v1beta2", 15, 26), ("v1beta3", 22, 1000), ("v1beta4", 31, 1000))
"""Versions of kubeadm's API, and the first and last minor version of Kubernetes that reads them."""


class _Failed(Exception):
    """What kubeadm prints after `error:`."""


@dataclass(slots=True)
class _Join:
    server: str = ""
    token: str = ""
    tls_token: str = ""
    hashes: list[str] = field(default_factory=list)
    unsafe: bool = False
    name: str = ""
    socket: str = ""
    arguments: list[tuple[str, str]] = field(default_factory=list)
    taints: list[dict[str, Any]] = field(default_factory=list)
    ignored: set[str] = field(default_factory=set)


def kubeadm(process: Process) -> int:
    """kubeadm.exe version, join and reset."""
    machine = machine_of(process)
    words = process.argv[1:]
    verb = next((w for w in words if not w.startswith("-")), "")
    rest = [w for w in words if w != verb] if words[:1] != [verb] else words[1:]
    version = machine.program_version(process)
    if verb == "version":
        if rest in (["-o", "short"], ["-o=short"], ["--output=short"], ["--output", "short"]):
            process.out(f"v{version}\n")
            return 0
        if not rest:
            process.out(
                f'kubeadm version: &version.Info{{Major:"1", Minor:"{version.split(".")[1]}", GitVersion:"v{version}", Platform:"windows/amd64"}}\n'
            )
            return 0
        raise NotSimulated(f"kubeadm.exe version {' '.join(rest)}")
    if verb not in ("join", "reset"):
        raise NotSimulated(f"kubeadm.exe {verb}")
    try:
        flags, arguments = parse(f"kubeadm {verb}", rest)
        if verb == "reset":
            _reset(process, machine, flags)
        else:
            _join(process, machine, _settings(process, machine, flags, arguments))
    except FlagError as error:
        process.err(
            f"error: {error}\nTo see the stack trace of this error execute with --v=5 or higher\n"
        )
        return 1
    except _Failed as error:
        process.err(
            f"error: {error}\nTo see the stack trace of this error execute with --v=5 or higher\n"
        )
        return 1
    return 0


def _settings(
    process: Process, machine: WindowsMachine, flags: dict[str, list[str]], arguments: list[str]
) -> _Join:
    join = _Join(name=machine.computer_name.lower())
    path = last(flags, "--config")
    join.ignored = {
        w.lower() for v in flags.get("--ignore-preflight-errors", []) for w in v.split(",")
    }
    if path:
        if arguments or "--token" in flags or "--discovery-token-ca-cert-hash" in flags:
            raise _Failed(
                "can not mix '--config' with arguments [discovery-token-ca-cert-hash token]"
            )
        _read_configuration(process, machine, path, join)
    else:
        join.server = arguments[0] if arguments else ""
        join.token = last(flags, "--discovery-token") or last(flags, "--token")
        join.tls_token = last(flags, "--tls-bootstrap-token") or last(flags, "--token")
        join.hashes = [
            h for v in flags.get("--discovery-token-ca-cert-hash", []) for h in v.split(",")
        ]
        join.unsafe = last(flags, "--discovery-token-unsafe-skip-ca-verification") == "true"
    join.name = (last(flags, "--node-name") or join.name).lower()
    join.socket = last(flags, "--cri-socket") or join.socket or _PIPE
    if "://" not in join.socket:
        process.err(f'W0101 00:00:00.000000    4000 initconfiguration.go] Usage of CRI endpoints without URL scheme is deprecated. Automatically '
                    f'prepending scheme "npipe" to the "criSocket" with value "{join.socket}".\n')  # fmt: skip
        join.socket = "npipe://" + join.socket
    if not join.token:
        raise _Failed('discovery: Invalid value: "": bootstrapToken or file must be set')
    if not join.server:
        raise _Failed(
            "discovery.bootstrapToken.apiServerEndpoint: Required value: you must specify an API server endpoint"
        )
    if not join.hashes and not join.unsafe:
        raise _Failed(
            'discovery.bootstrapToken: Invalid value: "": using token-based discovery without caCertHashes can be unsafe. Set '
            "unsafeSkipCAVerification as true in your kubeadm config file or pass --discovery-token-unsafe-skip-ca-verification flag to continue"
        )
    return join


def _read_configuration(process: Process, machine: WindowsMachine, path: str, join: _Join) -> None:
    full = full_path(process, path)
    try:
        documents = list(yaml.safe_load_all(machine.files.read(full).decode("utf-8")))
    except OSError as error:
        raise _Failed(
            f'unable to read config from "{path}": open {path}: The system cannot find the file specified.'
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise _Failed(f"error converting YAML to JSON: yaml: {error}") from error
    found = next(
        (d for d in documents if isinstance(d, dict) and d.get("kind") == "JoinConfiguration"), None
    )
    if found is None:
        raise _Failed("no JoinConfiguration found")
    minor = numbers(machine.program_version(process))[1]
    known = [f"kubeadm.k8s.io/{name}" for name, first, end in _VERSIONS if first <= minor <= end]
    if found.get("apiVersion") not in known:
        raise _Failed(
            f'your configuration file uses an unsupported API version "{found.get("apiVersion")}"'
        )
    discovery = found.get("discovery") or {}
    bootstrap = discovery.get("bootstrapToken") or {}
    if discovery.get("file") or found.get("controlPlane"):
        raise NotSimulated("kubeadm.exe join with a discovery file or as a control plane")
    join.server = str(bootstrap.get("apiServerEndpoint", ""))
    join.token = str(bootstrap.get("token", ""))
    join.tls_token = str(discovery.get("tlsBootstrapToken") or join.token)
    join.hashes = [str(h) for h in bootstrap.get("caCertHashes") or []]
    join.unsafe = bool(bootstrap.get("unsafeSkipCAVerification"))
    node = found.get("nodeRegistration") or {}
    join.name = str(node.get("name") or join.name)
    join.socket = str(node.get("criSocket") or "")
    join.taints = list(node.get("taints") or [])
    join.ignored |= {str(w).lower() for w in node.get("ignorePreflightErrors") or []}
    extra = node.get("kubeletExtraArgs") or []
    pairs = extra.items() if isinstance(extra, dict) else [(a["name"], a["value"]) for a in extra]
    join.arguments = [(str(name), str(value)) for name, value in pairs]


def _join(process: Process, machine: WindowsMachine, join: _Join) -> None:
    process.out("[preflight] Running pre-flight checks\n")
    errors = []
    for path in (rf"{_ETC}\kubelet.conf", rf"{_ETC}\bootstrap-kubelet.conf", rf"{_ETC}\pki\ca.crt"):
        if machine.files.exists(path):
            check = "FileAvailable-" + path.removeprefix("C:").replace("\\", "-")
            errors.append((check, f"{path.removeprefix('C:')} already exists"))
    if machine.files.exists(rf"{_ETC}\manifests") and any(
        True for _ in machine.files.list(rf"{_ETC}\manifests")
    ):
        errors.append(
            ("DirAvailable--etc-kubernetes-manifests", r"\etc\kubernetes\manifests is not empty")
        )
    if "containerd-containerd" not in join.socket or machine.containers.containerd is None:
        reason = (
            machine.containers.runtime_ready() or "open: The system cannot find the file specified."
        )
        errors.append(("CRI", f'could not connect to the container runtime: failed to create new CRI runtime service: validate service connection: '
                              f'validate CRI v1 runtime API for endpoint "{join.socket}": {reason}'))  # fmt: skip
    if machine.listening.get(10250) is not None:
        errors.append(("Port-10250", "Port 10250 is in use"))
    if machine.services.find("kubelet") is None:
        process.err("\t[WARNING Service-Kubelet]: kubelet service does not exist\n")
    elif machine.services.start_type("kubelet") != "Automatic":
        process.err(
            "\t[WARNING Service-Kubelet]: kubelet service is not enabled, please run 'Set-Service 'kubelet' -StartupType Automatic'\n"
        )
    fatal = [
        (n, t) for n, t in errors if n.lower() not in join.ignored and "all" not in join.ignored
    ]
    if fatal:
        listed = "".join(f"\t[ERROR {n}]: {t}\n" for n, t in fatal)
        raise _Failed("error execution phase preflight: [preflight] Some fatal errors occurred:\n" + listed +
                      "[preflight] If you know what you are doing, you can make a check non-fatal with `--ignore-preflight-errors=...`")  # fmt: skip
    config = _discover(machine, join)
    process.out('[preflight] Reading configuration from the "kubeadm-config" ConfigMap in namespace "kube-system"...\n'
                "[preflight] Use 'kubeadm init phase upload-config kubeadm --config your-config-file' to re-upload it.\n")  # fmt: skip
    _config_map(
        machine,
        config,
        "kubeadm-config",
        "error execution phase preflight: unable to fetch the kubeadm-config ConfigMap",
    )
    minor = numbers(machine.program_version(process))[1]
    name = "kubelet-config" if minor >= 24 else f"kubelet-config-1.{minor}"
    settings = yaml.safe_load(
        _config_map(machine, config, name, "error execution phase kubelet-start")["data"]["kubelet"]
    )
    _kubelet_start(process, machine, join, config, settings)


_UNKNOWN_SERVER = (
    "error execution phase preflight: couldn't validate the identity of the API Server: "
)


def _cluster_info(machine: WindowsMachine, server: str) -> dict[str, Any]:
    """Ask a control plane, which nobody vouches for yet, what it is."""
    url = f"https://{server}/api/v1/namespaces/kube-public/configmaps/cluster-info?timeout=10s"
    try:
        response = machine.network.http(
            machine, HttpRequest("GET", url, {"accept": "application/json"})
        )
    except NetworkError as error:
        raise _Failed(
            f'{_UNKNOWN_SERVER}failed to request the cluster-info ConfigMap: Get "{url}": dial tcp {server}: {error}'
        ) from error
    if response.status != 200:
        raise _Failed(
            f"{_UNKNOWN_SERVER}failed to request the cluster-info ConfigMap: {response.status}"
        )
    found: dict[str, Any] = yaml.safe_load(response.body)
    return found


_SIGNATURE_SECONDS = 3.0
"""How long a token's signature is waited for; the real kubeadm asks again for five minutes."""


def _discover(machine: WindowsMachine, join: _Join) -> Kubeconfig:
    """Fetch cluster-info, check its signature and the pinned key, and return what to go on with."""
    identifier = join.token.partition(".")[0]
    end = time.monotonic() + _SIGNATURE_SECONDS
    found = _cluster_info(machine, join.server)
    while f"jws-kubeconfig-{identifier}" not in found["data"]:
        # The control plane signs for a new token a moment after it was made.
        if time.monotonic() >= end:
            raise _Failed(
                f'{_UNKNOWN_SERVER}could not find a JWS signature in the cluster-info ConfigMap for token ID "{identifier}"'
            )
        time.sleep(0.1)
        found = _cluster_info(machine, join.server)
    _check_signature(found["data"], join.token)
    cluster = yaml.safe_load(found["data"]["kubeconfig"])["clusters"][0]["cluster"]
    authority = base64.b64decode(cluster["certificate-authority-data"])
    if join.hashes:
        key = x509.load_pem_x509_certificate(authority).public_key()
        digest = hashlib.sha256(
            key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        ).hexdigest()
        if f"sha256:{digest}" not in [h.lower() for h in join.hashes]:
            raise _Failed(
                f'{_UNKNOWN_SERVER}cluster CA found in cluster-info ConfigMap is invalid: none of the public keys "sha256:{digest}" are pinned'
            )
    return Kubeconfig(f"https://{join.server}", authority, join.tls_token)


def _check_signature(data: dict[str, str], token: str) -> None:
    """Hold the cluster-info against the token's secret half, which is never sent."""
    identifier, _, secret = token.partition(".")
    made = detached_signature(data["kubeconfig"], identifier, secret)
    if not hmac.compare_digest(made, data[f"jws-kubeconfig-{identifier}"]):
        raise _Failed(f"{_UNKNOWN_SERVER}failed to verify JWS signature of received cluster info object, can't trust this API Server")  # fmt: skip


def _config_map(
    machine: WindowsMachine, config: Kubeconfig, name: str, head: str
) -> dict[str, Any]:
    try:
        return request(machine, config, "GET", f"/api/v1/namespaces/kube-system/configmaps/{name}")
    except ConnectionFailed as error:
        raise _Failed(f"{head}: failed to get config map: {error}") from error


def _kubelet_start(
    process: Process,
    machine: WindowsMachine,
    join: _Join,
    config: Kubeconfig,
    settings: dict[str, Any],
) -> None:
    phase = "error execution phase kubelet-start: "
    for path, text in (
        (rf"{_ETC}\bootstrap-kubelet.conf", kubeconfig_text(config.server, config.authority, "tls-bootstrap-token-user", token=config.token)),
        (rf"{_ETC}\pki\ca.crt", config.authority.decode()),
    ):  # fmt: skip
        machine.files.make_directory(path.rpartition("\\")[0])
        machine.files.write(path, text.encode())
    if (
        machine.services.find("kubelet") is not None
        and machine.services.state("kubelet") != "Stopped"
    ):
        process.out("[kubelet-start] Stopping the kubelet\n")
        machine.services.stop("kubelet", force=True)
    if not machine.files.exists(_KUBELET):
        raise _Failed(
            rf"{phase}error writing instance config: open \var\lib\kubelet\instance-config.yaml: {_GONE}"
        )
    settings = {
        **settings,
        "containerRuntimeEndpoint": join.socket,
        "staticPodPath": r"C:\etc\kubernetes\manifests",
    }
    settings.setdefault("authentication", {}).setdefault("x509", {})["clientCAFile"] = (
        r"C:\etc\kubernetes\pki\ca.crt"
    )
    instance = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "containerRuntimeEndpoint": join.socket,
    }
    process.out(f'[kubelet-start] Writing kubelet configuration to file "{_KUBELET}\\instance-config.yaml"\n'
                f'[kubelet-start] Applying kubelet configuration patches\n'
                f'[kubelet-start] Writing kubelet configuration to file "{_KUBELET}\\config.yaml"\n'
                f'[kubelet-start] Writing kubelet environment file with flags to file "{_KUBELET}\\kubeadm-flags.env"\n'
                "[kubelet-start] Starting the kubelet\n")  # fmt: skip
    machine.files.write(_KUBELET + r"\instance-config.yaml", yaml.safe_dump(instance).encode())
    machine.files.write(_KUBELET + r"\config.yaml", yaml.safe_dump(settings).encode())
    given = dict(join.arguments)
    words = [f"--hostname-override={given.pop('hostname-override', join.name)}"]
    words += [f"--{name}={value}" for name, value in given.items()]
    if join.taints:
        taints = ",".join(f"{t['key']}={t.get('value', '')}:{t['effect']}" for t in join.taints)
        words.append(f"--register-with-taints={taints}")
    machine.files.write(
        _KUBELET + r"\kubeadm-flags.env", f'KUBELET_KUBEADM_ARGS="{" ".join(words)}"\n'.encode()
    )
    if machine.services.find("kubelet") is not None:
        try:
            machine.services.start("kubelet")
        except ServiceError as error:
            process.err(f"[kubelet-start] WARNING: unable to start the kubelet service: [couldn't start service kubelet: {error}]\n"
                        "[kubelet-start] Please ensure kubelet is reloaded and running manually.\n")  # fmt: skip
    else:
        process.err("[kubelet-start] WARNING: unable to start the kubelet service: [service kubelet does not exist]\n"
                    "[kubelet-start] Please ensure kubelet is reloaded and running manually.\n")  # fmt: skip
    process.out(
        "[kubelet-check] Waiting for a healthy kubelet at http://127.0.0.1:10248/healthz. This can take up to 4m0s\n"
    )
    waited = 0.0
    while 10248 not in machine.listening or not machine.files.exists(rf"{_ETC}\kubelet.conf"):
        if process.cancelled.is_set() or waited >= 240:
            process.out("[kubelet-check] The kubelet is not healthy after 4m0.000s\n")
            raise _Failed(phase + "failed while waiting for the kubelet to start: The HTTP call equal to 'curl -sSL "
                          "http://127.0.0.1:10248/healthz' returned error: context deadline exceeded")  # fmt: skip
        machine.pause(0.25)
        waited += 0.25
    machine.files.remove(rf"{_ETC}\bootstrap-kubelet.conf")
    if numbers(machine.program_version(process))[1] < 35:
        _annotate(process, machine, join)
    process.out("[kubelet-check] The kubelet is healthy after 1.001s\n[kubelet-start] Waiting for the kubelet to perform the TLS Bootstrap\n\n"
                "This node has joined the cluster:\n* Certificate signing request was sent to apiserver and a response was received.\n"
                "* The Kubelet was informed of the new secure connection details.\n\n"
                "Run 'kubectl get nodes' on the control-plane to see this node join the cluster.\n\n")  # fmt: skip


_ANNOTATE_SECONDS = 300


def _annotate(process: Process, machine: WindowsMachine, join: _Join) -> None:
    """Write the runtime's socket at the node, with the kubelet's own credentials, as kubeadm did until 1.34."""
    body = {"metadata": {"annotations": {"kubeadm.alpha.kubernetes.io/cri-socket": join.socket}}}
    waited = 0.0
    while True:
        try:
            config = read_kubeconfig(machine, rf"{_ETC}\kubelet.conf")
            path = f"/api/v1/nodes/{join.name}"
            media = "application/strategic-merge-patch+json"
            request(machine, config, "PATCH", path, body, content_type=media, agent="kubeadm")
            return
        except ConnectionFailed as error:
            if waited >= _ANNOTATE_SECONDS or process.cancelled.is_set():
                raise _Failed(
                    f"error execution phase kubelet-start: error uploading crisocket: {error}"
                ) from error
        machine.pause(0.5)
        waited += 0.5


def _reset(process: Process, machine: WindowsMachine, flags: dict[str, list[str]]) -> None:
    if not any(last(flags, name) == "true" for name in ("-f", "--force")):
        answer = process.stdin.read(1) or b"n"
        process.out("[reset] WARNING: Changes made to this host by 'kubeadm init' or 'kubeadm join' will be reverted.\n"
                    "[reset] Are you sure you want to proceed? [y/N]: ")  # fmt: skip
        if answer.lower() != b"y":
            raise _Failed("error execution phase preflight: aborted reset operation")
    process.out("[preflight] Running pre-flight checks\n[reset] Stopping the kubelet service\n")
    if (
        machine.services.find("kubelet") is not None
        and machine.services.state("kubelet") != "Stopped"
    ):
        machine.services.stop("kubelet", force=True)
    for container in list(machine.containers.running):
        container.stop()
    process.out(
        f"[reset] Deleting contents of directories: [{_ETC}\\manifests {_KUBELET} {_ETC}\\pki]\n"
    )
    for folder in (rf"{_ETC}\manifests", _KUBELET, rf"{_ETC}\pki"):
        if machine.files.exists(folder):
            for info in list(machine.files.list(folder)):
                machine.files.remove(info.path, recursive=True)
    for name in (
        "admin.conf",
        "super-admin.conf",
        "kubelet.conf",
        "bootstrap-kubelet.conf",
        "controller-manager.conf",
        "scheduler.conf",
    ):
        if machine.files.exists(rf"{_ETC}\{name}"):
            machine.files.remove(rf"{_ETC}\{name}")
    process.out(
        "\nThe reset process does not perform cleanup of CNI plugin configuration,\nnetwork filtering rules and kubeconfig files.\n\n"
    )
