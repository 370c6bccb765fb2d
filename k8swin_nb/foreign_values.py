"""Values that other tools write in another form: what form they have here, with the value as it is to be written."""

from __future__ import annotations

import json
from collections.abc import Mapping
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


def written_otherwise(name: str, detail: Mapping[str, Any], found: Any) -> str:
    """Return what to write instead of a value of the wrong kind, as a sentence; empty when nothing better is known.

    Args:
        name: The parameter with its place.
        detail: What pydantic says of it.
        found: The value.
    """
    kind = str(detail["type"])
    if found is None and kind in ("list_type", "dict_type", "string_type", "bool_type", "int_type"):
        empty = {"list_type": "[]", "dict_type": "{}", "string_type": '""'}.get(kind)
        return f"`{name}` has no value: leave it out" + (f", or write `{empty}`" if empty else "")
    if kind == "literal_error":
        return _word(name, detail, found)
    if kind == "string_type":
        return _text(name, detail, found)
    if kind == "int_type" and isinstance(found, str) and found.strip().isdigit():
        return f"`{name}` is the text `{shown(found)}`, expected a number: write {int(found)}, without quotes"
    if kind == "bool_type" and isinstance(found, str) and found.lower() in ("true", "false"):
        return f"`{name}` is the text `{found}`: write {found.lower()}, without quotes"
    if kind == "dict_type" and isinstance(found, list):
        return f"`{name}` is a list, expected a mapping{_mapping(found)}"
    if kind == "list_type" and isinstance(found, dict) and name.endswith(("taints", "mirrors")):
        return f"`{name}` is a mapping, expected a list such as `[{_of_a_list(name)}]`"
    return ""


def _word(name: str, detail: Mapping[str, Any], found: Any) -> str:
    field = str(detail["loc"][-1])
    expected = str((detail.get("ctx") or {}).get("expected", ""))
    if isinstance(found, list):
        return f"`{name}` is a list, expected one of {expected}"
    if not isinstance(found, str):
        return ""
    word = found.strip().lower()
    if f"'{word}'" in expected:
        return f"`{name}` is `{shown(found)}`: write `{word}`"
    for here, words in _OTHER.get(field, {}).items():
        if word in words.split():
            return f"`{name}` is `{shown(found)}`, which is called otherwise here: write `{here}`"
    return ""


def _text(name: str, detail: Mapping[str, Any], found: Any) -> str:
    if isinstance(found, bool):
        return f'`{name}` arrived as {str(found).lower()}; pass it as text, in quotes: "{str(found).lower()}"'
    if isinstance(found, int | float):
        return (
            f"`{name}` arrived as the number {found}; pass it as text: `-r {detail['loc'][-1]} VALUE` for papermill, "
            "quotes in YAML"
        )
    if isinstance(found, dict):
        taint = _taint(found) if "taints" in detail["loc"] else ""
        return f"`{name}` is a mapping, expected one text" + (f": `{taint}`" if taint else "")
    if isinstance(found, list):
        return f"`{name}` is a list, expected one text"
    return ""


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
