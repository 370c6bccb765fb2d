"""`%reboot`: hosts that are rebooted and waited for."""

from __future__ import annotations

from typing import Any

from IPython.core.magic import Magics, line_magic, magics_class, no_var_expand

from k8swin_nb import durations
from k8swin_nb.notebook import context
from k8swin_nb.notebook.magic_line import LineParser, completing, documented
from k8swin_nb.notebook.script_options import login_arguments, told
from k8swin_nb.notebook.tool_line import options_of, selected, with_report, words_of
from k8swin_nb.shown import shown_line

REBOOT = LineParser(
    "reboot", "Reboot hosts, and wait until each has booted anew and lets us in.", cell=False
)
completing(
    REBOOT.add_argument("selection", metavar="HOSTS", help="which; no host is meant by default"),
    words_of,
    listed=True,
)
REBOOT.add_argument(
    "--yes", action="store_true", help="the hosts that were named are to be rebooted"
)
REBOOT.add_argument(
    "--control-plane",
    action="store_true",
    help="the cluster's only control plane may be among them",
)
REBOOT.add_argument(
    "--together", action="store_true", help="all at once; default: one after the other"
)
REBOOT.add_argument(
    "-t",
    "--timeout",
    type=told(durations.seconds),
    default=1800.0,
    metavar="TIME",
    help="what a host is given to come back; default: 30m",
)
REBOOT.add_argument(
    "--dry-run", action="store_true", help="say what would be rebooted, and change nothing"
)
login_arguments(REBOOT)
PARSERS = {"reboot": REBOOT}


@magics_class
class RebootMagic(Magics):
    """The magic that reboots."""

    @no_var_expand
    @line_magic
    @documented(REBOOT)
    def reboot(self, line: str) -> Any:
        """Reboot hosts and wait until each shows another boot and lets this login in; locks of others are respected.

        %reboot winworker01 --dry-run
        %reboot winworker01 --yes
        %reboot windows --yes --timeout 1h
        """
        options = options_of(REBOOT, line, self.shell)
        if options is None:
            return None
        opened = context.current()
        hosts = selected(REBOOT, opened, options)
        options.dry_run = options.dry_run or opened.dry_run
        if not options.yes and not options.dry_run:
            names = ", ".join(host.name for host in hosts)
            REBOOT.error(
                f"this reboots {shown_line(names)}, and what runs there ends; say so with `--yes`"
            )
        with with_report():
            return opened.cluster.reboot(
                hosts,
                control_plane=options.control_plane,
                together=options.together,
                seconds=options.timeout,
                dry_run=options.dry_run,
                progress=None if options.dry_run else _Progress(),
            )


class _Progress:
    """Says in a line what a host is waited for, when that changes."""

    def __init__(self) -> None:
        self._said: dict[str, str] = {}

    def __call__(self, progress: Any) -> None:
        line = progress.detail or ("is asked to reboot" if progress.outcome is None else "")
        if line and progress.outcome is None and self._said.get(progress.host) != line:
            self._said[progress.host] = line
            print(shown_line(f"{progress.host}: {line}"), flush=True)  # noqa: T201 -- the answer
