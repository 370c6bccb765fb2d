"""Things that go wrong on purpose, by name: what a test or `k8swin lab fault` can set on a machine."""

from __future__ import annotations

from k8swin_nb.lab.machines.base import Machine
from k8swin_nb.lab.servers.listener import Faults

KNOWN = {
    "refuse": "refuse connections and reset those there are",
    "silent": "accept connections and never answer",
    "drop": "reset the next connections (VALUE: how many, default 1)",
    "slow": "serve new connections late (VALUE: seconds, default 1)",
    "interrupt": "cut the network for a while (VALUE: seconds, default 5)",
    "none": "end all of these",
}


class UnknownFault(Exception):
    """There is no such fault, or its value is not a number; the text lists what there is."""


def apply(machine: Machine, faults: Faults, name: str, value: str | None = None) -> None:
    """Set one fault. A wrong password needs none: a wrong secret does it.

    Raises:
        UnknownFault: the name or the value is not known.
    """
    if name not in KNOWN:
        raise UnknownFault(f"unknown fault `{name}`; known are {', '.join(KNOWN)}")
    if value is not None and name in ("refuse", "silent", "none"):
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
    else:
        faults.refuse = faults.silent = False
        faults.drop, faults.slow = 0, 0.0
        machine.interrupt(0)
    machine.changed()


def _number(name: str, value: str | None, default: float) -> float:
    try:
        number = default if value is None else float(value)
    except ValueError:
        number = -1
    if number < 0:
        raise UnknownFault(f"fault `{name}`: `{value}` is not a number of zero or more")
    return number
