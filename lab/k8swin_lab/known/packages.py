"""Packages of Debian, of Ubuntu, and of a few archives beside them."""

from __future__ import annotations

import re
from functools import cache

from k8swin_lab.known import lines, table

_FAMILIES = re.compile(
    r"(librust-|golang-.*-dev$|libghc-|haskell-|node-|ruby-|r-cran-|r-bioc-|elpa-|libjs-|php-|gir1\.2-|fonts-"
    r"|texlive-|hunspell-|aspell-|task-|lib.*-(perl|java|ocaml|ocaml-dev|cil|cil-dev|doc|clojure)$|cl-"
    r"|kodi-|(gcc|g\+\+|cpp)-\d+-|gfortran-|gnat-|gobjc|gdc-|manpages-|language-pack|linux-(headers|image)-"
    r"|.+-(dbg|dbgsym|l10n|doc)$)"
)
"""Names by rule, of which the list has none."""


@cache
def _names() -> frozenset[str]:
    return frozenset(name for line in lines("packages.txt") for name in line.split())


def in_archive(host: str, name: str) -> bool:
    """Whether an archive beside the distribution's has a package, by the archive's host."""
    return name in table("archives.txt").get(host, ())


def exists(name: str) -> bool:
    """Whether the archives of Debian and Ubuntu have a package."""
    return name in _names() or _FAMILIES.match(name) is not None
