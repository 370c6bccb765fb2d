"""docker.exe run, start and exec: containers outside of any pod."""

from __future__ import annotations

from k8swin_lab.machines.program import NotSimulated, Process
from k8swin_lab.machines.windows import WindowsMachine
from k8swin_lab.machines.windows_docker import (
    DockerContainer,
    DockerError,
    DockerImage,
    familiar,
    short,
)
from k8swin_lab.windows.docker.options import Options

RUN_OPTIONS = {
    "d/detach": "", "rm": "", "name": "VALUE", "e/env": "VALUE", "i/interactive": "", "t/tty": "", "l/label": "VALUE",
    "network": "VALUE", "net": "VALUE", "isolation": "VALUE", "entrypoint": "VALUE", "w/workdir": "VALUE", "pull": "VALUE",
}  # fmt: skip
_SHELL = r"c:\windows\system32\cmd.exe"


def command_of(image: DockerImage, options: Options, words: list[str]) -> list[str]:
    """What runs: entry point and command of the image, or what stands on the command line."""
    if "entrypoint" in options.flags:
        return [options.last("entrypoint"), *words]
    return [*image.entrypoint, *(words or image.command)]


def create(machine: WindowsMachine, image: DockerImage, options: Options) -> DockerContainer:
    """A container for `docker run` or `docker create`.

    Raises:
        DockerError: no such network, or its name is taken.
    """
    network = options.last("network") or options.last("net") or "nat"
    known = [n.name for n in machine.docker.networks()]
    if network not in ("none", "default") and network not in known:
        raise DockerError(f"network {network} not found", 404)
    labels = dict(pair.partition("=")[::2] for pair in options.flags.get("label", []))
    isolation = options.last("isolation", "process")
    if isolation == "hyperv" and not machine.features.installed("Hyper-V"):
        raise DockerError("No hypervisor is present on this system.")
    if isolation == "hyperv":
        raise NotSimulated("docker.exe run --isolation=hyperv")
    words = command_of(image, options, options.arguments[1:])
    return machine.docker.create(
        image, options.arguments[0], words, name=options.last("name"), network="nat" if network == "default" else network,
        labels=labels, auto_remove=options.on("rm"), isolation=isolation,
    )  # fmt: skip


def start(
    machine: WindowsMachine, container: DockerContainer, env: list[str], directory: str
) -> None:
    """Let a container run.

    Raises:
        DockerError: the Host Compute Service refuses it.
    """
    docker = machine.docker
    if machine.services.state("vmcompute") != "Running":
        raise DockerError(
            f"hcsshim::CreateComputeSystem {container.id}: The service has not been started."
        )
    docker.check_build(container)
    container.address = docker.free_address() if container.network == "nat" else ""
    image = container.image
    words = container.command
    if [word.lower() for word in words] == [_SHELL]:
        words = []  # a console that nobody types into
    elif len(words) == 1 and image.source.behaviour in ("hello-world", "pause"):
        words = []
    pod = {
        "metadata": {"name": short(container.id), "namespace": ""},
        "spec": {},
        "status": {"podIP": container.address},
    }
    spec = {"name": container.name, "command": [w.replace("$", "$$") for w in words],
            "workingDir": directory or image.working_directory or "C:\\"}  # fmt: skip
    pairs = dict(pair.partition("=")[::2] for pair in [*image.env, *env])
    process = machine.software.make_container(machine, image.source, pod, spec, pairs)
    container.started = machine.now()
    try:
        process.start()
    except RuntimeError as error:
        if "not simulated" in str(error):
            raise NotSimulated(str(error).partition("lab: ")[2]) from error
        container.exit_code = 127
        raise DockerError(f"container {container.id} encountered an error during hcsshim::System::CreateProcess: failure in a Windows "
                          "system call: The system cannot find the file specified. (0x2)") from error  # fmt: skip
    container.process = process


def run(process: Process, machine: WindowsMachine, options: Options) -> int:
    """Run a container and follow it.

    Raises:
        DockerError: as `create` and `start`.
    """
    name = options.arguments[0]
    image = machine.docker.find_image(name)
    if image is None:
        full = name if ":" in name.rpartition("/")[2] or "@" in name else name + ":latest"
        process.err(f"Unable to find image '{full}' locally\n")
        image, _ = machine.docker.pull(name)
        process.err(f"Status: Downloaded newer image for {familiar(full)}\n")
    container = create(machine, image, options)
    try:
        start(machine, container, options.flags.get("env", []), options.last("workdir"))
    except DockerError:
        if container.auto_remove:
            machine.docker.containers.pop(container.id, None)
        raise
    if options.on("detach"):
        process.out(container.id + "\n")
        return 0
    return follow(process, machine, container)


def follow(process: Process, machine: WindowsMachine, container: DockerContainer) -> int:
    """Show what a container writes until it ends; its exit code."""
    running, shown = container.process, 0
    if running is None:
        return container.code
    while True:
        ended = running.exit_code()
        text = running.logs()
        process.out(text[shown:])
        shown = len(text)
        if ended is not None:
            break
        if process.cancelled.wait(0.02):
            return 1  # the client goes, the container stays
    if container.auto_remove:
        machine.docker.containers.pop(container.id, None)
    return ended & 0xFFFFFFFF
