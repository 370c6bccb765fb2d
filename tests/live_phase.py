"""A phase of invented steps on hosts that answer by themselves, for kernels and browsers: nothing in it takes time by itself.

A step that waits does so until somebody ends it, so that a test knows what is at work however slow the computer is.
"""

import tempfile
from dataclasses import replace
from pathlib import Path

from IPython.display import display

from k8swin_nb.description import check_description
from k8swin_nb.notebook.header import Header
from k8swin_nb.notebook.notebook_parameters import NotebookParameters
from k8swin_nb.notebook.opening import open_view
from k8swin_nb.notebook.phase_view import PhaseView
from k8swin_nb.workflow.step import State, Step, Verdict
from k8swin_nb.workflow.step_run import StepRun
from tests.runs import ALL_SCRIPTS, Hosts, Unlocked
from tests.test_description import described

SEEN = "2 of 3 ready; winworker02: pulling servercore"


def fine(at: StepRun) -> Verdict:
    return Verdict(State.OK, "was so")


def waits(at: StepRun) -> Verdict:
    if at.verb == "check":
        at.script("windows/boot_time.check.ps1")
    return Verdict(State.NEEDED, SEEN)


def looks(at: StepRun) -> Verdict:
    return Verdict(State.NEEDED, "not yet")


def fails(at: StepRun) -> Verdict:
    raise at.failed("the login was <b>refused</b>", hint="check `credential` of this host")


def asks(at: StepRun) -> Verdict:
    at.script("linux/swap.check.sh")
    return Verdict(State.OK, "was so")


STEPS = (
    Step(name="first", title="The first step is done", on="all", check=fine),
    Step(name="asked", title="A script was asked", on="linux", check=asks),
    Step(name="ready", title="The pods are ready", on="windows", check=waits, wait=3600),
    Step(name="slow", title="What is slow is done", on="linux", check=looks, wait=3600),
    Step(name="later", title="What comes later is done", on="windows", check=fine),
    Step(name="login", title="The login works", on="linux", check=fails),
    Step(name="never", title="This never runs", on="all", check=fine),
)


def open_live() -> PhaseView:
    """Open the phase as a notebook's setup cell does."""
    folder = Path(tempfile.mkdtemp())
    mine = NotebookParameters(runs=str(folder / "runs"), run_id="r1")
    opened = open_view("01_network", mine, check_description(described(), folder=folder))
    opened.cluster.pool.close()
    hosts = Hosts({ALL_SCRIPTS: "what the script printed\n"})
    opened.cluster.pool = opened.run.connections = hosts
    opened.cluster.locks = opened.run.locks = Unlocked(hosts, opened.cluster.run_id)
    opened.phase = opened.run.phase = replace(opened.phase, steps=STEPS)
    opened.live.board.steps = STEPS
    display(Header(opened))
    opened.live.show()
    return opened
