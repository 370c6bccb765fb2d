"""Phase 06: who reaches whom, from every kind of place in the cluster, and what a limitation of Windows is."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from k8swin_nb.errors import CommandTimeout, ScriptError, StepFailed, TransportError
from k8swin_nb.inventory import Host
from k8swin_nb.phases import connections
from k8swin_nb.phases.asking import ask
from k8swin_nb.phases.connections import Answer, Cell, CellState, Found, Node, Row
from k8swin_nb.phases.documents import to_yaml
from k8swin_nb.phases.flannel import API_READY, MASTER
from k8swin_nb.phases.test_app import agnhost_image, app_name, web_pod
from k8swin_nb.result import Result
from k8swin_nb.workflow.phase import Phase
from k8swin_nb.workflow.run import Run
from k8swin_nb.workflow.runner import last_line
from k8swin_nb.workflow.step import State, Step, Verdict

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


def verify_values(run: Run, host: Host) -> dict[str, str]:
    """Return the values of this phase's scripts."""
    found = run.facts.get(host.name, {}).get("verify")
    return {
        "test_app": app_name(run),
        "external_name": connections.external_name(run.params),
        "targets": f"{found.service}:80" if found else "",
        "probe_seconds": str(PROBE_SECONDS),
    }


def look_around(run: Run, host: Host) -> Verdict:
    """Find out what there is to verify: nodes, a pod on each, the Service's addresses."""
    state, result = ask(
        run,
        "linux/verify_facts.check.sh",
        host,
        "surroundings",
        phase=PHASE.name,
        values=verify_values(run, host),
    )
    if state is not State.OK:
        return Verdict(state, last_line(result.stdout))
    found = connections.parse_found(result.stdout, host.name)
    run.keep_facts(host, "verify", found)
    return Verdict(
        State.OK,
        f"{len(found.nodes)} nodes, pods on {len(found.pods)} of them, Service {found.service}:80 "
        f"with node port {found.node_port}",
    )


def bare_nodes(run: Run, host: Host) -> list[Node]:
    """Return the Ready nodes that have no pod to connect from."""
    found: Found = run.facts[host.name]["verify"]
    return [node for node in found.nodes if node.ready and not found.pod_on(node.name)]


def check_probe_pods(run: Run, host: Host) -> Verdict:
    """Find out whether every Ready node has a pod to connect from."""
    verdict = look_around(run, host)
    bare = [node.name for node in bare_nodes(run, host)] if verdict.state is State.OK else []
    if bare:
        return Verdict(State.NEEDED, f"no pod is Ready on {', '.join(bare)}")
    return Verdict(verdict.state, "every Ready node has a pod")


def probe_pods(run: Run, host: Host) -> bytes:
    """Return one pod for each node that has none of the test app."""
    documents = []
    for node in bare_nodes(run, host):
        # agnhost serves on both; the test app's own image fits nodes of its system.
        found: Found = run.facts[host.name]["verify"]
        used = found.image if node.os == run.params.test_os else agnhost_image(run.params)
        documents.append(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {
                    "name": f"k8swin-verify-{node.name}",
                    "namespace": "default",
                    "labels": PROBE_LABELS,
                },
                "spec": {"nodeName": node.name, **web_pod(used, node.os, app_name(run))},
            }
        )
    return to_yaml(*documents)


def not_wanted(run: Run, host: Host) -> str | None:
    """Return why no pods are made, or None."""
    return None if run.params.probe_pods else "`probe_pods` is false"


def connect_all(run: Run, host: Host) -> Verdict:
    """Try every connection of the matrix, and keep how each ended; a failure is judged by the next step."""
    found: Found = run.facts[host.name]["verify"]
    cells = connections.plan_cells(found)
    waiting = [cell for cell in cells if cell.probes]
    for number in range(ROUNDS):
        if number:
            time.sleep(PAUSE)
        _try(run, host, waiting)
        waiting = connections.retried(waiting)
        if not waiting:
            break
    records = [cell.record() for cell in cells]
    run.keep_facts(host, "cells", cells)
    run.record.write("matrix", step="connections", host=host.name, cells=records)
    counts = {state: sum(cell.state is state for cell in cells) for state in CellState}
    told = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
    return Verdict(State.OK, f"{len(cells)} connections: {told}")


def _try(run: Run, host: Host, cells: list[Cell]) -> None:
    """Try the connections of some cells, those of one row in a row, rows side by side."""
    by_row: dict[Row, list[Cell]] = {}
    for cell in cells:
        by_row.setdefault(cell.row, []).append(cell)
    with ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="connections") as pool:
        list(pool.map(lambda item: _try_row(run, host, *item), by_row.items()))


def _try_row(run: Run, host: Host, row: Row, cells: list[Cell]) -> None:
    try:
        answers = _answers(run, host, row, cells)
    except (TransportError, CommandTimeout) as error:
        for cell in cells:
            connections.judge(cell, [Answer(255, "(log in)", str(error))] * len(cell.probes))
        return
    for cell in cells:
        mine, answers = answers[: len(cell.probes)], answers[len(cell.probes) :]
        connections.judge(cell, mine)


def _answers(run: Run, host: Host, row: Row, cells: list[Cell]) -> list[Answer]:
    probes = [probe for cell in cells for probe in cell.probes]
    if row.kind == "operator":
        return [_from_here(probe.target) for probe in probes]
    where, script = host, "linux/connect_pod.check.sh"
    values = {"pod": row.pod, "pod_os": row.os, "probe_seconds": str(PROBE_SECONDS)}
    if row.kind == "host":
        known = [one for one in run.hosts("all") if one.name == row.node]
        if not known:
            # Nobody can log in to a node that the parameters do not name.
            return [Answer(127, "", "the node is none of `hosts`")] * len(probes)
        where = known[0]
        script = f"{where.os}/connect_host.check.{'sh' if where.os == 'linux' else 'ps1'}"
        values["targets"] = " ".join(probe.target for probe in probes)
    result = run.script(
        script,
        where,
        verb="check",
        step=f"connections-{row.kind}-{row.node}",
        values=values,
        stdin="".join(f"{probe.kind} {probe.target}\n" for probe in probes).encode()
        if script.endswith(".sh")
        else b"",
        timeout=60 + 30 * len(probes),
        quiet=True,
    )
    answers = connections.parse_answers(result.stdout)
    if result.returncode != 0 or len(answers) != len(probes):
        raise _failed(
            "connections", where, f"{len(answers)} of {len(probes)} connections answered", result
        )
    return answers


def _from_here(target: str) -> Answer:
    """Ask the test app from this computer, past any proxy of its environment."""
    url = f"http://{target}/hostname"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    command = f"urllib.request.urlopen('{url}')"
    try:
        with opener.open(url, timeout=PROBE_SECONDS) as answer:
            return Answer(0, command, answer.read(200).decode(errors="replace"))
    except (OSError, urllib.error.URLError) as error:
        return Answer(1, command, str(getattr(error, "reason", error)) or type(error).__name__)


def judge_all(run: Run, host: Host) -> Verdict:
    """Fail on the cells that fail; limitations of Windows and what there is not are no failures."""
    cells: list[Cell] = run.facts.get(host.name, {}).get("cells", [])
    if not cells:
        raise ScriptError("nothing was tried yet", hint='run `phase.apply("connections")` first')
    failed = [cell for cell in cells if cell.state is CellState.FAIL]
    limited = sum(cell.state is CellState.LIMITATION for cell in cells)
    if not failed:
        tried = sum(cell.state is not CellState.SKIPPED for cell in cells)
        return Verdict(
            State.OK, f"{tried - limited} connections hold, {limited} are known limitations"
        )
    first = failed[0]
    raise StepFailed(
        phase=PHASE.name,
        step="connections-hold",
        host=host.name,
        detail=f"{len(failed)} connections fail: {first.row.label} to {first.column.label}: "
        f"{first.evidence}; tried with `{first.commands[0]}`{_others(failed[1:])}",
        hint=connections.next_action(first),
    )


def _others(cells: list[Cell]) -> str:
    named = [f"{cell.row.label} to {cell.column.label}" for cell in cells[:CELLS_NAMED]]
    if len(cells) > CELLS_NAMED:
        named.append(f"{len(cells) - CELLS_NAMED} more")
    return f"; also {', '.join(named)}" if named else ""


def _failed(step: str, host: Host, detail: str, result: Result) -> StepFailed:
    return StepFailed(phase=PHASE.name, step=step, host=host.name, detail=detail, result=result)


def matrix_records(run: Run) -> list[dict[str, Any]]:
    """Return the matrix as records, one for each cell; empty before it was measured."""
    return [cell.record() for cell in run.facts.get(run.master.name, {}).get("cells", [])]


PHASE = Phase(
    name="06_verify",
    title="Everything that has to reach each other does",
    steps=(
        API_READY,
        Step(
            name="surroundings",
            title="There is something to connect to and from",
            on=MASTER,
            check=look_around,
            runs=("linux/verify_facts.check.sh",),
        ),
        Step(
            name="probe-pods",
            title="Every node has a pod to connect from",
            on=MASTER,
            check=check_probe_pods,
            apply="linux/probe_pods.apply.sh",
            reads=probe_pods,
            when=not_wanted,
            wait=300,
            timeout=2000,
        ),
        Step(
            name="load-balancing",
            title="Twenty connections reach every endpoint of the Service",
            on=MASTER,
            check="linux/test_app_requests.check.sh",
            values=verify_values,
            wait=60,
        ),
        Step(
            name="connections",
            title="Every connection has been tried",
            on=MASTER,
            check=connect_all,
            runs=(
                "linux/connect_host.check.sh",
                "linux/connect_pod.check.sh",
                "windows/connect_host.check.ps1",
            ),
        ),
        Step(
            name="probe-pods-removed",
            title="No pod of this notebook is left",
            on=MASTER,
            check="linux/probe_pods.check.sh",
            apply="linux/probe_pods_removed.apply.sh",
        ),
        Step(
            name="connections-hold",
            title="The connections hold",
            on=MASTER,
            check=judge_all,
        ),
    ),
)
