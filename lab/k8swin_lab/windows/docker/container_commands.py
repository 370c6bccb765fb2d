"""docker.exe's commands about containers."""

from __future__ import annotations

import re
from collections.abc import Callable

from k8swin_lab.internet.pulling import normalize
from k8swin_lab.machines.program import NotSimulated, Process
from k8swin_lab.machines.windows_docker import DockerContainer, DockerError, short
from k8swin_lab.windows.docker import facts, running
from k8swin_lab.windows.docker.options import Options
from k8swin_lab.windows.docker.shown import engine_of, inspected, show
from k8swin_lab.windows.machine_of import machine_of


def ps(process: Process, options: Options) -> int:
    machine = machine_of(process)
    engine_of(process, "containers/json")
    shown = sorted(machine.docker.containers.values(), key=lambda c: -c.created)
    filters = options.flags.get("filter", [])
    everything = options.on("all") or any(f.startswith("status=") for f in filters)
    if "last" in options.flags or options.on("latest") or options.on("size"):
        raise NotSimulated("docker.exe ps --last, --latest and --size")
    rows = []
    for found in shown:
        if not (found.running or everything) or not all(_fits(item, found) for item in filters):
            continue
        row = facts.container_row(machine, found)
        if options.on("no-trunc"):
            row["ID"] = found.id
        rows.append(row)
    show(process, options, [("CONTAINER ID", "ID"), ("IMAGE", "Image"), ("COMMAND", "Command"), ("CREATED", "RunningFor"),
                             ("STATUS", "Status"), ("PORTS", "Ports"), ("NAMES", "Names")], rows)  # fmt: skip
    return 0


def _fits(item: str, found: DockerContainer) -> bool:
    key, _, value = item.partition("=")
    if key == "name":
        return bool(re.search(value.lstrip("/"), found.name))
    if key == "id":
        return found.id.startswith(value)
    if key == "status":
        return found.state == value
    if key == "label":
        name, sign, wanted = value.partition("=")
        return name in found.labels and (not sign or found.labels[name] == wanted)
    if key == "ancestor":
        return (
            value in (found.shown_image, short(found.image.id), found.image.id)
            or normalize(value) in found.image.tags
        )
    raise NotSimulated(f"docker.exe ps --filter {item}")


def _each(process: Process, names: list[str], action: Callable[[DockerContainer], None]) -> int:
    """Do something to each container named, and print the name; errors come after one another."""
    machine, code = machine_of(process), 0
    for name in names:
        try:
            action(machine.docker.find_container(name))
            process.out(name + "\n")
        except DockerError as error:
            process.err(error.told)
            code = 1
    return code


def _end(found: DockerContainer) -> None:
    if found.process is not None and found.running:
        found.process.stop()


def stop(process: Process, options: Options) -> int:
    engine_of(process, "containers/stop")
    docker_state = machine_of(process).docker

    def stop(found: DockerContainer) -> None:
        _end(found)
        if found.auto_remove:
            docker_state.containers.pop(found.id, None)

    return _each(process, options.arguments, stop)


def kill(process: Process, options: Options) -> int:
    engine_of(process, "containers/kill")

    def kill(found: DockerContainer) -> None:
        if not found.running:
            raise DockerError(
                f"Cannot kill container: {found.name}: Container {found.id} is not running", 409
            )
        _end(found)

    return _each(process, options.arguments, kill)


def start(process: Process, options: Options) -> int:
    engine_of(process, "containers/start")
    machine = machine_of(process)

    def start(found: DockerContainer) -> None:
        if not found.running:
            running.start(machine, found, [], "")

    return _each(process, options.arguments, start)


def remove(process: Process, options: Options) -> int:
    engine_of(process, "containers")
    docker_state = machine_of(process).docker
    return _each(
        process,
        options.arguments,
        lambda c: docker_state.remove_container(c, force=options.on("force")),
    )


def run(process: Process, options: Options) -> int:
    engine_of(process, "containers/create")
    if options.on("tty") and not options.on("detach"):
        process.err("the input device is not a TTY\n")
        return 1
    if options.last("pull", "missing") != "missing":
        raise NotSimulated(f"docker.exe run --pull={options.last('pull')}")
    return running.run(process, machine_of(process), options)


def create(process: Process, options: Options) -> int:
    engine_of(process, "containers/create")
    machine = machine_of(process)
    image = machine.docker.find_image(options.arguments[0])
    if image is None:
        image, _ = machine.docker.pull(options.arguments[0])
    process.out(running.create(machine, image, options).id + "\n")
    return 0


def exec(process: Process, options: Options) -> int:
    engine_of(process, "containers/exec")
    found = machine_of(process).docker.find_container(options.arguments[0])
    if not found.running or found.process is None:
        raise DockerError(f"Container {found.id} is not running", 409)
    code, out, err = found.process.exec(options.arguments[1:])
    process.stdout.write(out)
    process.stderr.write(err)
    return code


def logs(process: Process, options: Options) -> int:
    engine_of(process, "containers/logs")
    found = machine_of(process).docker.find_container(options.arguments[0])
    if options.on("follow"):
        return running.follow(process, machine_of(process), found) and 0
    text = found.process.logs() if found.process is not None else ""
    if "tail" in options.flags and options.last("tail") != "all":
        text = "".join(text.splitlines(keepends=True)[-int(options.last("tail")) :])
    process.out(text)
    return 0


def inspect_container(process: Process, options: Options) -> int:
    machine = machine_of(process)
    engine_of(process, "containers/json")
    return inspected(process, options, lambda n: facts.container(machine, machine.docker.find_container(n)), "container")  # fmt: skip


def prune_containers(process: Process, options: Options) -> int:
    engine_of(process, "containers/prune")
    if not options.on("force"):
        raise NotSimulated("docker.exe container prune without --force")
    docker_state = machine_of(process).docker
    gone = [c for c in docker_state.containers.values() if not c.running]
    for found in gone:
        docker_state.remove_container(found, force=False)
    if gone:
        process.out("Deleted Containers:\n" + "".join(c.id + "\n" for c in gone) + "\n")
    process.out("Total reclaimed space: 0B\n")
    return 0
