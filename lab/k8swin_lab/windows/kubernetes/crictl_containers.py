"""crictl.exe's commands about pods, containers and the removal of images."""

from __future__ import annotations

import json

from k8swin_lab.internet import pulling
from k8swin_lab.machines.program import NotSimulated, Process
from k8swin_lab.machines.windows import WindowsMachine
from k8swin_lab.machines.windows_containers import ContainerRecord
from k8swin_lab.windows.machine_of import machine_of

_NAMESPACE = "k8s.io"
_VERBS = {
    "pods": {"-q": "quiet", "--quiet": "quiet", "-o": "output", "--output": "output", "--name": "name", "--namespace": "namespace",
             "-s": "state", "--state": "state", "--no-trunc": "long"},
    "ps": {"-q": "quiet", "--quiet": "quiet", "-a": "all", "--all": "all", "-o": "output", "--output": "output", "--name": "name",
           "-s": "state", "--state": "state", "--no-trunc": "long"},
    "stop": {"-t": "timeout", "--timeout": "timeout"}, "stopp": {},
    "rm": {"-f": "force", "--force": "force", "-a": "all", "--all": "all"},
    "rmp": {"-f": "force", "--force": "force", "-a": "all", "--all": "all"},
    "rmi": {"-a": "all", "--all": "all", "-q": "prune", "--prune": "prune"},
}  # fmt: skip
_VALUED = ("output", "name", "namespace", "state", "timeout")


def known(verb: str) -> bool:
    """Whether a command of crictl is one of these."""
    return verb in _VERBS


def run(process: Process, verb: str, words: list[str]) -> int:
    """Run one command."""
    machine, options, names = machine_of(process), dict[str, str](), list[str]()
    index = 0
    while index < len(words):
        word, sign, value = words[index].partition("=")
        index += 1
        if not word.startswith("-"):
            names.append(word)
            continue
        clustered = (
            [f"-{letter}" for letter in word[1:]]
            if not word.startswith("--") and len(word) > 2
            else [word]
        )
        for one in clustered:
            meaning = _VERBS[verb].get(one)
            if meaning is None:
                process.err(f"flag provided but not defined: {one}\n")
                return 1
            if meaning in _VALUED and not sign:
                value = words[index]
                index += 1
            options[meaning] = value or "true"
    machine.containers.collect()
    if verb == "rmi":
        return _remove_images(process, machine, options, names)
    pods = verb in ("pods", "stopp", "rmp")
    records = [r for r in machine.containers.records_of(_NAMESPACE) if r.sandbox == pods]
    if verb in ("pods", "ps"):
        return _list(process, records, options, pods=pods)
    chosen: list[ContainerRecord | None] = list(records) if options.get("all") else [
        next((r for r in records if r.id.startswith(name)), None) for name in names]  # fmt: skip
    if not chosen and not options.get("all"):
        process.err("ID cannot be empty\n")
        return 1
    code = 0
    for name, record in zip(names or [""] * len(chosen), chosen, strict=True):
        problem = (
            "not found"
            if record is None
            else _change(machine, verb, record, forced="force" in options)
        )
        if problem:
            process.err(
                f'E0101 00:00:00.000000    1000 remote_runtime.go] "{verb} failed" err="{problem}" id="{record.id if record else name}"\n'
            )
            code = 1
        elif record is not None:
            said = {"stopp": "Stopped sandbox ", "rmp": "Removed sandbox "}.get(verb, "")
            process.out(f"{said}{record.id}\n")
    return code


def _change(machine: WindowsMachine, verb: str, record: ContainerRecord, *, forced: bool) -> str:
    """Do one thing to one container or sandbox; why it cannot be done, or ""."""
    removes = verb in ("rm", "rmp")
    if removes and record.running and not forced:
        kind = "pod sandbox" if record.sandbox else "container"
        return f'{kind} "{record.id}" is running, please stop it first'
    within = [
        r
        for r in machine.containers.records_of(_NAMESPACE)
        if record.sandbox and r.pod_uid == record.pod_uid
    ]
    for one in [*within, record]:
        if one.process is not None and one.running:
            one.process.stop()
    if removes:
        for one in {id(r): r for r in [*within, record]}.values():
            machine.containers.forget(one)
    return ""


def _list(
    process: Process, records: list[ContainerRecord], options: dict[str, str], *, pods: bool
) -> int:
    if not pods and "all" not in options and "state" not in options:
        records = [r for r in records if r.running]
    if "state" in options:
        wanted = options["state"].lower() in ("running", "ready")
        records = [r for r in records if r.running == wanted]
    if "name" in options:
        records = [r for r in records if options["name"] in (r.pod_name if pods else r.name)]
    if "namespace" in options:
        records = [r for r in records if r.pod_namespace == options["namespace"]]
    if "quiet" in options:
        process.out("".join(f"{r.id}\n" for r in records))
        return 0
    if options.get("output") == "json":
        process.out(
            json.dumps(
                {"items" if pods else "containers": [_shown(r, pods) for r in records]}, indent=2
            )
            + "\n"
        )
        return 0
    if options.get("output", "table") != "table":
        raise NotSimulated(f"crictl.exe -o {options['output']}")
    heads = (
        ("POD ID", "CREATED", "STATE", "NAME", "NAMESPACE")
        if pods
        else ("CONTAINER", "IMAGE", "CREATED", "STATE", "NAME", "POD")
    )
    process.out("".join(f"{head:<20}" for head in heads).rstrip() + "\n")
    for r in records:
        state = (
            ("Ready" if r.running else "NotReady")
            if pods
            else ("Running" if r.running else "Exited")
        )
        cells = (
            (r.id[:13], "now", state, r.pod_name, r.pod_namespace)
            if pods
            else (r.id[:13], r.image[-13:], "now", state, r.name, r.pod_name)
        )
        process.out("".join(f"{cell:<20}" for cell in cells).rstrip() + "\n")
    return 0


def _shown(r: ContainerRecord, pods: bool) -> dict[str, object]:
    if pods:
        return {"id": r.id, "metadata": {"name": r.pod_name, "namespace": r.pod_namespace, "uid": r.pod_uid, "attempt": 0},
                "state": "SANDBOX_READY" if r.running else "SANDBOX_NOTREADY", "labels": {}, "annotations": {}}  # fmt: skip
    return {"id": r.id, "podSandboxId": r.sandbox_id, "metadata": {"name": r.name, "attempt": 0}, "image": {"image": r.image},
            "state": "CONTAINER_RUNNING" if r.running else "CONTAINER_EXITED",
            "labels": {"io.kubernetes.pod.name": r.pod_name, "io.kubernetes.pod.namespace": r.pod_namespace}}  # fmt: skip


def _remove_images(
    process: Process, machine: WindowsMachine, options: dict[str, str], names: list[str]
) -> int:
    images = machine.containers.namespace(_NAMESPACE)
    used = {record.image for record in machine.containers.records_of(_NAMESPACE)}
    if "all" in options or "prune" in options:
        names = [name for name in images if "all" in options or name not in used]
    code = 0
    for name in names:
        full = pulling.normalize(name)
        found = [
            n
            for n, i in images.items()
            if n == full or i.id.removeprefix("sha256:").startswith(name.removeprefix("sha256:"))
        ]
        if not found:
            process.err(f'time="2026-01-01T00:00:00Z" level=error msg="no such image {name}"\n')
            code = 1
        for one in found:
            machine.containers.drop_image(_NAMESPACE, one)
            process.out(f"Deleted: {one}\n")
    return code
