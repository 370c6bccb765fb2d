"""Things that go wrong on purpose, by name: what a test or `k8swin lab fault` can set on a machine."""

from __future__ import annotations

from k8swin_lab.machines.base import Machine
from k8swin_lab.mishaps import MISHAPS, VALUES, NotHere
from k8swin_lab.servers.listener import Faults

KNOWN = {
    "refuse": "refuse connections and reset those there are",
    "silent": "accept connections and never answer",
    "drop": "reset the next connections (VALUE: how many, default 1)",
    "slow": "serve new connections late (VALUE: seconds, default 1)",
    "interrupt": "cut the network for a while (VALUE: seconds, default 5)",
    "lost-address": "the next hand-over of the adapter to the virtual switch loses the static address (VALUE: how often, default 1)",
    "no-network": "the next starts of flanneld.exe make no network and say nothing (VALUE: how many, default 1)",
    "corrupted-download": "the next files from the internet arrive damaged (VALUE: how many, default 1)",
    **{name: text for name, (_, text, _) in MISHAPS.items()},
    "none": "end all of these that end by themselves; what was done to a machine stays until it is put right there",
}
"""`lost-address` and `no-network` are of Windows machines; of what `MISHAPS` are is said there."""


class UnknownFault(Exception):
    """There is no such fault, or its value is not a number; the text lists what there is."""


def apply(machine: Machine, faults: Faults, name: str, value: str | None = None) -> None:
    """Set one fault. A wrong password needs none: a wrong secret does it.

    Raises:
        UnknownFault: the name or the value is not known.
    """
    if name not in KNOWN:
        raise UnknownFault(f"unknown fault `{name}`; known are {', '.join(KNOWN)}")
    if value is not None and (
        name in ("refuse", "silent", "none") or (name in MISHAPS and name not in VALUES)
    ):
        raise UnknownFault(f"fault `{name}` takes no value, found `{value}`")
    if name == "refuse":
        faults.refuse = True
    elif name == "silent":
        faults.silent = True
    elif name == "drop":
        faults.drop = int(_number(name, value, 1))
    elif name == "slow":
        faults.slow = _number(name, value, 1)
    elif name == "interrupt":
        machine.interrupt(_number(name, value, 5))
    elif name in ("lost-address", "no-network"):
        net = getattr(machine, "net", None)
        if machine.os != "windows" or net is None:
            raise UnknownFault(f"fault `{name}` is for a Windows machine, {machine.name} is none")
        attribute = "loses_address" if name == "lost-address" else "silent_starts"
        setattr(net, attribute, int(_number(name, value, 1)))
    elif name == "corrupted-download":
        machine.damaged_downloads = int(_number(name, value, 1))
    elif name in MISHAPS:
        _happen(machine, name, value)
    else:
        machine.damaged_downloads = 0
        if machine.os == "windows":
            machine.net.loses_address = machine.net.silent_starts = 0  # type: ignore[attr-defined]
        faults.refuse = faults.silent = False
        faults.drop, faults.slow = 0, 0.0
        machine.interrupt(0)
    machine.changed()


def _happen(machine: Machine, name: str, value: str | None) -> None:
    """Bring a machine to what `MISHAPS` has by a name."""
    system, _, work = MISHAPS[name]
    if system and machine.os != system:
        raise UnknownFault(
            f"fault `{name}` is for a {system.capitalize()} machine, {machine.name} is none"
        )
    try:
        work(machine, VALUES.get(name, "") if value is None else value)
    except NotHere as error:
        raise UnknownFault(f"fault `{name}`: {error}") from error


def _number(name: str, value: str | None, default: float) -> float:
    try:
        number = default if value is None else float(value)
    except ValueError:
        number = -1
    if number < 0:
        raise UnknownFault(f"fault `{name}`: `{value}` is not a number of zero or more")
    return number
