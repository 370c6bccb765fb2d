"""kubelet.exe: its flags, and what it wants to find before it runs as a node."""

from __future__ import annotations

from k8swin_lab.machines.program import Process
from k8swin_lab.windows.kubernetes import kubelet_docker
from k8swin_lab.windows.kubernetes.client_certificate import Credentials
from k8swin_lab.windows.kubernetes.connection import ConnectionFailed
from k8swin_lab.windows.kubernetes.flags import FlagError, is_classic, last, parse
from k8swin_lab.windows.kubernetes.kubelet_endpoint import access_of
from k8swin_lab.windows.kubernetes.kubelet_node import (
    configuration_of,
    go_on,
    rotates,
    serve,
    taint,
)
from k8swin_lab.windows.machine_of import machine_of


def kubelet(process: Process) -> int:
    """Run until stopped; exit code 1 with the reason on standard error when it cannot."""
    if process.waits == "pods":
        return go_on(process)
    machine = machine_of(process)
    version = machine.program_version(process)
    if is_classic("kubelet", version):
        return kubelet_docker.run(process)

    def fail(summary: str, error: str) -> int:
        process.err(f'E0101 00:00:00.000000    {1000:>4} run.go:74] "{summary}" err="{error}"\n')
        return 1

    try:
        flags, arguments = parse("kubelet", process.argv[1:])
    except FlagError as error:
        return fail("command failed", f"failed to parse kubelet flag: {error}")
    if arguments:
        return fail("command failed", f'unknown command "{arguments[0]}"')
    if "--version" in flags:
        process.out(f"Kubernetes v{version}\n")
        return 0
    configuration = configuration_of(process, flags)
    if isinstance(configuration, str):
        path = last(flags, "--config")
        return fail(
            "command failed",
            f"failed to load kubelet config file, path: {path}, error: {configuration}",
        )
    if last(flags, "--windows-service") == "true":
        machine.services.connected(process)
    name = (last(flags, "--hostname-override") or machine.computer_name).lower()
    for setting in ("cgroupsPerQOS", "enforceNodeAllocatable"):
        if (
            configuration.get(setting, True)
            and f"--{'cgroups-per-qos' if setting[0] == 'c' else 'enforce-node-allocatable'}"
            not in flags
        ):
            process.err(
                f"W0101 00:00:00.000000    1000 server.go] {setting} is not supported on Windows\n"
            )
    credentials = Credentials(process, flags, name, version)
    try:
        credentials.prepare()
        process.waits = "a certificate"
        if not rotates(configuration, flags) and not credentials.obtain():
            return 0
        process.waits = ""
    except ConnectionFailed as error:
        return fail("command failed", f"failed to run Kubelet: {error}")
    unready = machine.containers.runtime_ready()
    if machine.containers.containerd is None:
        endpoint = last(flags, "--container-runtime-endpoint") or str(
            configuration.get("containerRuntimeEndpoint", "npipe:////./pipe/containerd-containerd")
        )
        return fail(
            "command failed",
            f'failed to run Kubelet: validate service connection: validate CRI v1 runtime API for endpoint \\"{endpoint}\\": {unready}',
        )
    taints = [taint(text) for text in last(flags, "--register-with-taints").split(",") if text]
    labels = dict(
        pair.split("=", 1) for pair in last(flags, "--node-labels").split(",") if "=" in pair
    )
    address = last(flags, "--node-ip") or machine.address
    process.err(
        f'I0101 00:00:00.000000    1000 server.go] "Kubelet version" kubeletVersion="v{version}"\n'
    )
    return serve(
        process,
        credentials,
        name,
        address,
        version,
        access_of(configuration, flags),
        taints,
        labels,
        None,
    )
