"""What is wrong with a description, problem by problem: the parameter, what it was and what to type."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from k8swin_nb.foreign_values import written_otherwise
from k8swin_nb.foreign_words import advice, meant
from k8swin_nb.host_description import HostDescription, StrictModel
from k8swin_nb.reading import SHOWN, shown, unseen

PROBLEMS = 20
"""Problems of one description that an error names; a wrong word in a long list of hosts has thousands."""

SECRET_REFERENCES = (
    "credential",
    "ssh_password",
    "identity_passphrase",
    "sudo_password",
    "winrm_key_passphrase",
)
"""Keys of a host that refer to a secret; a mistaken value may be the secret itself."""

_Models = tuple[type[StrictModel], Mapping[str, type[StrictModel]]]
"""That of a description, and those of the records in its lists."""


def explained(
    error: ValidationError,
    values: Mapping[str, Any],
    whole: type[StrictModel],
    nested: Mapping[str, type[StrictModel]],
) -> list[str]:
    """Return a description's problems, a sentence each, and how many more there are.

    Args:
        error: What pydantic found.
        values: The description as it was given.
        whole: The model of a description.
        nested: Those of the records in its lists, by parameter.
    """
    found = error.errors()
    lines = [_explain(dict(one), values, (whole, nested)) for one in found[:PROBLEMS]]
    more = len(found) - len(lines)
    return [*lines, *([f"and {more} more"] if more else [])]


def _short(quoted: re.Match[str]) -> str:
    return quoted[0] if len(quoted[1]) <= SHOWN else f"`{shown(quoted[1])}`"


def of_a_login(name: str) -> bool:
    """Whether another tool's word is told better by its own advice: which key it is here."""
    return not re.search(r"password|passwd", name, re.IGNORECASE) and bool(meant(name))


def _no_value(name: str, detail: Mapping[str, Any], models: _Models) -> str:
    """Return what to do about a parameter, or a key of one, behind whose name nothing stands."""
    whole, nested = models
    place = detail["loc"]
    model = nested.get(str(place[0]), whole) if len(place) > 1 else whole
    known = model.model_fields.get(str(place[-1]))
    if known is not None and known.is_required():
        return f"`{name}` has no value, and is needed"
    empty = {"list_type": "[]", "dict_type": "{}"}.get(str(detail["type"]), "")
    if detail["type"] == "string_type" and (known is None or known.default == ""):
        empty = '""'
    return f"`{name}` has no value: leave it out" + (f", or write `{empty}`" if empty else "")


def _explain(detail: Mapping[str, Any], values: Mapping[str, Any], models: _Models) -> str:
    whole, nested = models
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in detail["loc"])
    name = path.lstrip(".")
    found: Any = values
    for part in detail["loc"]:
        try:
            found = found[part]
        except (KeyError, IndexError, TypeError):
            found = None
            break
    kind = detail["type"]
    if detail["loc"] and detail["loc"][-1] in SECRET_REFERENCES and kind != "missing":
        # Whatever stands there is not repeated: it may be the secret itself, as a number or a date too.
        return (
            f"`{name}` holds a literal value; a secret is given as a reference, such as `env:NAME`"
        )
    if kind == "extra_forbidden":
        if found := unseen(name):
            return f"unknown parameter `{shown(name)}`: its name holds {found}, which nobody sees; type it anew"
        model = nested.get(str(detail["loc"][0]), whole)
        word = str(detail["loc"][-1])
        model = model if len(detail["loc"]) > 1 else whole
        other: type[StrictModel] = whole if model is HostDescription else HostDescription
        elsewhere = other.model_fields if model in (whole, HostDescription) else ()
        return f"unknown parameter `{shown(name)}`" + advice(word, model.model_fields, elsewhere)
    if kind == "missing":
        return f"`{name}` is missing"
    if found is None and kind.endswith("_type") and kind != "model_type" and name[-5:] != "[key]":
        return _no_value(name, detail, models)
    if told := written_otherwise(name, detail, found):
        return told
    if kind in ("list_type", "dict_type") and isinstance(found, str):
        what, form = ("a list", "[...]") if kind == "list_type" else ("a mapping", "{...}")
        if len(detail["loc"]) > 1:
            return f"`{name}` is the text `{shown(found)}`, expected {what} such as `{form}`"
        return (
            f"`{name}` arrived as text, expected {what}: papermill takes one by "
            f"`-y '{name}: {form}'`, such as `-y 'site_networks: [10.20.0.0/16]'`"
        )
    if kind == "list_type" and isinstance(found, Mapping) and name in nested:
        fields = ", ".join(f"`{one}`" for one in list(nested[name].model_fields)[:5])
        return f"`{name}` is a mapping; here it is a list, a record each with {fields} and more"
    if kind == "model_type":
        model = nested.get(str(detail["loc"][0]), HostDescription)
        form = ", ".join(f"{one}: ..." for one in list(model.model_fields)[:4])
        return f"`{name}` is no mapping such as `{{{form}}}`"
    if kind == "value_error":
        said = str(detail["msg"]).removeprefix("Value error, ")
        return f"`{name}`: " + re.sub(r"`([^`]+)`", _short, said)
    told = "" if isinstance(found, (dict, list)) else f", found `{shown(found)}`"
    return (
        f"`{name}` ({type(found).__name__}{told}): {detail['msg'][:1].lower()}{detail['msg'][1:]}"
    )
