"""docker.exe version, info, inspect, network and system."""

from __future__ import annotations

import json
from typing import Any

from k8swin_lab.go_templates import render
from k8swin_lab.machines.program import Process
from k8swin_lab.machines.windows_docker import DockerError
from k8swin_lab.windows.docker import facts
from k8swin_lab.windows.docker.container_commands import prune_containers
from k8swin_lab.windows.docker.image_commands import prune_images
from k8swin_lab.windows.docker.options import Options
from k8swin_lab.windows.docker.shown import engine_of, inspected, show
from k8swin_lab.windows.machine_of import machine_of


def version(process: Process, options: Options) -> int:
    machine = machine_of(process)
    client = machine.program_version(process)
    found = facts.version(machine, client, machine.docker.engine)
    form = options.last("format")
    if form and (form == "json" or machine.docker.engine is not None or ".Server" not in form):
        process.out((json.dumps(found) if form == "json" else render(form, found)) + "\n")
    elif not form:
        for title in ("Client", "Server"):
            entry = found[title]
            if entry is None:
                continue
            process.out(f"{title}: {entry['Platform']['Name']}\n")
            for label, key in (("Version", "Version"), ("API version", "ApiVersion"), ("Go version", "GoVersion"), ("Git commit", "GitCommit"),
                               ("Built", "BuildTime")):  # fmt: skip
                process.out(f" {label + ':':<18}{entry[key]}\n")
            process.out(f" {'OS/Arch:':<18}{entry['Os']}/{entry['Arch']}\n")
            if title == "Client":
                process.out("\n")
    engine_of(process, "version")
    return 0


def info(process: Process, options: Options) -> int:
    machine = machine_of(process)
    found = facts.info(machine, engine_of(process, "info"))
    form = options.last("format")
    if form:
        process.out((json.dumps(found) if form == "json" else render(form, found)) + "\n")
        return 0
    plugins = found["Plugins"]
    process.out(
        f"Client:\n Context:    default\n Debug Mode: false\n\nServer:\n Containers: {found['Containers']}\n  Running: {found['ContainersRunning']}\n"
        f"  Paused: 0\n  Stopped: {found['ContainersStopped']}\n Images: {found['Images']}\n Server Version: {found['ServerVersion']}\n"
        f" Storage Driver: windowsfilter\n  Windows:\n Logging Driver: {found['LoggingDriver']}\n Plugins:\n  Volume: local\n"
        f"  Network: {' '.join(plugins['Network'])}\n  Log: {' '.join(plugins['Log'])}\n Swarm: inactive\n Default Isolation: process\n"
        f" Kernel Version: {found['KernelVersion']}\n Operating System: {found['OperatingSystem']}\n OSType: windows\n Architecture: x86_64\n"
        f" CPUs: {found['NCPU']}\n Total Memory: {found['MemTotal'] / 1024**3:.4g}GiB\n Name: {found['Name']}\n ID: {found['ID']}\n"
        f" Docker Root Dir: {found['DockerRootDir']}\n Debug Mode: {str(found['Debug']).lower()}\n Registry: {found['IndexServerAddress']}\n"
        " Labels:\n Experimental: false\n Insecure Registries:\n  127.0.0.0/8\n Live Restore Enabled: false\n"
    )  # fmt: skip
    return 0


def networks(process: Process, options: Options) -> int:
    engine_of(process, "networks")
    rows = [{"ID": e["Id"][:12], "Name": e["Name"], "Driver": e["Driver"], "Scope": e["Scope"]}
            for e in (facts.network(n) for n in machine_of(process).docker.networks())]  # fmt: skip
    rows.append({"ID": "7c0f8c6e6d27", "Name": "none", "Driver": "null", "Scope": "local"})
    show(
        process,
        options,
        [("NETWORK ID", "ID"), ("NAME", "Name"), ("DRIVER", "Driver"), ("SCOPE", "Scope")],
        rows,
    )
    return 0


def inspect_network(process: Process, options: Options) -> int:
    engine_of(process, "networks")
    return inspected(process, options, lambda n: _network_facts(process, n), "network")


def _network_facts(process: Process, name: str) -> dict[str, Any]:
    for network in machine_of(process).docker.networks():
        entry = facts.network(network)
        if name in (entry["Name"], entry["Id"]) or (len(name) > 3 and entry["Id"].startswith(name)):
            return entry
    raise DockerError(f"No such network: {name}")


def remove_networks(process: Process, options: Options) -> int:
    engine_of(process, "networks")
    net, code = machine_of(process).net, 0
    for name in options.arguments:
        network = net.network_named(name)
        if network is None:
            process.err(f"Error: No such network: {name}\n")
            code = 1
        elif network.name == "nat":
            process.err(
                "Error response from daemon: nat is a pre-defined network and cannot be removed\n"
            )
            code = 1
        else:
            net.remove_hns_network(network)
            process.out(name + "\n")
    return code


def inspect(process: Process, options: Options) -> int:
    machine, engine = machine_of(process), engine_of(process, "containers/json")
    kind = options.last("type")

    def find(name: str) -> dict[str, Any]:
        try:
            if kind in ("", "container"):
                return facts.container(machine, machine.docker.find_container(name))
        except DockerError:
            pass
        image = machine.docker.find_image(name)
        if image is not None and kind in ("", "image"):
            return facts.image(machine, engine, image)
        return _network_facts(process, name) if kind in ("", "network") else _nothing(name)

    return inspected(process, options, find, kind or "object")


def _nothing(name: str) -> dict[str, Any]:
    raise DockerError(f"No such object: {name}")


def prune_system(process: Process, options: Options) -> int:
    code = prune_containers(process, options)
    return code or prune_images(process, options)
