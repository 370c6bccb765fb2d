"""The typed model of a cluster's description: `params/*.yaml` and the notebooks' parameters cells.

One flat mapping describes a cluster, so that `papermill -f FILE` can inject it as it is. Values are
checked strictly and never repaired: `1.30` that arrived as the number 1.3 cannot be told from 1.3.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    Field,
    PrivateAttr,
    ValidationError,
    model_validator,
)

from k8swin_nb.description_problems import explained, of_a_login
from k8swin_nb.errors import ParamsError
from k8swin_nb.field_types import (
    Address,
    AptSource,
    Attestation,
    DnsNameOrNone,
    Fingerprint,
    ImageOrNone,
    KeyUrl,
    Network,
    NodeName,
    NodePort,
    Port,
    ProxyUrl,
    Repository,
    RepositoryOrNone,
    Version,
    VersionOrNone,
    WholeImage,
)
from k8swin_nb.foreign_documents import refuse_foreign
from k8swin_nb.host_description import HostDescription, JumpDescription, StrictModel
from k8swin_nb.host_rules import rule_problems
from k8swin_nb.node_fields import (
    AddressOrNone,
    CertificateName,
    Endpoint,
    Interface,
    KubeletSettings,
)
from k8swin_nb.reading import Unreadable, expanded, file_text, shown, yaml_document
from k8swin_nb.registry_description import RegistryDescription

_SECRET_NAME = re.compile(
    r"(password|passwd|passwort|passcode|pwd|(^|[-_])pass(word)?[0-9]*|(^|[-_])pw|secret|token|(api|access)[-_]?key)s?$",
    re.IGNORECASE,
)

CLASSIC_DEFAULTS = {
    "kubernetes_version": "1.13.12",
    "flannel_version": "0.11.0",
    "flannel_repository": "quay.io/coreos",
}
"""What profile `classic` means where a description says nothing else: the versions of 2019."""


class Description(StrictModel):
    """A cluster's description. Every field is explained in `params/example.yaml` too."""

    cluster_name: NodeName = "k8swin"
    """Name of the cluster: names its kubeconfig and its records."""

    profile: Literal["current", "classic"] = "current"
    """`current`: containerd and services. `classic`: Docker, as in 2019."""

    kubernetes_version: Version = "1.36.4"
    """Full version in quotes, such as "1.36.4", of kubeadm, kubelet, kubectl and the Windows programs."""

    containerd_version: Version = "2.3.4"
    """Version of containerd on the Windows workers, and the wanted one on Linux."""

    docker_version: Version = "20.10.24"
    """Version of Docker in profile `classic`; 18.06.3 for Kubernetes 1.13 when nothing is given."""

    flannel_version: Version = "0.28.9"
    """Version of flannel on Linux and flanneld.exe on Windows."""

    topology: Literal["host-gw", "l3", "ovn", "vxlan"] = "host-gw"
    """How pods reach other nodes: `host-gw` on one segment, `l3` by the site's router, `vxlan`; `ovn` by others."""

    pod_subnet: Network = "10.244.0.0/16"
    """Pods' network; each node is given a /24 of it."""

    service_subnet: Network = "10.96.0.0/12"
    """Services' network; the DNS and API service addresses are its 10th and 1st."""

    host_subnet: Network = "192.168.160.0/24"
    """The hosts' own network."""

    control_plane_endpoint: Endpoint = ""
    """Name or address by which all reach the API server, with `:PORT` behind a balancer; empty: the master's address."""

    control_plane_address: AddressOrNone = ""
    """Address of that name, written into the hosts' own files; empty: the site's DNS knows the name."""

    api_port: Port = 6443
    """TCP port of the API server on the master."""

    api_certificate_names: list[CertificateName] = Field(default=[])
    """Further names and addresses in the API server's certificate, beside the master's and the endpoint's."""

    control_plane_workloads: bool = False
    """The control plane takes workloads: its taint is removed; False leaves the taint as it is."""

    kubelet_settings: KubeletSettings = Field(default={})
    """Settings of every kubelet, as KubeletConfiguration names them, such as `{maxPods: 200}`."""

    pod_network: Literal["flannel", "calico", "cilium", "other"] = "flannel"
    """Who makes the pod network: `flannel` by 03; else others do, and 03 and 04 look at what they made."""

    flannel_interfaces: list[Interface] = Field(default=[])
    """Interfaces of Linux nodes, the first that is there is flannel's; empty: the one with the node's address."""

    registries: list[RegistryDescription] = Field(default=[])
    """Registries with mirrors, an authority of their own, or a login."""

    site_networks: list[Network] = Field(default=[])
    """Other networks of the site that pods and services must not overlap."""

    anti_spoofing_attested: Attestation = ""
    """Name and date of who let nodes send with their pods' addresses at the hypervisor; empty: nobody."""

    dns_service_ip: Address | None = None
    """Leave unset: derived from `service_subnet`. Set to another value it is refused."""

    worker_service_subnet: Network | None = None
    """Leave unset. A description that gives workers another service network is refused."""

    allow_cgroup_v1: bool = False
    """Accept control groups v1, which Kubernetes refuses from 1.35 on."""

    system_update: bool = False
    """Upgrade the installed packages of each Linux host before anything else is changed there."""

    windows_update: bool = False
    """Install all updates of Windows on a worker first, with as many reboots as they take."""

    defender_exclusions: bool = False
    """Exclude the container runtime and Kubernetes from Microsoft Defender's inspection, if it runs."""

    linux_proxy: ProxyUrl = ""
    """Web proxy of the Linux hosts, such as `http://proxy.example:3128`; empty: what each host's logins or apt use."""

    kubernetes_apt_source: AptSource = ""
    """apt source line of kubeadm, kubelet and kubectl; empty: the community repository of the minor."""

    kubernetes_apt_key: KeyUrl = ""
    """URL of the key that signs `kubernetes_apt_source`; it is put where that line's `signed-by` says."""

    kubernetes_apt_fingerprint: Fingerprint = ""
    """Fingerprint of that key, 40 hexadecimal digits: no other key is taken; with an http URL it is needed."""

    containerd_apt_source: AptSource = ""
    """apt source line of containerd.io; empty: the vendor's repository, `same`: the one above."""

    docker_apt_source: AptSource = ""
    """apt source line of Docker (classic); empty: the vendor's, `same`: Kubernetes', `tarball`: a static build."""

    runtime_apt_key: KeyUrl = ""
    """URL of the key that signs the runtime's source line, `containerd_apt_source` or `docker_apt_source`."""

    runtime_apt_fingerprint: Fingerprint = ""
    """Fingerprint of that key, as `kubernetes_apt_fingerprint`."""

    package_source: Literal["auto", "apt", "tarball"] = "auto"
    """Where kubeadm, kubelet and kubectl come from on Linux; `auto`: tarballs below 1.24 without a mirror."""

    image_repository: Repository = "registry.k8s.io"
    """Registry of the control plane's images, of pause and of the test image agnhost."""

    coredns_repository: RepositoryOrNone = ""
    """Registry and folder of CoreDNS's image; empty: where kubeadm looks, below `image_repository`."""

    flannel_repository: Repository = "ghcr.io/flannel-io"
    """Registry and organisation of flannel's images."""

    windows_repository: Repository = "mcr.microsoft.com/windows"
    """Registry and folder of Microsoft's images servercore and nanoserver."""

    artifacts: str = ""
    """Path of a lock file (name, url, sha256) for the Windows downloads; empty: the built-in pins."""

    linux_artifacts: str = ""
    """Path of a lock file (name, url, sha256 or sha512) for the Linux tarballs; empty: the built-in pins."""

    runtime_test_image: WholeImage = "docker.io/library/hello-world:latest"
    """Image that is run once to prove the container runtime."""

    test_os: Literal["windows", "linux"] = "windows"
    """Operating system of the test app's pods."""

    test_image: ImageOrNone = ""
    """Image of the test app; empty: servercore with the tag of the worker's build, agnhost on Linux."""

    test_node_port: NodePort = 30080
    """Node port of the test app's Service."""

    test_external_name: DnsNameOrNone = ""
    """Name outside the cluster that pods must resolve; empty: the host of `image_repository`."""

    probe_pods: bool = False
    """06 makes pods of its own, for its time, on nodes that have none of the test app."""

    dashboard: bool = False
    """07 installs the Kubernetes Dashboard, whose project has ended; False: it is left out."""

    dashboard_version: VersionOrNone = ""
    """Version of the Dashboard, such as "2.7.0"; empty: the one made for the Kubernetes version."""

    dashboard_repository: Repository = "docker.io/kubernetesui"
    """Registry and organisation of the Dashboard's image."""

    known_hosts: str = ""
    """File of pinned SSH host keys; empty: `.k8swin/known_hosts` in the project's folder."""

    ssh_config: str = ""
    """File of OpenSSH's client that says how Linux hosts are reached where this description does not; empty: none is read."""

    host_key_policy: Literal["strict", "accept-new"] = "strict"
    """`strict` refuses unknown SSH host keys; `accept-new` pins a first-seen key and records that."""

    lock_wait: Annotated[int, Field(ge=0, le=86_400)] = 0
    """Seconds to wait for a host that another operator works on; 0: stop, and say who it is."""

    jump_hosts: list[JumpDescription] = Field(default=[])
    """SSH servers that are passed through on the way to hosts, and otherwise left alone."""

    hosts: list[HostDescription] = Field(min_length=1)
    """All machines; when they are given, `params_file` is not read."""

    _folder: Path | None = PrivateAttr(default=None)
    _given: frozenset[str] | None = PrivateAttr(default=None)

    @property
    def api_endpoint(self) -> str:
        """Host and port under which nodes and people reach the API server, such as `192.168.160.150:6443`."""
        host, _, port = self.control_plane_endpoint.partition(":")
        return f"{host or self._master_address}:{port or self.api_port}"

    @property
    def _master_address(self) -> str:
        return next((host.address for host in self.hosts if host.role == "control-plane"), "")

    @property
    def folder(self) -> Path:
        """Where the description's relative paths start: the folder of its file.

        A description that is no file's has the folder `params` of the project, where descriptions are kept.
        """
        return self._folder or project_root() / "params"

    @property
    def state(self) -> Path:
        """The folder `.k8swin` of the project that the description belongs to: pinned keys, saved plans."""
        return project_root(self.folder) / ".k8swin"

    def path(self, text: str) -> Path:
        """Resolve a path of this description: `~` expands, a relative one starts at `folder`."""
        return self.folder / expanded(text)

    def host_keys(self) -> Path:
        """Return the file of pinned SSH host keys."""
        return self.path(self.known_hosts) if self.known_hosts else self.state / "known_hosts"

    def in_folder(self, folder: Path | None) -> Description:
        """Return the same description with relative paths that start elsewhere."""
        moved = self.model_copy()
        moved._folder = folder.resolve() if folder else None
        return moved

    def as_given(self) -> dict[str, Any]:
        """Return the description without what was left out of it; secrets are references."""
        told = self.model_dump(exclude_unset=True)
        return {k: one for k, one in told.items() if self._given is None or k in self._given}

    @model_validator(mode="before")
    @classmethod
    def _defaults_of_the_profile(cls, values: Any) -> Any:
        """Give what is left out the value that goes with the profile and the Kubernetes version."""
        if not isinstance(values, dict):
            return values
        defaults = dict(CLASSIC_DEFAULTS) if values.get("profile") == "classic" else {}
        filled = defaults | values
        if str(filled.get("kubernetes_version")).startswith("1.13."):
            filled.setdefault("docker_version", "18.06.3")
        return filled


NESTED: dict[str, type[StrictModel]] = {
    "hosts": HostDescription,
    "jump_hosts": JumpDescription,
    "registries": RegistryDescription,
}
"""Parameters that are lists of records, and what each record is."""


def read_description(path: str | Path) -> dict[str, Any]:
    """Read a description as a plain mapping, unchecked.

    Raises:
        ParamsError: when the file is missing, no text, or not a YAML mapping in which each key stands once.
    """
    file = Path(path)
    try:
        text = file_text(file)
    except (OSError, Unreadable, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        hint = "copy `params/example.yaml` and name the copy in `params_file`"
        if isinstance(error, PermissionError):
            hint = "let this account read the file and enter its folder"
        raise ParamsError(
            f"cannot read the parameters file `{file}`: {reason}", hint=hint
        ) from error
    try:
        values = yaml_document(text)
    except Unreadable as error:
        refuse_foreign(text, file)
        raise ParamsError(
            f"`{file}` {error}",
            hint="each key stands once; quote values that hold `:`, `#`, `*`, `!` or `&`",
        ) from None
    if not isinstance(values, dict) or not isinstance(values.get("hosts"), list):
        refuse_foreign(text, file, parsed=True)
    if not isinstance(values, dict):
        kind = {"NoneType": "nothing", "list": "a list"}.get(type(values).__name__, "one value")
        raise ParamsError(
            f"`{file}` holds {kind}, expected a mapping of parameters",
            hint="compare with `params/example.yaml`",
        )
    return values


def open_description(path: str | Path) -> Description:
    """Read and validate a cluster's description; its relative paths start at the file's folder.

    Raises:
        ParamsError: naming every problem of the file.
    """
    file = Path(path)
    return check_description(read_description(file), source=f"`{file.name}`", folder=file.parent)


def check_description(
    values: Mapping[str, Any], *, source: str = "parameters", folder: Path | None = None
) -> Description:
    """Validate a description and report every problem at once.

    Args:
        values: Parameters by name.
        source: Where they come from, for errors.
        folder: Where relative paths start; None: the folder `params` of the project.

    Raises:
        ParamsError: naming each parameter, what it was and what to type.
    """
    refuse_secrets(values, source)
    try:
        description = Description.model_validate(dict(values))
    except ValidationError as error:
        raise ParamsError(
            f"{source}: " + "; ".join(explained(error, values, Description, NESTED)),
            hint="every key is explained in `params/example.yaml`",
        ) from None
    if problems := rule_problems(description):
        hint = "correct the `hosts` in the parameters file"
        raise ParamsError(f"{source}: " + "; ".join(problems), hint=hint)
    described = description.in_folder(folder)
    # Before the profile's own defaults were filled in.
    described._given = frozenset(values)
    return described


def refuse_secrets(values: Mapping[str, Any], source: str) -> None:
    """Refuse parameters that are called as secrets are, at any depth, and repeat nothing of them.

    Raises:
        ParamsError: naming the first one.
    """
    places: list[tuple[Mapping[str, Any], Iterable[str]]] = [(values, Description.model_fields)]
    for key, model in NESTED.items():
        listed = values.get(key)
        records = listed if isinstance(listed, list) else []
        places += [(one, model.model_fields) for one in records if isinstance(one, Mapping)]
    for named, known in places:
        for name in named:
            if name not in known and _SECRET_NAME.search(str(name)) and not of_a_login(str(name)):
                raise ParamsError(
                    f"{source}: `{shown(name)}` looks like a secret, and parameters are no place for one: papermill "
                    "writes them into the executed notebook",
                    hint="give a reference under the host: `credential: env:NAME` or `file:PATH`; delete "
                    "the executed notebook, and change a password that others may have read there",
                )


def check_run_id(text: str) -> str:
    """Return a run's id, which is the name of a folder.

    Raises:
        ParamsError: when it is no plain name.
    """
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}", text):
        raise ParamsError(
            f"`run_id` `{shown(text)}` is no name of a folder: letters, digits, `.`, `-` and `_`, at most 100",
            hint="leave it out for a new one, such as 20261123-205512-7f3a",
        )
    return text


REASON_CHARACTERS = 1000
"""Characters of a reason at most: what is longer belongs into the ticket that it names."""


def check_reason(text: str | None) -> str:
    """Return why a run is made, in one line without spaces around it; empty: nobody said.

    Raises:
        ParamsError: when it is too long to stand in every notebook's first event.
    """
    reason = " ".join((text or "").split())
    if len(reason) > REASON_CHARACTERS:
        raise ParamsError(
            f"`reason` has {len(reason)} characters, expected at most {REASON_CHARACTERS}",
            hint="name the ticket in which the rest stands",
        )
    return reason


def check_sign(text: str | None) -> str | None:
    """Return what a record is signed with; None: what the environment says.

    Raises:
        ParamsError: when it is none of the forms.
    """
    if text is not None and not re.fullmatch(r"(ssh|certificate):\S.*|sigstore", text):
        raise ParamsError(
            f"`sign` is {shown(text)}, expected `ssh:PATH`, `certificate:PATH` or `sigstore`",
            hint="a path starts at the project's folder: `ssh:~/.ssh/id_ed25519`; leave it out to sign nothing",
        )
    return text


def project_root(start: Path | None = None) -> Path:
    """Return the project's folder: the nearest at or above `start` that holds `params/`, else `start`.

    Args:
        start: Where to begin; the working directory when None.

    Raises:
        ParamsError: when that folder is gone.
    """
    try:
        here = (start or Path.cwd()).resolve()
    except (OSError, RuntimeError) as error:
        raise ParamsError(
            f"the {f'folder `{start}`' if start else 'working directory'} is gone, or cannot be entered: {error}",
            hint="change to a folder that is there",
        ) from None
    for folder in (here, *here.parents):
        with contextlib.suppress(OSError):  # not ours to look into
            if (folder / "params").is_dir():
                return folder
    return here


def project_path(text: str) -> Path:
    """Resolve what a person names at work, such as `runs`: a relative path starts at the project's folder."""
    path = expanded(text)
    return path if path.is_absolute() else project_root() / path
