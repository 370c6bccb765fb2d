"""Scripts that are sent to their hosts by other processes or from other machines, see `executors`.

A job is pickled: a host, a script, values, and secrets by their references alone, which are resolved where the job is
done. A `Secret` refuses to be pickled.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from k8swin_nb.errors import K8swinError
from k8swin_nb.inventory import Host
from k8swin_nb.redact import redact
from k8swin_nb.result import Result
from k8swin_nb.scripts import Script
from k8swin_nb.secret import Secret, SecretRef
from k8swin_nb.shells import KILL_AFTER, Surroundings
from k8swin_nb.transports import open_transport
from k8swin_nb.transports.base import Transport, own_script

STOP_SECONDS = 12.0
"""Time to end a script from outside."""


@dataclass(frozen=True, slots=True)
class Job:
    """One script for one host, as it is sent to another process."""

    host: Host
    script: Script
    parameters: Mapping[str, str]
    secrets: Mapping[str, SecretRef]
    folder: Path
    """Where relative paths of `file:` references start, there."""
    stdin: bytes
    timeout: float | None
    sudo: bool
    tag: str
    around: Surroundings | None = None
    idle: float | None = None


def references(secrets: Mapping[str, Any] | None) -> dict[str, SecretRef]:
    """Return secrets that may leave this process.

    Raises:
        K8swinError: when one is a value.
    """
    found: dict[str, SecretRef] = {}
    for name, given in (secrets or {}).items():
        if isinstance(given, Secret):
            raise K8swinError(
                f"the secret `{name}` is given as its value, which does not leave this process",
                hint="give its reference: `SecretRef.parse('env:NAME')`; it is resolved where the script is sent from",
            )
        found[name] = given
    return found


def run_there(job: Job) -> Result:
    """Run a script on its host from here, over a connection of its own.

    Secrets of the job that it prints are masked here: the process that asked may not know them.

    Raises:
        K8swinError: as `Transport.run`, and when a secret is not to be had here.
    """
    secrets = {name: reference.resolve(job.folder) for name, reference in job.secrets.items()}
    transport = open_transport(job.host)
    try:
        result = transport.run(
            job.script,
            parameters=job.parameters,
            secrets=secrets,
            stdin=job.stdin,
            timeout=job.timeout,
            sudo=job.sudo,
            tag=job.tag,
            around=job.around,
            idle=job.idle,
        )
    except K8swinError as error:
        if secrets:
            error.message = redact(error.message)
            printed = getattr(error, "result", None)
            if isinstance(printed, Result):
                error.result = _masked(printed)  # type: ignore[attr-defined]
        raise
    finally:
        transport.close()
    return _masked(result) if secrets else result


def _masked(result: Result) -> Result:
    return replace(result, stdout=redact(result.stdout), stderr=redact(result.stderr))


def end_from_here(transport: Transport, job: Job) -> None:
    """End a job's script on its host from this process, as far as the host can be asked."""
    linux = transport.interpreter == "bash"
    with contextlib.suppress(K8swinError):
        transport.run(
            own_script("stop", transport.interpreter),
            parameters={"TAG": job.tag, "PATIENCE": str(KILL_AFTER)} if linux else {"Tag": job.tag},
            timeout=STOP_SECONDS,
            sudo=job.sudo,
        )
