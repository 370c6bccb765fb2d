"""Trying who reaches whom: what there is, every connection of the matrix, and the judgement."""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
from dataclasses import replace
from typing import Any

from k8swin_nb.errors import NotKnownYet, Stopped
from k8swin_nb.fan_out import on_each
from k8swin_nb.phases.documents import to_yaml
from k8swin_nb.phases.pods.test_app import agnhost_image, app_name, web_pod
from k8swin_nb.phases.verify import connections
from k8swin_nb.phases.verify.connections import Answer, Cell, CellState, Found, Node, Row
from k8swin_nb.workflow.difference import NOT_KNOWN, setting
from k8swin_nb.workflow.facts import Fact
from k8swin_nb.workflow.phase_run import PhaseRun
from k8swin_nb.workflow.step import State, Verdict
from k8swin_nb.workflow.step_run import StepRun

AT_ONCE = 6
"""Rows that are tried at the same time; an SSH server takes ten sessions of one connection."""


ROUNDS = 2
"""How often a connection that fails is tried: a network that has changed needs a moment."""


PAUSE = 5.0
"""Seconds between two rounds."""


PROBE_SECONDS = 5


CELLS_NAMED = 5
"""Cells that fail and are named in the error; the matrix above it shows all."""


PROBE_LABELS = {"app.kubernetes.io/managed-by": "k8swin", "k8swin.io/probe": "verify"}


SURROUNDINGS = Fact[Found]("verify")
"""What there is to connect to and from."""

CELLS = Fact[list[Cell]]("cells")
"""Every connection of the matrix and how it ended."""


def verify_values(at: StepRun) -> dict[str, str]:
    """Return the values of this phase's scripts."""
    found = at.run.facts.get(at.host, SURROUNDINGS)
    return {
        "test_app": app_name(at.run),
        "external_name": connections.external_name(at.description),
        "targets": f"{found.service}:80" if found else "",
        "probe_seconds": str(PROBE_SECONDS),
    }


def look_around(at: StepRun) -> Verdict:
    """Find out what there is to verify: nodes, a pod on each, the Service's addresses."""
    state, result = at.ask("linux/verify_facts.check.sh", values=verify_values(at))
    if state is not State.OK:
        return Verdict.read(state, result.stdout)
    found = connections.parse_found(result.stdout, at.host.name)
    if not (found.nodes and found.service and found.node_port and found.external):
        raise at.failed(
            "`linux/verify_facts.check.sh` printed no nodes, no Service or no name to look for",
            result=result,
        )
    at.run.facts.keep(at.host, SURROUNDINGS, found)
    return Verdict(
        State.OK,
        f"{len(found.nodes)} nodes, pods on {len(found.pods)} of them, Service {found.service}:80 "
        f"with node port {found.node_port}",
    )


def bare_nodes(at: StepRun) -> list[Node]:
    """Return the Ready nodes that have no pod to connect from."""
    found = at.run.facts[at.host, SURROUNDINGS]
    return [node for node in found.nodes if node.ready and not found.pod_on(node.name)]


def check_probe_pods(at: StepRun) -> Verdict:
    """Find out whether every Ready node has a pod to connect from."""
    verdict = look_around(at)
    if verdict.state is not State.OK:
        later = setting("pods to connect from", NOT_KNOWN + "the test app runs", "one on each node")
        return replace(verdict, differences=(later,))
    bare = [node.name for node in bare_nodes(at)]
    if bare:
        differences = tuple(setting(f"pod k8swin-verify-{name}", "none", "made") for name in bare)
        said = f"no pod is Ready on {', '.join(bare)}"
        return Verdict(State.NEEDED, said, differences=differences)
    return Verdict(State.OK, "every Ready node has a pod")


def probe_pods(at: StepRun) -> bytes:
    """Return one pod for each node that has none of the test app."""
    documents = []
    for node in bare_nodes(at):
        # agnhost serves on both; the test app's own image fits nodes of its system.
        found = at.run.facts[at.host, SURROUNDINGS]
        used = found.image if node.os == at.description.test_os else agnhost_image(at.description)
        documents.append(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {
                    "name": f"k8swin-verify-{node.name}",
                    "namespace": "default",
                    "labels": PROBE_LABELS,
                },
                "spec": {"nodeName": node.name, **web_pod(used, node.os, app_name(at.run))},
            }
        )
    return to_yaml(*documents)


def not_wanted(at: StepRun) -> str | None:
    """Return why no pods are made, or None."""
    return None if at.description.probe_pods else "`probe_pods` is false"


def connect_all(at: StepRun) -> Verdict:
    """Try every connection of the matrix, and keep how each ended; a failure is judged by the next step."""
    found = at.run.facts[at.host, SURROUNDINGS]
    cells = connections.plan_cells(found)
    waiting = [cell for cell in cells if cell.probes]
    for number in range(ROUNDS):
        if number:
            at.waiting(f"{len(waiting)} of {len(cells)} connections, which are tried again")
            at.pause(PAUSE)
        _try(at, waiting)
        waiting = connections.retried(waiting)
        if not waiting:
            break
    records = [cell.record() for cell in cells]
    at.run.facts.keep(at.host, CELLS, cells)
    at.run.record.write("matrix", step=at.step, host=at.host.name, cells=records)
    counts = {state: sum(cell.state is state for cell in cells) for state in CellState}
    told = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
    return Verdict(State.OK, f"{len(cells)} connections: {told}")


def _try(at: StepRun, cells: list[Cell]) -> None:
    """Try the connections of some cells, those of one row in a row, rows side by side."""
    by_row: dict[Row, list[Cell]] = {}
    for cell in cells:
        by_row.setdefault(cell.row, []).append(cell)
    tried = on_each(
        by_row.items(),
        lambda item: _try_row(at, *item),
        name=lambda item: f"{item[0].kind} {item[0].node}",
        cancel=at.cancel,
        at_once=AT_ONCE,
    )
    for row, mine in by_row.items():
        error = tried.errors.get(f"{row.kind} {row.node}")
        if isinstance(error, Stopped):
            raise error
        if error is not None:
            # Where a row begins something is wrong; the others' answers are worth as much as before.
            for cell in mine:
                connections.judge(cell, [Answer(255, "(log in)", str(error))] * len(cell.probes))


def _try_row(at: StepRun, row: Row, cells: list[Cell]) -> None:
    answers = _answers(at, row, cells)
    for cell in cells:
        mine, answers = answers[: len(cell.probes)], answers[len(cell.probes) :]
        connections.judge(cell, mine)


def _answers(at: StepRun, row: Row, cells: list[Cell]) -> list[Answer]:
    probes = [probe for cell in cells for probe in cell.probes]
    if row.kind == "operator":
        return [_from_here(probe.target) for probe in probes]
    where, script = at.host, "linux/connect_pod.check.sh"
    values = {"pod": row.pod, "pod_os": row.os, "probe_seconds": str(PROBE_SECONDS)}
    if row.kind == "host":
        known = [one for one in at.run.hosts("all") if one.name == row.node]
        if not known:
            # Nobody can log in to a node that the parameters do not name.
            return [Answer(127, "", "the node is none of `hosts`")] * len(probes)
        where = known[0]
        script = f"{where.os}/connect_host.check.{'sh' if where.os == 'linux' else 'ps1'}"
        values["targets"] = " ".join(probe.target for probe in probes)
    asked = replace(at, step=f"{at.step}-{row.kind}-{row.node}", host=where)
    result = asked.script(
        script,
        values=values,
        stdin="".join(f"{probe.kind} {probe.target}\n" for probe in probes).encode()
        if script.endswith(".sh")
        else b"",
        timeout=60 + 30 * len(probes),
    )
    answers = connections.parse_answers(result.stdout)
    if result.returncode != 0 or len(answers) != len(probes):
        told = f"{len(answers)} of {len(probes)} connections answered"
        raise at.on(where).failed(told, result=result)
    return answers


def _from_here(target: str) -> Answer:
    """Ask the test app from this computer, past any proxy of its environment, for a few seconds in all.

    What answers is a pod: it is led nowhere by it, and reads no more than a name.
    """
    command = f"curl --noproxy '*' http://{target}/hostname"
    connection = http.client.HTTPConnection(target, timeout=PROBE_SECONDS)
    try:
        connection.connect()
        used = connection.sock

        def cut() -> None:
            with contextlib.suppress(OSError):  # it ended at that very moment
                used.shutdown(socket.SHUT_RDWR)

        ended = threading.Timer(PROBE_SECONDS, cut)
        ended.daemon = True
        ended.start()
        try:
            connection.request("GET", "/hostname")
            with connection.getresponse() as answer:
                said = answer.read(200).decode(errors="replace")
                return Answer(
                    0 if answer.status == 200 else 22, command, said or str(answer.status)
                )
        finally:
            ended.cancel()
    except (OSError, ValueError, http.client.HTTPException) as error:
        return Answer(1, command, str(error) or type(error).__name__)
    finally:
        connection.close()


def judge_all(at: StepRun) -> Verdict:
    """Fail on the cells that fail; limitations of Windows and what there is not are no failures."""
    cells = at.run.facts.get(at.host, CELLS, [])
    if not cells:
        raise NotKnownYet("nothing was tried yet", hint='run `phase.apply("connections")` first')
    failed = [cell for cell in cells if cell.state is CellState.FAIL]
    limited = sum(cell.state is CellState.LIMITATION for cell in cells)
    if not failed:
        tried = sum(cell.state is not CellState.SKIPPED for cell in cells)
        return Verdict(
            State.OK, f"{tried - limited} connections hold, {limited} are known limitations"
        )
    first = failed[0]
    raise at.failed(
        f"{len(failed)} connections fail: {first.row.label} to {first.column.label}: "
        f"{first.evidence}; tried with `{first.commands[0]}`{_others(failed[1:])}",
        hint=connections.next_action(first),
    )


def _others(cells: list[Cell]) -> str:
    named = [f"{cell.row.label} to {cell.column.label}" for cell in cells[:CELLS_NAMED]]
    if len(cells) > CELLS_NAMED:
        named.append(f"{len(cells) - CELLS_NAMED} more")
    return f"; also {', '.join(named)}" if named else ""


def matrix_records(run: PhaseRun) -> list[dict[str, Any]]:
    """Return the matrix as records, one for each cell; empty before it was measured."""
    return [cell.record() for cell in run.facts.get(run.master, CELLS, [])]
