"""Values that other tools write in another form: what form they have here, with the value as it is to be written."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date
from types import NoneType
from typing import Any

from k8swin_nb.reading import shown, unseen

_OTHER = {
    "role": {
        "control-plane": """
            master masters controlplane control_plane controller server single primary kube_control_plane
            controller+worker manager etcd""",
        "worker": "agent node minion slave kube_node",
    },
    "os": {
        "windows": "win windows-server windows2019 windows2022 windows-2019 windows-2022 windows-2025 servercore",
        "linux": "ubuntu debian ubuntu22.04 ubuntu-22.04",
    },
    "pod_network": {
        "other": "canal weave antrea kube-router kube-ovn ovn macvlan none custom cni custom_cni kindnet external",
    },
    "topology": {
        "host-gw": "l2bridge hostgw host_gw",
        "vxlan": "overlay",
    },
    "winrm_auth": {"ntlm": "ntlmssp"},
}
"""Words of other tools for the values of a field, by what they are here."""

_TRUTH = {"true": ("true", "yes", "on", "y"), "false": ("false", "no", "off", "n")}

_KINDS: tuple[tuple[type, str], ...] = (
    (dict, "a mapping"),
    (list, "a list"),
    (set, "a set"),
    (tuple, "a pair"),
    (bytes, "binary"),
    (NoneType, "nothing"),
)


def written_otherwise(name: str, detail: Mapping[str, Any], found: Any) -> str:
    """Return what to write instead of a value of the wrong kind, as a sentence; empty when nothing better is known.

    Args:
        name: The parameter with its place.
        detail: What pydantic says of it.
        found: The value.
    """
    kind = str(detail["type"])
    if kind == "invalid_key":
        places = list(map(str, detail["loc"][:-1]))
        return _key(f"`{'.'.join(places)}`" if places else "the description", detail["input"])
    if kind == "string_type" and detail["loc"][-1] == "[key]":
        return _key(f"`{'.'.join(map(str, detail['loc'][:-2]))}`", detail["input"])
    if kind == "literal_error":
        return _word(name, detail, found)
    if kind == "string_type":
        return _text(name, detail, found)
    if kind == "int_type":
        digits = isinstance(found, str) and re.fullmatch(r"\s*0*([0-9]{1,9})\s*", found)
        long = isinstance(found, str) and found.isdecimal()
        more = f": write {digits[1]}, without quotes" if digits else ", in digits alone"
        more = " of few digits" if long and not digits else more
        return f"`{name}` is {_called(found)}, expected a whole number{more}"
    if kind == "bool_type":
        word = found.strip().lower() if isinstance(found, str) else ""
        value = next((v for v, words in _TRUTH.items() if word in words), "")
        more = f": write {value}, without quotes" if value else ""
        if value and len(detail["loc"]) == 1:
            # papermill takes no other word for it.
            more += f", for papermill `-p {name} {value.capitalize()}`"
        return f"`{name}` is {_called(found)}, expected true or false{more}"
    if kind in ("greater_than_equal", "less_than_equal"):
        limit = detail["ctx"]["ge" if kind == "greater_than_equal" else "le"]
        return (
            f"`{name}` is {found}, expected {'at least' if kind[0] == 'g' else 'at most'} {limit}"
        )
    if kind == "too_short" and found == []:
        return f"`{name}` is empty, expected one at least"
    if kind == "dict_type" and isinstance(found, list):
        return f"`{name}` is a list, expected a mapping{_mapping(found)}"
    if kind == "list_type" and isinstance(found, dict) and name.endswith(("taints", "mirrors")):
        return f"`{name}` is a mapping, expected a list such as `[{_of_a_list(name)}]`"
    if kind in ("list_type", "dict_type") and not isinstance(found, str | dict | list):
        return f"`{name}` is {_called(found)}, expected {'a list' if kind == 'list_type' else 'a mapping'}"
    return ""


def _called(found: Any) -> str:
    """Return what a value is, for people, with the value where it is short."""
    if isinstance(found, bool):
        return str(found).lower()
    for kinds, word in _KINDS:
        if isinstance(found, kinds):
            return word
    if isinstance(found, int | float):
        return f"the number {shown(found)}"
    if isinstance(found, date):
        return f"the date {shown(found)}"
    return f"the text `{shown(found)}`"


def _key(place: str, found: Any) -> str:
    """Return what is wrong with a key that is no text."""
    words = "; YAML takes on, off, yes and no for true and false" if isinstance(found, bool) else ""
    return f"{place} has a key that is {_called(found)}, expected a name: write it in quotes{words}"


def _word(name: str, detail: Mapping[str, Any], found: Any) -> str:
    field = str(detail["loc"][-1])
    expected = str((detail.get("ctx") or {}).get("expected", ""))
    if isinstance(found, list):
        return f"`{name}` is a list, expected one of {expected}"
    if not isinstance(found, str):
        return f"`{name}` is {_called(found)}, expected one of {expected}"
    word = found.strip().lower()
    if f"'{word}'" in expected:
        return f"`{name}` is `{shown(found)}`: write `{word}`"
    for here, words in _OTHER.get(field, {}).items():
        if word in words.split():
            return f"`{name}` is `{shown(found)}`, which is called otherwise here: write `{here}`"
    return ""


def _text(name: str, detail: Mapping[str, Any], found: Any) -> str:
    if isinstance(found, bool):
        words = "off and no" if not found else "on and yes"
        return (
            f"`{name}` arrived as {_called(found)}, as which YAML takes {words} too; pass it as text, in quotes: "
            f'"{_called(found)}"'
        )
    if isinstance(found, int | float | date):
        papermill = f": `-r {name} VALUE` for papermill, quotes in YAML"
        return (
            f"`{name}` arrived as {_called(found)}; pass it as text"
            f"{papermill if len(detail['loc']) == 1 else ', in quotes'}"
        )
    if isinstance(found, dict):
        taint = _taint(found) if "taints" in detail["loc"] else ""
        return f"`{name}` is a mapping, expected one text" + (f": `{taint}`" if taint else "")
    if isinstance(found, list):
        return f"`{name}` is a list, expected one text"
    return f"`{name}` is {_called(found)}, expected one text"


def _taint(found: Mapping[str, Any]) -> str:
    """Return a taint of Kubernetes' own form as it is written here; empty when it is none."""
    key, value, effect = (found.get(part) for part in ("key", "value", "effect"))
    if not isinstance(key, str) or not isinstance(effect, str) or isinstance(value, dict | list):
        return ""
    value = str(value).lower() if isinstance(value, bool) else value
    text = f"{key}={value}:{effect}" if value not in (None, "") else f"{key}:{effect}"
    return "" if unseen(text) else shown(text)


def _mapping(found: list[Any]) -> str:
    """Return how a list of `key=value` is written as a mapping; empty when it is none."""
    pairs = [
        one.removeprefix("--").partition("=")
        for one in found
        if isinstance(one, str) and "=" in one
    ]
    if not pairs or len(pairs) != len(found) or unseen("".join(map(str, found))):
        return ""
    text = ", ".join(f"{key}: {json.dumps(value)}" for key, _, value in pairs[:3])
    return f": `{{{shown(text)}}}`"


def _of_a_list(name: str) -> str:
    return "key=value:NoSchedule" if name.endswith("taints") else "https://mirror.example:5000"
