"""The API server, asked for tables: the very rows and columns that kubectl prints.

The server makes the columns, so that no status has to be worked out here. What it answers is somebody else's text:
it is bounded in bytes, rows, pages and seconds, nothing that it names is followed, and an answer that is no table is
an error, never an empty one.
"""

from __future__ import annotations

import http.client
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import urllib3

from k8swin_nb.cluster.connection import Dial, Wire
from k8swin_nb.cluster.kubeconfig import read_kubeconfig
from k8swin_nb.cluster.tls import tls_context
from k8swin_nb.errors import ClusterError, NotPassedOn, Stopped
from k8swin_nb.reading import Unreadable, json_document, shown
from k8swin_nb.shown import shown_line

TABLE = ",".join(f"application/json;as=Table;g=meta.k8s.io;v={v}" for v in ("v1", "v1beta1"))
PAGE = 500
"""Rows asked for at once, as kubectl does."""

MOST_ROWS = 20_000
"""Rows of one table; what is beyond is counted and left out."""

MOST_PAGES = 200

LONGEST_NAME = 100
"""Characters of a column's name."""

MOST_COLUMNS = 100
"""Columns of one table; resources of others may define some of their own."""

PAGE_BYTES = 16 * 1024 * 1024
"""What one page may have; 500 pods with all that their owners write to them stay below half of it."""

LONGEST_TOKEN = 8192
"""Characters of what the next page is asked with; a server's has some hundred."""

PIECE = 64 * 1024
SECONDS = 60.0
"""What a whole table may take, all its pages together."""

LOOK_SECONDS = 0.1
"""How often the waiting thread looks whether it was stopped."""

UNKNOWN = "<unknown>"
"""kubectl's word for a cell that nobody filled."""


@dataclass(frozen=True, slots=True)
class ApiTable:
    """A table of the API server: column names as kubectl heads them, and rows of cells."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    namespaces: tuple[str, ...]
    """The namespace of each row; empty for what has none."""

    left_out: int | None = 0
    """How many more there are on the server; None: some, and it does not say how many."""


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

    def table(
        self, path: str, *, wide: bool = True, cancel: threading.Event | None = None
    ) -> ApiTable:
        """Return what `kubectl get` prints for a path such as `/api/v1/nodes`.

        Args:
            path: Path of a list in the API.
            wide: With the columns of `-o wide`.
            cancel: When it is set, the connection is cut and `Stopped` raised.

        Raises:
            ClusterError: with the status and reason of the API server's answer; or when it gives none, none that
                is a table, or none within the time.
            Stopped: when `cancel` was set.
        """
        wire = Wire(self._access, self._context, self._dial)
        asked: list[ApiTable] = []
        failed: list[Exception] = []
        over = threading.Event()

        def work() -> None:
            try:
                asked.append(self._pages(wire, path, wide))
            except Exception as error:
                failed.append(error)
            finally:
                wire.close()
                over.set()

        deadline = time.monotonic() + self._seconds
        threading.Thread(target=work, name="kube-api", daemon=True).start()
        try:
            while not over.wait(LOOK_SECONDS):
                if cancel is not None and cancel.is_set():
                    raise Stopped(self._access.host, f"GET {path} was stopped")
                if time.monotonic() >= deadline:
                    raise ClusterError(
                        f"GET {path}: {self._server} did not answer within {self._seconds:.0f} s",
                        hint="look at the control plane's load, then ask again",
                    )
        finally:
            wire.cut()
        if failed:
            raise self._error(path, failed[0])
        return asked[0]

    def _error(self, path: str, error: Exception) -> Exception:
        from kubernetes.client.exceptions import ApiException

        if isinstance(error, ClusterError):
            return error
        told = _from_below(error)
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
                f"GET {path}: no answer from {self._server}: {type(told).__name__}",
                hint="check that the control plane runs and can be reached from here",
            )
        else:
            return error
        said.__cause__ = error
        return said

    def _pages(self, wire: Wire, path: str, wide: bool) -> ApiTable:
        columns: list[tuple[int, str]] = []
        rows: list[tuple[Any, ...]] = []
        namespaces: list[str] = []
        token = ""
        for _ in range(MOST_PAGES):
            query = {"limit": PAGE, **({"continue": token} if token else {})}
            page = _page(wire, path, query)
            columns = columns or _columns(path, page, wide)
            for cells, namespace in _rows(path, page, columns):
                rows.append(cells)
                namespaces.append(namespace)
            told = page.get("metadata")
            metadata = told if isinstance(told, dict) else {}
            token = metadata.get("continue") or ""
            if not isinstance(token, str) or not token.isascii() or len(token) > LONGEST_TOKEN:
                raise _no_table(path, "`continue` is none")
            if not token or len(rows) >= MOST_ROWS:
                left = metadata.get("remainingItemCount") if token else 0
                counted = left if type(left) is int and left >= 0 else None
                if counted is not None:
                    counted += max(0, len(rows) - MOST_ROWS)
                names = tuple(name for _, name in columns)
                shown_rows, shown_names = rows[:MOST_ROWS], namespaces[:MOST_ROWS]
                return ApiTable(names, tuple(shown_rows), tuple(shown_names), counted)
        raise _no_table(path, f"it goes on after {MOST_PAGES} pages")


def _from_below(error: BaseException) -> BaseException:
    """Return what the system or TLS said, where a library made another error of it; else the error itself."""
    below: BaseException | None = error
    while below is not None:
        if isinstance(below, OSError | http.client.HTTPException):
            return below
        below = below.__cause__ or below.__context__
    return error


def _page(wire: Wire, path: str, query: Mapping[str, object]) -> dict[str, Any]:
    with wire.get(path, query, TABLE) as answer:
        body = _body(path, answer)
    try:
        page = json_document(body)
    except Unreadable as error:
        raise _no_table(path, str(error)) from None
    if not isinstance(page, dict) or page.get("kind") != "Table":
        raise _no_table(path, "it has another form")
    return page


def _body(path: str, answer: urllib3.BaseHTTPResponse) -> bytes:
    """Return the body of an answer, within bounds."""
    if (coded := answer.headers.get("Content-Encoding", "identity")) != "identity":
        raise _no_table(path, f"it is packed as `{shown(coded)}`, which was not asked for")
    body = bytearray()
    while piece := answer.read(PIECE, decode_content=False):
        body += piece
        if len(body) > PAGE_BYTES:
            raise _no_table(path, f"one page has more than {PAGE_BYTES // 2**20} MiB")
    return bytes(body)


def _no_table(path: str, what: str) -> ClusterError:
    return ClusterError(
        f"GET {path}: the API server's answer is no table that can be read: {what}",
        hint="what it holds is unknown; look with kubectl on the control plane",
    )


def _columns(path: str, page: Mapping[str, Any], wide: bool) -> list[tuple[int, str]]:
    """Return place and heading of each column that is wanted."""
    defined = page.get("columnDefinitions")
    if not isinstance(defined, list) or not defined:
        raise _no_table(path, "it has no columns")
    if len(defined) > MOST_COLUMNS:
        raise _no_table(path, f"it has {len(defined)} columns")
    kept = []
    for place, column in enumerate(defined):
        name = column.get("name") if isinstance(column, dict) else None
        if not isinstance(name, str) or not name:
            raise _no_table(path, f"its column {place + 1} has no name")
        if wide or not column.get("priority"):
            kept.append((place, shown_line(name, most=LONGEST_NAME).upper().replace(" ", "-")))
    names = [name for _, name in kept]
    if len(set(names)) < len(names) or "NAMESPACE" in names:
        raise _no_table(path, "its columns' names are not different ones")
    return kept


def _rows(
    path: str, page: Mapping[str, Any], columns: list[tuple[int, str]]
) -> Iterator[tuple[tuple[Any, ...], str]]:
    """Yield cells and namespace of each row; a cell that is not there is unknown, and takes no other along."""
    listed = page.get("rows") or []
    if not isinstance(listed, list):
        raise _no_table(path, "`rows` is no list")
    for row in listed:
        told = row.get("cells") if isinstance(row, dict) else None
        cells = told if isinstance(told, list) else []
        kept = tuple(cells[i] if i < len(cells) else UNKNOWN for i, _ in columns)
        namespace: Any = row
        for key in ("object", "metadata", "namespace"):
            namespace = namespace.get(key) if isinstance(namespace, dict) else None
        yield (
            tuple(c if isinstance(c, str | int | float) else _cell(c) for c in kept),
            namespace if isinstance(namespace, str) else "",
        )


def _cell(value: object) -> str:
    return UNKNOWN if value is None else shown(value)
