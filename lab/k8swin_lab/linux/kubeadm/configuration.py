"""kubeadm's configuration: files and flags, defaults, and what is refused."""

from __future__ import annotations

import copy
import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import yaml

from k8swin_lab.linux.kubeadm import versions
from k8swin_lab.linux.kubeadm.errors import KubeadmError
from k8swin_lab.linux.words import klog
from k8swin_lab.machines.linux import LinuxMachine

Object = dict[str, Any]

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
        etcd = (self.cluster.get("etcd") or {}).get("local") or {}
        repository = str(self.cluster["imageRepository"])
        return versions.images(self.version, repository, self.cluster.get("dns") or {}, etcd)


def load(text: str, version: str, warn: Callable[[str], object]) -> dict[str, Object]:
    """Read the documents of a file by kind.

    Args:
        text: YAML.
        version: of kubeadm, "1.36.4".
        warn: takes lines for standard error.

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
        stated = document.get("apiVersion") if isinstance(document, dict) else None
        kind = document.get("kind") if isinstance(document, dict) else None
        group, _, number = (stated or "/").partition("/")
        if not stated or not kind:
            raise KubeadmError(
                f"invalid configuration for GroupVersionKind {group}/{number}, Kind={kind or ''}: "
                "kind and apiVersion is mandatory information that must be specified"
            )
        if group == "kubeadm.k8s.io" and not versions.reads(number, version):
            unknown.append((group, number, kind))
            continue
        if group == "kubeadm.k8s.io":
            if versions.is_deprecated(number, version):
                warn(klog("W", "common.go:77", _DEPRECATED.format(f"{group}/{number}")))
            _check_fields(document, group, number, kind, version, warn)
        if kind in found:
            raise KubeadmError(
                f'invalid configuration: kind "{kind}" is specified twice in YAML file'
            )
        found[kind] = document
    if unknown and versions.minor(version) < 22:
        first = unknown[0]
        raise KubeadmError(
            f'could not convert cfg to an internal cfg: no kind "{first[2]}" is registered for version '
            f'"{first[0]}/{first[1]}" in scheme "k8s.io/kubernetes/cmd/kubeadm/app/apis/kubeadm/scheme/scheme.go:31"'
        )
    if unknown:
        shown = ", ".join(
            f'schema.GroupVersionKind{{Group:"{group}", Version:"{number}", Kind:"{kind}"}}'
            for group, number, kind in sorted(unknown)
        )
        raise KubeadmError(f"unknown configuration APIs: []schema.GroupVersionKind{{{shown}}}")
    return found


_DEPRECATED = (
    'your configuration file uses a deprecated API spec: "{}". Please use \'kubeadm config migrate'
    " --old-config old.yaml --new-config new.yaml', which will write the new, similar spec using a newer"
    " API version."
)
# What an API version does not have yet, or not any more, beside what `_FIELDS` says.
_LATER: dict[str, set[str]] = {
    "v1beta4": {"timeouts", "extraEnvs", "encryptionAlgorithm", "certificateValidityPeriod",
                "caCertificateValidityPeriod", "proxy", "disabled", "imagePullSerial", "dryRun"},
    "v1beta3": {"skipPhases", "patches", "imagePullPolicy"},
    "v1beta2": {"certificateKey", "ignorePreflightErrors"},
}  # fmt: skip
_EARLIER: dict[str, set[str]] = {
    "v1beta1": {"useHyperKubeImage", "dns.type"},
    "v1beta2": {"useHyperKubeImage", "dns.type"},
    "v1alpha3": {"useHyperKubeImage", "dns.type"},
}


def _names(number: str, part: str, names: str) -> set[str]:
    """Return the fields that a part has in an API version."""
    found = set(names.split())
    for later, fields in _LATER.items():
        if number < later:
            found -= fields
    if number == "v1beta4":
        found -= {"timeoutForControlPlane", "timeout"}
    for name in _EARLIER.get(number, set()):
        where, _, own = name.rpartition(".")
        if where == part:
            found.add(own)
    return found


def _check_fields(
    document: Object,
    group: str,
    number: str,
    kind: str,
    version: str,
    warn: Callable[[str], object],
) -> None:
    known = _FIELDS.get(kind)
    if known is None or (kind == "ResetConfiguration" and number < "v1beta4"):
        if kind == "ClusterStatus" and number < "v1beta3":
            return
        raise KubeadmError(f'no kind "{kind}" is registered for version "{group}/{number}"')
    bad = [name for name in document if name not in _names(number, "", known[""])]
    for part, names in known.items():
        if part and isinstance(document.get(part), dict):
            allowed = _names(number, part, names)
            bad += [f"{part}.{name}" for name in document[part] if name not in allowed]
    _check_arguments(document, number)
    if not bad:
        return
    where = (
        f'error unmarshaling configuration schema.GroupVersionKind{{Group:"{group}", '
        f'Version:"{number}", Kind:"{kind}"}}: '
    )
    if versions.minor(version) >= 25:
        shown = ", ".join(f'unknown field "{name}"' for name in bad)
        raise KubeadmError(f"{where}strict decoding error: {shown}")
    # Until 1.24 kubeadm only says so, and goes on without the field.
    name = bad[0].rpartition(".")[2]
    text = f'error unmarshaling JSON: while decoding JSON: json: unknown field "{name}"'
    warn(klog("W", "strict.go:54", where + text))


def _check_arguments(document: Object, number: str) -> None:
    """Refuse extra arguments of the wrong shape: a list from v1beta4 on, a map before."""
    places = {
        "nodeRegistration.kubeletExtraArgs": (document.get("nodeRegistration") or {}).get(
            "kubeletExtraArgs"
        ),
        **{
            f"{part}.extraArgs": (document.get(part) or {}).get("extraArgs")
            for part in ("apiServer", "controllerManager", "scheduler")
            if isinstance(document.get(part), dict)
        },
    }
    for place, value in places.items():
        wanted = list if number >= "v1beta4" else dict
        if value is not None and not isinstance(value, wanted):
            found = "array" if isinstance(value, list) else "object"
            shape = f"[]{number}.Arg" if wanted is list else "map[string]string"
            raise KubeadmError(
                f"json: cannot unmarshal {found} into Go struct field"
                f" {document['kind']}.{place} of type {shape}"
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
    _registration(machine, init, version)
    endpoint = init.setdefault("localAPIEndpoint", {})
    endpoint.setdefault("advertiseAddress", machine.address)
    endpoint.setdefault("bindPort", 6443)
    api = versions.own_api(version)
    cluster["apiVersion"] = f"kubeadm.k8s.io/{api}"
    _convert_arguments(cluster, api)
    for key, value in _cluster_defaults(api, version).items():
        cluster.setdefault(key, value)
    if api < "v1beta4":
        server = cluster["apiServer"] = dict(cluster.get("apiServer") or {})
        server.setdefault("timeoutForControlPlane", "4m0s")
        server["extraArgs"] = {"authorization-mode": "Node,RBAC", **(server.get("extraArgs") or {})}
    if api < "v1beta3":
        cluster["dns"] = {"type": "CoreDNS", **(cluster.get("dns") or {})}
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


def _cluster_defaults(api: str, version: str) -> Object:
    found: Object = {
        "kind": "ClusterConfiguration",
        "apiServer": {},
        "certificatesDir": "/etc/kubernetes/pki",
        "clusterName": "kubernetes",
        "controllerManager": {},
        "dns": {},
        "etcd": {"local": {"dataDir": "/var/lib/etcd"}},
        "imageRepository": versions.image_repository(f"v{version}"),
        "kubernetesVersion": f"v{version}",
        "scheduler": {},
    }
    if api >= "v1beta4":
        found |= {
            "caCertificateValidityPeriod": "87600h0m0s",
            "certificateValidityPeriod": "8760h0m0s",
            "encryptionAlgorithm": "RSA-2048",
            "proxy": {},
        }
    return found


def _convert_arguments(cluster: Object, api: str) -> None:
    """Bring extra arguments into the shape of the API version that is written."""
    for part in ("apiServer", "controllerManager", "scheduler"):
        given = (cluster.get(part) or {}).get("extraArgs")
        if isinstance(given, dict) and api >= "v1beta4":
            pairs = [{"name": name, "value": str(given[name])} for name in sorted(given)]
            cluster[part] = {**cluster[part], "extraArgs": pairs}


def _registration(machine: LinuxMachine, document: Object, version: str) -> None:
    registration = document.setdefault("nodeRegistration", {})
    registration.setdefault("name", machine.name.lower())
    if "criSocket" not in registration:
        registration["criSocket"] = _detected_socket(machine, version)
    elif versions.minor(version) >= 24 and "://" not in registration["criSocket"]:
        registration["criSocket"] = f"unix://{registration['criSocket']}"
    if not re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", registration["name"]):
        raise KubeadmError(
            f'nodeRegistration.name: Invalid value: "{registration["name"]}": a lowercase RFC 1123'
            " subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start"
            " and end with an alphanumeric character (e.g. 'example.com', regex used for validation is"
            " '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
        )


def _detected_socket(machine: LinuxMachine, version: str) -> str:
    """Return the runtime that kubeadm finds; Docker's containerd does not count beside Docker."""
    if versions.minor(version) >= 24:
        return versions.CONTAINERD_SOCKET
    if versions.minor(version) == 13 or machine.exists("/var/run/docker.sock"):
        return versions.DOCKERSHIM_SOCKET
    if machine.exists("/run/containerd/containerd.sock"):
        return "/run/containerd/containerd.sock"
    return versions.DOCKERSHIM_SOCKET


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


def join_configuration(
    machine: LinuxMachine, documents: dict[str, Object], version: str
) -> Configuration:
    """Fill in the defaults of a join.

    Raises:
        KubeadmError: discovery is missing or not valid.
    """
    join = copy.deepcopy(documents.get("JoinConfiguration", {}))
    _registration(machine, join, version)
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
