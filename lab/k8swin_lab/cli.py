"""The commands `k8swin lab up`, `down`, `status`, `logs`, `fault`, `sites`, `site` and those of snapshots.

A lock on a file in the lab's folder says whether a lab runs. Everything heavy is imported by the lab's own process only, so that `status` answers at once.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from k8swin_lab import control, process_lock, topology
from k8swin_lab.home import Home, default_home
from k8swin_lab.sites import UnknownMood, listed

NOT_RUNNING = 3
_UP_TIMEOUT = 120.0
_DOWN_TIMEOUT = 20.0
_LOG_LINES = 200
_SNAPSHOT_TIMEOUT = 90.0


class LabError(Exception):
    """A command cannot be done; the text says why and what to do."""


def main(argv: list[str]) -> int:
    """Run one command and return the exit code: 0, 1 for an error, 2 for usage, 3 not running."""
    parser = _parser()
    try:
        options = parser.parse_args(argv)
    except SystemExit as stop:
        return int(stop.code or 0)
    home = Home(Path(options.home) if options.home else default_home())
    command: Callable[[Home, argparse.Namespace], int] = options.command
    try:
        return command(home, options)
    except (LabError, UnknownMood, topology.TopologyError, OSError) as error:
        print(f"k8swin lab: {error}", file=sys.stderr)  # noqa: T201
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="k8swin lab", description="Stand-ins for all machines, on this computer."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, help_text: str, command: object) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=help_text, description=help_text)
        sub.add_argument("--home", help="the lab's folder (default: K8SWIN_LAB_HOME, .k8swin/lab)")
        sub.set_defaults(command=command)
        return sub

    up = add("up", "Start the lab and return when it is ready.", _up)
    up.add_argument("--foreground", action="store_true", help="stay until interrupted")
    up.add_argument("--network", help=f"loopback network (default {topology.DEFAULT_NETWORK})")
    up.add_argument(
        "--generation",
        choices=sorted(topology.GENERATIONS),
        help="current: Debian 12 and Windows Server 2022 (default); classic: Ubuntu 18.04 and 2019",
    )
    up.add_argument("--topology", metavar="FILE", help="YAML file that names other machines")
    up.add_argument(
        "--site", metavar="NAME[,NAME]", help="moods of all Windows machines; `help` lists them"
    )
    up.add_argument("--python-bash", action="store_true", help="never use this computer's bash")
    up.add_argument("--ready-fd", type=int, help=argparse.SUPPRESS)
    add("down", "Stop the lab.", _down)
    status = add("status", "Say where the machines are.", _status)
    status.add_argument("--json", action="store_true", help="as JSON")
    add("logs", "Print the end of the lab's log.", _logs)
    add("sites", "List the moods that a site's Windows machines can have.", _sites)
    site = add("site", "Bring a running Windows machine into moods.", _site)
    site.add_argument("machine", metavar="MACHINE")
    site.add_argument("names", metavar="NAME[,NAME]")
    snapshot = add("snapshot", "Keep the state of all machines under a name.", _snapshot)
    snapshot.add_argument("name", metavar="NAME")
    restore = add("restore", "Bring all machines back to a snapshot.", _restore)
    restore.add_argument("name", metavar="NAME")
    listing = add("snapshots", "List the snapshots of the running lab.", _snapshots)
    listing.add_argument("--json", action="store_true", help="as JSON")
    fault = add("fault", "Let something go wrong on a machine.", _fault)
    fault.add_argument("machine", metavar="MACHINE")
    fault.add_argument("name", metavar="NAME")
    fault.add_argument("value", metavar="VALUE", nargs="?")
    return parser


def _say(text: str) -> None:
    print(text)  # noqa: T201


def _machines(options: argparse.Namespace) -> list[topology.MachineSpec]:
    if options.topology and options.network:
        raise LabError("--topology names addresses itself; leave --network out")
    if options.topology and options.generation:
        raise LabError("--topology names systems itself; leave --generation out")
    if options.topology:
        machines = topology.load(Path(options.topology))
    else:
        machines = topology.default(
            options.network or topology.DEFAULT_NETWORK, options.generation or "current"
        )
    return topology.with_site(machines, options.site or "")


def _up(home: Home, options: argparse.Namespace) -> int:
    if options.site == "help":
        return _sites(home, options)
    machines = _machines(options)
    if process_lock.is_held(home.lock):
        status = _read_status(home)
        if status is None:
            raise LabError(f"another process is starting a lab in {home.path}; try again")
        _say(f"the lab is already up in {home.path}")
        _say(_hints(home, status))
        return 0
    home.create()
    if options.foreground:
        return _serve(home, machines, options)
    return _start_daemon(home, options)


def _start_daemon(home: Home, options: argparse.Namespace) -> int:
    """Start the lab in a session of its own, and wait until it tells that it is ready."""
    reading, writing = os.pipe()
    arguments = ["up", "--foreground", "--home", str(home.path), "--ready-fd", str(writing)]
    for name in ("network", "generation", "topology", "site"):
        value = getattr(options, name)
        if value:
            arguments += [f"--{name}", value]
    if options.python_bash:
        arguments.append("--python-bash")
    package_folder = str(Path(__file__).resolve().parents[1])
    paths = [package_folder, *filter(None, [os.environ.get("PYTHONPATH")])]
    start = "import sys; from k8swin_lab.cli import main; sys.exit(main(sys.argv[1:]))"
    with home.log.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", start, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            pass_fds=[writing],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
        )
    os.close(writing)
    try:
        with os.fdopen(reading, "rb") as pipe:
            ready, _, _ = select.select([pipe], [], [], _UP_TIMEOUT)
            answer = pipe.readline().decode().strip() if ready else ""
    except BaseException:  # whoever waits for the lab was stopped, and nobody wants it any more
        process.terminate()
        process.wait(_DOWN_TIMEOUT)
        raise
    if answer == "ready":
        # The process stays on purpose; without this its end would be reported as a mistake here.
        process.returncode = 0
        status = _read_status(home)
        _say(f"the lab is up in {home.path}")
        _say(_hints(home, status or {"machines": []}))
        return 0
    if not ready:
        process.kill()
    process.wait()
    raise LabError(answer or f"the lab did not start; see {home.log}")


def _serve(home: Home, machines: list[topology.MachineSpec], options: argparse.Namespace) -> int:
    """Be the lab until a signal, a stop request, or the end of its folder."""
    from k8swin_lab.daemon import serve

    # Never given back: the lock is to last as long as the process and its snapshots, which `down` waits for.
    lock = process_lock.take(home.lock)
    if lock is None:
        raise LabError(f"another lab runs in {home.path}")
    return serve(home, machines, python_bash=options.python_bash, ready=options.ready_fd, lock=lock)


def _down(home: Home, options: argparse.Namespace) -> int:
    if not process_lock.is_held(home.lock):
        home.clear()
        _say("no lab runs")
        return 0
    try:
        control.ask(home.control, {"command": "stop"})
    except control.ControlError:
        process_lock.send(home.pid, signal.SIGTERM)
    if not process_lock.is_free_within(home.lock, _DOWN_TIMEOUT):
        process_lock.send(home.pid, signal.SIGKILL)
        if not process_lock.is_free_within(home.lock, _DOWN_TIMEOUT):
            raise LabError(f"the lab in {home.path} does not end; its process is in {home.pid}")
        home.clear()
    _say("the lab is down")
    return 0


def _status(home: Home, options: argparse.Namespace) -> int:
    status = _read_status(home) if process_lock.is_held(home.lock) else None
    if status is None:
        print(f"no lab runs in {home.path}; start one: k8swin lab up", file=sys.stderr)  # noqa: T201
        return NOT_RUNNING
    lacking = _ask(home, {"command": "lacking"})
    for machine in status["machines"]:
        machine["not_simulated"] = lacking.get(machine["name"], {})
    if options.json:
        _say(json.dumps(status, indent=2))
        return 0
    for machine in status["machines"]:
        ports = [f"{key} {value}" for key, value in machine.items() if key.endswith("_port")]
        line = f"{machine['name']:<15} {machine['os']:<8} {machine['address']:<15}"
        _say(f"{line} {machine['user']:<14} {', '.join(ports)}")
        if machine["not_simulated"]:
            _say(f"{'':<15} asked for and not simulated: {', '.join(machine['not_simulated'])}")
    _say(_hints(home, status))
    return 0


def _read_status(home: Home) -> dict[str, Any] | None:
    try:
        status: dict[str, Any] = json.loads(home.status.read_text())
    except (OSError, ValueError):
        return None
    return status


def _hints(home: Home, status: dict[str, Any]) -> str:
    """Return how to point tools at the lab."""
    lines = []
    for machine in status["machines"]:
        if machine["os"] == "linux":
            lines.append(
                f"ssh -i {machine['identity']} -o UserKnownHostsFile={home.known_hosts} "
                f"-p {machine['ssh_port']} {machine['user']}@{machine['address']}"
            )
    lines.append(f"export KUBECONFIG={home.kubeconfig}   # exists once the cluster does")
    lines.append(f"k8swin run --params {home.description}")
    return "\n".join(lines)


def _logs(home: Home, options: argparse.Namespace) -> int:
    if not home.log.is_file():
        raise LabError(f"there is no log in {home.path}")
    lines = home.log.read_text(errors="replace").splitlines()
    _say("\n".join(lines[-_LOG_LINES:]))
    return 0


def _sites(home: Home, options: argparse.Namespace) -> int:
    _say(listed())
    return 0


def _site(home: Home, options: argparse.Namespace) -> int:
    return _control(home, {"command": "site", "machine": options.machine, "names": options.names})


def _fault(home: Home, options: argparse.Namespace) -> int:
    asked = {"command": "fault", "machine": options.machine, "name": options.name}
    return _control(home, asked | {"value": options.value})


def _snapshot(home: Home, options: argparse.Namespace) -> int:
    code = _control(home, {"command": "snapshot", "name": options.name}, _SNAPSHOT_TIMEOUT)
    if code == 0:
        _say(f"snapshot {options.name}: back to it with k8swin lab restore {options.name}")
    return code


def _restore(home: Home, options: argparse.Namespace) -> int:
    code = _control(home, {"command": "restore", "name": options.name}, _SNAPSHOT_TIMEOUT)
    if code == 0:
        _say(f"the machines are as in the snapshot {options.name}")
    return code


def _snapshots(home: Home, options: argparse.Namespace) -> int:
    if not process_lock.is_held(home.lock):
        return _control(home, {})
    found = _ask(home, {"command": "snapshots"})["snapshots"]
    if options.json:
        _say(json.dumps(found, indent=2))
        return 0
    for one in found:
        _say(
            f"{one['name']:<40} {time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(one['taken']))}"
        )
    if not found:
        _say("no snapshot; take one: k8swin lab snapshot NAME")
    return 0


def _control(home: Home, request: dict[str, Any], timeout: float = 10.0) -> int:
    """Ask the running lab for something."""
    if not process_lock.is_held(home.lock):
        print(f"no lab runs in {home.path}; start one: k8swin lab up", file=sys.stderr)  # noqa: T201
        return NOT_RUNNING
    _ask(home, request, timeout)
    return 0


def _ask(home: Home, request: dict[str, Any], timeout: float = 10.0) -> dict[str, Any]:
    try:
        return control.ask(home.control, request, timeout)
    except control.ControlError as error:
        raise LabError(str(error)) from error
