"""A step: a plain record of how to find out, change and prove one thing on one host."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from k8swin_nb.reading import lines as lines_of
from k8swin_nb.workflow.difference import Difference, without

if TYPE_CHECKING:
    from k8swin_nb.secret import Secret
    from k8swin_nb.workflow.facts import Fact
    from k8swin_nb.workflow.step_run import StepRun


class Outcome(StrEnum):
    """How a step ended on a host, in Ansible's words; and how it would, where it was only looked at."""

    OK = "ok"
    CHANGED = "changed"
    WOULD_CHANGE = "would change"
    SKIPPED = "skipped"
    FAILED = "failed"
    UNREACHABLE = "unreachable"


class State(StrEnum):
    """What a check found."""

    OK = "ok"
    NEEDED = "needed"
    DRIFT = "drift"
    STUCK = "stuck"


EXIT_STATE = {0: State.OK, 10: State.NEEDED, 20: State.DRIFT, 30: State.STUCK}
"""Exit codes of check scripts: nothing to do; to be applied, or to be waited for; someone else's state, do not
touch; not as wanted, and no wait makes it so.

Every other code is a failure of the check itself. 1 and 2 are left out on purpose: a shell or
PowerShell ends with them when a script is broken, which must not read as "to be applied".
"""


def check_and_apply(scripts: str) -> dict[str, Any]:
    """Return the fields `check` and `apply` of a step of two scripts, such as those of `linux/reset`."""
    suffix = "sh" if scripts.startswith("linux/") else "ps1"
    return {"check": f"{scripts}.check.{suffix}", "apply": f"{scripts}.apply.{suffix}"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """A check's answer: the state, and one line that says what was found and what is wanted."""

    state: State
    detail: str = ""
    hint: str = ""
    """What to do about it, where the check knows."""

    differences: tuple[Difference, ...] = ()
    """What apply would change, where the check says more than its line."""

    @classmethod
    def read(cls, state: State, text: str, more: tuple[Difference, ...] = ()) -> Verdict:
        """Return what a check script printed: its last line sums it up, a line `hint: ...` says what to do.

        What it says to differ is as `difference` has it; `more` is what the caller knows to differ.
        """
        told, differences = without(lines_of(text))
        lines = [line.strip() for line in told]
        hints = [line.removeprefix(HINT) for line in lines if line.startswith(HINT)]
        said = last_line("\n".join(line for line in lines if not line.startswith(HINT)))
        return cls(state, said, "; ".join(dict.fromkeys(hints)), (*differences, *more))


HINT = "hint: "
"""How a line begins by which a check script says what to do."""


def last_line(text: str) -> str:
    """Return the last line that says something; by convention it sums a script's output up."""
    lines = [line.strip() for line in lines_of(text) if line.strip()]
    return lines[-1] if lines else ""


Check = Callable[["StepRun"], Verdict]
Apply = Callable[["StepRun"], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One change, on every host that `on` selects.

    `check`, `apply` and `verify` are each the name of a script below `k8swin_nb/scripts`, or a function
    for the few steps that carry something between hosts, reboot a machine or wait for it. A script is
    given the values whose names it declares; see `PhaseRun.bind`.
    """

    name: str
    """Short and unique in its phase: `swap-off`."""

    title: str
    """A reader's heading: what is true afterwards."""

    on: str
    """Which hosts, as `PhaseRun.hosts` takes it: `control-plane`, `windows+worker`, or `target`."""

    check: str | Check
    """Finds out and changes nothing."""

    apply: str | Apply | None = None
    """Changes what differs; None for steps that only look, or wait for what others do."""

    verify: str | Check | None = None
    """Proves it; None means that `check` runs again."""

    made_by: str = ""
    """For a step that only looks: the notebook that makes what it looks for. In a dry run it waits for that one."""

    follows: Mapping[str, str] = field(default_factory=dict)
    """What this step has to do once an earlier one of the phase has changed something, though now all is as wanted: by
    that step's name, in the form of `Difference.what`."""

    proves: tuple[str, ...] = ()
    """For a step that only looks: the earlier ones of the phase whose work it looks at. While one of them has something to
    change, a dry run does not take what is found now for what will be."""

    runs: tuple[str, ...] = ()
    """Scripts that the step's functions run, so that a reader is shown them too."""

    wait: float = 0
    """Seconds that the proof may take to become true; a check that is stuck or finds drift ends it at once."""

    timeout: float = 300
    """Seconds that one script may run."""

    values: Callable[[StepRun], Mapping[str, str]] | None = None
    """Values of this step alone, such as which service a shared script is about."""

    reads: Callable[[StepRun], bytes] | None = None
    """A document for the scripts' standard input, such as a manifest; not a secret."""

    secrets: Callable[[StepRun], Mapping[str, Secret]] | None = None
    """Secrets for `apply`, by the names that the script declares; made when they are needed."""

    keep: Fact[dict[str, Any]] | None = None
    """The fact under which the JSON object that the check prints is kept."""

    when: Callable[[StepRun], str | None] | None = None
    """None, or a function that returns why the step is not for this host."""

    on_failure: str = ""
    """Name of the phase's view that says more when the step fails."""

    in_turn: bool = False
    """One host after the other, for what must not happen to all of them at once."""

    sudo: bool = True
    """Run as root on Linux; False for what belongs to the login user."""

    @property
    def scripts(self) -> tuple[str, ...]:
        """Names of the step's scripts, in the order in which they run."""
        named = (self.check, self.apply, self.verify, *self.runs)
        return tuple(dict.fromkeys(name for name in named if isinstance(name, str)))
