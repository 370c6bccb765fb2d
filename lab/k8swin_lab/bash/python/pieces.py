"""What an expansion leaves of a word, before it is split."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of an expanded word; `kind`: literal, quoted, split (still to be split) or break."""

    text: str
    kind: str
