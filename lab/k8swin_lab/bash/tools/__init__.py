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
    ordering,
    paths,
    running,
    sed,
    sums,
    text,
)
from k8swin_lab.machines.program import Program

TOOLS: dict[str, Program] = {
    **archives.TOOLS, **awk.TOOLS, **dates.TOOLS, **facts.TOOLS, **files.TOOLS, **finding.TOOLS,
    **grep.TOOLS, **identity.TOOLS, **ordering.TOOLS, **paths.TOOLS, **running.TOOLS, **sed.TOOLS, **sums.TOOLS, **text.TOOLS,
}  # fmt: skip
"""All tools by name: what the Python shell finds on every machine."""

_OWN = "chgrp chown getent groups id install stat su sudo whoami uname nproc free getconf arch"
OWNERSHIP_TOOLS: dict[str, Program] = {name: TOOLS[name] for name in _OWN.split()}
"""Tools that answer from the machine's users, owners and hardware: used beside the host's own."""
