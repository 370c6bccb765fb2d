"""dockerd.exe: its service, its configuration file, and the engine while it runs."""

from __future__ import annotations

import json
from typing import Any

from k8swin_lab.machines.program import NotSimulated, Process
from k8swin_lab.machines.windows_docker import DockerError
from k8swin_lab.machines.windows_services import ServiceError
from k8swin_lab.windows.machine_of import full_path, machine_of

DEFAULT_ROOT = r"C:\ProgramData\docker"
_GONE = "The system cannot find the file specified."
_VALUED = {
    "--service-name": "docker",
    "--config-file": "",
    "--data-root": "",
    "-g": "",
    "--graph": "",
    "--host": "",
    "-H": "",
    "--log-level": "",
    "-l": "",
    "--exec-opt": "",
    "--storage-opt": "",
    "--registry-mirror": "",
    "--insecure-registry": "",
    "--bridge": "",
    "-b": "",
    "--fixed-cidr": "",
    "--group": "",
    "-G": "",
    "--pidfile": "",
    "-p": "",
    "--label": "",
    "--dns": "",
}
_FLAGS = (
    "--register-service",
    "--unregister-service",
    "--run-service",
    "--debug",
    "-D",
    "--experimental",
)
_KEYS = {
    "allow-nondistributable-artifacts", "bridge", "data-root", "debug", "dns", "dns-opts", "dns-search", "exec-opts",
    "experimental", "features", "fixed-cidr", "graph", "group", "hosts", "insecure-registries", "labels", "live-restore",
    "log-driver", "log-level", "log-opts", "max-concurrent-downloads", "max-concurrent-uploads", "mtu", "pidfile", "raw-logs",
    "registry-mirrors", "shutdown-timeout", "storage-driver", "storage-opts", "tls", "tlscacert", "tlscert", "tlskey", "tlsverify",
}  # fmt: skip
_APPLIED = {"bridge", "data-root", "fixed-cidr", "graph", "debug", "log-level", "log-driver", "log-opts", "exec-opts",
            "max-concurrent-downloads", "max-concurrent-uploads", "shutdown-timeout", "experimental", "features", "labels",
            "storage-opts", "group", "insecure-registries", "allow-nondistributable-artifacts", "registry-mirrors"}  # fmt: skip
"""Keys that have their effect, or of whose effect nothing is to be seen in the lab."""


def dockerd(process: Process) -> int:
    """Register or remove the service, or run until stopped."""
    machine = machine_of(process)
    version = machine.program_version(process)
    options: dict[str, list[str]] = {}
    words, index = process.argv[1:], 0
    while index < len(words):
        name, sign, value = words[index].partition("=")
        index += 1
        if name in ("--version", "-v"):
            process.out(f"Docker version {version}, build 0000000\n")
            return 0
        if name in _FLAGS:
            options.setdefault(name, []).append(value or "true")
        elif name in _VALUED:
            if not sign:
                if index >= len(words):
                    process.err(f"flag needs an argument: {name}\nSee 'dockerd --help'.\n")
                    return 125
                value = words[index]
                index += 1
            options.setdefault(name, []).append(value)
        else:
            process.err(f"unknown flag: {name}\nSee 'dockerd --help'.\n")
            return 125
    service = options.get("--service-name", ["docker"])[-1]
    if "--register-service" in options:
        return _register(process, service)
    if "--unregister-service" in options:
        return _unregister(process, service)
    return _run(process, version, options)


def _register(process: Process, service: str) -> int:
    machine = machine_of(process)
    kept = [word for word in process.argv[1:] if not word.startswith("--register-service")]
    quoted = [f'"{word}"' if " " in word else word for word in kept]
    line = " ".join([f'"{process.argv[0]}"', "--run-service", *quoted])
    try:
        machine.services.create(service, line, display_name="Docker Engine", start=2)
    except ServiceError as error:
        process.err(f"{error}\n")
        return 1
    machine.services.set_recovery(
        service, 86400, [("restart", 15000), ("restart", 15000), ("none", 0)]
    )
    machine.registry.create(
        r"HKLM\SYSTEM\CurrentControlSet\Services\EventLog\Application" + "\\" + service
    )
    return 0


def _unregister(process: Process, service: str) -> int:
    machine = machine_of(process)
    try:
        machine.services.delete(service)
    except ServiceError as error:
        process.err(f"{error}\n")
        return 1
    machine.registry.delete(
        r"HKLM\SYSTEM\CurrentControlSet\Services\EventLog\Application" + "\\" + service
    )
    return 0


def _configuration(process: Process, options: dict[str, list[str]]) -> dict[str, Any] | str:
    """The file's content, or what dockerd says of it."""
    machine = machine_of(process)
    given = options.get("--config-file", [""])[-1]
    path = full_path(process, given or rf"{DEFAULT_ROOT}\config\daemon.json")
    if not machine.files.exists(path):
        if given:
            return f"unable to configure the Docker daemon with file {given}: open {given}: {_GONE}"
        return {}
    head = f"unable to configure the Docker daemon with file {path}: "
    content = machine.files.read(path)
    if not content.strip():
        return head + "EOF"
    try:
        found = json.loads(content.decode("utf-8"))
    except ValueError:
        first = content.decode("latin-1").lstrip()[0]
        return head + f"invalid character {first!r} looking for beginning of value"
    if not isinstance(found, dict):
        return head + "json: cannot unmarshal into Go value of type map[string]interface {}"
    unknown = sorted(set(found) - _KEYS)
    if unknown:
        return (
            head
            + f"the following directives don't match any configuration option: {', '.join(unknown)}"
        )
    missing = sorted(set(found) - _APPLIED)
    if missing:
        raise NotSimulated(f"dockerd.exe with `{missing[0]}` in daemon.json")
    for key, flag in (
        ("data-root", "--data-root"),
        ("bridge", "--bridge"),
        ("fixed-cidr", "--fixed-cidr"),
    ):
        if key in found and flag in options:
            return head + (f"the following directives are specified both as a flag and in the configuration file: {key}: "
                           f"(from flag: {options[flag][-1]}, from file: {found[key]})")  # fmt: skip
        if flag in options:
            found[key] = options[flag][-1]
    return found


def _run(process: Process, version: str, options: dict[str, list[str]]) -> int:
    if process.waits:
        return _serve(process)
    machine = machine_of(process)
    service = machine.services.service_of(process)

    def fail(text: str) -> int:
        if service is None:
            process.err(text + "\n")
        else:
            machine.log_event("Application", service, 1, "Error", text)
        return 1

    if machine.docker.engine is not None:
        return fail("failed to start daemon: pid file found, ensure docker is not running or delete "
                    rf"{DEFAULT_ROOT}\docker.pid")  # fmt: skip
    unsupported = [name for name in ("-H", "--host") if name in options]
    if any("npipe" not in value for name in unsupported for value in options[name]):
        raise NotSimulated("dockerd.exe -H with anything but npipe")
    found = _configuration(process, options)
    if isinstance(found, str):
        return fail(found)
    for short, name in (("-b", "bridge"), ("--bridge", "bridge"), ("--fixed-cidr", "fixed-cidr")):
        if short in options:
            found[name] = options[short][-1]
    flag = next((options[n][-1] for n in ("--data-root", "-g", "--graph") if n in options), "")
    root = full_path(
        process, flag or str(found.get("data-root") or found.get("graph") or DEFAULT_ROOT)
    )
    try:
        machine.docker.start(version, root, found)
    except DockerError as error:
        return fail(f"failed to start daemon: {error}")
    entry = machine.processes.of(process)
    machine.files.write(rf"{root}\docker.pid", str(entry.pid if entry else 0).encode())
    if service is not None:
        for text in ("Starting up", "Loading containers: start.", "Loading containers: done.",
                     "Daemon has completed initialization", "API listen on //./pipe/docker_engine"):  # fmt: skip
            machine.log_event("Application", service, 1, "Information", text)
    machine.services.connected(process)
    process.kept["root"] = root
    process.waits = "its end"
    return _serve(process)


def _serve(process: Process) -> int:
    machine, root = machine_of(process), process.kept["root"]
    process.cancelled.wait()
    machine.docker.stop()
    if machine.files.exists(rf"{root}\docker.pid"):
        machine.files.remove(rf"{root}\docker.pid")
    return 0
