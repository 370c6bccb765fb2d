"""iptables, ip6tables, iptables-save and iptables-restore: policies, chains and rules as they were set."""

from __future__ import annotations

import copy
import shlex

from k8swin_lab.linux.files import machine_of, read_all
from k8swin_lab.machines.firewall import CHAINS, Firewall, Table
from k8swin_lab.machines.program import NotSimulated, Process

_LONG = {"--append": "-A", "--check": "-C", "--delete": "-D", "--insert": "-I", "--list-rules": "-S",
         "--policy": "-P", "--flush": "-F", "--new-chain": "-N", "--version": "-V", "--list": "-L",
         "--delete-chain": "-X", "--new": "-N", "--jump": "-j", "--goto": "-g", "--zero": "-Z",
         "--table": "-t", "--wait": "-w", "--numeric": "-n", "--verbose": "-v", "--source": "-s",
         "--destination": "-d", "--protocol": "-p", "--proto": "-p", "--in-interface": "-i",
         "--out-interface": "-o", "--match": "-m", "--line-numbers": "--line-numbers"}  # fmt: skip
_NO_CHAIN = "iptables: No chain/target/match by that name.\n"


def _is_legacy(version: str) -> bool:
    """Before 1.8 there was only the kernel's old interface."""
    major, minor = version.split(".")[:2]
    return (int(major), int(minor)) < (1, 8)


def _title(version: str) -> str:
    return f"iptables v{version}" + ("" if _is_legacy(version) else " (nf_tables)")


def iptables(process: Process, *, version: str = "1.8.9") -> int:
    """Run iptables or ip6tables."""
    words = [_LONG.get(word, word) for word in process.argv[1:]]
    if "-V" in words:
        process.out(f"{_title(version)}\n")
        return 0
    table = "filter"
    if "-t" in words:
        at = words.index("-t")
        table = words[at + 1]
        del words[at : at + 2]
    if "-w" in words:
        at = words.index("-w")
        timed = words[at + 1 : at + 2] and words[at + 1].isdigit()
        del words[at : at + (2 if timed else 1)]
    if table not in CHAINS:
        raise NotSimulated(f"iptables -t {table}")
    if code := _refused(process, version, table):
        return code
    machine = machine_of(process)
    firewall = machine.firewall6 if process.argv[0].endswith("ip6tables") else machine.firewall
    with machine.lock:
        return _act(process, firewall.table(table), words)


def _refused(process: Process, version: str, table: str) -> int:
    if process.user == "root":
        return 0
    if _is_legacy(version):
        process.err(
            f"{_title(version)}: can't initialize iptables table `{table}': Permission denied (you must be"
            " root)\nPerhaps iptables or your kernel needs to be upgraded.\n"
        )
        return 3
    process.err(
        f"{_title(version)}: Could not fetch rule set generation id: Permission denied (you must be root)\n"
    )
    return 4


def _act(process: Process, table: Table, words: list[str]) -> int:
    verb, rest = _verb(words)
    if verb in ("-A", "-C", "-D", "-I", "-P") and (not rest or rest[0] not in table.rules):
        process.err(_NO_CHAIN)
        return 1
    if verb in ("-S", "-L", "-F", "-X", "-Z") and rest and not rest[0].startswith("-"):
        if rest[0] not in table.rules:
            process.err(_NO_CHAIN)
            return 1
    elif verb in ("-F", "-X", "-Z", "-S") and rest:
        raise NotSimulated(f"iptables {' '.join(words)}")
    if verb == "-S":
        process.out("".join(f"{line}\n" for line in _listed(table, rest[:1])))
        return 0
    if verb == "-L":
        return _list(process, table, rest)
    if verb == "-P":
        if rest[0] not in table.policies or rest[1:] not in (["ACCEPT"], ["DROP"]):
            process.err("iptables: Bad built-in chain name.\n")
            return 1
        table.policies[rest[0]] = rest[1]
        return 0
    if verb == "-N":
        if not rest or not table.new_chain(rest[0]):
            process.err("iptables: Chain already exists.\n")
            return 1
        return 0
    if verb == "-X":
        return _delete_chains(process, table, rest)
    if verb == "-F":
        for chain in rest or list(table.rules):
            table.rules[chain].clear()
        return 0
    if verb == "-Z":
        return 0  # there are no counters
    return _rule(process, table, verb, rest)


def _verb(words: list[str]) -> tuple[str, list[str]]:
    for at, word in enumerate(words):
        if word in ("-A", "-C", "-D", "-I", "-P", "-S", "-L", "-N", "-X", "-F", "-Z"):
            return word, words[at + 1 :] + [one for one in words[:at] if one != "-n"]
    raise NotSimulated(f"iptables {' '.join(words)}".strip())


def _rule(process: Process, table: Table, verb: str, rest: list[str]) -> int:
    chain, *rule = rest
    rules = table.rules[chain]
    if verb == "-A":
        rules.append(rule)
        return 0
    if verb == "-I":
        place = int(rule.pop(0)) - 1 if rule and rule[0].isdigit() else 0
        if place > len(rules):
            process.err("iptables: Index of insertion too big.\n")
            return 1
        rules.insert(place, rule)
        return 0
    if verb == "-D" and len(rule) == 1 and rule[0].isdigit():
        if not 0 < int(rule[0]) <= len(rules):
            process.err("iptables: Index of deletion too big.\n")
            return 1
        del rules[int(rule[0]) - 1]
        return 0
    if rule not in rules:
        process.err("iptables: Bad rule (does a matching rule exist in that chain?).\n")
        return 1
    if verb == "-D":
        rules.remove(rule)
    return 0


def _delete_chains(process: Process, table: Table, chains: list[str]) -> int:
    for chain in chains or [name for name in table.rules if name not in table.policies]:
        if chain in table.policies:
            process.err(_NO_CHAIN)
            return 1
        if table.rules[chain]:
            process.err("iptables: Directory not empty.\n")
            return 1
        if table.used(chain):
            process.err("iptables: Too many links.\n")
            return 1
    for chain in chains or [name for name in table.rules if name not in table.policies]:
        del table.rules[chain]
    return 0


def _listed(table: Table, only: list[str]) -> list[str]:
    chains = only or [*table.policies, *sorted(set(table.rules) - set(table.policies))]
    lines = [
        f"-P {chain} {table.policies[chain]}" if chain in table.policies else f"-N {chain}"
        for chain in chains
    ]
    return lines + [
        " ".join(["-A", chain, *map(_quoted, rule)])
        for chain in chains
        for rule in table.rules[chain]
    ]


def _quoted(word: str) -> str:
    return f'"{word}"' if " " in word else word


def _list(process: Process, table: Table, rest: list[str]) -> int:
    flags = [word for word in rest if word.startswith("-")]
    if set(flags) - {"-n", "--line-numbers"}:
        raise NotSimulated(f"iptables -L {' '.join(flags)}")
    chains = [word for word in rest if not word.startswith("-")] or [
        *table.policies,
        *sorted(set(table.rules) - set(table.policies)),
    ]
    for number, chain in enumerate(chains):
        note = f"policy {table.policies[chain]}" if chain in table.policies else "0 references"
        process.out(
            ("\n" if number else "") + f"Chain {chain} ({note})\n"
            f"{'num  ' if '--line-numbers' in flags else ''}"
            "target     prot opt source               destination         \n"
        )
        for place, rule in enumerate(table.rules[chain], 1):
            process.out(_line(rule, place if "--line-numbers" in flags else 0))
    return 0


def _line(rule: list[str], place: int) -> str:
    values = {word: rule[at + 1] for at, word in enumerate(rule[:-1]) if word.startswith("-")}
    rest = [
        word
        for at, word in enumerate(rule)
        if word not in ("-s", "-d", "-j", "-p")
        and (at == 0 or rule[at - 1] not in ("-s", "-d", "-j", "-p"))
    ]
    head = f"{place:<5}" if place else ""
    return (
        f"{head}{values.get('-j', ''):<10} {values.get('-p', 'all'):<4} --  "
        f"{values.get('-s', '0.0.0.0/0'):<20} {values.get('-d', '0.0.0.0/0'):<20} {' '.join(rest)}\n"
    )


def iptables_save(process: Process, *, version: str = "1.8.9") -> int:
    """Run iptables-save or ip6tables-save."""
    words = [_LONG.get(word, word) for word in process.argv[1:]]
    if code := _refused(process, version, "filter"):
        return code
    machine = machine_of(process)
    own = machine.firewall6 if "ip6tables" in process.argv[0] else machine.firewall
    with machine.lock:
        if words[:1] == ["-t"] and len(words) == 2:
            process.out(_saved(own, [words[1]], version))
        elif not words:
            process.out(_saved(own, sorted(own.tables), version))
        else:
            raise NotSimulated(f"iptables-save {' '.join(words)}")
    return 0


def _saved(firewall: Firewall, names: list[str], version: str) -> str:
    text = ""
    for name in names:
        table = firewall.table(name)
        lines = [line for line in _listed(table, []) if line.startswith("-A")]
        chains = [
            f":{chain} {table.policies.get(chain, '-')} [0:0]"
            for chain in [*table.policies, *sorted(set(table.rules) - set(table.policies))]
        ]
        body = "\n".join([*chains, *lines])
        text += f"# Generated by iptables-save v{version}\n*{name}\n{body}\nCOMMIT\n# Completed\n"
    return text


def iptables_restore(process: Process, *, version: str = "1.8.9") -> int:
    """Run iptables-restore or ip6tables-restore: each table is changed as a whole, or not at all."""
    words = [word for word in process.argv[1:] if word not in ("-w", "--wait")]
    keeps = {"-n", "--noflush"} & set(words)
    if set(words) - {"-n", "--noflush", "-T"}:
        raise NotSimulated(f"iptables-restore {' '.join(words)}")
    if code := _refused(process, version, "filter"):
        return code
    machine = machine_of(process)
    firewall = machine.firewall6 if "ip6tables" in process.argv[0] else machine.firewall
    # Before the lock is taken: what comes in may be made by a command that needs it too.
    text = read_all(process).decode()
    with machine.lock:
        return _restore(process, firewall, text, keeps=bool(keeps))


def _restore(process: Process, firewall: Firewall, text: str, *, keeps: bool) -> int:
    name = ""
    working: Table | None = None
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        if line.startswith("*"):
            name = line[1:]
            if name not in CHAINS:
                raise NotSimulated(f"iptables-restore {line}")
            working = copy.deepcopy(firewall.table(name))
            if not keeps:
                working = Table(dict.fromkeys(CHAINS[name], "ACCEPT"))
        elif working is None:
            return _line_failed(process, number)
        elif line == "COMMIT":
            firewall.tables[name] = working
            working = None
        elif line.startswith(":"):
            chain, policy, *_ = line[1:].split()
            if chain in working.policies:
                working.policies[chain] = policy
            elif not working.new_chain(chain):
                working.rules[chain].clear()
        else:
            words = [_LONG.get(word, word) for word in shlex.split(line)]
            if words[0].startswith("["):
                words = words[1:]
            if _act(process, working, words):
                return _line_failed(process, number)
    return 0


def _line_failed(process: Process, number: int) -> int:
    process.err(f"iptables-restore: line {number} failed\n")
    return 1
