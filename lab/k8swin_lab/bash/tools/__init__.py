"""Programs every Linux server has, in Python, over the machine's disk and ownership state.

A tool takes a `Process` and knows nothing of the shell that started it. Tools of one kind share a
module; what all of them need is in `common`. An option the real tool has and ours has not is said.
"""

from __future__ import annotations

from k8swin_lab.bash.tools import (
    archives,
    awk,
    dates,
    facts,
    files,
    finding,
    grep,
    identity,
    locking,
    ordering,
    paths,
    running,
    sed,
    sums,
    text,
)
from k8swin_lab.machines.program import NotSimulated, Process, Program

_REFUSED = """
b2sum base32 bunzip2 bzcat bzip2 cksum clear csplit dd diff3 dircolors envsubst factor file fmt getopt iconv join jq
less link logger look mkfifo more numfmt patch pathchk perl pgrep pkill pr ps python3 script shred shuf split strings stty
sum tsort unlink unxz unzip vi xxd xz xzcat zgrep zip zstd
"""
"""Tools that the system's own adapter may show and this package has not."""


def _refuse(process: Process) -> int:
    raise NotSimulated(process.argv[0].rpartition("/")[2])


TOOLS: dict[str, Program] = {
    **dict.fromkeys(_REFUSED.split(), _refuse),
    **archives.TOOLS, **awk.TOOLS, **dates.TOOLS, **facts.TOOLS, **files.TOOLS, **finding.TOOLS,
    **grep.TOOLS, **identity.TOOLS, **locking.TOOLS, **ordering.TOOLS, **paths.TOOLS, **running.TOOLS, **sed.TOOLS, **sums.TOOLS, **text.TOOLS,
}  # fmt: skip
"""All tools by name: what the Python shell finds on every machine."""

_OWN = "chgrp chown getent groups id install stat su sudo whoami uname nproc free getconf arch"
OWNERSHIP_TOOLS: dict[str, Program] = {name: TOOLS[name] for name in _OWN.split()}
"""Tools that answer from the machine's users, owners and hardware: used beside the host's own."""
