"""docker's command line: which command runs."""

from __future__ import annotations

from collections.abc import Callable

from k8swin_lab.arguments import MissingValue, Options
from k8swin_lab.linux.docker import containers, images, information
from k8swin_lab.linux.docker.call import Call, DockerError
from k8swin_lab.machines.program import NotSimulated, Process

Command = Callable[[Call, list[str]], int]

_COMMANDS: dict[str, Command] = {
    "exec": containers.execute,
    "images": images.list_images,
    "info": information.info,
    "inspect": containers.inspect,
    "kill": containers.kill,
    "load": images.load,
    "logs": containers.logs,
    "ps": containers.list_containers,
    "pull": images.pull,
    "rm": containers.remove,
    "rmi": images.remove,
    "run": containers.run,
    "save": images.save,
    "stop": containers.stop,
    "tag": images.tag,
    "version": information.version,
    "wait": containers.wait,
}
_GROUPS: dict[str, dict[str, Command]] = {
    "container": {
        "exec": containers.execute,
        "inspect": lambda call, words: containers.inspect(call, ["--type=container", *words]),
        "kill": containers.kill,
        "logs": containers.logs,
        "ls": containers.list_containers,
        "list": containers.list_containers,
        "ps": containers.list_containers,
        "rm": containers.remove,
        "run": containers.run,
        "stop": containers.stop,
        "wait": containers.wait,
    },
    "image": {
        "inspect": images.inspect,
        "load": images.load,
        "ls": images.list_images,
        "list": images.list_images,
        "pull": images.pull,
        "rm": images.remove,
        "save": images.save,
        "tag": images.tag,
    },
    "system": {"info": information.info},
}
_ELSEWHERE = (
    "attach", "build", "builder", "buildx", "commit", "compose", "config", "context", "cp", "create", "diff",
    "events", "export", "history", "import", "login", "logout", "manifest", "network", "node", "pause", "plugin",
    "port", "push", "rename", "restart", "search", "secret", "service", "stack", "start", "stats", "swarm", "top",
    "trust", "unpause", "update", "volume",
)  # fmt: skip
_GLOBAL = Options(
    flags="-v,--version -D,--debug",
    values="-H,--host -l,--log-level --config -c,--context",
    permute=False,
)


def docker(process: Process, *, version: str) -> int:
    """Run docker."""
    call = Call(process, version)
    parsed = _GLOBAL.parse("docker", process.argv[1:])
    for option in ("-H", "--config", "-c"):
        if option in parsed:
            raise NotSimulated(f"docker {option}")
    if "-v" in parsed:
        commit = information.commit(version)
        process.out(f"Docker version {version}, build {commit}\n")
        return 0
    name, *words = parsed.operands or ["help"]
    try:
        return _command(name, words)(call, words[1:] if name in _GROUPS else words)
    except DockerError as error:
        process.err(f"{error}\n")
        return error.code
    except MissingValue as error:
        process.err(f"flag needs an argument: {error}\nSee 'docker {name} --help'.\n")
        return 125


def _command(name: str, words: list[str]) -> Command:
    if name in _GROUPS:
        verb = words[0] if words else ""
        if verb not in _GROUPS[name]:
            raise NotSimulated(f"docker {name} {verb}".strip())
        return _GROUPS[name][verb]
    if name in _COMMANDS:
        return _COMMANDS[name]
    if name in _ELSEWHERE or name == "help":
        raise NotSimulated(f"docker {name}")
    raise DockerError(f"docker: '{name}' is not a docker command.\nSee 'docker --help'")


def dockerd(process: Process, *, version: str) -> int:
    """Run dockerd --version; the daemon is systemd's."""
    if process.argv[1:] in (["--version"], ["-v"]):
        process.out(f"Docker version {version}, build {information.commit(version)}\n")
        return 0
    raise NotSimulated("dockerd started by hand; systemctl starts it")
