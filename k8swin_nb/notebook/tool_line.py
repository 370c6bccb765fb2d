"""What the magics of a day's work have in common: their lines and the options that several have."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from k8swin_nb.errors import Interrupted, K8swinError
from k8swin_nb.notebook import context
from k8swin_nb.notebook.magic_line import (
    HelpShown,
    LineParser,
    expand,
    split,
    visible_names,
)

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from k8swin_nb.inventory import Host


def options_of(
    parser: LineParser, line: str, shell: InteractiveShell | None
) -> argparse.Namespace | None:
    """Return the options of a line; None when `--help` was asked for, which is answered by then.

    Raises:
        MagicUsageError: for a word that is unknown, with the nearest.
    """
    assert shell is not None  # noqa: S101 -- a magic has a shell
    words = [word for word, _ in split(expand(line, visible_names(shell)))]
    try:
        options, rest = parser.read(words)
    except HelpShown:
        return None
    if rest:
        parser.error(
            f"`{' '.join(rest)}` is one word too many; put quotes around what holds spaces"
        )
    return options


def hosts_of(
    parser: LineParser, opened: context.Context, options: argparse.Namespace
) -> tuple[Host, ...]:
    """Return the hosts that `--host` names, or the only one that there is.

    Raises:
        InventoryError: when a word is unknown, with the nearest, or several hosts are there and none is named.
    """
    from k8swin_nb.notebook.script_options import login_of
    from k8swin_nb.notebook.targets import choose

    selection = ",".join(options.host) if options.host else None
    return choose(opened, selection, parser.system, login_of(options, parser)).hosts


def selected(
    parser: LineParser, opened: context.Context, options: argparse.Namespace
) -> tuple[Host, ...]:
    """Return the hosts that a word without an option names; `all` are also those that no description names.

    Raises:
        InventoryError: when a word is unknown, with the nearest.
    """
    from k8swin_nb.notebook.script_options import login_of
    from k8swin_nb.notebook.targets import choose

    if options.selection == "all" and opened.strangers:
        return every(opened)
    return choose(opened, options.selection, None, login_of(options, parser)).hosts


def every(opened: context.Context) -> tuple[Host, ...]:
    """Return every host that there is, also those that no description names."""
    return (*opened.inventory.hosts, *opened.strangers.values())


def words_of(opened: context.Context) -> list[str]:
    """Return the words that select hosts, for completion."""
    from k8swin_nb.selection import words_of as words

    return [*words(opened.inventory.hosts), *opened.strangers]


@contextlib.contextmanager
def with_report() -> Iterator[None]:
    """Show what came of the others when some hosts failed or somebody stopped it."""
    from IPython.display import display

    try:
        yield
    except (K8swinError, Interrupted) as error:
        report: Any = getattr(error, "report", None)
        if report is not None and len(report.rows) > 1:
            display(report)
        raise
