"""The parameters cell of a notebook, written from the model: one parameter a line, typed and explained.

`python -m k8swin_nb.notebook.parameter_cell notebooks/*.ipynb` rewrites the cells; a test holds that
they are up to date, so that papermill knows every parameter and `--help-notebook` explains it.
"""

from __future__ import annotations

import sys
import types
import typing
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import nbformat

from k8swin_nb.description import Description
from k8swin_nb.notebook.notebook_parameters import NotebookParameters


def parameters_cell(notebook: str) -> str:
    """Return the source of the parameters cell of a notebook, given its name such as `02_master`."""
    lines = []
    for declared in fields(NotebookParameters):
        only = declared.metadata["only"]
        if not only or notebook in only:
            kind = "bool" if isinstance(declared.default, bool) else "str"
            text = declared.metadata["help"]
            lines.append(f"{declared.name}: {kind} = {_literal(declared.default)}  # {text}")
    for name, model in Description.model_fields.items():
        text = " ".join((model.description or "").split()).rstrip(".")
        lines.append(f"{name}: {_kind(model.annotation)} = None  # {text}")
    return "\n".join(lines)


def _literal(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)


def _kind(annotation: Any) -> str:
    """Return papermill's word for a type: str, bool, int, list or dict."""
    if isinstance(annotation, type) and issubclass(annotation, bool | int):
        return annotation.__name__
    origin = typing.get_origin(annotation)
    if origin in (typing.Union, types.UnionType):
        return _kind(next(a for a in typing.get_args(annotation) if a is not type(None)))
    return {list: "list", dict: "dict"}.get(origin, "str")


def main(paths: Sequence[str]) -> int:
    """Rewrite the parameters cells of notebooks; return 0."""
    for path in map(Path, paths):
        notebook = nbformat.read(path, as_version=4)
        for cell in notebook.cells:
            if "parameters" in cell.metadata.get("tags", []):
                cell.source = parameters_cell(path.stem)
        nbformat.write(notebook, path)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
