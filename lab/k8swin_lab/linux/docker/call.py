"""One call of the docker client, and what its commands share: errors, names, formats."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from k8swin_lab import go_templates
from k8swin_lab.internet import pulling
from k8swin_lab.internet.pulling import Image
from k8swin_lab.linux.files import machine_of
from k8swin_lab.linux.words import columns
from k8swin_lab.machines.container_runtime import ContainerRecord
from k8swin_lab.machines.docker_engine import DockerEngine
from k8swin_lab.machines.linux import LinuxMachine
from k8swin_lab.machines.program import Process


class DockerError(Exception):
    """What docker prints before it ends; `code` is the exit code."""

    def __init__(self, text: str, code: int = 1) -> None:
        super().__init__(text)
        self.code = code


@dataclass(slots=True)
class Call:
    """The process, the client's version, and the engine it talks to."""

    process: Process
    version: str

    @property
    def machine(self) -> LinuxMachine:
        return machine_of(self.process)

    @property
    def engine(self) -> DockerEngine:
        """The daemon.

        Raises:
            DockerError: it does not answer.
        """
        found = self.machine.docker
        if error := found.socket_error(self.process.user):
            raise DockerError(error)
        return found

    def out(self, text: str) -> None:
        self.process.out(text)

    def err(self, text: str) -> None:
        self.process.err(text)

    def table(self, rows: list[dict[str, Any]], heads: dict[str, str], template: str) -> None:
        """Print rows as a table, or as a format says: a Go template, with `table` in front or `json`."""
        if not template or template == "table":
            shown = [list(heads.values()), *[[row[key] for key in heads] for row in rows]]
            self.out(columns(shown, gap=3))
            return
        if template == "json":
            template = "{{json .}}"
        if template.startswith("table "):
            body = unescaped(template.removeprefix("table "))
            lines = [_rendered(body, {**{key: key.upper() for key in rows[0]}, **heads})] if rows else [
                _rendered(body, dict(heads))]  # fmt: skip
            lines += [_rendered(body, row) for row in rows]
            self.out(columns([line.split("\t") for line in lines], gap=3))
            return
        body = unescaped(template)
        for row in rows:
            self.out(f"{_rendered(body, row)}\n")


def unescaped(template: str) -> str:
    """Return a format with the escapes that docker itself replaces."""
    return template.replace("\\t", "\t").replace("\\n", "\n")


def _rendered(template: str, value: Any) -> str:
    try:
        return go_templates.render(template, value)
    except go_templates.TemplateError as error:
        raise DockerError(str(error)) from error


def show(call: Call, values: Sequence[Any], template: str) -> None:
    """Print objects as `inspect` does: a JSON list, or one line of a template for each."""
    if not template:
        call.out(json.dumps(list(values), indent=4) + "\n")
        return
    for value in values:
        call.out(f"{_rendered('{{json .}}' if template == 'json' else template, value)}\n")


def familiar(reference: str) -> str:
    """Return how docker shows a reference: "docker.io/library/nginx:latest" is "nginx:latest"."""
    return reference.removeprefix("docker.io/").removeprefix("library/")


def parts(reference: str) -> tuple[str, str]:
    """Return repository and tag as docker shows them."""
    repository, tag = pulling.split(reference)
    return familiar(repository), "<none>" if tag.startswith("sha256:") else tag


def short(identifier: str) -> str:
    """Return the first twelve digits of an id."""
    return identifier.removeprefix("sha256:")[:12]


def images(engine: DockerEngine) -> dict[str, Image]:
    """Return the images by reference."""
    return engine.images.setdefault(engine.namespace, {})


def find_container(engine: DockerEngine, name: str) -> ContainerRecord | None:
    """Return a container by name, id or the beginning of its id."""
    for record in engine.containers:
        if container_name(record) == name.lstrip("/") or record.id == name:
            return record
    found = [record for record in engine.containers if name and record.id.startswith(name)]
    return found[0] if len(found) == 1 else None


def container_name(record: ContainerRecord) -> str:
    """Return a container's name; those of pods are named by the kubelet."""
    if record.sandbox is None:
        return record.name
    pod = record.sandbox
    return f"k8s_{record.name}_{pod.name}_{pod.namespace}_{pod.uid}_{record.attempt}"
