"""docker images, pull, tag, rmi, save, load, and image inspect."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from dataclasses import replace
from typing import Any

from k8swin_lab.arguments import Options, Parsed
from k8swin_lab.internet import pulling
from k8swin_lab.internet.pulling import Image, PullError
from k8swin_lab.linux.containers.start import image_command
from k8swin_lab.linux.docker.call import (
    Call,
    DockerError,
    familiar,
    images,
    parts,
    short,
    show,
)
from k8swin_lab.linux.files import Files, explain
from k8swin_lab.linux.words import decimal_size
from k8swin_lab.machines.program import NotSimulated

LIST = Options(flags="-a,--all -q,--quiet --no-trunc --digests", values="-f,--filter --format")
PULL = Options(flags="-q,--quiet -a,--all-tags --disable-content-trust", values="--platform")
REMOVE = Options(flags="-f,--force --no-prune")
SAVE = Options(values="-o,--output")
LOAD = Options(flags="-q,--quiet", values="-i,--input")
INSPECT = Options(values="-f,--format")
_HEADS = {
    "Repository": "REPOSITORY",
    "Tag": "TAG",
    "ID": "IMAGE ID",
    "CreatedSince": "CREATED",
    "Size": "SIZE",
}


def list_images(call: Call, words: list[str]) -> int:
    """Run docker images."""
    parsed = LIST.parse("docker images", words)
    found = sorted(images(call.engine).items(), key=lambda pair: pair[0])
    if parsed.operands:
        wanted = parsed.operands[0]
        full = pulling.normalize(wanted)
        tagged = ":" in wanted.rpartition("/")[2]
        found = [
            (name, image)
            for name, image in found
            if name == full or (not tagged and parts(name)[0] == familiar(pulling.split(full)[0]))
        ]
    for option in parsed.all("-f"):
        key, _, value = option.partition("=")
        if key != "reference" or "*" in value:
            raise NotSimulated(f"docker images --filter {option}")
        found = [
            (name, image) for name, image in found if value in (familiar(name), parts(name)[0])
        ]
    whole = "--no-trunc" in parsed
    if "-q" in parsed:
        ids = list(dict.fromkeys(image.id for _, image in found))
        call.out("".join(f"{one if whole else short(one)}\n" for one in ids))
        return 0
    rows = []
    for name, image in found:
        repository, tag = parts(name)
        rows.append({
            "Repository": repository,
            "Tag": tag,
            "ID": image.id if whole else short(image.id),
            "Digest": image.digest,
            "CreatedSince": "3 months ago",
            "CreatedAt": "2026-08-17 10:00:00 +0000 UTC",
            "Size": decimal_size(image.size),
            "Containers": "N/A",
            "SharedSize": "N/A",
            "UniqueSize": "N/A",
            "VirtualSize": decimal_size(image.size),
        })  # fmt: skip
    heads = _HEADS
    if "--digests" in parsed:
        heads = {"Repository": "REPOSITORY", "Tag": "TAG", "Digest": "DIGEST", "ID": "IMAGE ID",
                 "CreatedSince": "CREATED", "Size": "SIZE"}  # fmt: skip
    call.table(rows, heads, parsed.get("--format"))
    return 0


def pull(call: Call, words: list[str]) -> int:
    """Run docker pull."""
    parsed = PULL.parse("docker pull", words)
    for option in ("-a", "--platform"):
        if option in parsed:
            raise NotSimulated(f"docker pull {option}")
    reference = _one(parsed, "docker pull")
    pull_image(call, reference, quiet="-q" in parsed)
    if int(call.version.split(".")[0]) >= 19:
        call.out(f"{pulling.normalize(reference)}\n")
    return 0


def pull_image(call: Call, reference: str, *, quiet: bool = False, prefix: str = "") -> Image:
    """Pull an image and say so.

    Raises:
        DockerError: the daemon could not.
    """
    engine = call.engine
    full = pulling.normalize(reference)
    untagged = ":" not in reference.rpartition("/")[2] and "@" not in reference
    if untagged and not quiet and not prefix:
        call.out("Using default tag: latest\n")
    before = images(engine).get(full)
    try:
        image = engine.pull(reference)
    except PullError as error:
        raise DockerError(f"{prefix}Error response from daemon: {error}") from error
    say = call.err if prefix else call.out
    if not quiet:
        repository, tag = pulling.split(full)
        layer = short(hashlib.sha256(image.id.encode()).hexdigest())
        say(f"{tag}: Pulling from {repository.partition('/')[2]}\n")
        if before is None:
            say(f"{layer}: Pulling fs layer\n{layer}: Download complete\n{layer}: Pull complete\n")
        say(f"Digest: {image.digest}\n")
        verb = "Downloaded newer image for" if before is None else "Image is up to date for"
        say(f"Status: {verb} {familiar(full)}\n")
    return image


def _one(parsed: Parsed, command: str) -> str:
    if len(parsed.operands) != 1:
        raise DockerError(f"\"{command}\" requires exactly 1 argument.\nSee '{command} --help'.\n")
    return parsed.operands[0]


def tag(call: Call, words: list[str]) -> int:
    """Run docker tag."""
    parsed = Options().parse("docker tag", words)
    if len(parsed.operands) != 2:
        raise DockerError(
            "\"docker tag\" requires exactly 2 arguments.\nSee 'docker tag --help'.\n"
        )
    source, target = parsed.operands
    image = call.engine.image(source)
    if image is None:
        raise DockerError(f"Error response from daemon: No such image: {_tagged(source)}")
    full = pulling.normalize(target)
    images(call.engine)[full] = replace(image, reference=full)
    return 0


def _tagged(name: str) -> str:
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"


def remove(call: Call, words: list[str]) -> int:
    """Run docker rmi."""
    parsed = REMOVE.parse("docker rmi", words)
    engine, code = call.engine, 0
    for name in parsed.operands:
        image = engine.image(name)
        if image is None:
            call.err(f"Error: No such image: {name}\n")
            code = 1
            continue
        full = pulling.normalize(name)
        by_reference = full in images(engine)
        same = [ref for ref, other in images(engine).items() if other.id == image.id]
        users = [one for one in engine.containers if one.image.id == image.id]
        if users and (len(same) == 1 or not by_reference) and "-f" not in parsed:
            call.err(
                "Error response from daemon: conflict: unable to remove repository reference "
                f'"{name}" (must force) - container {short(users[0].id)} is using its referenced image '
                f"{short(image.id)}\n"
            )
            code = 1
            continue
        gone = [full] if by_reference else same
        for reference in gone:
            del images(engine)[reference]
            call.out(f"Untagged: {familiar(reference)}\n")
        if len(gone) == len(same):
            call.out(f"Deleted: {image.id}\n")
    return code


def inspect(call: Call, words: list[str]) -> int:
    """Run docker image inspect."""
    parsed = INSPECT.parse("docker image inspect", words)
    found, code = [], 0
    for name in parsed.operands:
        image = call.engine.image(name)
        if image is None:
            code = 1
            missing = name
        else:
            found.append(description(call, image))
    show(call, found, parsed.get("-f"))
    if code:
        if parsed.get("-f"):
            call.out("\n")
        call.err(f"Error: No such image: {missing}\n")
    return code


def description(call: Call, image: Image) -> dict[str, Any]:
    """Return an image as `docker image inspect` shows it."""
    engine = call.engine
    same = sorted(ref for ref, other in images(engine).items() if other.id == image.id)
    digests = sorted({f"{parts(ref)[0]}@{image.digest}" for ref in same})
    command = image_command(image)
    return {
        "Id": image.id,
        "RepoTags": [familiar(ref) for ref in same if "@" not in ref],
        "RepoDigests": digests,
        "Parent": "",
        "Comment": "",
        "Created": "2026-08-17T10:00:00Z",
        "DockerVersion": "",
        "Author": "",
        "Config": {
            "Hostname": "",
            "Domainname": "",
            "User": "",
            "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
            "Cmd": command[1:] or None,
            "Image": "",
            "Volumes": None,
            "WorkingDir": "/",
            "Entrypoint": command[:1] or None,
            "Labels": None,
        },
        "Architecture": "amd64",
        "Os": image.os,
        "Size": image.size,
        "VirtualSize": image.size,
        "GraphDriver": {"Data": {}, "Name": engine.storage_driver},
        "RootFS": {
            "Type": "layers",
            "Layers": [f"sha256:{hashlib.sha256(image.id.encode()).hexdigest()}"],
        },
        "Metadata": {"LastTagTime": "0001-01-01T00:00:00Z"},
    }


_MEMBER = "k8swin-lab-images.json"


def save(call: Call, words: list[str]) -> int:
    """Run docker save: an archive that docker load of the lab reads."""
    parsed = SAVE.parse("docker save", words)
    held = []
    for name in parsed.operands:
        image = call.engine.image(name)
        if image is None:
            raise DockerError(f"Error response from daemon: reference does not exist: {name}")
        held.append(image)
    entries = [{key: getattr(one, key) for key in _FIELDS} for one in held]
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, value in (
            ("manifest.json", [{"RepoTags": [familiar(one.reference)]} for one in held]),
            (_MEMBER, entries),
        ):
            data = json.dumps(value).encode()
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    if target := parsed.get("-o"):
        Files(call.process).write(target, out.getvalue(), 0o600)
    else:
        call.process.stdout.write(out.getvalue())
    return 0


_FIELDS = ("reference", "digest", "id", "size", "behaviour", "os", "os_version")


def load(call: Call, words: list[str]) -> int:
    """Run docker load."""
    parsed = LOAD.parse("docker load", words)
    engine = call.engine
    path = parsed.get("-i") or "-"
    try:
        content = Files(call.process).read(path)
    except OSError as error:
        raise DockerError(f"open {path}: {explain(error).lower()}") from error
    try:
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            member = archive.extractfile(_MEMBER)
            entries = json.loads(member.read()) if member else []
    except (tarfile.TarError, KeyError, ValueError) as error:
        raise DockerError("Error processing tar file(exit status 1): unexpected EOF") from error
    for entry in entries:
        image = Image(**entry)
        images(engine)[image.reference] = image
        call.out(f"Loaded image: {familiar(image.reference)}\n")
    return 0
