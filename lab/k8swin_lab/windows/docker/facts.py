"""What Docker tells of itself, of images and of containers, in the shapes of its API."""

from __future__ import annotations

import datetime
from typing import Any

from k8swin_lab.internet.pulling import split
from k8swin_lab.machines.windows import WindowsMachine
from k8swin_lab.machines.windows_docker import (
    DockerContainer,
    DockerImage,
    RunningDocker,
    familiar,
    short,
)
from k8swin_lab.machines.windows_network import HnsNetwork


def stamp(seconds: float) -> str:
    """A time as JSON has it."""
    if not seconds:
        return "0001-01-01T00:00:00Z"
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat().replace("+00:00", "Z")


def ago(machine: WindowsMachine, seconds: float) -> str:
    """A time as tables have it: "5 minutes"."""
    passed = max(0, int(machine.now() - seconds))
    if passed < 1:
        return "Less than a second"
    for size, name in ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        if passed >= size:
            count = passed // size
            if count == 1 and name != "second":
                return f"{'About an' if name == 'hour' else 'About a' if name == 'minute' else '1'} {name}".replace(
                    "1 day", "24 hours"
                )
            return f"{count} {name}{'s' if count > 1 else ''}"
    return "Less than a second"


def size_text(size: int) -> str:
    """A size as tables have it: four digits, decimal units."""
    number = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000 or unit == "GB":
            return (
                f"{number:.4g}".rstrip("0").rstrip(".") + unit
                if "." in f"{number:.4g}"
                else f"{number:.4g}{unit}"
            )
        number /= 1000
    return ""


def version(machine: WindowsMachine, client: str, engine: RunningDocker | None) -> dict[str, Any]:
    """What `docker version` knows; Server is None when the engine does not answer."""
    common = {
        "GitCommit": "0000000",
        "Os": "windows",
        "Arch": "amd64",
        "GoVersion": "go1.18.10",
        "BuildTime": "2023-01-19T17:34:14Z",
    }
    return {
        "Client": {"Version": client, "ApiVersion": engine.api_version if engine else "1.41", "DefaultAPIVersion": "1.41",
                   "Context": "default", "Platform": {"Name": "Docker Engine - Community"}, **common},
        "Server": {"Version": engine.version, "ApiVersion": engine.api_version, "MinAPIVersion": "1.24", "Experimental": False,
                   "KernelVersion": kernel(machine), "Platform": {"Name": "Docker Engine - Community"}, **common} if engine else None,
    }  # fmt: skip


def kernel(machine: WindowsMachine) -> str:
    """The kernel as Docker words it."""
    edition = machine.edition
    return f"10.0 {edition.build} ({edition.build}.1.amd64fre)"


def info(machine: WindowsMachine, engine: RunningDocker) -> dict[str, Any]:
    """What `docker info` knows."""
    docker, edition = machine.docker, machine.edition
    release = edition.display_version or edition.release
    containers = list(docker.containers.values())
    running = sum(c.running for c in containers)
    return {
        "ID": f"{machine.machine_guid.upper()}", "Containers": len(containers), "ContainersRunning": running, "ContainersPaused": 0,
        "ContainersStopped": len(containers) - running, "Images": len(docker.images), "Driver": "windowsfilter",
        "DriverStatus": [["Windows", ""]], "SystemStatus": None,
        "Plugins": {"Volume": ["local"], "Network": ["ics", "internal", "l2bridge", "l2tunnel", "nat", "null", "overlay", "private",
                    "transparent"], "Authorization": None, "Log": ["awslogs", "etwlogs", "fluentd", "gcplogs", "gelf", "json-file",
                    "local", "logentries", "splunk", "syslog"]},
        "MemoryLimit": False, "SwapLimit": False, "KernelMemory": False, "Debug": bool(engine.configuration.get("debug")),
        "NFd": -1, "NGoroutines": 27, "LoggingDriver": engine.configuration.get("log-driver", "json-file"), "CgroupDriver": "",
        "NEventsListener": 0, "KernelVersion": kernel(machine),
        "OperatingSystem": f"{edition.product} Version {release} (OS Build {edition.build}.{edition.ubr})",
        "OSVersion": edition.release, "OSType": "windows", "Architecture": "x86_64", "IndexServerAddress":
        "https://index.docker.io/v1/", "NCPU": machine.cpus, "MemTotal": machine.memory_bytes, "DockerRootDir": engine.root,
        "Name": machine.computer_name, "Labels": engine.configuration.get("labels", []), "ExperimentalBuild": False,
        "ServerVersion": engine.version, "DefaultRuntime": "", "Swarm": {"LocalNodeState": "inactive", "ControlAvailable": False},
        "LiveRestoreEnabled": False, "Isolation": "process", "InitBinary": "", "SecurityOptions": [], "Warnings": None,
        "RegistryConfig": {"Mirrors": engine.configuration.get("registry-mirrors", []),
                           "InsecureRegistryCIDRs": ["127.0.0.0/8"]},
        "ClientInfo": {"Debug": False, "Context": "default", "Plugins": [], "Warnings": None},
    }  # fmt: skip


def image(machine: WindowsMachine, engine: RunningDocker, found: DockerImage) -> dict[str, Any]:
    """What `docker image inspect` shows."""
    config = {
        "Hostname": "", "Domainname": "", "User": found.user, "AttachStdin": False, "AttachStdout": False, "AttachStderr": False,
        "Tty": False, "OpenStdin": False, "StdinOnce": False, "Env": found.env or None, "Cmd": found.command or None, "Image": found.parent,
        "Volumes": None, "WorkingDir": found.working_directory, "Entrypoint": found.entrypoint or None, "OnBuild": None,
        "Labels": found.labels or None,
    }  # fmt: skip
    folder = rf"{engine.root}\windowsfilter\{found.layer}"
    return {
        "Id": found.id, "RepoTags": [familiar(tag) for tag in found.tags], "RepoDigests": [familiar(d) for d in found.digests],
        "Parent": found.parent, "Comment": "", "Created": stamp(found.created), "Container": "", "ContainerConfig": config,
        "DockerVersion": "", "Author": "", "Config": config, "Architecture": "amd64", "Os": "windows", "OsVersion": found.os_version,
        "Size": found.size, "VirtualSize": found.size, "GraphDriver": {"Data": {"dir": folder}, "Name": "windowsfilter"},
        "RootFS": {"Type": "layers", "Layers": [f"sha256:{found.layer}"]}, "Metadata": {"LastTagTime": stamp(found.created)},
    }  # fmt: skip


def image_row(machine: WindowsMachine, name: str, found: DockerImage) -> dict[str, Any]:
    """A row of `docker images`; `name` is a reference, or "" for an image without one."""
    repository, tag = split(name) if name else ("<none>", "<none>")
    return {
        "Repository": familiar(repository), "Tag": tag, "ID": short(found.id), "Digest": "<none>",
        "CreatedSince": ago(machine, found.created) + " ago", "CreatedAt": stamp(found.created), "Size": size_text(found.size),
    }  # fmt: skip


def container(machine: WindowsMachine, found: DockerContainer) -> dict[str, Any]:
    """What `docker inspect` shows of a container."""
    words = [*found.command] or [*found.image.entrypoint, *found.image.command]
    networks = {
        found.network: {
            "IPAddress": found.address,
            "NetworkID": "",
            "EndpointID": "",
            "Gateway": "",
            "MacAddress": "",
        }
    }
    return {
        "Id": found.id, "Created": stamp(found.created), "Path": words[0] if words else "", "Args": words[1:],
        "State": {"Status": found.state, "Running": found.running, "Paused": False, "Restarting": False, "OOMKilled": False, "Dead": False,
                  "Pid": 4000 if found.running else 0, "ExitCode": found.code, "Error": found.error, "StartedAt": stamp(found.started),
                  "FinishedAt": stamp(0 if found.running else found.started)},
        "Image": found.image.id, "Name": f"/{found.name}", "RestartCount": 0, "Driver": "windowsfilter", "Platform": "windows",
        "HostConfig": {"NetworkMode": found.network, "AutoRemove": found.auto_remove, "Isolation": found.isolation},
        "Config": {"Hostname": short(found.id), "Image": found.shown_image, "Cmd": found.command or found.image.command or None,
                   "Entrypoint": found.image.entrypoint or None, "Env": found.image.env or None, "Labels": found.labels},
        "NetworkSettings": {"IPAddress": "", "Ports": {}, "Networks": networks},
    }  # fmt: skip


def container_row(machine: WindowsMachine, found: DockerContainer) -> dict[str, Any]:
    """A row of `docker ps`."""
    words = " ".join([*found.command] or [*found.image.entrypoint, *found.image.command])
    text = words if len(words) <= 20 else words[:19] + "\u2026"
    status = f"Up {ago(machine, found.started)}" if found.running else "Created"
    if found.started and not found.running:
        status = f"Exited ({found.code}) {ago(machine, found.started)} ago"
    return {
        "ID": short(found.id), "Image": found.shown_image, "Command": f'"{text}"', "CreatedAt": stamp(found.created),
        "RunningFor": ago(machine, found.created) + " ago", "Ports": "", "State": found.state, "Status": status, "Size": "0B",
        "Names": found.name, "Labels": ",".join(f"{k}={v}" for k, v in found.labels.items()), "Mounts": "", "Networks": found.network,
    }  # fmt: skip


def network(found: HnsNetwork) -> dict[str, Any]:
    """What `docker network inspect` shows."""
    subnets = [
        {"Subnet": s.get("AddressPrefix", ""), "Gateway": s.get("GatewayAddress", "")}
        for s in found.subnets
    ]
    return {
        "Name": found.name, "Id": found.id.replace("-", "").lower() * 2, "Driver": found.kind.lower(), "Scope": "local",
        "EnableIPv6": False, "IPAM": {"Driver": "windows", "Options": None, "Config": subnets}, "Internal": False, "Attachable": False,
        "Containers": {}, "Options": {"com.docker.network.windowsshim.hnsid": found.id}, "Labels": {},
    }  # fmt: skip
