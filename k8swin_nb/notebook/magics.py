"""All magics of this extension, and how they come into a notebook and leave it.

Each module of magics has a class and its `PARSERS`; here is the one list of them.
"""

from __future__ import annotations

import difflib
import re
import sys
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError
from IPython.core.getipython import get_ipython
from IPython.core.magic import Magics

from k8swin_nb.notebook import (
    cells,
    completion,
    context,
    ending,
    file_magics,
    host_magics,
    job_magics,
    k8swin_magic,
    kernel_door,
    kubectl_magic,
    reboot_magic,
    remote_magics,
    table_magics,
)
from k8swin_nb.notebook.magic_line import LineParser
from k8swin_nb.shown import shown_line

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

ALL: tuple[tuple[type[Magics], dict[str, LineParser]], ...] = (
    (k8swin_magic.K8swinMagic, k8swin_magic.PARSERS),
    (remote_magics.RemoteMagics, remote_magics.PARSERS),
    (host_magics.HostMagics, host_magics.PARSERS),
    (file_magics.FileMagics, file_magics.PARSERS),
    (table_magics.TableMagics, table_magics.PARSERS),
    (job_magics.JobMagics, job_magics.PARSERS),
    (reboot_magic.RebootMagic, reboot_magic.PARSERS),
    (kubectl_magic.KubectlMagic, kubectl_magic.PARSERS),
)
"""Every class of magics with the parsers of its magics, by name."""


ALIKE = 0.7
"""How alike a mistyped name has to be to one of ours, from 0 to 1; other extensions have names of their own."""

_NOT_FOUND = re.compile(r"(Line|Cell) magic (?:function )?`%+(\w+)` not found\.")
"""How IPython says that there is no magic of a name, in a whole message: it names one of the other kind by itself."""


def load(shell: InteractiveShell) -> None:
    """Register the magics, put the door up and watch the kernel's end; doing it twice changes nothing."""
    kernel_door.install(shell)
    for magics, _ in ALL:
        shell.register_magics(magics)
    ending.watch(shell)
    cells.watch(shell)
    shell.events.register("post_run_cell", tell_nearest)
    completion.install(shell, {name: one for _, parsers in ALL for name, one in parsers.items()})


def unload(shell: InteractiveShell) -> None:
    """Remove the magics and their completion, stop jobs, close connections."""
    for magics, _ in ALL:
        for kind, names in magics.magics.items():
            for name in names:
                shell.magics_manager.magics[kind].pop(name, None)
    completion.remove(shell)
    shell.events.unregister("post_run_cell", tell_nearest)
    context.close_context()
    cells.unwatch(shell)
    kernel_door.remove(shell)


def tell_nearest(result: Any) -> None:
    """Name the nearest of these magics where a cell ended at one that IPython does not know, below IPython's own words."""
    error = result.error_in_exec
    found = _NOT_FOUND.fullmatch(str(error)) if isinstance(error, UsageError) else None
    shell = get_ipython()
    if found is None or shell is None:
        return
    kinds = shell.magics_manager.lsmagic()
    ours = {name for _, parsers in ALL for name in parsers}
    names = sorted({name for kind in kinds.values() for name in kind})
    for name in difflib.get_close_matches(found[2], names, n=1, cutoff=ALIKE):
        if name in ours:
            cell = name in kinds["cell"] and (found[1] == "Cell" or name not in kinds["line"])
            told = shown_line(f"did you mean `{'%%' if cell else '%'}{name}`?")
            print(told, file=sys.stderr)  # noqa: T201 -- where IPython says its own
