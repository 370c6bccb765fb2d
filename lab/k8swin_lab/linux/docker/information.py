"""docker version and docker info."""

from __future__ import annotations

from typing import Any

from k8swin_lab import go_templates
from k8swin_lab.arguments import Options
from k8swin_lab.linux.docker.call import Call, DockerError, images, unescaped
from k8swin_lab.machines.docker_engine import LOG_DRIVERS, DockerEngine

_RELEASES = {
    # API, Go, commit of the client, build date, containerd, runc
    "18": ("1.38", "go1.10.3", "d7080c1", "Wed Feb 20 02:26:51 2019", "v1.1.1", "69663f0bd4b6"),
    "19": ("1.40", "go1.13.15", "99e3ed8919", "Sat Jan 30 03:16:51 2021", "1.4.3", "1.0.0-rc92"),
    "20": ("1.41", "go1.19.7", "a224086", "Tue Apr  4 18:22:36 2023", "1.6.20", "1.1.5"),
    "24": ("1.43", "go1.20.4", "cb74dfc", "Thu May 25 21:52:13 2023", "1.6.21", "1.1.7"),
}
_OPTIONS = Options(values="-f,--format")


def _release(version: str) -> tuple[str, ...]:
    major = version.split(".")[0]
    if version.startswith("18.09"):
        return (
            "1.39",
            "go1.11.13",
            "039a7df9ba",
            "Wed Sep  4 16:51:21 2019",
            "1.2.6",
            "425e105d5a03",
        )
    return _RELEASES.get(major, _RELEASES["24"])


def commit(version: str) -> str:
    """Return the commit that a version was built from."""
    return _release(version)[2]


def _platform(version: str) -> dict[str, Any]:
    api, go, commit, built, _, _ = _release(version)
    return {
        "Version": version,
        "ApiVersion": api,
        "GitCommit": commit,
        "GoVersion": go,
        "Os": "linux",
        "Arch": "amd64",
        "BuildTime": built,
    }


def version(call: Call, words: list[str]) -> int:
    """Run docker version."""
    parsed = _OPTIONS.parse("docker version", words)
    client = {**_platform(call.version), "DefaultAPIVersion": _release(call.version)[0]}
    error: DockerError | None = None
    server: dict[str, Any] | None = None
    try:
        server = {**_platform(call.engine.version), "MinAPIVersion": "1.12", "KernelVersion":
                  call.machine.kernel.release, "Experimental": False}  # fmt: skip
    except DockerError as found:
        error = found
    value = {"Client": client, "Server": server}
    if template := parsed.get("-f"):
        text = "{{json .}}" if template == "json" else unescaped(template)
        if error is not None and ".Server" in text:
            raise error
        call.out(f"{_rendered(text, value)}\n")
    else:
        call.out(_text("Client", client) if server is None else
                 f"{_text('Client', client)}\n{_text('Server', server)}")  # fmt: skip
    if error is not None:
        raise error
    return 0


def _text(title: str, one: dict[str, Any]) -> str:
    indent = " " if title == "Client" else "  "
    head = f"{title}:\n" if title == "Client" else "Server:\n Engine:\n"
    api = one["ApiVersion"]
    if title == "Server":
        api += " (minimum version 1.12)"
    rows = (
        ("Version", one["Version"]),
        ("API version", api),
        ("Go version", one["GoVersion"]),
        ("Git commit", one["GitCommit"]),
        ("Built", one["BuildTime"]),
        ("OS/Arch", f"{one['Os']}/{one['Arch']}"),
        ("Experimental", "false"),
    )
    return head + "".join(f"{indent}{name + ':':<18}{value}\n" for name, value in rows)


def _rendered(template: str, value: Any) -> str:
    try:
        return go_templates.render(template, value)
    except go_templates.TemplateError as error:
        raise DockerError(str(error)) from error


def facts(call: Call, engine: DockerEngine) -> dict[str, Any]:
    """Return what `docker info --format '{{json .}}'` prints."""
    machine, config = call.machine, engine.config
    running = sum(record.running for record in engine.containers)
    _, _, _, _, containerd, runc = _release(engine.version)
    settings = machine.kernel.settings
    registries = config.get("registry-mirrors") or []
    return {
        "ID": "K8SW:LABX:LABX:LABX:LABX:LABX:LABX:LABX:LABX:LABX:LABX:LABX",
        "Containers": len(engine.containers),
        "ContainersRunning": running,
        "ContainersPaused": 0,
        "ContainersStopped": len(engine.containers) - running,
        "Images": len({image.id for image in images(engine).values()}),
        "Driver": engine.storage_driver,
        "DriverStatus": [["Backing Filesystem", "extfs"], ["Supports d_type", "true"],
                         ["Native Overlay Diff", "true"]],
        "Plugins": {
            "Volume": ["local"],
            "Network": ["bridge", "host", "macvlan", "null", "overlay"],
            "Authorization": None,
            "Log": [name for name in LOG_DRIVERS if name != "none"],
        },
        "MemoryLimit": True,
        "SwapLimit": True,
        "IPv4Forwarding": settings.get("net.ipv4.ip_forward") == "1",
        "BridgeNfIptables": settings.get("net.bridge.bridge-nf-call-iptables") == "1",
        "BridgeNfIp6tables": settings.get("net.bridge.bridge-nf-call-ip6tables") == "1",
        "Debug": bool(config.get("debug")),
        "LoggingDriver": engine.log_driver,
        "CgroupDriver": engine.cgroup_driver,
        **({} if engine.version < "20" else {"CgroupVersion": machine.kernel.cgroup[1]}),
        "KernelVersion": machine.kernel.release,
        "OperatingSystem": machine.distribution.pretty,
        "OSType": "linux",
        "Architecture": "x86_64",
        "IndexServerAddress": "https://index.docker.io/v1/",
        "RegistryConfig": {
            "InsecureRegistryCIDRs": ["127.0.0.0/8"],
            "Mirrors": registries,
        },
        "NCPU": machine.kernel.cpus,
        "MemTotal": machine.kernel.memory,
        "DockerRootDir": config.get("data-root") or config.get("graph") or "/var/lib/docker",
        "HttpProxy": "",
        "HttpsProxy": "",
        "NoProxy": "",
        "Name": machine.name,
        "Labels": list(config.get("labels") or []),
        "ExperimentalBuild": False,
        "ServerVersion": engine.version,
        "Runtimes": {"runc": {"path": "runc"}},
        "DefaultRuntime": "runc",
        "Swarm": {"NodeID": "", "NodeAddr": "", "LocalNodeState": "inactive"},
        "LiveRestoreEnabled": bool(config.get("live-restore")),
        "InitBinary": "docker-init",
        "ContainerdCommit": {"ID": containerd, "Expected": containerd},
        "RuncCommit": {"ID": runc, "Expected": runc},
        "SecurityOptions": ["name=apparmor", "name=seccomp,profile=default"],
        "Warnings": None,
    }  # fmt: skip


def info(call: Call, words: list[str]) -> int:
    """Run docker info."""
    parsed = _OPTIONS.parse("docker info", words)
    modern = int(call.version.split(".")[0]) >= 19
    try:
        found = facts(call, call.engine)
    except DockerError as error:
        if not modern:
            raise
        if not parsed.get("-f"):
            call.out("Client:\n Debug Mode: false\n\nServer:\n")
        raise DockerError(f"ERROR: {error}\nerrors pretty printing info") from error
    if template := parsed.get("-f"):
        text = "{{json .}}" if template == "json" else unescaped(template)
        call.out(f"{_rendered(text, found)}\n")
        return 0
    lines = [
        f"Containers: {found['Containers']}",
        f" Running: {found['ContainersRunning']}",
        " Paused: 0",
        f" Stopped: {found['ContainersStopped']}",
        f"Images: {found['Images']}",
        f"Server Version: {found['ServerVersion']}",
        f"Storage Driver: {found['Driver']}",
        *(f" {name}: {value}" for name, value in found["DriverStatus"]),
        f"Logging Driver: {found['LoggingDriver']}",
        f"Cgroup Driver: {found['CgroupDriver']}",
        *([f"Cgroup Version: {found['CgroupVersion']}"] if "CgroupVersion" in found else []),
        "Plugins:",
        f" Volume: {' '.join(found['Plugins']['Volume'])}",
        f" Network: {' '.join(found['Plugins']['Network'])}",
        f" Log: {' '.join(found['Plugins']['Log'])}",
        "Swarm: inactive",
        "Runtimes: runc",
        "Default Runtime: runc",
        "Init Binary: docker-init",
        f"containerd version: {found['ContainerdCommit']['ID']}",
        f"runc version: {found['RuncCommit']['ID']}",
        "Security Options:",
        " apparmor",
        " seccomp",
        "  Profile: default",
        f"Kernel Version: {found['KernelVersion']}",
        f"Operating System: {found['OperatingSystem']}",
        "OSType: linux",
        "Architecture: x86_64",
        f"CPUs: {found['NCPU']}",
        f"Total Memory: {found['MemTotal'] / 1024**3:.4g}GiB",
        f"Name: {found['Name']}",
        f"ID: {found['ID']}",
        f"Docker Root Dir: {found['DockerRootDir']}",
        f"Debug Mode: {str(found['Debug']).lower()}",
        f"Registry: {found['IndexServerAddress']}",
        "Labels:",
        *(f" {label}" for label in found["Labels"]),
        "Experimental: false",
        "Insecure Registries:",
        " 127.0.0.0/8",
        f"Live Restore Enabled: {str(found['LiveRestoreEnabled']).lower()}",
        "",
    ]
    indent = " " if modern else ""
    if modern:
        call.out("Client:\n Debug Mode: false\n\nServer:\n")
    call.out("".join(f"{indent}{line}\n" if line else "\n" for line in lines))
    if not found["BridgeNfIptables"]:
        call.err("WARNING: bridge-nf-call-iptables is disabled\n")
    return 0
