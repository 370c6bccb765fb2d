"""A Windows machine of the lab on the network of real hosts: in a network namespace of its own, on their bridge."""

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path

import yaml

BEHIND = 100
"""How far the machine's address lies behind that of the first host."""

LAB = [
    sys.executable,
    "-c",
    "import sys; from k8swin_lab.cli import main; sys.exit(main(sys.argv[1:]))",
]


def _ip(*words: str) -> str:
    return subprocess.run(["ip", *words], check=True, capture_output=True, text=True).stdout


def bridge_to(address: str) -> str:
    """The bridge of this computer on which a host is; empty when it is elsewhere."""
    words = _ip("-4", "route", "get", address).split()
    device = words[words.index("dev") + 1] if "dev" in words else ""
    return device if Path(f"/sys/class/net/{device}/bridge").exists() else ""


def why_not(address: str) -> str:
    """What keeps a machine of the lab from being put beside a host; empty when nothing does."""
    if os.geteuid() != 0:
        return "a network namespace takes root"
    try:
        return "" if bridge_to(address) else f"{address} is not on a bridge of this computer"
    except (OSError, subprocess.CalledProcessError) as error:
        return f"ip cannot tell how to reach {address}: {error}"


@contextlib.contextmanager
def windows_machine(host: str, folder: Path, build: int):
    """Start a lab of one Windows machine of a build beside a host, and yield its status; it goes with the block."""
    network, _, last = host.rpartition(".")
    address = f"{network}.{(int(last) + BEHIND) % 254}"
    name = f"lab{os.getpid()}"
    # The same address keeps the same hardware address: hosts remember the one of an earlier run.
    mac = "02:4b:" + ":".join(f"{int(part):02x}" for part in address.split("."))
    inside = ("-n", name)
    home = folder / "lab"
    topology = folder / "topology.yaml"
    machine = {"name": "winworker01", "os": "windows", "address": address, "build": build}
    machine["outside"] = True
    topology.write_text(yaml.safe_dump({"machines": [machine]}))
    in_lab = ["ip", "netns", "exec", name, *LAB]
    _ip("netns", "add", name)
    try:
        _ip("link", "add", f"v{name}", "type", "veth", "peer", "name", "eth0", "netns", name)
        _ip("link", "set", f"v{name}", "master", bridge_to(host), "up")
        _ip(*inside, "link", "set", "eth0", "address", mac)
        _ip(*inside, "address", "add", f"{address}/24", "dev", "eth0")
        for device in ("eth0", "lo"):
            _ip(*inside, "link", "set", device, "up")
        up = [*in_lab, "up", "--home", str(home), "--topology", str(topology)]
        subprocess.run(up, check=True)
        try:
            yield json.loads((home / "status.json").read_text())
        finally:
            subprocess.run([*in_lab, "down", "--home", str(home)], check=False)
    finally:
        _ip("netns", "delete", name)
