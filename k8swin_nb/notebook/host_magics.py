"""`%hosts` and `%facts`: who is there, and what they are."""

from __future__ import annotations

from typing import Any

from IPython.core.magic import Magics, line_magic, magics_class, no_var_expand

from k8swin_nb import durations
from k8swin_nb.notebook import context
from k8swin_nb.notebook.magic_line import LineParser, completing, documented
from k8swin_nb.notebook.script_options import login_arguments, told
from k8swin_nb.notebook.tool_line import options_of, selected, words_of


def _parser(name: str, what: str, seconds: float) -> LineParser:
    parser = LineParser(name, what, cell=False)
    completing(
        parser.add_argument(
            "selection", nargs="?", default="all", metavar="HOSTS", help="which; default: all"
        ),
        words_of,
        listed=True,
    )
    parser.add_argument(
        "-t",
        "--timeout",
        type=told(durations.seconds),
        default=seconds,
        metavar="TIME",
        help=f"after that a host counts as away; default: {seconds:.0f} s",
    )
    login_arguments(parser)
    return parser


HOSTS = _parser("hosts", "Ask all hosts whether they can be worked with.", 20.0)
FACTS = _parser("facts", "Ask hosts what they are; nothing is changed.", 60.0)
PARSERS = {"hosts": HOSTS, "facts": FACTS}


@magics_class
class HostMagics(Magics):
    """The magics about hosts themselves."""

    @no_var_expand
    @line_magic
    @documented(HOSTS)
    def hosts(self, line: str) -> Any:
        """Show hosts with state, system, build, latency, login, boot and fingerprint; returns a DataFrame.

        %hosts
        %hosts windows
        table = %hosts linux,!linuxmaster --timeout 5
        %hosts ubuntu@192.168.160.150 --identity ~/.ssh/id_ed25519
        """
        options = options_of(HOSTS, line, self.shell)
        if options is None:
            return None
        opened = context.current()
        hosts = selected(HOSTS, opened, options)
        return opened.cluster.survey(hosts, seconds=options.timeout)

    @no_var_expand
    @line_magic
    @documented(FACTS)
    def facts(self, line: str) -> Any:
        """Show what hosts are: kernel or build, processor, memory, disks, addresses, clock, pending reboot, versions.

        %facts linuxmaster
        facts = %facts linuxmaster
        facts["memory"], facts["booted"], facts["versions"]
        (%facts all).df
        """
        from k8swin_nb.host_tools.facts import FactsOfHosts

        options = options_of(FACTS, line, self.shell)
        if options is None:
            return None
        opened = context.current()
        hosts = selected(FACTS, opened, options)
        answers = opened.cluster.facts(hosts, seconds=options.timeout)
        if len(hosts) == 1:
            return next(iter(answers.all().values()))
        return FactsOfHosts(answers.answers, answers.errors)
