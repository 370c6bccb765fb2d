"""Rules between the parameters of a description that need no arithmetic; addresses are the plan's business."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from k8swin_nb.host_description import ssh_problems, winrm_problems
from k8swin_nb.node_fields import CONTROL_PLANE_TAINTS

if TYPE_CHECKING:
    from k8swin_nb.description import Description

NETBIOS_LENGTH = 15
"""A Windows computer name has at most this many characters."""


def rule_problems(description: Description) -> list[str]:
    """Return what contradicts another, in the words of an error."""
    masters = [host.name for host in description.hosts if host.role == "control-plane"]
    problems = []
    if len(masters) != 1:
        more = (
            "; several are not made here: build with one behind a `control_plane_endpoint`, then add the others "
            "with `kubeadm join --control-plane`"
        )
        problems.append(
            f"`hosts` names {len(masters)} control-plane hosts, expected exactly 1{more if masters else ''}"
        )
    return [
        *problems,
        *_hosts(description),
        *_twice(description),
        *_endpoint(description),
        *_nodes(description),
        *_registries(description),
    ]


def _hosts(description: Description) -> Iterator[str]:
    jumps = [jump.name for jump in description.jump_hosts]
    yield from _circles(description)
    for index, name in enumerate(jumps):
        if name in jumps[:index] or any(host.name == name for host in description.hosts):
            yield f"`jump_hosts[{index}].name` `{name}` is given twice"
    jumps += [host.name for host in description.hosts if host.os == "linux"]
    for index, host in enumerate(description.hosts):
        where = f"hosts[{index}]"
        if host.role == "control-plane" and host.os != "linux":
            yield f"`{where}.os` is `{host.os}`; the control plane runs on linux"
        if host.os == "windows" and len(host.name) > NETBIOS_LENGTH:
            yield (
                f"`{where}.name` `{host.name}` has {len(host.name)} characters, "
                f"Windows takes {NETBIOS_LENGTH}"
            )
        if host.os == "windows" and host.name.isdigit():
            yield f"`{where}.name` `{host.name}` is all digits, which Windows refuses"
        for group in set(host.groups) & {other.name for other in description.hosts}:
            yield f"`{where}.groups` names `{group}`, which is a host; choose another name"
        yield from (f"`{where}.{problem}" for problem in ssh_problems(host, jumps))
        yield from (f"`{where}.{problem}" for problem in winrm_problems(host, jumps))


def _circles(description: Description) -> Iterator[str]:
    """Ways through jump hosts that never come to an end, or that lead through one that is not there."""
    through: dict[str, str | None] = {jump.name: jump.ssh_jump for jump in description.jump_hosts}
    for index, jump in enumerate(description.jump_hosts):
        if jump.ssh_jump is not None and jump.ssh_jump not in through:
            yield f"`jump_hosts[{index}].ssh_jump` `{jump.ssh_jump}` is none of `jump_hosts`"
        if jump.identity_passphrase and not jump.identity:
            yield f"`jump_hosts[{index}].identity_passphrase` opens no key: name the private key as `identity`"
    through |= {host.name: host.ssh_jump for host in description.hosts if host.os == "linux"}
    for name in through:
        way, at = [name], through[name]
        while at is not None and at not in way:
            way.append(at)
            at = through.get(at)
        if at == name:
            yield f"`ssh_jump` goes in a circle: {' through '.join([*way, at])}"


def _twice(description: Description) -> Iterator[str]:
    for key in ("name", "address", "vm_name"):
        seen: dict[str, int] = {}
        for index, host in enumerate(description.hosts):
            value = getattr(host, key)
            if key == "vm_name" and host.os == "windows" and host.role == "worker":
                value = value or host.name  # what the Hyper-V host is asked for
            if value is None:
                continue
            same = value.casefold()  # Hyper-V does not tell capitals apart
            if same in seen:
                names = f"{description.hosts[seen[same]].name}, {host.name}"
                yield f"`hosts[{seen[same]}].{key}` and `hosts[{index}].{key}` are both `{value}` ({names})"
            seen.setdefault(same, index)


def _endpoint(description: Description) -> Iterator[str]:
    name = description.control_plane_endpoint.partition(":")[0]
    named = bool(name) and not name.replace(".", "").isdigit()
    if description.control_plane_address and not named:
        yield (
            "`control_plane_address` is given, and `control_plane_endpoint` is no name that it could belong to; "
            "leave it out"
        )
    for index, host in enumerate(description.hosts):
        if host.role != "control-plane" and name in (host.name, host.address):
            yield (
                f"`control_plane_endpoint` `{name}` is `hosts[{index}]` ({host.name}), which is no control plane"
            )
        if host.role == "control-plane" and named and name == host.name:
            address = description.control_plane_address
            if address and address != host.address:
                yield (
                    f"`control_plane_address` {address} is another one than that of {host.name}, whose name "
                    "`control_plane_endpoint` has"
                )


def _nodes(description: Description) -> Iterator[str]:
    for index, host in enumerate(description.hosts):
        where = f"hosts[{index}]"
        given = [name for name in ("labels", "taints", "kubelet_settings") if getattr(host, name)]
        if host.role == "hypervisor" and given:
            yield f"`{where}.{given[0]}`: {host.name} is a hypervisor, which becomes no node"
        seen: dict[tuple[str, str], str] = {}
        for taint in host.taints:
            key_value, _, effect = taint.rpartition(":")
            key = key_value.partition("=")[0]
            if other := seen.get((key, effect)):
                yield f"`{where}.taints` has both `{other}` and `{taint}`: a node has one of a key and effect"
            seen[key, effect] = taint
            if key in CONTROL_PLANE_TAINTS and description.control_plane_workloads:
                yield f"`{where}.taints` has `{taint}`, and `control_plane_workloads` takes it away"
        if host.os == "windows" and description.profile == "classic" and host.kubelet_settings:
            yield (
                f"`{where}.kubelet_settings`: in profile `classic` the kubelet of a Windows worker is told by flags, "
                "which are this tool's; leave it out"
            )


_HUB = ("docker.io", "registry-1.docker.io", "index.docker.io")
"""Names of one registry; images have the first."""


def _registries(description: Description) -> Iterator[str]:
    names = [registry.name for registry in description.registries]
    for index, registry in enumerate(description.registries):
        where = f"registries[{index}]"
        if registry.name in names[:index]:
            yield f"`{where}.name` `{registry.name}` stands there twice; one entry has it all"
        if (registry.user is None) != (registry.credential is None):
            yield f"`{where}` has a `user` or a `credential` alone; a login has both"
        if registry.name in _HUB[1:]:
            yield f"`{where}.name` `{registry.name}` is the host of docker.io: write `docker.io`, as names of images have it"
        if registry.name == "*" and (registry.ca or registry.user):
            yield (
                f"`{where}`: the entry `*` is for all registries, and has `mirrors` alone; an authority and a login stand in the "
                "entry of their host"
            )
        if not (registry.mirrors or registry.ca or registry.user):
            yield f"`{where}` `{registry.name}` has neither `mirrors` nor `ca` nor a login: leave it out"
        if description.profile != "classic":
            continue
        if registry.user or registry.ca:
            yield (
                f"`{where}`: in profile `classic` logins and authorities of registries are left to the site: "
                "`docker login` on each host, or a mirror that asks for none"
            )
        elif any(url.count("/") > 2 for url in registry.mirrors):
            yield f"`{where}.mirrors`: Docker takes a mirror's host alone, without a folder behind it"
        elif registry.mirrors and registry.name != "docker.io":
            yield (
                f"`{where}.mirrors` of `{registry.name}`: Docker has mirrors of docker.io alone; name the mirror in "
                "`image_repository`, `flannel_repository` and `windows_repository`"
            )
