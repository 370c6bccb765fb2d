"""iptables: policies and rules as they were set; nothing here filters traffic."""

from __future__ import annotations

from typing import Any

from k8swin_nb.lab.linux.files import machine_of
from k8swin_nb.lab.machines.linux import LinuxMachine
from k8swin_nb.lab.machines.program import NotSimulated, Process

_CHAINS = {
    "filter": ("INPUT", "FORWARD", "OUTPUT"),
    "nat": ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"),
    "mangle": ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"),
}
_LONG = {"--append": "-A", "--check": "-C", "--delete": "-D", "--insert": "-I", "--list-rules": "-S",
         "--policy": "-P", "--flush": "-F", "--new-chain": "-N", "--version": "-V", "--list": "-L",
         "--delete-chain": "-X"}  # fmt: skip


def iptables(process: Process, *, version: str = "1.8.9") -> int:
    """Run iptables."""
    words = [_LONG.get(word, word) for word in process.argv[1:]]
    if "-V" in words:
        process.out(f"iptables v{version} (nf_tables)\n")
        return 0
    table = "filter"
    for option in ("-t", "--table"):
        if option in words:
            at = words.index(option)
            table = words[at + 1]
            del words[at : at + 2]
    words = [word for word in words if word not in ("-w", "--wait")]
    if table not in _CHAINS:
        raise NotSimulated(f"iptables -t {table}")
    if process.user != "root":
        process.err(
            f"iptables v{version} (nf_tables): Could not fetch rule set generation id: Permission denied (you must be root)\n"
        )
        return 4
    machine = machine_of(process)
    with machine.lock:
        return _act(process, machine, table, words)


def _state(machine: LinuxMachine, table: str) -> dict[str, Any]:
    return machine.iptables.setdefault(
        table, {"policy": dict.fromkeys(_CHAINS[table], "ACCEPT"), "chains": {}, "rules": []}
    )


def _act(process: Process, machine: LinuxMachine, table: str, words: list[str]) -> int:
    state = _state(machine, table)
    verb, *rest = words or [""]
    known = {*state["policy"], *state["chains"]}
    if verb in ("-A", "-C", "-D", "-I", "-P") and (not rest or rest[0] not in known):
        process.err("iptables: No chain/target/match by that name.\n")
        return 1
    if verb == "-S":
        chains = rest or [*state["policy"], *state["chains"]]
        for chain in chains:
            if chain in state["policy"]:
                process.out(f"-P {chain} {state['policy'][chain]}\n")
            else:
                process.out(f"-N {chain}\n")
        for rule in state["rules"]:
            if rule[0] in chains:
                process.out(f"-A {' '.join(rule)}\n")
        return 0
    if verb == "-P":
        state["policy"][rest[0]] = rest[1]
        return 0
    if verb == "-N":
        state["chains"][rest[0]] = True
        return 0
    if verb == "-X":
        for chain in rest or list(state["chains"]):
            state["chains"].pop(chain, None)
        return 0
    if verb == "-F":
        state["rules"] = [rule for rule in state["rules"] if rest and rule[0] != rest[0]]
        return 0
    if verb == "-A":
        state["rules"].append(rest)
        return 0
    if verb == "-I":
        rule = [rest[0], *rest[2:]] if len(rest) > 1 and rest[1].isdigit() else rest
        state["rules"].insert(0, rule)
        return 0
    if verb in ("-C", "-D"):
        if rest not in state["rules"]:
            process.err("iptables: Bad rule (does a matching rule exist in that chain?).\n")
            return 1
        if verb == "-D":
            state["rules"].remove(rest)
        return 0
    raise NotSimulated(f"iptables {' '.join(words)}".strip())
