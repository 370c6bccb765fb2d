"""Who is there: each host's state, system, latency, key and boot, asked of all at once within a bounded time."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

import pandas as pd

from k8swin_nb.errors import K8swinError, TransportError
from k8swin_nb.fan_out import on_each
from k8swin_nb.host_tools.asking import Machines, chosen
from k8swin_nb.host_tools.facts import HostFacts, facts_of
from k8swin_nb.inventory import Host
from k8swin_nb.shown import cell, shown_line
from k8swin_nb.tables.frames import ShownFrame
from k8swin_nb.tables.palette import Mark
from k8swin_nb.tables.table import Kind
from k8swin_nb.transports.look import Seen, look

SECONDS = 20.0
"""What the whole table may take."""

COLUMNS = {
    "HOST": "string",
    "STATE": "string",
    "SYSTEM": "string",
    "BUILD": "string",
    "LATENCY": "Float64",
    "LOGIN": "string",
    "BOOTED": "datetime64[ns, UTC]",
    "FINGERPRINT": "string",
    "ADDRESS": "string",
    "REASON": "string",
}
"""Columns and their types: LATENCY in milliseconds, of the TCP connection; what is not known is missing."""


class HostTable(ShownFrame):
    """Hosts, a row each; see `COLUMNS`."""

    _kinds: ClassVar[Mapping[str, Kind]] = {
        "HOST": "name",
        "LATENCY": "number",
        "FINGERPRINT": "wrapped",
        "REASON": "wrapped",
    }

    @property
    def caption(self) -> str:
        """How many hosts can be worked with, and when they were asked."""
        if "STATE" not in self.columns:
            return ""
        ok = int((self["STATE"] == "ok").sum())
        when = f", {self.source}" if self.source else ""
        return f"{ok} of {len(self)} hosts can be worked with{when}"

    def _places(self) -> list[int]:
        """Return the places of the columns that are shown: a reason stands beside its state, which a narrow window shows."""
        places = super()._places()
        if list(self.columns) != list(COLUMNS):
            return places
        reason = places.pop(list(COLUMNS).index("REASON"))
        return [*places[:2], reason, *places[2:]] if self["REASON"].notna().any() else places

    def _mark(self, column: str, value: str) -> Mark | None:
        if column != "STATE":
            return None
        return Mark(value, "ok" if value == "ok" else "failed")


def survey(
    cluster: Machines,
    on: str | tuple[Host, ...] = "all",
    *,
    seconds: float = SECONDS,
    cancel: threading.Event | None = None,
) -> HostTable:
    """Ask all hosts at once whether they can be worked with; one that cannot is a row with its reason.

    Args:
        cluster: An open cluster.
        on: A selection, or hosts.
        seconds: What all of it may take; who has not answered by then is `unreachable`.
        cancel: When it is set, asking is stopped.

    Raises:
        InventoryError: when the selection names no host.
    """
    hosts = chosen(cluster, on)
    seen: dict[str, Seen] = {}
    limit = min(10.0, seconds)
    stop = cancel or threading.Event()

    def one(host: Host) -> HostFacts:
        seen[host.name] = look(host, limit)
        return facts_of(cluster, host, short=True, seconds=seconds, cancel=stop)

    answers = on_each(hosts, one, name=lambda host: host.name, cancel=stop, seconds=seconds)
    rows = [
        _row(
            host, seen.get(host.name), answers.answers.get(host.name), answers.errors.get(host.name)
        )
        for host in hosts
    ]
    frame = HostTable(rows, columns=list(COLUMNS)).astype(COLUMNS)
    frame.source = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
    return frame


def _row(
    host: Host, seen: Seen | None, facts: HostFacts | None, error: K8swinError | None
) -> list[Any]:
    told: Mapping[str, Any] = facts or {}
    state = "ok"
    if error is not None:
        state = "unreachable" if seen is None else _refused(error)
    port = f"{host.ssh_address}:{host.ssh_port}"
    if host.os == "windows":
        port = f"{host.winrm_address}:{host.winrm_port}"
    texts = [
        host.name,
        state,
        told.get("system") or host.os,
        told.get("kernel"),
        round(seen.latency * 1000, 1) if seen else None,
        told.get("user") or host.user,
        told.get("booted"),
        seen.fingerprint or None if seen else None,
        port,
        _reason(error),
    ]
    return [cell(value) if isinstance(value, str) else value for value in texts]


def _refused(error: K8swinError) -> str:
    """Return in one word why somebody who answers cannot be worked with."""
    kinds = {
        "AuthenticationFailed": "login refused",
        "HostKeyUnknown": "key unknown",
        "HostKeyMismatch": "key changed",
        "HostKeyRevoked": "key revoked",
        "CertificateRejected": "certificate refused",
    }
    name = type(error).__name__
    if name in kinds:
        return kinds[name]
    return "unreachable" if isinstance(error, TransportError) else "failed"


def _reason(error: K8swinError | None) -> Any:
    return pd.NA if error is None else shown_line(error)
