"""ctr.exe's commands about tasks, containers, snapshots and namespaces."""

from __future__ import annotations

from collections.abc import Callable

from k8swin_lab.machines.program import NotSimulated, Process
from k8swin_lab.machines.windows import WindowsMachine
from k8swin_lab.machines.windows_containers import ContainerRecord
from k8swin_lab.windows.machine_of import machine_of

_NAMES = {
    "task": "tasks", "t": "tasks", "tasks": "tasks", "container": "containers", "c": "containers", "containers": "containers",
    "snapshot": "snapshots", "snapshots": "snapshots", "namespace": "namespaces", "ns": "namespaces", "namespaces": "namespaces",
}  # fmt: skip
_LIST = ("ls", "list")
_REMOVE = ("rm", "remove", "delete", "del")


def known(word: str) -> bool:
    """Whether a command of ctr is one of these."""
    return word in _NAMES


def run(process: Process, words: list[str], namespace: str) -> int:
    """Run `ctr TASKS|CONTAINERS|SNAPSHOTS|NAMESPACES VERB ...`."""
    machine, group = machine_of(process), _NAMES[words[0]]
    rest = list(words[1:])
    while group == "snapshots" and rest and rest[0].startswith("--snapshotter"):
        rest = rest[1:] if "=" in rest[0] else rest[2:]
    if not rest:
        process.out(f"NAME:\n   ctr {group} - manage {group}\n")
        return 0
    verb, rest = rest[0], rest[1:]
    kind = "ls" if verb in _LIST else "rm" if verb in _REMOVE else verb
    action = _ACTIONS.get((group, kind))
    if action is None:
        raise NotSimulated(f"ctr.exe {group} {verb}")
    flags = [word for word in rest if word.startswith("-")]
    names = [word for word in rest if not word.startswith("-")]
    odd = [flag for flag in flags if flag not in _FLAGS.get((group, kind), ())]
    if odd:
        process.err(f"ctr: flag provided but not defined: {odd[0]}\n")
        return 1
    return action(process, machine, namespace, names, flags)


def _each(
    process: Process, machine: WindowsMachine, namespace: str, names: list[str], what: str,
    action: Callable[[ContainerRecord], str | None],
) -> int:  # fmt: skip
    code = 0
    for name in names:
        record = machine.containers.record(namespace, name)
        problem = f'{what} "{name}": not found' if record is None else action(record)
        if problem:
            process.err(f"ctr: {problem}\n")
            code = 1
    return code


def _tasks(
    process: Process, machine: WindowsMachine, namespace: str, names: list[str], flags: list[str]
) -> int:
    found = [r for r in machine.containers.records_of(namespace) if r.running]
    if {"-q", "--quiet"} & set(flags):
        process.out("".join(f"{r.id}\n" for r in found))
        return 0
    process.out(
        f"{'TASK':<68}{'PID':<8}STATUS    \n"
        + "".join(f"{r.id:<68}{4000:<8}RUNNING\n" for r in found)
    )
    return 0


def _end(record: ContainerRecord) -> None:
    if record.process is not None and record.running:
        record.process.stop()


def _kill_task(
    process: Process, machine: WindowsMachine, namespace: str, names: list[str], flags: list[str]
) -> int:
    def kill(record: ContainerRecord) -> str | None:
        if record.process is None:
            return f"process {record.id} not found: not found"
        _end(record)
        return None

    return _each(process, machine, namespace, names[-1:], "task", kill)


def _remove_task(
    process: Process, machine: WindowsMachine, namespace: str, names: list[str], flags: list[str]
) -> int:
    forced = bool({"-f", "--force"} & set(flags))

    def remove(record: ContainerRecord) -> str | None:
        if record.running and not forced:
            return "task must be stopped before deletion: running: failed precondition"
        if record.process is None:
            return f"no running task found: task {record.id} not found: not found"
        _end(record)
        record.process = None
        return None

    return _each(process, machine, namespace, names, "task", remove)


def _containers(
    process: Process, machine: WindowsMachine, namespace: str, names: list[str], flags: list[str]
) -> int:
    found = machine.containers.records_of(namespace)
    if {"-q", "--quiet"} & set(flags):
        process.out("".join(f"{r.id}\n" for r in found))
        return 0
    process.out(f"{'CONTAINER':<68}{'IMAGE':<60}RUNTIME                   \n")
    process.out("".join(f"{r.id:<68}{r.image:<60}io.containerd.runhcs.v1\n" for r in found))
    return 0


def _remove_container(
    process: Process, machine: WindowsMachine, namespace: str, names: list[str], flags: list[str]
) -> int:
    def remove(record: ContainerRecord) -> str | None:
        if record.process is not None and record.running:
            return f"cannot delete a non stopped container: {{running 0 0001-01-01 00:00:00 +0000 UTC}}: {record.id}"
        machine.containers.forget(record)
        return None

    return _each(process, machine, namespace, names, "container", remove)


def _snapshots(
    process: Process, machine: WindowsMachine, namespace: str, names: list[str], flags: list[str]
) -> int:
    process.out(f"{'KEY':<72}{'PARENT':<72}KIND      \n")
    for image in {i.id: i for i in machine.containers.namespace(namespace).values()}.values():
        process.out(f"{image.id:<72}{'':<72}Committed\n")
    for record in machine.containers.records_of(namespace):
        process.out(f"{record.id:<72}{'':<72}Active\n")
    return 0


def _remove_snapshot(
    process: Process, machine: WindowsMachine, namespace: str, names: list[str], flags: list[str]
) -> int:
    code = 0
    held = {record.id for record in machine.containers.records_of(namespace)}
    layers = {image.id for image in machine.containers.namespace(namespace).values()}
    for name in names:
        if name in held or name in layers:
            raise NotSimulated(
                "ctr.exe snapshots rm of a snapshot that an image or a container has"
            )
        process.err(f'ctr: failed to remove "{name}": snapshot {name} does not exist: not found\n')
        code = 1
    return code


def _namespaces(
    process: Process, machine: WindowsMachine, namespace: str, names: list[str], flags: list[str]
) -> int:
    found = sorted(
        set(machine.containers.images) | {r.namespace for r in machine.containers.records}
    )
    if {"-q", "--quiet"} & set(flags):
        process.out("".join(f"{name}\n" for name in found))
    else:
        process.out("NAME    LABELS \n" + "".join(f"{name}        \n" for name in found))
    return 0


def _remove_namespace(
    process: Process, machine: WindowsMachine, namespace: str, names: list[str], flags: list[str]
) -> int:
    code = 0
    for name in names:
        if name not in machine.containers.images and not machine.containers.records_of(name):
            process.err(f'ctr: unable to delete {name}: namespace "{name}": not found\n')
            code = 1
            continue
        held = [what for what, there in (
            ("images", machine.containers.namespace(name)), ("containers", machine.containers.records_of(name)),
        ) if there]  # fmt: skip
        if held:
            process.err(f'ctr: unable to delete {name}: namespace "{name}" must be empty, but it still has {", ".join(held)}: failed '
                        "precondition\n")  # fmt: skip
            code = 1
        else:
            machine.containers.images.pop(name, None)
            process.out(name + "\n")
    return code


_Action = Callable[[Process, WindowsMachine, str, list[str], list[str]], int]
_ACTIONS: dict[tuple[str, str], _Action] = {
    ("tasks", "ls"): _tasks, ("tasks", "kill"): _kill_task, ("tasks", "rm"): _remove_task,
    ("containers", "ls"): _containers, ("containers", "rm"): _remove_container,
    ("snapshots", "ls"): _snapshots, ("snapshots", "rm"): _remove_snapshot,
    ("namespaces", "ls"): _namespaces, ("namespaces", "rm"): _remove_namespace,
}  # fmt: skip
_FLAGS = {
    ("tasks", "ls"): ("-q", "--quiet"), ("tasks", "rm"): ("-f", "--force"), ("tasks", "kill"): ("-a", "--all"),
    ("containers", "ls"): ("-q", "--quiet"), ("namespaces", "ls"): ("-q", "--quiet"),
}  # fmt: skip
