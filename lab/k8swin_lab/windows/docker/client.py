"""docker.exe: the client's commands over the machine's engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from k8swin_lab.go_templates import TemplateError
from k8swin_lab.machines.program import NotSimulated, Process
from k8swin_lab.machines.windows_docker import DockerError
from k8swin_lab.windows.docker import container_commands as containers
from k8swin_lab.windows.docker import image_commands as images
from k8swin_lab.windows.docker import running
from k8swin_lab.windows.docker import system_commands as system
from k8swin_lab.windows.docker.build import BUILD_OPTIONS, BuildError
from k8swin_lab.windows.docker.options import Options, UsageError, parse
from k8swin_lab.windows.docker.shown import NoEngine
from k8swin_lab.windows.machine_of import machine_of

_GLOBAL = {
    "H/host": "VALUE",
    "D/debug": "",
    "v/version": "",
    "config": "VALUE",
    "c/context": "VALUE",
    "l/log-level": "VALUE",
}
_FORMAT = {"f/format": "VALUE"}


def docker(process: Process) -> int:
    """Run one command; 125 for what docker itself refuses, 1 for what the daemon does."""
    words = process.argv[1:]
    try:
        options = parse("", words, _GLOBAL, stop=True)
        host = options.last("host", "npipe:////./pipe/docker_engine")
        if options.on("version"):
            process.out(
                f"Docker version {machine_of(process).program_version(process)}, build 0000000\n"
            )
            return 0
        if not options.arguments:
            process.out("\nUsage:  docker [OPTIONS] COMMAND\n")
            return 0
        if "docker_engine" not in host:
            raise NotSimulated(f"docker.exe -H {host}")
        return _dispatch(process, options.arguments)
    except UsageError as error:
        process.err(f"{error}\n")
        return 125
    except NoEngine as error:
        process.err(str(error) + "\n")
        return 1
    except TemplateError as error:
        process.err(f"{error}\n")
        return 1
    except BuildError as error:
        process.err(f"{error}\n")
        return 1
    except DockerError as error:
        run = (words and words[0] in ("run", "create")) or words[:2] == ["container", "run"]
        lead = "docker: " if run else ""
        process.err(
            f"{lead}Error response from daemon: {error}.\n"
            if run
            else f"Error response from daemon: {error}\n"
        )
        if run:
            process.err("See 'docker run --help'.\n")
            return 127 if "CreateProcess" in str(error) else 125
        return 1


_Command = Callable[[Process, Options], int]


def _dispatch(process: Process, words: Sequence[str]) -> int:
    name, rest = words[0], list(words[1:])
    if name in _GROUPS:
        if not rest or rest[0].startswith("-"):
            process.out(f"\nUsage:  docker {name} COMMAND\n")
            return 0
        name, rest = f"{name} {rest[0]}", rest[1:]
    name = _ALIASES.get(name, name)
    found = _COMMANDS.get(name)
    if found is None:
        if name.split()[0] in _UNKNOWN_HERE:
            raise NotSimulated(f"docker.exe {name}")
        process.err(f"docker: '{name}' is not a docker command.\nSee 'docker --help'\n")
        return 1
    action, known, least, most = found
    options = parse(name, rest, known, stop=name in ("run", "create", "exec"))
    count = len(options.arguments)
    if count < least or (most >= 0 and count > most):
        wanted = (
            f"requires at least {least} argument"
            if most < 0
            else f"requires exactly {least} argument"
        )
        if most == 0:
            wanted = "accepts no arguments"
        plural = "s" if least > 1 else ""
        process.err(
            f"\"docker {name}\" {wanted}{plural if most else ''}.\nSee 'docker {name} --help'.\n"
        )
        return 1
    return action(process, options)


_QUIET = {"q/quiet": ""}
_COMMANDS: dict[str, tuple[_Command, dict[str, str], int, int]] = {
    # command: what does it, its options, fewest and most arguments (-1: any number)
    "version": (system.version, _FORMAT, 0, 0), "info": (system.info, _FORMAT, 0, 0),
    "pull": (images.pull, {**_QUIET, "platform": "VALUE"}, 1, 1), "tag": (images.tag, {}, 2, 2),
    "images": (images.images, {**_QUIET, "a/all": "", "format": "VALUE", "no-trunc": "", "f/filter": "VALUE", "digests": ""}, 0, 1),
    "image inspect": (images.inspect_image, _FORMAT, 1, -1), "inspect": (system.inspect, {**_FORMAT, "type": "VALUE"}, 1, -1),
    "container inspect": (containers.inspect_container, _FORMAT, 1, -1), "build": (images.build, BUILD_OPTIONS, 1, 1),
    "run": (containers.run, running.RUN_OPTIONS, 1, -1), "create": (containers.create, running.RUN_OPTIONS, 1, -1),
    "start": (containers.start, {}, 1, -1), "stop": (containers.stop, {"t/time": "VALUE"}, 1, -1), "kill": (containers.kill, {"s/signal": "VALUE"}, 1, -1),
    "rm": (containers.remove, {"f/force": "", "v/volumes": ""}, 1, -1), "rmi": (images.remove_images, {"f/force": "", "no-prune": ""}, 1, -1),
    "ps": (containers.ps, {**_QUIET, "a/all": "", "format": "VALUE", "no-trunc": "", "f/filter": "VALUE", "n/last": "VALUE", "l/latest": "", "s/size": ""}, 0, 0),
    "exec": (containers.exec, {"i/interactive": ""}, 2, -1), "logs": (containers.logs, {"f/follow": "", "tail": "VALUE"}, 1, 1),
    "network ls": (system.networks, {**_QUIET, "format": "VALUE", "no-trunc": ""}, 0, 0), "network inspect": (system.inspect_network, _FORMAT, 1, -1),
    "network rm": (system.remove_networks, {}, 1, -1), "container prune": (containers.prune_containers, {"f/force": ""}, 0, 0),
    "image prune": (images.prune_images, {"f/force": "", "a/all": ""}, 0, 0), "system prune": (system.prune_system, {"f/force": "", "a/all": ""}, 0, 0),
}  # fmt: skip
_GROUPS = (
    "image",
    "container",
    "network",
    "system",
    "volume",
    "builder",
    "swarm",
    "manifest",
    "context",
)
_ALIASES = {
    "image ls": "images", "image list": "images", "image pull": "pull", "image tag": "tag", "image rm": "rmi", "image remove": "rmi",
    "image build": "build", "container ls": "ps", "container list": "ps", "container ps": "ps", "container run": "run",
    "container create": "create", "container start": "start", "container stop": "stop", "container kill": "kill", "container rm": "rm",
    "container exec": "exec", "container logs": "logs", "system info": "info", "network list": "network ls",
    "network remove": "network rm",
}  # fmt: skip
_UNKNOWN_HERE = (*_GROUPS, "attach", "commit", "cp", "diff", "events", "export", "history", "import", "load", "login", "logout",
                 "pause", "port", "push", "rename", "restart", "save", "search", "stats", "top", "unpause", "update", "wait")  # fmt: skip
