"""The Kubernetes Dashboard's version, address and token, as far as they take more than a script."""

from __future__ import annotations

import base64
import re
import shlex
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from k8swin_nb.description import Description
from k8swin_nb.local_files import make_folders, write_whole
from k8swin_nb.phases.linux.control_plane import TOKEN, secret_json
from k8swin_nb.phases.pods.dashboard_manifest import NAME, VIEWER, dashboard_version
from k8swin_nb.reading import Unreadable, address, file_text, json_document, shown
from k8swin_nb.secret import Secret
from k8swin_nb.transports.ssh_config import configured
from k8swin_nb.versions import CREATE_TOKEN, DASHBOARD_MADE_FOR, minor
from k8swin_nb.workflow.difference import setting
from k8swin_nb.workflow.facts import Fact
from k8swin_nb.workflow.phase_run import PhaseRun
from k8swin_nb.workflow.step import State, Verdict, last_line
from k8swin_nb.workflow.step_run import StepRun

TOKEN_SECONDS = 3600


RENEW_BEFORE = 600
"""A token that is good for less than this is replaced."""


LOCAL_PORT = 8443

ADDRESS = Fact[str]("dashboard")
"""The Dashboard's address inside the cluster."""


def not_wanted(at: StepRun) -> str | None:
    """Return why there is no Dashboard, or None."""
    return None if at.description.dashboard else "`dashboard` is false"


def check_version(at: StepRun) -> Verdict:
    """Find out which Dashboard goes with the cluster's Kubernetes, and what of it is past its time."""
    version = dashboard_version(at.description)
    newest = ".".join(map(str, DASHBOARD_MADE_FOR))
    if minor(at.description.kubernetes_version) <= DASHBOARD_MADE_FOR:
        return Verdict(State.OK, f"Dashboard {version}")
    return Verdict(
        State.OK,
        f"Dashboard {version}, the last of its kind, was made for Kubernetes up to {newest}: its page of "
        "cron jobs does not work here",
    )


def token_file(description: Description) -> Path:
    """Return where the token is kept on this computer."""
    return description.state / f"dashboard-{description.cluster_name}.token"


def claims(token: str) -> dict[str, Any]:
    """Return what a token says of itself; empty when it is none. Nothing is verified by that."""
    try:
        body = token.split(".")[1]
        read = json_document(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (IndexError, ValueError):
        return {}
    return read if isinstance(read, dict) else {}


def end_of(token: str) -> datetime:
    """Return when a token ends; long ago when it does not say."""
    told = claims(token).get("exp")
    try:
        return datetime.fromtimestamp(float(told if isinstance(told, int | float) else 0), UTC)
    except (OverflowError, ValueError, OSError):
        return datetime.fromtimestamp(0, UTC)


def until(token: str) -> str:
    """Return when a token ends, as 2026-11-26 20:55 UTC."""
    return end_of(token).strftime("%Y-%m-%d %H:%M UTC")


def check_token(at: StepRun) -> Verdict:
    """Find out whether the token's file holds one of this cluster's account that is still good."""
    state, result = at.ask("linux/dashboard_account.check.sh", values=dashboard_values(at))
    if state is not State.OK:
        return Verdict.read(state, result.stdout)
    wanted = last_line(result.stdout)
    if not re.fullmatch(r"[0-9A-Za-z-]{8,64}", wanted):
        raise at.failed("`linux/dashboard_account.check.sh` printed no id of an account")
    path = token_file(at.description)
    why = _not_good(path, wanted)
    if not why:
        return Verdict(State.OK, f"the token in {path} is good until {until(file_text(path))}")
    # The token itself is no part of the difference.
    new = setting(str(path), why, "a token for an hour, readable by you alone")
    return Verdict(State.NEEDED, f"{path}: {why}", differences=(new,))


def _not_good(path: Path, wanted: str) -> str:
    """Return why a file's token is not good any more; empty when it is."""
    if not path.exists():
        return "not there"
    try:
        token = file_text(path).strip()
    except (OSError, Unreadable) as error:
        return f"cannot be read: {shown(error)}"
    if not re.fullmatch(TOKEN, token, re.A):
        return "what is in it is no token"
    Secret(token)
    account: Any = claims(token)
    for key in ("kubernetes.io", "serviceaccount", "uid"):
        account = account.get(key) if isinstance(account, dict) else None
    if account != wanted:
        return "a token of another account"
    if path.stat().st_mode & 0o077:
        return "others may read it"
    if end_of(token).timestamp() < time.time() + RENEW_BEFORE:
        return f"a token that ends {until(token)}"
    return ""


def write_token(at: StepRun) -> None:
    """Ask the API server for a token and write it into a file that only the operator reads."""
    script = "linux/dashboard_token.apply.sh"
    made = secret_json(at, script, {"token": TOKEN}, dashboard_values(at))
    token = Secret(made["token"])
    path = token_file(at.description)
    make_folders(path.parent)
    write_whole(path, token.reveal() + "\n", mode=0o600)


def dashboard_values(at: StepRun) -> dict[str, str]:
    """Return the values of this phase's scripts."""
    creates = minor(at.description.kubernetes_version) >= CREATE_TOKEN
    return {
        "viewer": VIEWER,
        "token_seconds": str(TOKEN_SECONDS),
        "kubectl_creates_tokens": str(creates).lower(),
    }


def keep_address(at: StepRun) -> Verdict:
    """Find out whether the Dashboard answers, and at which address of the cluster."""
    script = "linux/dashboard_ready.check.sh"
    state, result = at.ask(script)
    said = last_line(result.stdout)
    if state is State.OK:
        # It becomes part of a command that a person is given to type.
        if not address(found := said.rpartition(" ")[2]):
            raise at.failed(f"`{script}` printed no address at its end", result=result)
        at.run.facts.keep(at.host, ADDRESS, found)
    return Verdict(state, said)


def dashboard_rows(run: PhaseRun) -> list[tuple[str, str]]:
    """Return how the Dashboard is opened, a row each; one row when there is none."""
    master = run.master
    inside = run.facts.get(master, ADDRESS)
    path = token_file(run.description)
    if not run.description.dashboard or not inside:
        return [("state", not_wanted(run.at(master, "dashboard")) or "not deployed yet")]
    port = f" -p {master.ssh_port}" if master.ssh_port != 22 else ""
    key = f" -i {shlex.quote(master.identity)}" if master.identity else ""
    master = configured(master)
    jump = master.ssh_jump
    through = (
        f" -J {shlex.quote(f'{jump.user}@{jump.ssh_address}:{jump.ssh_port}')}" if jump else ""
    )
    login = shlex.quote(f"{master.user}@{master.ssh_address}")
    tunnel = f"ssh -N -L {LOCAL_PORT}:{inside}:443{through}{port}{key} {login}"
    forward = f"kubectl -n {NAME} port-forward service/{NAME} {LOCAL_PORT}:443"
    return [
        ("version", dashboard_version(run.description)),
        ("1. open a way to it", tunnel),
        ("or, with a kubeconfig here", forward),
        ("2. open in a browser", f"https://localhost:{LOCAL_PORT}/ (its certificate is its own)"),
        ("3. choose Token, and paste", f"what is in {path}"),
        ("the token may", "look at everything but secrets, for an hour"),
    ]
