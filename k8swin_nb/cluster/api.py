"""The API server, asked for lists of objects: in protobuf where it speaks it, in JSON where it does not.

What it answers is somebody else's text: it is bounded in bytes, rows, pages and seconds, nothing that it names is followed,
and an answer that is no list is an error, never an empty one. A list is asked for at once, which an API server answers
from its memory, where it takes the pages behind the first from its store. It is worked on while it comes in, so that it
never stands anywhere as a whole.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import queue
import re
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import urllib3

from k8swin_nb.cluster.answers import (
    JSON,
    OBJECT_BYTES,
    PIECE,
    Told,
    TooLong,
    answered,
    no_list,
)
from k8swin_nb.cluster.connection import Dial, Wire
from k8swin_nb.cluster.kubeconfig import Access, read_kubeconfig
from k8swin_nb.cluster.tls import tls_context
from k8swin_nb.errors import ClusterError, NotPassedOn, Stopped
from k8swin_nb.reading import Unreadable, json_document, shown

PAGE = 500
"""Objects asked for at once where a list is asked for in pages, as kubectl does."""

MOST_ROWS = 500_000
"""Objects of one list; what is beyond is counted and left out."""

MOST_PAGES = 2_000

MOST_STARTS = 3
"""How often a list is begun: a server that changes fast forgets the version that was being read."""

LONGEST_TOKEN = 8192
"""Characters of what the next page is asked with; a server's has some hundred."""

SECONDS = 60.0
"""What a whole list may take, all its pages together."""

LOOK_SECONDS = 0.1
"""How often the waiting thread looks whether it was stopped."""

HINTS = {
    400: "look at the selectors: labels such as `app=web,tier!=cache`, fields that this kind has, such as `metadata.name`",
    401: "the kubeconfig's login is no longer taken: run 02_master, which writes it anew",
    403: "the login of the kubeconfig may not do that: ask for a role that lists it, or name a namespace",
    404: "this cluster does not have that kind of object",
    410: "the list changes faster than it can be read: ask for less, by namespace, label or node",
    429: "the API server has too much to do: ask again in a minute, or for less",
    500: "look at the log of kube-apiserver on the control plane",
    503: "the API server is not ready: look at etcd and at kube-apiserver on the control plane",
    504: "the API server waits for etcd: look at the control plane's load",
}
"""What to do about a refusal, by its status."""


@dataclass(frozen=True, slots=True)
class Listed:
    """What is known of a list beside its objects."""

    asked: datetime
    """When the server answered, by its own clock."""

    version: str = ""
    """The resourceVersion of the list, from which on a watch tells what changes."""

    left_out: int | None = 0
    """How many more there are on the server; None: some, and it does not say how many."""


_CERTIFICATE = re.compile("-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)

_AGAIN = object()
"""Stands in place of a page: what was read is out of date, and the list begins anew."""


class ClusterApi:
    """One API server, asked with what the text of a kubeconfig gives for it.

    Nothing of that text is run, followed or written down: the client's key stays in memory.

    Args:
        kubeconfig: Its text; see `read_kubeconfig` for what is taken of it.
        server: The planned server, such as `https://192.168.160.150:6443`; no other one is talked to.
        at: Address and port where it is asked, where its name is not for this computer; its certificate has both.
        seconds: What one table may take.
        dial: Makes the TCP connection, from address, port and seconds; None: from here.

    Raises:
        ClusterError: when the kubeconfig is not of that form, or for another server.
    """

    def __init__(
        self,
        kubeconfig: str,
        *,
        server: str,
        at: tuple[str, int] | None = None,
        seconds: float = SECONDS,
        dial: Dial | None = None,
    ) -> None:
        self._server = server
        self._access = read_kubeconfig(kubeconfig, server)
        if at is not None:
            self._access = replace(self._access, host=at[0], port=at[1])
        self._context = tls_context(self._access)
        self._seconds = seconds
        self._dial = dial
        self._paged = False
        """Whether lists are asked for in pages: of a server that knows JSON alone, and whose lists are long."""

    @property
    def server(self) -> str:
        """Which API server is asked, such as `https://192.168.160.150:6443`."""
        return self._server

    @property
    def authority(self) -> str:
        """SHA-256 of the authority's certificates, a PEM text of one or more, each in DER and one after the other."""
        pem = self._access.authority.decode("ascii", "replace")
        digest = hashlib.sha256()
        for one in _CERTIFICATE.findall(pem):
            digest.update(ssl.PEM_cert_to_DER_cert(one))
        return digest.hexdigest()

    @property
    def way(self) -> tuple[Access, str, Dial | None]:
        """Whom to ask and as whom, which server that is, and how its connections are made; None: from here."""
        return self._access, self._server, self._dial

    def objects(
        self,
        path: str,
        kind: str,
        take: Callable[[Any], None],
        *,
        again: Callable[[], None] = lambda: None,
        query: Mapping[str, str] | None = None,
        seconds: float | None = None,
        cancel: threading.Event | None = None,
    ) -> Listed:
        """Read a list, page by page.

        Args:
            path: Path of a list in the API, such as `/api/v1/pods`.
            kind: Kind of its objects, such as `Pod`, one of `messages.KINDS`; empty: of any, as JSON has them.
            take: Is given the messages of each page, in this thread.
            again: Told that what was given so far is out of date, and the list begins anew.
            query: Selectors, as the API has them: `labelSelector`, `fieldSelector`.
            seconds: What the list may take; default: what the object was made with.
            cancel: When it is set, the connection is cut and `Stopped` raised.

        Raises:
            ClusterError: with the status and reason of the API server's answer; or when it gives none, none that
                is a list, or none within the time.
            Stopped: when `cancel` was set.
        """
        limit = self._seconds if seconds is None else seconds
        deadline = time.monotonic() + limit
        pages: queue.Queue[Any] = queue.Queue(maxsize=2)
        number = 0
        with self._working(path, pages, lambda wire: self._pages(wire, path, kind, query or {})):
            while True:
                found = self._next(pages, path, deadline, limit, cancel, number)
                if isinstance(found, Listed):
                    return found
                if isinstance(found, Exception):
                    raise self._error(path, found, number)
                if found is _AGAIN:
                    number = 0
                    again()
                    continue
                number += len(found)
                take(found)

    def documents(self, path: str, cancel: threading.Event | None = None) -> list[dict[str, Any]]:
        """Return the objects of a list such as `/api/v1/endpoints` as JSON has them: of kinds that no table has.

        Args and errors are those of `objects`.
        """
        found: list[dict[str, Any]] = []
        self.objects(path, "", found.extend, again=found.clear, cancel=cancel)
        return found

    def watched(
        self,
        path: str,
        query: Mapping[str, str],
        deadline: float,
        cancel: threading.Event | None = None,
    ) -> Iterator[dict[str, Any]]:
        """Yield the events of one watch until the server ends it or the time is over; then it may be asked again.

        Args:
            path: Path of a list in the API.
            query: With `resourceVersion`, from where on; and selectors.
            deadline: Until when, by `time.monotonic`.
            cancel: When it is set, the connection is cut and `Stopped` raised.

        Raises:
            ClusterError: as `objects`; also when the connection breaks. Status 410: the version is too old.
            Stopped: when `cancel` was set.
        """
        asked = {**query, "watch": "true", "allowWatchBookmarks": "true"}
        events: queue.Queue[Any] = queue.Queue(maxsize=1000)
        with self._working(path, events, lambda wire: _events(wire, path, asked)):
            while (left := deadline - time.monotonic()) > 0:
                if cancel is not None and cancel.is_set():
                    raise Stopped(self._access.host, f"the watch of {path} was stopped")
                try:
                    found = events.get(timeout=min(LOOK_SECONDS, left))
                except queue.Empty:
                    continue
                if found is None:
                    return
                if isinstance(found, Exception):
                    raise self._error(path, found)
                yield found

    @contextlib.contextmanager
    def _working(
        self, path: str, into: queue.Queue[Any], read: Callable[[Wire], Iterator[Any]]
    ) -> Iterator[None]:
        """Have another thread put into a queue what it reads, and at last None or the error; at the end cut it off."""
        wire = Wire(self._access, self._context, self._dial)
        over = threading.Event()

        def put(found: Any) -> None:
            while not over.is_set():
                with contextlib.suppress(queue.Full):
                    into.put(found, timeout=LOOK_SECONDS)
                    return

        def work() -> None:
            last: Exception | None = None
            try:
                for found in read(wire):
                    put(found)
                    if over.is_set():
                        return
            except Exception as error:
                last = error
            finally:
                wire.close()
            put(last)

        threading.Thread(target=work, name="kube-api", daemon=True).start()
        try:
            yield
        finally:
            over.set()
            wire.cut()

    def _next(
        self,
        pages: queue.Queue[Any],
        path: str,
        deadline: float,
        limit: float,
        cancel: threading.Event | None,
        number: int,
    ) -> Any:
        while True:
            if cancel is not None and cancel.is_set():
                raise Stopped(self._access.host, f"GET {path} was stopped")
            try:
                return pages.get(timeout=LOOK_SECONDS)
            except queue.Empty:
                if time.monotonic() < deadline:
                    continue
            said = f"did not answer within {limit:.0f} s"
            if number:
                said = f"did not end its list within {limit:.0f} s, {number} objects were read"
            raise ClusterError(
                f"GET {path}: {self._server} {said}",
                hint="look at the control plane's load, then ask again",
            )

    def _error(self, path: str, error: Exception, number: int = 0) -> Exception:
        from kubernetes.client.exceptions import ApiException

        if isinstance(error, ClusterError):
            if error.hint is None and error.status is not None:
                error.hint = HINTS.get(error.status)
            return error
        told = _from_below(error)
        after = f", the connection broke after {number} objects" if number else ""
        if isinstance(told, ssl.SSLCertVerificationError):
            text = (
                f"GET {path}: the certificate of {self._server} is not of the cluster's authority"
            )
            said = ClusterError(
                f"{text}: {shown(told.verify_message)}",
                hint="run 02_master, which writes the kubeconfig anew",
            )
        elif isinstance(told, NotPassedOn):
            # What it says is made here, of what the jump host's server said: a kind of error would tell nobody which.
            said = ClusterError(
                f"GET {path}: no way to {self._server}: {shown(told)}", hint=told.hint
            )
        elif isinstance(
            error, OSError | http.client.HTTPException | urllib3.exceptions.HTTPError | ApiException
        ):
            said = ClusterError(
                f"GET {path}: no answer from {self._server}{after}: {type(told).__name__}",
                hint="check that the control plane runs and can be reached from here",
            )
        else:
            return error
        said.__cause__ = error
        return said

    def _pages(self, wire: Wire, path: str, kind: str, query: Mapping[str, str]) -> Iterator[Any]:
        """Yield the objects of each page, `_AGAIN` where the list begins anew, and at last what is known of it."""
        for start in range(1, MOST_STARTS + 1):
            try:
                yield from self._from_the_start(wire, path, kind, query)
                return
            except ClusterError as error:
                if error.status != http.client.GONE or start == MOST_STARTS:
                    raise
                yield _AGAIN

    def _from_the_start(
        self, wire: Wire, path: str, kind: str, query: Mapping[str, str]
    ) -> Iterator[Any]:
        token, number = "", 0
        asked: datetime | None = None
        for _ in range(MOST_PAGES):
            limit = {"limit": PAGE} if self._paged or not kind else {}
            wanted = {**query, **limit, **({"continue": token} if token else {})}
            told: Any = None
            try:
                for part in answered(wire, path, kind, wanted):
                    if isinstance(part, Told):
                        told, asked = part.metadata, asked or part.asked
                        continue
                    beyond = max(0, number + len(part) - MOST_ROWS)
                    number += len(part) - beyond
                    yield part[: len(part) - beyond] if beyond else part
                    if number >= MOST_ROWS and told is not None:
                        break
            except TooLong as error:
                if limit or number:
                    raise no_list(path, f"it has more than {error}") from None
                self._paged = True
                continue
            token = getattr(told, "continue")
            if not token.isascii() or len(token) > LONGEST_TOKEN:
                raise no_list(path, "`continue` is none")
            if not token or number >= MOST_ROWS:
                left = None if number >= MOST_ROWS else 0
                if token and told.HasField("remainingItemCount") and told.remainingItemCount >= 0:
                    left = told.remainingItemCount
                yield Listed(asked or datetime.now(UTC), told.resourceVersion, left)
                return
        raise no_list(path, f"it goes on after {MOST_PAGES} pages")


def _from_below(error: BaseException) -> BaseException:
    """Return what the system or TLS said, where a library made another error of it; else the error itself."""
    below: BaseException | None = error
    while below is not None:
        if isinstance(below, OSError | http.client.HTTPException):
            return below
        below = below.__cause__ or below.__context__
    return error


def _events(wire: Wire, path: str, query: Mapping[str, object]) -> Iterator[dict[str, Any]]:
    """Yield the events of a watch, a line of JSON each."""
    with wire.get(path, query, JSON) as answer:
        rest = b""
        while piece := answer.read1(PIECE, decode_content=False):
            *lines, rest = (rest + piece).split(b"\n")
            for line in filter(None, map(bytes.strip, lines)):
                yield _event(path, line)
            if len(rest) > OBJECT_BYTES:
                raise no_list(path, f"one event has more than {OBJECT_BYTES // 2**20} MiB")


def _event(path: str, line: bytes) -> dict[str, Any]:
    try:
        event = json_document(line)
    except Unreadable as error:
        raise no_list(path, str(error)) from None
    if not isinstance(event, dict) or not isinstance(event.get("object"), dict):
        raise no_list(path, "it holds an event that is none")
    if event.get("type") == "ERROR":
        told = event["object"]
        code = told.get("code")
        reason = shown(told.get("reason") or "an error")
        raise ClusterError(
            f"GET {path}: the API server ended the watch: {reason}",
            status=code if type(code) is int else None,
            reason=reason,
        )
    return event
