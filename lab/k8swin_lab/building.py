"""What a lab's machines are made of: state from `machines`, with the commands of their systems."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from k8swin_lab.home import Home
from k8swin_lab.network import Network
from k8swin_lab.topology import MachineSpec

if TYPE_CHECKING:
    from k8swin_lab.machines.base import Machine

Build = Callable[[MachineSpec, Network, Home], "Machine"]


def builder(python_bash: bool) -> Build:
    """Return what makes the lab's own machines; `python_bash`: never use the host's bash."""

    def build(spec: MachineSpec, network: Network, home: Home) -> Machine:
        if not network.origins:
            from k8swin_lab.internet import install

            install(network)
        if spec.os == "windows":
            from k8swin_lab.machines.windows import WindowsMachine
            from k8swin_lab.windows.software import windows_software

            return WindowsMachine(
                spec.name,
                spec.address,
                network,
                windows_software(),
                build=spec.build,
                users={spec.user: home.password(spec.name)},
                nic=spec.nic,
            )
        from k8swin_lab.linux.software import linux_software
        from k8swin_lab.machines.linux import LinuxMachine

        root = home.machine_root(spec.name)
        root.mkdir(parents=True)
        machine = LinuxMachine(
            spec.name,
            spec.address,
            network,
            linux_software(python_bash=python_bash),
            root=root,
            user=spec.user,
            distribution=spec.distribution,
        )
        authorize(machine, spec.user, home.public_key())
        return machine

    return build


def authorize(machine: Any, user: str, public_key: str) -> None:
    """Let a key log in as a user, by the file in which sshd looks."""
    passwd = (machine.root / "etc/passwd").read_text().splitlines()
    homes = [fields[5] for fields in (line.split(":") for line in passwd) if fields[0] == user]
    if not homes:
        raise ValueError(f"{machine.name}: no user `{user}` in /etc/passwd")
    folder = machine.root / homes[0].lstrip("/") / ".ssh"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    keys = folder / "authorized_keys"
    keys.write_text(public_key)
    keys.chmod(0o600)
    for path in (folder, keys):
        machine.set_owner("/" + str(path.relative_to(machine.root)), user, user)
