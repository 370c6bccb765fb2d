"""kube-proxy.exe in kernelspace mode: it programs the services once the HNS network is there."""

from __future__ import annotations

import uuid

from k8swin_lab.kubernetes.remote import RemoteCluster
from k8swin_lab.kubernetes.remote_services import RemoteServices
from k8swin_lab.kubernetes.resources import named
from k8swin_lab.machines.program import NotSimulated, Process
from k8swin_lab.network import HttpRequest, HttpResponse
from k8swin_lab.windows.kubernetes.connection import (
    ApiWire,
    ConnectionFailed,
    read_kubeconfig,
    request,
)
from k8swin_lab.windows.kubernetes.flags import FlagError, is_classic, last, numbers, parse
from k8swin_lab.windows.kubernetes.klog import Klog, LogFileError
from k8swin_lab.windows.machine_of import full_path, machine_of, variable

_LOCKED_GATES = {"WinOverlay", "WinDSR"}
"""Gates locked to true since 1.34."""


def kube_proxy(process: Process) -> int:
    """Run until stopped; exit code 1 with the reason on standard error when it cannot."""
    machine = machine_of(process)

    if process.waits:
        return _serve(process)
    version = machine.program_version(process)
    classic = is_classic("kube-proxy", version)
    try:
        flags, _ = parse("kube-proxy", process.argv[1:], version=version)
    except FlagError as error:
        process.err(f"Error: {error}\n")
        return 1
    if last(flags, "--version"):
        process.out(f"Kubernetes v{version}\n")
        return 0
    if not classic:
        return _run(process, flags, None)
    if numbers(version) < (1, 14):
        for pair in filter(None, last(flags, "--feature-gates").split(",")):
            gate = pair.partition("=")[0]
            if gate in _LOCKED_GATES:
                process.err(
                    f'Error: invalid argument "{pair}" for "--feature-gates" flag: unrecognized feature gate: {gate}\n'
                )
                return 1
    for name in sorted({"--cleanup", "--master", "--write-config-to"} & set(flags)):
        raise NotSimulated(f"kube-proxy.exe {name} in version {version}")
    log = Klog(process, flags)
    try:
        log.say("I", "server_windows.go:110", f"Version: v{version}")
        return _run(process, flags, log)
    except LogFileError as error:
        process.err(f"{error}\n")
        return 2


def _run(process: Process, flags: dict[str, list[str]], log: Klog | None) -> int:
    """Serve until stopped; `log` is set for a version that can write its log to files."""
    machine = machine_of(process)

    def fail(error: str) -> int:
        if log is not None:
            log.say("F", "server.go:361", error)
            return 255
        process.err(f'E0101 00:00:00.000000    3000 run.go:74] "command failed" err="{error}"\n')
        return 1

    if last(flags, "--config"):
        raise NotSimulated("kube-proxy.exe --config")
    for pair in last(flags, "--feature-gates").split(","):
        gate, _, value = pair.partition("=")
        if gate in _LOCKED_GATES and value.lower() == "false" and log is None:
            return fail(f"cannot set feature gate {gate} to false, feature is locked to true")
    mode = last(flags, "--proxy-mode", "kernelspace")
    if mode != "kernelspace":
        return fail(
            f'ProxyMode: Invalid value: "{mode}": must be kernelspace or blank (blank means the most-available proxy (currently kernelspace))'
        )
    if last(flags, "--windows-service") == "true":
        machine.services.connected(process)
    try:
        config = read_kubeconfig(machine, full_path(process, last(flags, "--kubeconfig")))
        request(machine, config, "GET", "/api/v1/services?limit=1", agent="kube-proxy")
    except ConnectionFailed as error:
        return fail(str(error))
    network = last(flags, "--network-name") or variable(process, "KUBE_NETWORK")
    if not network:
        return fail("Environment variable KUBE_NETWORK and network-flag not initialized")
    found = machine.net.network_named(network)
    if found is None:
        if log is not None:
            return fail(f"unable to create proxier: Unable to find HNS Network specified by {network}. Please check environment variable "
                        "KUBE_NETWORK or network-name flag")  # fmt: skip
        process.err(f'E0101 00:00:00.000000    3000 proxier.go] "Unable to find HNS Network specified, please check network name and CNI '
                    f'deployment" hnsNetworkName="{network}"\n')  # fmt: skip
        return fail(f"Network {network} not found")
    if found.kind == "Overlay" and not last(flags, "--source-vip"):
        return fail("source-vip flag not set")
    addresses = [machine.address, *(address.address for address in machine.net.addresses)]
    for address in addresses:
        machine.network.proxied[address] = True

    def healthz(request: HttpRequest) -> HttpResponse:
        return HttpResponse(200, {"content-type": "application/json"}, b'{"nodeEligible": true}')

    machine.listening[10256] = healthz
    machine.changed()
    machine.net.hns_policies = []
    # load balancers of an earlier run are taken over, as HNS finds them by what they are for
    process.kept.update(config=config, addresses=addresses, programmed=set())
    process.waits = "services"
    return _serve(process)


def _serve(process: Process) -> int:
    machine = machine_of(process)
    config, addresses = process.kept["config"], process.kept["addresses"]

    def say(text: str) -> None:
        process.err(f"E0101 00:00:00.000000    3000 reflector.go] {text}\n")

    remote = RemoteCluster(
        ApiWire(machine, lambda: config, "kube-proxy"), 0, machine.now, say, machine.pace
    )
    remote.follow(named("services"))
    sliced = numbers(machine.program_version(process)) >= (1, 21)
    remote.follow(named("endpointslices" if sliced else "endpoints"))
    services = RemoteServices(remote, machine.network, addresses)
    if machine.network.outside is not None:
        machine.network.routers.append(services)
    while not process.cancelled.is_set():
        if not remote.synced():
            process.cancelled.wait(0.1 * machine.pace)
            continue
        wanted = {
            s["metadata"]["uid"]: str(uuid.uuid5(uuid.NAMESPACE_OID, s["metadata"]["uid"])).upper()
            for s in remote.objects("services")
            if s["spec"].get("clusterIP") not in (None, "None")
        }
        programmed = process.kept["programmed"]
        with machine.lock:
            # what somebody removes behind its back is not made again: it counts as done
            gone = {
                str(uuid.uuid5(uuid.NAMESPACE_OID, uid)).upper() for uid in programmed - set(wanted)
            }
            machine.net.hns_policies = [
                policy for policy in machine.net.hns_policies if policy["ID"] not in gone
            ] + [
                {"ID": identifier, "Policies": [{"Type": "ELB"}], "References": []}
                for uid, identifier in wanted.items()
                if uid not in programmed
            ]
        process.kept["programmed"] = set(wanted)
        process.cancelled.wait(2 * machine.pace)
    remote.stop()
    if services in machine.network.routers:
        machine.network.routers.remove(services)
    for address in addresses:
        machine.network.proxied[address] = False
    machine.listening.pop(10256, None)
    machine.changed()
    return 0
