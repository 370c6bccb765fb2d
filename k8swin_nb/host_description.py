"""One machine of a cluster's description, and what all of a description's models have in common."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from k8swin_nb.field_types import Address, HostName, Port, Reference, User, VmName, one_line
from k8swin_nb.node_fields import KubeletSettings, Labels, Taint


class StrictModel(BaseModel):
    """Values are checked and never converted, unknown keys refused, texts in one line that can be seen."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        use_attribute_docstrings=True,
        hide_input_in_errors=True,
    )

    @field_validator("*", mode="before")
    @classmethod
    def _in_one_line(cls, value: Any) -> Any:
        return one_line(value)


class HostDescription(StrictModel):
    """One machine under `hosts`."""

    name: HostName
    """Host name and node name, lower-case; at most 15 characters on Windows."""

    address: Address
    """IPv4 address on the hosts' network; becomes the node's InternalIP."""

    os: Literal["linux", "windows"]
    """Operating system; decides between SSH and WinRM."""

    role: Literal["control-plane", "worker", "hypervisor"] = "worker"
    """Exactly one host is the `control-plane`; on a `hypervisor` only MAC address spoofing is set."""

    user: User
    """Login name; on Linux it may use sudo without a password, on Windows it is an administrator."""

    ssh_port: Port = 22
    """TCP port of the SSH server (Linux)."""

    identity: str | None = None
    """Path of the private key for SSH; None: the SSH agent."""

    ssh_password: Reference | None = Field(default=None, repr=False)
    """Reference to the SSH password where no key is used."""

    winrm_scheme: Literal["https", "http"] = "https"
    """`https` verifies the server's certificate; `http` is NTLM with message encryption."""

    winrm_port: Port = 5986
    """TCP port of the WinRM listener: 5986 for https, 5985 for http as Windows ships it."""

    winrm_auth: Literal["ntlm", "basic"] = "ntlm"
    """Authentication; `basic` is refused over http."""

    credential: Reference | None = Field(default=None, repr=False)
    """Reference to the password of `user` on Windows, such as `env:WIN_PASSWORD`."""

    ca: str | None = None
    """Path of the certificate authority that signed the WinRM listener's certificate; None: the public ones."""

    vm_name: VmName | None = None
    """The worker's name on the Hyper-V host, when it differs from `name`."""

    platform: Literal["hyper-v", "vmware", "kvm", "openstack", "cloud", "physical"] | None = None
    """What the machine runs on; None: found out. Decides what must be done against anti-spoofing."""

    labels: Labels = Field(default={})
    """Labels of the node, by key; those that others gave it stay."""

    taints: list[Taint] = Field(default=[])
    """Taints of the node, each `KEY=VALUE:EFFECT`; those that others gave it stay."""

    kubelet_settings: KubeletSettings = Field(default={})
    """Settings of this node's kubelet, before the cluster's `kubelet_settings`."""
