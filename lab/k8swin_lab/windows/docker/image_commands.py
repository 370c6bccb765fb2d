"""docker.exe's commands about images."""

from __future__ import annotations

from typing import Any

from k8swin_lab.internet.pulling import normalize
from k8swin_lab.machines.program import NotSimulated, Process
from k8swin_lab.machines.windows_docker import DockerError, familiar
from k8swin_lab.windows.docker import facts
from k8swin_lab.windows.docker.build import build as build_image
from k8swin_lab.windows.docker.options import Options
from k8swin_lab.windows.docker.shown import engine_of, inspected, show
from k8swin_lab.windows.machine_of import machine_of


def pull(process: Process, options: Options) -> int:
    docker_state, name = machine_of(process).docker, options.arguments[0]
    engine_of(process, "images/create")
    quiet = options.on("quiet")
    if "platform" in options.flags and not options.last("platform").startswith("windows"):
        raise DockerError(f'"{options.last("platform").partition("/")[0]}" is an invalid value for platform: image operating system '
                          "cannot be used on this platform")  # fmt: skip
    full = normalize(name)
    if not quiet:
        if full.rpartition(":")[2] == "latest" and not name.endswith(":latest"):
            process.out("Using default tag: latest\n")
        process.out(
            f"{full.rpartition(':')[2]}: Pulling from {full.partition('/')[2].rpartition(':')[0]}\n"
        )
    image, fresh = docker_state.pull(name)
    if quiet:
        process.out(full + "\n")
        return 0
    status = "Downloaded newer image for" if fresh else "Image is up to date for"
    process.out(f"Digest: {image.source.digest}\nStatus: {status} {familiar(full)}\n{full}\n")
    return 0


def tag(process: Process, options: Options) -> int:
    engine_of(process, "images/tag")
    machine_of(process).docker.tag(options.arguments[0], options.arguments[1])
    return 0


def images(process: Process, options: Options) -> int:
    machine = machine_of(process)
    engine_of(process, "images/json")
    rows = []
    filters = options.flags.get("filter", [])
    for item in filters:
        if item.partition("=")[0] not in ("dangling", "reference"):
            raise NotSimulated(f"docker.exe images --filter {item}")
    for image in sorted(machine.docker.images.values(), key=lambda i: -i.created):
        names: list[str] = list(image.tags)
        if (
            not names
            and not options.on("all")
            and any(o.parent == image.id for o in list(machine.docker.images.values()))
        ):
            continue
        for name in names or [""]:
            row = facts.image_row(machine, name, image)
            wanted = options.arguments[0] if options.arguments else ""
            if wanted and wanted not in (row["Repository"], f"{row['Repository']}:{row['Tag']}"):
                continue
            if any(not _fits_image(item, row) for item in filters):
                continue
            if options.on("no-trunc"):
                row["ID"] = image.id
            rows.append(row)
    if options.on("digests"):
        raise NotSimulated("docker.exe images --digests")
    if options.on("quiet"):
        rows = list({row["ID"]: row for row in rows}.values())
    show(process, options, [("REPOSITORY", "Repository"), ("TAG", "Tag"), ("IMAGE ID", "ID"), ("CREATED", "CreatedSince"), ("SIZE", "Size")], rows)  # fmt: skip
    return 0


def _fits_image(item: str, row: dict[str, Any]) -> bool:
    import fnmatch

    key, _, value = item.partition("=")
    if key == "dangling":
        return bool((row["Tag"] == "<none>") == (value == "true"))
    return fnmatch.fnmatch(f"{row['Repository']}:{row['Tag']}", value) or bool(
        row["Repository"] == value
    )


def inspect_image(process: Process, options: Options) -> int:
    machine, engine = machine_of(process), engine_of(process, "images/json")

    def find(name: str) -> dict[str, Any]:
        image = machine.docker.find_image(name)
        if image is None:
            raise DockerError(name)
        return facts.image(machine, engine, image)

    return inspected(process, options, find, "image")


def remove_images(process: Process, options: Options) -> int:
    engine_of(process, "images")
    docker_state, code = machine_of(process).docker, 0
    for name in options.arguments:
        try:
            process.out(
                "".join(
                    line + "\n"
                    for line in docker_state.remove_image(name, force=options.on("force"))
                )
            )
        except DockerError as error:
            process.err(error.told)
            code = 1
    return code


def build(process: Process, options: Options) -> int:
    engine_of(process, "build")
    return build_image(process, options)


def prune_images(process: Process, options: Options) -> int:
    engine_of(process, "images/prune")
    if not options.on("force"):
        raise NotSimulated("docker.exe image prune without --force")
    docker_state = machine_of(process).docker
    used = {c.image.id for c in docker_state.containers.values()}
    freed = 0
    for image in list(docker_state.images.values()):
        needless = options.on("all") or not (image.tags or image.digests)
        if image.id in docker_state.images and needless and image.id not in used:
            freed += image.size
            docker_state.remove_image(image.id, force=True)
    process.out(f"Total reclaimed space: {facts.size_text(freed)}\n")
    return 0
