"""Which host names may be somebody's on the internet."""

from __future__ import annotations

_PUBLIC = frozenset(
    """
    ai app at au be biz br ca cc ch cloud cn co com cz de dev dk edu es eu fi fm fr gg gov id ie im in info io it jp kr
    li me mil mobi ms name net nl no nz org pl pro pt ro rs ru run se sh si sk so space tech to tr tv tw ua uk us xyz za
    """.split()  # noqa: SIM905 - a list is read more easily so
)
"""Top-level domains, after the root zone."""
_RESERVED = ("example.com", "example.net", "example.org")
"""Of RFC 2606: these three answer, no name below them does."""


def is_public(host: str) -> bool:
    """Whether a name is one that the real internet may know: `.lan`, `.example`, `.test` and single words never are."""
    folded = host.lower().rstrip(".")
    if folded.removeprefix("www.") in _RESERVED:
        return True
    if folded.endswith(tuple(f".{name}" for name in _RESERVED)):
        return False
    return folded.rpartition(".")[2] in _PUBLIC and "." in folded
