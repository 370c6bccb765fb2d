"""Words of other tools' descriptions: what they are called here, or why they cannot be said, and the way then.

The words are data (`foreign_words.yaml`); which documents as a whole are another tool's, `foreign_documents` says.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from k8swin_nb.field_types import PIN_IT
from k8swin_nb.node_fields import OWNED, SETTINGS

UNCHECKED = re.compile(
    r"cert\w*_(validation|check|verif)|(verify|validate|check|skip|ignore|disable|no)_\w*?(ssl|tls|ca|cert)|"
    r"(ssl|tls)_?(verify|validat|check|insecure)|insecure|(verify|validate)$",
    re.IGNORECASE,
)
"""Keys by which inventories of other tools leave the check of a certificate out."""

_WINRM = re.compile(r"winrm|psrp|^ansible", re.IGNORECASE)
_ALIKE = 0.84
"""How much a word has to be like one of ours to be taken for it with an error; less than that has been nonsense."""


@dataclass(frozen=True)
class _Words:
    """The table, by folded words."""

    same: dict[str, str]
    refused: dict[str, str]
    like: tuple[tuple[re.Pattern[str], str], ...]


def fold(word: str) -> str:
    """Return a word without capitals, hyphens, underscores and dots."""
    return re.sub(r"[-_.\s]", "", word).lower()


_SETTINGS = {fold(name): name for name in SETTINGS if name not in OWNED}


@cache
def _table() -> dict[str, _Words]:
    """Return the words of descriptions, those of registries' entries, and those of layouts."""
    text = (Path(__file__).parent / "foreign_words.yaml").read_text(encoding="utf-8")
    data = yaml.safe_load(text)
    return {
        "description": _words(data),
        "registry": _words(data["registry"]),
        "layout": _words({"same": {}, "refused": data["layout"]}),
        "unchecked": _words(
            {"same": {}, "refused": [{"reason": PIN_IT, "words": data["unchecked"]}]}
        ),
    }


def _words(data: dict[str, Any]) -> _Words:
    refused = data["refused"]
    return _Words(
        {fold(word): name for name, words in data["same"].items() for word in words.split()},
        {fold(word): one["reason"] for one in refused for word in one.get("words", "").split()},
        tuple(
            (re.compile(each), one["reason"])
            for one in refused
            for each in one.get("like", "").split()
        ),
    )


def meant(word: str) -> str:
    """Return the field that another tool's word means; empty when it means none of ours."""
    return _table()["description"].same.get(fold(word), "")


def fields() -> set[str]:
    """Return all fields that another tool's word may mean."""
    return set(_table()["description"].same.values())


def advice(word: str, known: Iterable[str], elsewhere: Iterable[str] = ()) -> str:
    """Return what to do instead of an unknown word, to stand behind its name; empty when nothing is known.

    Args:
        word: As it was written.
        known: The words that are known in its place.
        elsewhere: Those of the other place, the hosts' or the description's.
    """
    folded, here, there = fold(word), list(known), list(elsewhere)
    same = {fold(name): name for name in (*there, *here)}
    if "mirrors" in here and (told := _of_a_registry(folded)):
        return told
    words = _table()["description"]
    if UNCHECKED.search(word) and _WINRM.search(word) and folded not in same:
        return f": {PIN_IT}"
    name = same.get(folded) or words.same.get(folded, "")
    if not name:
        if reason := words.refused.get(folded) or _table()["unchecked"].refused.get(folded):
            return f": {reason}"
        if reason := _table()["layout"].refused.get(folded):
            return f" {reason}"
    if name in here:
        return f", did you mean `{name}`?"
    if name in there:
        where = "under a host" if "address" in there else "for the whole cluster"
        return f", did you mean `{name}`, {where}?"
    if close := difflib.get_close_matches(word, here, n=1, cutoff=_ALIKE):
        return f", did you mean `{close[0]}`?"
    if setting := _SETTINGS.get(folded):
        return f": it is a setting of the kubelet, `kubelet_settings: {{{setting}: ...}}`"
    for like, reason in words.like:
        if like.search(folded):
            return f": {reason}"
    unchecked = UNCHECKED.search(word) and {"hosts", "ssh_port"} & set(here)
    return f": {PIN_IT}" if unchecked else ""


def _of_a_registry(folded: str) -> str:
    words = _table()["registry"]
    if name := words.same.get(folded):
        return f", did you mean `{name}`?"
    reason = words.refused.get(folded)
    return f": {reason}" if reason else ""
