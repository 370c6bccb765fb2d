"""docker.exe build: the instructions of a Dockerfile that change an image's configuration."""

from __future__ import annotations

import json
import re
from typing import Any

from k8swin_lab.internet.pulling import normalize
from k8swin_lab.machines.program import NotSimulated, Process
from k8swin_lab.machines.windows_docker import (
    DockerError,
    DockerImage,
    WindowsDocker,
    familiar,
    short,
)
from k8swin_lab.windows.docker.options import Options
from k8swin_lab.windows.machine_of import full_path, machine_of

BUILD_OPTIONS = {
    "t/tag": "VALUE", "f/file": "VALUE", "q/quiet": "", "build-arg": "VALUE", "label": "VALUE", "pull": "", "no-cache": "", "rm": "",
}  # fmt: skip
_KNOWN = ("add", "arg", "cmd", "copy", "entrypoint", "env", "expose", "from", "healthcheck", "label", "maintainer", "onbuild",
          "run", "shell", "stopsignal", "user", "volume", "workdir")  # fmt: skip


class BuildError(Exception):
    """The text is Docker's, without "Error response from daemon: "."""


def instructions(text: str) -> list[tuple[str, str]]:
    """Cut a Dockerfile into instructions, as they are spelled.

    Raises:
        BuildError: an unknown instruction, or none at all.
    """
    escape = "\\"
    if found := re.match(r"(?:#.*\n)*#\s*escape\s*=\s*([\\`])", text, re.IGNORECASE):
        escape = found[1]
    lines: list[str] = []
    pending = ""
    for raw in text.splitlines():
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        if line.endswith(escape):
            pending += line[:-1]
            continue
        lines.append(pending + line)
        pending = ""
    if pending:
        lines.append(pending)
    if not lines:
        raise BuildError("the Dockerfile (Dockerfile) cannot be empty")
    result = []
    for number, line in enumerate(lines, 1):
        name, _, rest = line.partition(" ")
        if name.lower() not in _KNOWN:
            raise BuildError(
                f"dockerfile parse error line {number}: unknown instruction: {name.upper()}"
            )
        result.append((name.upper(), rest.strip()))
    return result


def _words(rest: str, shell: list[str]) -> list[str]:
    """The exec form as it stands; the shell form behind the shell."""
    if rest.startswith("["):
        try:
            found = json.loads(rest)
            if isinstance(found, list):
                return [str(word) for word in found]
        except ValueError:
            pass
    return [*shell, rest]


def _pairs(rest: str) -> list[tuple[str, str]]:
    if "=" not in rest.split()[0]:
        name, _, value = rest.partition(" ")
        return [(name, value.strip())]
    return [
        (found[1], (found[2] or found[3] or ""))
        for found in re.finditer(r'([\w.-]+)=(?:"([^"]*)"|(\S*))', rest)
    ]


def build(process: Process, options: Options) -> int:
    """Build an image from a Dockerfile in a folder, or from standard input.

    Raises:
        BuildError: the Dockerfile is missing or wrong.
        DockerError: the image it begins with cannot be had.
    """
    machine = machine_of(process)
    docker = machine.docker
    context = options.arguments[0]
    if context == "-":
        text = process.stdin.read().decode("utf-8-sig", "replace")
        size = len(text)
    else:
        folder = full_path(process, context)
        if not machine.files.exists(folder):
            raise BuildError(f'unable to prepare context: path "{context}" not found')
        path = (
            full_path(process, options.last("file"))
            if "file" in options.flags
            else folder.rstrip("\\") + r"\Dockerfile"
        )
        if not machine.files.exists(path):
            raise BuildError(f"unable to prepare context: unable to evaluate symlinks in Dockerfile path: CreateFile {path}: The system "
                             "cannot find the file specified.")  # fmt: skip
        text = machine.files.read(path).decode("utf-8-sig", "replace")
        size = sum(info.size for info in machine.files.list(folder) if not info.is_directory)
    quiet = options.on("quiet")

    def say(line: str) -> None:
        if not quiet:
            process.out(line + "\n")

    steps = instructions(text)
    say(f"Sending build context to Docker daemon  {max(2.048, size / 1000):.4g}kB")
    arguments = dict(pair.partition("=")[::2] for pair in options.flags.get("build-arg", []))
    image: DockerImage | None = None
    shell = ["cmd", "/S", "/C"]
    for number, (name, rest) in enumerate(steps, 1):
        say(f"Step {number}/{len(steps)} : {name} {rest}".rstrip())
        if name == "ARG":
            key, _, value = rest.partition("=")
            arguments.setdefault(key.strip(), value.strip().strip('"'))
            continue
        for key, value in arguments.items():
            rest = rest.replace(f"${{{key}}}", value).replace(f"${key}", value)
        if name == "FROM":
            if image is not None:
                raise NotSimulated("docker.exe build with several stages")
            image = _base(process, docker, rest, pull=options.on("pull"))
        elif image is None:
            raise BuildError("no build stage in current context")
        else:
            if name == "SHELL":
                shell = _words(rest, shell)
                continue
            image = docker.derive(image, **_change(name, rest, image, shell))
            say(
                f" ---> Running in {short(image.id[::-1])}\nRemoving intermediate container {short(image.id[::-1])}"
            )
        say(f" ---> {short(image.id)}")
    if image is None:
        raise BuildError("no build stage in current context")
    if "label" in options.flags:
        added = dict(pair.partition("=")[::2] for pair in options.flags["label"])
        image = docker.derive(image, labels={**image.labels, **added})
    process.out(image.id + "\n" if quiet else f"Successfully built {short(image.id)}\n")
    for tag in options.flags.get("tag", []):
        docker.tag(image.id, tag)
        say(f"Successfully tagged {familiar(normalize(tag))}")
    return 0


def _base(process: Process, docker: WindowsDocker, rest: str, *, pull: bool) -> DockerImage:
    words = [word for word in rest.split() if not word.startswith("--platform")]
    name = words[0]
    if name.lower() == "scratch":
        raise BuildError("Windows does not support FROM scratch")
    found = docker.find_image(name)
    if found is None or pull:
        try:
            found, _ = docker.pull(name)
        except DockerError:
            if not pull and found is not None:
                return found
            raise
        process.out(f"Status: Downloaded newer image for {familiar(normalize(name))}\n")
    return found


def _change(name: str, rest: str, image: DockerImage, shell: list[str]) -> dict[str, Any]:
    if name == "CMD":
        return {"command": _words(rest, shell)}
    if name == "ENTRYPOINT":
        return {"entrypoint": _words(rest, shell), "command": []}
    if name == "ENV":
        env = {pair.partition("=")[0]: pair for pair in image.env}
        env.update({key: f"{key}={value}" for key, value in _pairs(rest)})
        return {"env": list(env.values())}
    if name == "LABEL":
        return {"labels": {**image.labels, **dict(_pairs(rest))}}
    if name == "WORKDIR":
        return {
            "working_directory": rest.replace("/", "\\")
            if ":" in rest
            else "C:\\" + rest.strip("/\\")
        }
    if name == "USER":
        return {"user": rest}
    if name in ("EXPOSE", "MAINTAINER", "STOPSIGNAL"):
        return {"labels": dict(image.labels)}
    raise NotSimulated(f"docker.exe build with {name}")
