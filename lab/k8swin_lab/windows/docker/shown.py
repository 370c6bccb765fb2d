"""What docker.exe's commands share: asking for the engine, and showing lists and details."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from k8swin_lab.go_templates import render
from k8swin_lab.machines.program import Process
from k8swin_lab.machines.windows_docker import DockerError, RunningDocker
from k8swin_lab.windows.docker.options import Options
from k8swin_lab.windows.machine_of import machine_of

_PIPE = "//./pipe/docker_engine"


class NoEngine(Exception):
    """The daemon does not answer; the text says what was asked."""


def engine_of(process: Process, what: str) -> RunningDocker:
    engine = machine_of(process).docker.engine
    if engine is None:
        raise NoEngine(
            f"error during connect: This error may indicate that the docker daemon is not running.: Get "
            f'"http://%2F%2F.%2Fpipe%2Fdocker_engine/v1.24/{what}": open {_PIPE}: The system cannot find the file specified.'
        )
    shim = machine_of(process).containers.shim
    if shim is not None:
        shim.collect()  # what the kubelet does within seconds of a pod's end
    return engine


def _columns(process: Process, heads: list[tuple[str, str]], rows: list[dict[str, Any]]) -> None:
    table = [[head for head, _ in heads], *[[str(row[key]) for _, key in heads] for row in rows]]
    widths = [max(len(line[i]) for line in table) + 3 for i in range(len(heads))]
    for line in table:
        process.out(
            "".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip()
            + "\n"
        )


def show(
    process: Process,
    options: Options,
    heads: list[tuple[str, str]],
    rows: list[dict[str, Any]],
    key: str = "ID",
) -> None:
    """A list as a table, as identifiers, or by --format (with "table" in front: with its heads)."""
    form = options.last("format")
    if options.on("quiet"):
        process.out("".join(f"{row[key]}\n" for row in rows))
    elif form == "json":
        process.out("".join(json.dumps(row) + "\n" for row in rows))
    elif form and form != "table":
        plain = form.removeprefix("table ").replace("\\t", "\t").replace("\\n", "\n")
        if form.startswith("table "):
            titles = {name: head for head, name in heads} | {
                "ID": heads[0][0]
                if key != "ID"
                else f"{'IMAGE' if 'Tag' in (rows or [{}])[0] else 'CONTAINER'} ID"
            }
            names = re.findall(r"\{\{\s*\.(\w+)\s*\}\}", plain)
            _columns(process, [(titles.get(name, name.upper()), name) for name in names], rows)
        else:
            process.out("".join(render(plain, row) + "\n" for row in rows))
    else:
        _columns(process, heads, rows)


def inspected(
    process: Process, options: Options, find: Callable[[str], dict[str, Any]], kind: str
) -> int:
    """Show what was found of each name; a name that leads nowhere is an error after the others."""
    found, missing = [], []
    for name in options.arguments:
        try:
            found.append(find(name))
        except DockerError:
            missing.append(name)
    form = options.last("format")
    if form and form != "json":
        process.out("".join(render(form, entry) + "\n" for entry in found))
    else:
        process.out(json.dumps(found, indent=None if form else 4) + "\n")
    for name in missing:
        process.err(f"Error: No such {kind}: {name}\n")
    return 1 if missing else 0
