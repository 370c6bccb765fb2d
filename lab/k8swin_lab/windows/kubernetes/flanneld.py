"""flanneld.exe with host-gw and vxlan: its lease, its HNS network, and the ways to the other nodes."""

from __future__ import annotations

import ipaddress
import json
from typing import Any

from k8swin_lab.machines.program import NotSimulated, Process
from k8swin_lab.machines.windows import WindowsMachine
from k8swin_lab.machines.windows_network import HnsError, HnsNetwork, Route
from k8swin_lab.windows.kubernetes.connection import (
    ConnectionFailed,
    Kubeconfig,
    read_kubeconfig,
    request,
)
from k8swin_lab.windows.kubernetes.flags import FlagError, last, numbers, parse
from k8swin_lab.windows.machine_of import full_path, machine_of, variable

_PREFIX = "flannel.alpha.coreos.com"
_GONE = "The system cannot find the file specified."


class _Fatal(Exception):
    """Why flanneld gives up."""


def flanneld(process: Process) -> int:
    """Run until stopped; exit code 1 with the reason on standard error when it cannot."""
    machine = machine_of(process)
    version = machine.program_version(process)
    try:
        flags, _ = parse("flanneld", process.argv[1:], go=True, version=version)
    except FlagError as error:
        process.err(f"{error}\nUsage: {process.argv[0]} [OPTION]...\n")
        return 2
    if last(flags, "--version") == "true":
        process.err(f"v{version}\n")
        return 0
    try:
        _Daemon(process, machine, flags, version).run()
    except _Fatal as error:
        process.err(f"E0101 00:00:00.000000    2000 main.go] {error}\n")
        return 1
    return 0


class _Daemon:
    def __init__(
        self, process: Process, machine: WindowsMachine, flags: dict[str, list[str]], version: str
    ) -> None:
        self.version = numbers(version)
        self.process = process
        self.machine = machine
        self.flags = flags
        self.node = ""
        self.config = Kubeconfig("")
        self.settings: dict[str, Any] = {}

    def say(self, text: str) -> None:
        self.process.err(f"I0101 00:00:00.000000    2000 main.go] {text}\n")

    def run(self) -> None:
        """Everything, in flanneld's own order."""
        if self.process.waits == "silence":
            self.process.cancelled.wait()
            return
        if self.process.waits == "routes":
            self.node, self.config, self.settings = self.process.kept["at"]
            self._serve()
            return
        self.process.waits = "the API server"
        address = self._interface()
        self._subnet_manager()
        self._settings()
        backend = self._backend()
        if backend == "vxlan":
            self._check_vxlan()
        node = self._lease()
        self.process.waits = ""
        subnet = ipaddress.ip_network(node["spec"]["podCIDR"])
        if self.machine.net.early_ends > 0:
            self.machine.net.early_ends -= 1
            raise _Fatal(
                f"Failed to find any valid interface to use: failed to find IPv4 address for interface "
                f"{self.machine.net.primary().name}"
            )
        if self.machine.net.silent_starts > 0:
            # seen with old versions: the request to HNS never comes back, and nothing is said
            self.machine.net.silent_starts -= 1
            self.process.waits = "silence"
            self.process.cancelled.wait()
            return
        if backend == "vxlan":
            network = self._network(subnet, "Overlay", address)
            self._annotate(address, network)
        else:
            self._annotate(address, None)
            network = self._network(subnet, "L2Bridge", address)
            self._endpoint(network, subnet)
        self._write(subnet)
        self.say("Running backend.")
        self.process.kept["at"] = (self.node, self.config, self.settings)
        self.process.waits = "routes"
        self._serve()

    def _serve(self) -> None:
        while not self.process.cancelled.is_set():
            self._routes()
            self.process.cancelled.wait(2 * self.machine.pace)

    def _interface(self) -> str:
        wanted = self.flags.get("--iface", [])
        for text in wanted:
            for address in self.machine.net.addresses:
                if text in (address.address, self.machine.net.interface_name(address.index)):
                    self.say(
                        f"Using interface with name {self.machine.net.interface_name(address.index)} and address {address.address}"
                    )
                    return address.address
        if wanted:
            raise _Fatal(
                f"Failed to find any valid interface to use: failed to find interface {wanted[0]}"
            )
        return self.machine.address

    def _subnet_manager(self) -> None:
        failed = "Failed to create SubnetManager: "
        if last(self.flags, "--kube-subnet-mgr") != "true":
            raise NotSimulated("flanneld.exe without -kube-subnet-mgr")
        self.node = variable(self.process, "NODE_NAME")
        if not self.node:
            raise _Fatal(failed + "env variables POD_NAME and POD_NAMESPACE must be set")
        try:
            self.config = read_kubeconfig(
                self.machine, full_path(self.process, last(self.flags, "--kubeconfig-file"))
            )
        except ConnectionFailed as error:
            raise _Fatal(f"{failed}fail to create kubernetes config: {error}") from error

    def _settings(self) -> None:
        path = last(self.flags, "--net-config-path", "/etc/kube-flannel/net-conf.json")
        try:
            self.settings = json.loads(
                self.machine.files.read(full_path(self.process, path)).decode("utf-8")
            )
            ipaddress.ip_network(self.settings["Network"])
        except OSError as error:
            raise _Fatal(
                f"Failed to create SubnetManager: failed to read net conf: open {path}: {_GONE}"
            ) from error
        except (ValueError, KeyError) as error:
            raise _Fatal(
                f"Failed to create SubnetManager: error parsing subnet config: {error}"
            ) from error

    def _call(
        self, method: str, path: str, body: Any = None, content_type: str = "application/json"
    ) -> dict[str, Any]:
        """A request that is tried again while the network is down."""
        for _ in range(60):
            try:
                return request(
                    self.machine, self.config, method, path, body, content_type=content_type
                )
            except ConnectionFailed as error:
                if error.code or self.process.cancelled.wait(0.5 * self.machine.pace):
                    raise _Fatal(f"failed to acquire lease: {error}") from error
                self.process.err(f"E0101 00:00:00.000000    2000 reflector.go] {error}\n")
        raise _Fatal("failed to acquire lease: the API server does not answer")

    def _lease(self) -> dict[str, Any]:
        node = self._call("GET", f"/api/v1/nodes/{self.node}")
        cidr = node["spec"].get("podCIDR")
        head = "Error registering network: failed to acquire lease: "
        if not cidr:
            raise _Fatal(f'{head}node "{self.node}" pod cidr not assigned')
        if not ipaddress.IPv4Network(cidr).subnet_of(
            ipaddress.IPv4Network(self.settings["Network"])
        ):
            raise _Fatal(f'{head}subnet "{self.settings["Network"]}" specified in the flannel net config doesn\'t contain "{cidr}" '
                         f'PodCIDR of the "{self.node}" node')  # fmt: skip
        return node

    def _annotate(self, address: str, overlay: HnsNetwork | None) -> None:
        backend, data = self._backend(), "null"
        if overlay is not None:
            mac = overlay.source_mac.replace("-", ":").lower()
            data = json.dumps(
                {"VNI": self._number("VNI", 4096), "VtepMAC": mac}, separators=(",", ":")
            )
        annotations = {f"{_PREFIX}/backend-data": data, f"{_PREFIX}/backend-type": backend,
                       f"{_PREFIX}/kube-subnet-manager": "true", f"{_PREFIX}/public-ip": last(self.flags, "--public-ip", address)}  # fmt: skip
        self._call("PATCH", f"/api/v1/nodes/{self.node}/status", {"metadata": {"annotations": annotations}},
                   "application/strategic-merge-patch+json")  # fmt: skip

    def _backend(self) -> str:
        backend = str(self._setting("Type", "udp")).lower()
        if backend not in ("host-gw", "vxlan"):
            raise NotSimulated(f"flanneld.exe with the backend {backend}")
        return backend

    def _number(self, name: str, default: int) -> int:
        """A number of the backend's settings; Go finds keys without case."""
        return int(self._setting(name, default))

    def _setting(self, name: str, default: Any) -> Any:
        backend = self.settings.get("Backend", {})
        return next((v for k, v in backend.items() if k.lower() == name.lower()), default)

    def _check_vxlan(self) -> None:
        head = "Error registering network: invalid VXLAN backend config. "
        vni, port = self._number("VNI", 4096), self._number("Port", 4789)
        if vni < 4096:
            raise _Fatal(f"{head}VNI [{vni}] must be greater than or equal to 4096 on Windows")
        if port != 4789:
            raise _Fatal(
                f"{head}Port [{port}] is not supported on Windows. Omit the setting to default to port 4789"
            )
        for name in ("DirectRouting", "GBP"):
            if self._setting(name, False):
                raise _Fatal(f"{head}{name} is not supported on Windows")

    def _network(self, subnet: Any, kind: str, address: str) -> HnsNetwork:
        net = self.machine.net
        default = "cbr0" if kind == "L2Bridge" else f"flannel.{self._number('VNI', 4096)}"
        name = str(self._setting("Name", default))
        adapter = net.physical_of(address) if kind == "Overlay" else ""
        wanted = {"AddressPrefix": str(subnet), "GatewayAddress": str(subnet.network_address + 1)}
        try:
            found = net.network_named(name)
            if found is not None and (
                found.kind != kind or found.subnets[0].get("AddressPrefix") != str(subnet)
            ):
                self.say(f"Deleting stale HNS network {name}")
                net.remove_hns_network(found)
                found = None
            if found is None:
                self.say(f"Creating HNS network {name}")
                found = net.create_hns_network(name, kind, [wanted], adapter)
                # Its vxlan backend asks for EnableNonPersistent: the next boot begins without it.
                found.persistent = kind != "Overlay"
                self.process.cancelled.wait(1 * self.machine.pace)
        except HnsError as error:
            raise _Fatal(
                f"Error registering network: unable to create network {name}: {error}"
            ) from error
        if not found.management_address:
            raise _Fatal(f"Error registering network: failed to get management IP, Name={name}")
        return found

    def _endpoint(self, network: HnsNetwork, subnet: Any) -> None:
        net = self.machine.net
        name, address = f"{network.name}_ep", str(subnet.network_address + 2)
        found = next((e for e in net.hns_endpoints if e.name == name), None)
        try:
            if found is not None and found.address != address:
                net.remove_hns_endpoint(found)
                found = None
            if found is None:
                found = net.create_hns_endpoint(
                    name, network, address, str(subnet.network_address + 1)
                )
        except HnsError as error:
            raise _Fatal(
                f"Error registering network: unable to create HNS endpoint {name}: {error}"
            ) from error
        if net.adapter(name=f"vEthernet ({name})") is None:
            net.attach_host_endpoint(found)
        elif self.version < (0, 14):
            # later ones take the endpoint as they find it
            self.process.cancelled.wait(5 * self.machine.pace)
            raise _Fatal(f"Error registering network: failed to hot attach bridge HNSEndpoint {name} to host compartment: hnsCall failed in "
                         "Win32: This endpoint is already attached to the switch. (0x803b0014)")  # fmt: skip
        for adapter in net.adapters:
            if adapter.virtual:
                adapter.forwarding = True
        self.say(f"Attached bridge endpoint {name} to host successfully")

    def _write(self, subnet: Any) -> None:
        path = full_path(self.process, last(self.flags, "--subnet-file", "/run/flannel/subnet.env"))
        self.machine.files.make_directory(path.rpartition("\\")[0])
        masquerade = str(last(self.flags, "--ip-masq") == "true").lower()
        text = (f"FLANNEL_NETWORK={self.settings['Network']}\nFLANNEL_SUBNET={subnet.network_address + 1}/{subnet.prefixlen}\n"
                f"FLANNEL_MTU={1450 if self._backend() == 'vxlan' else 1500}\nFLANNEL_IPMASQ={masquerade}\n")  # fmt: skip
        self.machine.files.write(path, text.encode())
        self.say(
            f"Wrote subnet file to {last(self.flags, '--subnet-file', '/run/flannel/subnet.env')}"
        )

    def _routes(self) -> None:
        if self._backend() == "vxlan":
            return  # the overlay finds the other nodes by their annotations
        try:
            nodes = request(self.machine, self.config, "GET", "/api/v1/nodes").get("items", [])
        except ConnectionFailed as error:
            self.process.err(f"E0101 00:00:00.000000    2000 reflector.go] {error}\n")
            return
        wanted = {}
        for node in nodes:
            notes = node["metadata"].get("annotations") or {}
            public = notes.get(f"{_PREFIX}/public-ip")
            if notes.get(f"{_PREFIX}/backend-type") != self._backend():
                continue
            if node["metadata"]["name"] != self.node and public and node["spec"].get("podCIDR"):
                wanted[node["spec"]["podCIDR"]] = public
        net = self.machine.net
        index = net.primary().index
        with self.machine.lock:
            net.routes = [
                r
                for r in net.routes
                if r.protocol != "Flannel" or wanted.get(r.prefix) == r.next_hop
            ]
            have = {r.prefix for r in net.routes if r.protocol == "Flannel"}
            net.routes += [
                Route(p, hop, index, 256, False, "Flannel")
                for p, hop in wanted.items()
                if p not in have
            ]
