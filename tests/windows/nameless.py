"""Texts of a site without its names and addresses, so that they can be shown to strangers."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping

from k8swin_nb.shown import shown

_MAC = r"\b[0-9A-Fa-f]{2}(?:[-:][0-9A-Fa-f]{2}){5}\b"
_SID = r"\bS-1-5-21(?:-\d+){3,4}\b"
_MAIL = r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b"
_IPV6 = r"(?<![\w:.])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?![\w:])"
_IPV4 = r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d)"
_KINDS = re.compile(
    rf"(?P<mail>{_MAIL})|(?P<sid>{_SID})|(?P<mac>{_MAC})|(?P<ipv6>{_IPV6})|(?P<address>{_IPV4})"
)


class Nameless:
    """Puts words in place of a site's names and addresses, the same word for the same thing each time.

    Args:
        names: What stands for which word, such as `{"winprod7": "server-1"}`. Found in any case.
        open_networks: Addresses in these stay readable: they are the plan's own and say nothing of the site.
    """

    def __init__(self, names: Mapping[str, str], open_networks: Iterable[str] = ()) -> None:
        self._words = {name.casefold(): word for name, word in names.items() if len(name) > 1}
        self._open = [
            ipaddress.ip_network(each) for each in (*open_networks, "127.0.0.0/8", "0.0.0.0/8")
        ]
        self._numbers: dict[str, int] = {}
        longest_first = sorted(self._words, key=len, reverse=True)
        alternatives = "|".join(re.escape(name) for name in longest_first)
        self._names = (
            re.compile(rf"(?<![^\W_])(?:{alternatives})(?![^\W_]|-\w)", re.IGNORECASE)
            if alternatives
            else None
        )

    def text(self, text: object, *, most: int = 4000) -> str:
        """Return a text masked, bounded, and without what names the site."""
        told = shown(text, most=most)
        if self._names is not None:
            told = self._names.sub(lambda match: self._words[match[0].casefold()], told)
        return _KINDS.sub(self._kind, told)

    def _kind(self, match: re.Match[str]) -> str:
        kind, found = str(match.lastgroup), match[0]
        if kind == "address":
            try:
                address = ipaddress.ip_address(found)
            except ValueError:  # four numbers of a version
                return found
            if any(address in network for network in self._open):
                return found
        elif kind == "ipv6" and not _is_ipv6(found):
            return found
        known = self._words.setdefault(found.casefold(), "")
        if not known:
            self._numbers[kind] = self._numbers.get(kind, 0) + 1
            known = self._words[found.casefold()] = f"{kind}-{self._numbers[kind]}"
        return known


def _is_ipv6(text: str) -> bool:
    try:
        return not ipaddress.IPv6Address(text).is_loopback
    except ValueError:  # a time, a hash
        return False
