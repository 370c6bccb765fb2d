"""Manifests from files, folders, URLs and standard input."""

from __future__ import annotations

from typing import Any

import yaml

from k8swin_lab.kubectl.errors import KubectlError
from k8swin_lab.kubectl.kubeconfig import Files
from k8swin_lab.machines.program import NotSimulated, Process
from k8swin_lab.web_client import WebError, fetch

Object = dict[str, Any]


def read(
    process: Process, files: Files, names: list[str], *, recursive: bool = False
) -> list[tuple[Object, str]]:
    """Return the objects of all files, each with where it came from.

    Raises:
        KubectlError: a file is missing, is no YAML, or holds something that is no object.
    """
    if not names:
        raise KubectlError("error: must specify one of -f and -k")
    found: list[tuple[Object, str]] = []
    for name in names:
        for path, text in _texts(process, files, name, recursive):
            found += [(obj, path) for obj in _objects(text, path)]
    if not found:
        raise KubectlError("error: no objects passed to apply")
    return found


def _texts(process: Process, files: Files, name: str, recursive: bool) -> list[tuple[str, str]]:
    if name.startswith(("http://", "https://")):
        try:
            return [(name, fetch(process.machine, name).body.decode(errors="replace"))]
        except WebError as error:
            if error.status:
                raise KubectlError(
                    f'error: unable to read URL "{name}", server reported {error.status} {error.reason}, status code={error.status}'
                ) from error
            raise KubectlError(f'error: Get "{name}": {error}') from error
    if recursive:
        raise NotSimulated("kubectl -R")
    if name == "-":
        return [("STDIN", files.read("-").decode(errors="replace"))]
    if not files.exists(name):
        raise KubectlError(f'error: the path "{name}" does not exist')
    paths = [name]
    if files.is_dir(name):
        paths = [
            f"{name.rstrip('/')}/{one}"
            for one in files.list(name)
            if one.endswith((".yaml", ".yml", ".json"))
        ]
    try:
        return [(path, files.read(path).decode(errors="replace")) for path in paths]
    except OSError as error:
        raise KubectlError(f"error: open {name}: permission denied") from error


def _objects(text: str, path: str) -> list[Object]:
    try:
        documents = [one for one in yaml.safe_load_all(text) if one is not None]
    except yaml.YAMLError as error:
        problem = getattr(error, "problem", None) or str(error)
        mark = getattr(error, "problem_mark", None)
        line = f"line {mark.line + 1}: " if mark else ""
        raise KubectlError(
            f"error: error parsing {path}: error converting YAML to JSON: yaml: {line}{problem}"
        ) from error
    found: list[Object] = []
    for document in documents:
        if not isinstance(document, dict):
            raise KubectlError(
                f"error: error parsing {path}: error converting YAML to JSON: yaml: not an object"
            )
        if str(document.get("kind", "")).endswith("List") and "items" in document:
            found += document["items"]
            continue
        for key in ("apiVersion", "kind"):
            if not document.get(key):
                missing = "apiVersion not set" if key == "apiVersion" else "kind not set"
                raise KubectlError(
                    f'error: error validating "{path}": error validating data: {missing}; if you choose to ignore '
                    "these errors, turn validation off with --validate=false"
                )
        found.append(document)
    return found
