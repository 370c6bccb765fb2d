"""The parameters cells of a notebook, written from the model: one parameter a line, typed and explained.

papermill reads the first cell with the tag `parameters`, and knows what it assigns: all parameters are there, and the cell
is folded away. What a notebook is about stands in a cell behind it. Its names are declared without a value, which assigns
nothing: what papermill has given in between stays, and a person at a desk writes `=` and a value behind a name.

`python -m k8swin_nb.notebook.parameter_cell notebooks/*.ipynb` rewrites the cells; a test holds that
they are up to date, so that papermill knows every parameter and `--help-notebook` explains it.
"""

from __future__ import annotations

import sys
import types
import typing
from collections.abc import Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import nbformat

from k8swin_nb.description import Description
from k8swin_nb.notebook.given import HERE, HERE_TAG, OWN_TAG
from k8swin_nb.notebook.notebook_parameters import NotebookParameters

ALL = "# All that papermill can set (None: from the description)"
"""The first line of the cell that is folded away. JupyterLab shows it in its place, and a longer one, which it does not wrap,
moves the whole notebook sideways on a screen of 1000 px."""

ABOUT = {"params_file": "description of the cluster", "dry_run": "", "reason": ""}
"""Parameters of every notebook that are shown; with other words, where those for papermill speak of what is folded."""


def parameters_cell(notebook: str) -> str:
    """Return the source of the parameters cell of a notebook, given its name such as `02_master`."""
    lines = [ALL]
    lines += [
        f"{name}: {kind} = {default}  # {text}" for name, kind, default, text in _own(notebook)
    ]
    for name, model in Description.model_fields.items():
        text = " ".join((model.description or "").split()).rstrip(".")
        lines.append(f"{name}: {_kind(model.annotation)} = None  # {text}")
    return "\n".join(lines)


def this_notebook_cell(notebook: str) -> str:
    """Return the source of the cell that shows what a notebook is about, given its name such as `02_master`."""
    everywhere = {one.name for one in fields(NotebookParameters) if not one.metadata["only"]}
    lines = [f"{HERE}: write = and a value behind a name to set it"]
    for name, kind, default, text in _own(notebook):
        if name in ABOUT or name not in everywhere:
            usual = f"; {default} without a value" if default != "None" else ""
            lines.append(f"{name}: {kind}  # {ABOUT.get(name) or text}{usual}")
    return "\n".join(lines)


def _own(notebook: str) -> Iterator[tuple[str, str, str, str]]:
    """Yield name, type, default and help of a notebook's parameters beside the description."""
    for declared in fields(NotebookParameters):
        only = declared.metadata["only"]
        if not only or notebook in only:
            kind = "bool" if isinstance(declared.default, bool) else "str"
            yield declared.name, kind, _literal(declared.default), declared.metadata["help"]


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
            tags = cell.metadata.get("tags", [])
            if OWN_TAG in tags:
                cell.source = parameters_cell(path.stem)
            elif HERE_TAG in tags:
                cell.source = this_notebook_cell(path.stem)
        nbformat.write(notebook, path)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
