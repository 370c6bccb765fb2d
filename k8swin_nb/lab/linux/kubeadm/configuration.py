"""kubeadm's configuration: files and flags, defaults, and what is refused."""

from __future__ import annotations

import copy
import ipaddress
import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from k8swin_nb.lab.internet.catalogue import components
from k8swin_nb.lab.linux.kubeadm.errors import KubeadmError
from k8swin_nb.lab.machines.linux import LinuxMachine

Object = dict[str, Any]

SOCKET = "unix:///var/run/containerd/containerd.sock"
TOKEN = re.compile(r"[a-z0-9]{6}\.[a-z0-9]{16}")
_TIMEOUTS = {
    "controlPlaneComponentHealthCheck": "4m0s",
    "discovery": "5m0s",
    "etcdAPICall": "2m0s",
    "kubeletHealthCheck": "4m0s",
    "kubernetesAPICall": "1m0s",
    "tlsBootstrap": "5m0s",
    "upgradeManifests": "5m0s",
}
_REGISTRATION = (
    "name criSocket taints kubeletExtraArgs ignorePreflightErrors imagePullPolicy imagePullSerial"
)
_FIELDS = {
    "InitConfiguration": {
        "": "apiVersion kind bootstrapTokens dryRun nodeRegistration localAPIEndpoint certificateKey"
        " skipPhases patches timeouts",
        "nodeRegistration": _REGISTRATION,
        "localAPIEndpoint": "advertiseAddress bindPort",
        "patches": "directory",
        "timeouts": " ".join(_TIMEOUTS),
    },
    "ClusterConfiguration": {
        "": "apiVersion kind etcd networking kubernetesVersion controlPlaneEndpoint apiServer"
        " controllerManager scheduler dns proxy certificatesDir imageRepository featureGates"
        " clusterName encryptionAlgorithm certificateValidityPeriod caCertificateValidityPeriod",
        "networking": "serviceSubnet podSubnet dnsDomain",
        "apiServer": "extraArgs extraVolumes extraEnvs certSANs timeoutForControlPlane",
        "controllerManager": "extraArgs extraVolumes extraEnvs",
        "scheduler": "extraArgs extraVolumes extraEnvs",
        "dns": "imageRepository imageTag disabled",
        "proxy": "disabled",
        "etcd": "local external",
    },
    "JoinConfiguration": {
        "": "apiVersion kind nodeRegistration caCertPath discovery controlPlane dryRun skipPhases patches"
        " timeouts",
        "nodeRegistration": _REGISTRATION,
        "discovery": "bootstrapToken file tlsBootstrapToken timeout",
        "timeouts": " ".join(_TIMEOUTS),
        "patches": "directory",
    },
    "ResetConfiguration": {"": "apiVersion kind certificatesDir cleanupTmpDir criSocket dryRun force"
                               " ignorePreflightErrors skipPhases timeouts unmountFlags"},
}  # fmt: skip


@dataclass(slots=True)
class Configuration:
    """The documents of one configuration, defaults filled in."""

    init: Object = field(default_factory=dict)
    cluster: Object = field(default_factory=dict)
    join: Object = field(default_factory=dict)
    kubelet: Object = field(default_factory=dict)
    proxy: Object = field(default_factory=dict)

    @property
    def version(self) -> str:
        """The Kubernetes version, "v1.36.4"."""
        return str(self.cluster["kubernetesVersion"])

    @property
    def registration(self) -> Object:
        found: Object = (self.init or self.join)["nodeRegistration"]
        return found

    @property
    def endpoint(self) -> str:
        """Address and port under which nodes reach the API server."""
        if found := self.cluster.get("controlPlaneEndpoint"):
            return found if ":" in found else f"{found}:{self.bind_port}"
        return f"{self.init['localAPIEndpoint']['advertiseAddress']}:{self.bind_port}"

    @property
    def bind_port(self) -> int:
        return int(self.init["localAPIEndpoint"]["bindPort"])

    def images(self) -> list[str]:
        """Return the images of the control plane in kubeadm's order."""
        repository = self.cluster["imageRepository"]
        version = self.version
        tags = components(version)
        dns = self.cluster.get("dns") or {}
        dns_repository = dns.get("imageRepository") or f"{repository}/coredns"
        return [
            *(f"{repository}/{name}:{version}" for name in (
                "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy")),
            f"{dns_repository}/coredns:{dns.get('imageTag') or tags['coredns']}",
            f"{repository}/pause:{tags['pause']}",
            f"{repository}/etcd:{tags['etcd']}",
        ]  # fmt: skip


def load(text: str) -> dict[str, Object]:
    """Read the documents of a file by kind.

    Raises:
        KubeadmError: what kubeadm says of it.
    """
    found: dict[str, Object] = {}
    unknown = []
    try:
        documents = [one for one in yaml.safe_load_all(text) if one is not None]
    except yaml.YAMLError as error:
        raise KubeadmError(f"error converting YAML to JSON: {error}") from error
    for document in documents:
        version = document.get("apiVersion") if isinstance(document, dict) else None
        kind = document.get("kind") if isinstance(document, dict) else None
        group, _, number = (version or "/").partition("/")
        if not version or not kind:
            raise KubeadmError(
                f"invalid configuration for GroupVersionKind {group}/{number}, Kind={kind or ''}: "
                "kind and apiVersion is mandatory information that must be specified"
            )
        if group == "kubeadm.k8s.io" and number not in ("v1beta4", "v1beta3"):
            unknown.append((group, number, kind))
            continue
        if group == "kubeadm.k8s.io":
            _check_fields(document, group, number, kind)
        if kind in found:
            raise KubeadmError(
                f'invalid configuration: kind "{kind}" is specified twice in YAML file'
            )
        found[kind] = document
    if unknown:
        shown = ", ".join(
            f'schema.GroupVersionKind{{Group:"{group}", Version:"{number}", Kind:"{kind}"}}'
            for group, number, kind in sorted(unknown)
        )
        raise KubeadmError(f"unknown configuration APIs: []schema.GroupVersionKind{{{shown}}}")
    return found


def _check_fields(document: Object, group: str, number: str, kind: str) -> None:
    known = _FIELDS.get(kind)
    if known is None:
        raise KubeadmError(f'no kind "{kind}" is registered for version "{group}/{number}"')
    bad = [name for name in document if name not in known[""].split()]
    for part, names in known.items():
        if part and isinstance(document.get(part), dict):
            bad += [f"{part}.{name}" for name in document[part] if name not in names.split()]
    if bad:
        shown = ", ".join(f'unknown field "{name}"' for name in bad)
        raise KubeadmError(
            f'error unmarshaling configuration schema.GroupVersionKind{{Group:"{group}", '
            f'Version:"{number}", Kind:"{kind}"}}: strict decoding error: {shown}'
        )


def init_configuration(
    machine: LinuxMachine, documents: dict[str, Object], version: str
) -> Configuration:
    """Fill in defaults and validate.

    Args:
        machine: gives the node's name and address.
        documents: as `load` returns them; they are not changed.
        version: of kubeadm, "1.36.4".

    Raises:
        KubeadmError: something is not valid.
    """
    documents = copy.deepcopy(documents)
    init = documents.get("InitConfiguration", {})
    cluster = documents.get("ClusterConfiguration", {})
    _registration(machine, init)
    endpoint = init.setdefault("localAPIEndpoint", {})
    endpoint.setdefault("advertiseAddress", machine.address)
    endpoint.setdefault("bindPort", 6443)
    cluster.setdefault("apiVersion", "kubeadm.k8s.io/v1beta4")
    cluster["apiVersion"] = "kubeadm.k8s.io/v1beta4"
    defaults: Object = {
        "kind": "ClusterConfiguration",
        "apiServer": {},
        "caCertificateValidityPeriod": "87600h0m0s",
        "certificateValidityPeriod": "8760h0m0s",
        "certificatesDir": "/etc/kubernetes/pki",
        "clusterName": "kubernetes",
        "controllerManager": {},
        "dns": {},
        "encryptionAlgorithm": "RSA-2048",
        "etcd": {"local": {"dataDir": "/var/lib/etcd"}},
        "imageRepository": "registry.k8s.io",
        "kubernetesVersion": f"v{version}",
        "proxy": {},
        "scheduler": {},
    }
    for key, value in defaults.items():
        cluster.setdefault(key, value)
    networking = cluster.setdefault("networking", {})
    networking.setdefault("dnsDomain", "cluster.local")
    networking.setdefault("serviceSubnet", "10.96.0.0/12")
    cluster["kubernetesVersion"] = _version(str(cluster["kubernetesVersion"]), version)
    made = Configuration(
        init=init,
        cluster=cluster,
        kubelet=documents.get("KubeletConfiguration", {}),
        proxy=documents.get("KubeProxyConfiguration", {}),
    )
    _validate(made)
    return made


def _registration(machine: LinuxMachine, document: Object) -> None:
    registration = document.setdefault("nodeRegistration", {})
    registration.setdefault("name", machine.name.lower())
    registration.setdefault("criSocket", SOCKET)
    if not re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", registration["name"]):
        raise KubeadmError(
            f'nodeRegistration.name: Invalid value: "{registration["name"]}": a lowercase RFC 1123'
            " subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start"
            " and end with an alphanumeric character (e.g. 'example.com', regex used for validation is"
            " '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
        )


def _version(text: str, own: str) -> str:
    if re.fullmatch(r"(stable|latest)(-\d+(\.\d+)?)?", text):
        return f"v{own}"
    found = re.fullmatch(r"v?(\d+)\.(\d+)\.(\d+)(.*)", text)
    if not found:
        raise KubeadmError(
            f'couldn\'t parse Kubernetes version "{text}": could not parse "{text}" as version'
        )
    minor, mine = int(found[2]), int(own.split(".")[1])
    if minor > mine:
        raise KubeadmError(
            f"this version of kubeadm only supports deploying clusters with the control plane version >= 1.{mine - 1}.0."
            f" Current version: v{text.lstrip('v')}"
            if minor < mine - 1
            else f"version v{text.lstrip('v')} is too high for this kubeadm version v{own}"
        )
    if minor < mine - 1:
        raise KubeadmError(
            f"this version of kubeadm only supports deploying clusters with the control plane version >= 1.{mine - 1}.0. Current version: v{text.lstrip('v')}"
        )
    return f"v{text.lstrip('v')}"


def _validate(made: Configuration) -> None:
    networking = made.cluster["networking"]
    for name in ("podSubnet", "serviceSubnet"):
        text = networking.get(name)
        if not text:
            continue
        for one in str(text).split(","):
            try:
                if "/" not in one:
                    raise ValueError
                ipaddress.ip_network(one, strict=False)
            except ValueError:
                raise KubeadmError(
                    f'networking.{name}: Invalid value: "{text}": couldn\'t parse subnet'
                ) from None
    address = str(made.init["localAPIEndpoint"]["advertiseAddress"])
    try:
        ipaddress.ip_address(address)
    except ValueError:
        raise KubeadmError(
            f'localAPIEndpoint.advertiseAddress: Invalid value: "{address}": ip address is not valid'
        ) from None
    pods, services = networking.get("podSubnet"), networking["serviceSubnet"]
    if pods and ipaddress.ip_network(pods, strict=False).prefixlen > 24:
        raise KubeadmError(
            f'networking.podSubnet: Invalid value: "{pods}": the size of pod subnet with mask '
            f"{ipaddress.ip_network(pods, strict=False).prefixlen} is smaller than the size of node subnet with mask 24"
        )
    if ipaddress.ip_network(services, strict=False).prefixlen < 12:
        raise KubeadmError(
            f'networking.serviceSubnet: Invalid value: "{services}": specified service subnet is too large; '
            "for 32-bit addresses, the mask must be >= 12"
        )
    for token in made.init.get("bootstrapTokens") or []:
        if "token" in token and not TOKEN.fullmatch(str(token["token"])):
            raise KubeadmError(
                f'bootstrapTokens[0].token: Invalid value: "{token["token"]}": the bootstrap token is invalid'
            )


def join_configuration(machine: LinuxMachine, documents: dict[str, Object]) -> Configuration:
    """Fill in the defaults of a join.

    Raises:
        KubeadmError: discovery is missing or not valid.
    """
    join = copy.deepcopy(documents.get("JoinConfiguration", {}))
    _registration(machine, join)
    discovery = join.setdefault("discovery", {})
    token = discovery.get("bootstrapToken")
    if not token and not discovery.get("file"):
        raise KubeadmError('discovery: Invalid value: "": bootstrapToken or file must be set')
    if token:
        if not token.get("apiServerEndpoint"):
            raise KubeadmError('discovery.bootstrapToken.apiServerEndpoint: Required value: ""')
        if not TOKEN.fullmatch(str(token.get("token", ""))):
            raise KubeadmError(
                f'discovery.bootstrapToken.token: Invalid value: "{token.get("token", "")}": '
                "the bootstrap token is invalid"
            )
        if not token.get("caCertHashes") and not token.get("unsafeSkipCAVerification"):
            raise KubeadmError(
                'discovery.bootstrapToken: Invalid value: "": using token-based discovery without'
                " caCertHashes can be unsafe. Set unsafeSkipCAVerification as true in your kubeadm"
                " config file or pass --discovery-token-unsafe-skip-ca-verification flag to continue"
            )
    return Configuration(join=join)


def extra_arguments(registration: Object) -> list[tuple[str, str]]:
    """Return kubeletExtraArgs, which are a list from v1beta4 on and a map before."""
    found = registration.get("kubeletExtraArgs") or []
    if isinstance(found, dict):
        return [(str(key), str(value)) for key, value in found.items()]
    return [(str(one["name"]), str(one["value"])) for one in found]
