"""The door of a notebook's kernel: whatever it sends to be shown or kept in the notebook passes here.

Tracebacks of exceptions that nobody expected, warnings, what libraries log, other people's reprs and the state of widgets
are not written by us. They leave the kernel as messages of its one session, so this is where they are masked.
"""

from __future__ import annotations

import logging
import re
import threading
import uuid
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from k8swin_nb.redact import REDACTOR, redact, redact_kept
from k8swin_nb.shown import coloured, masked, shown_line
from k8swin_nb.tables.code import OPENING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_SEND = "_k8swin_send"
"""Attribute of a session that holds its own `send` while ours stands before it."""


class Listener(Protocol):
    """Hears what passes the door."""

    def heard(self, kind: str, content: Any, message: str) -> None:
        """Take a message's content as it is sent; `message` is the number of the one that it answers."""

    def replied(self, content: Any, message: str) -> None:
        """Take the reply to an execution before it is sent, when everything else of the cell was."""


def install(shell: InteractiveShell) -> None:
    """Stand before the session of a shell's kernel; where there is none, or when done already, nothing happens."""
    session = _session(shell)
    if session is None or hasattr(session, _SEND):
        return
    send = session.send
    setattr(session, _SEND, send)
    session.send = _behind(send)


def listen(shell: InteractiveShell, listener: Listener | None) -> bool:
    """Let somebody hear what passes, or nobody any more; return whether there is a door."""
    door = getattr(getattr(_session(shell), "send", None), "__self__", None)
    if not isinstance(door, _Door):
        return False
    door.listener = listener
    return True


def remove(shell: InteractiveShell) -> None:
    """Let the session send by itself again."""
    session = _session(shell)
    if session is not None and hasattr(session, _SEND):
        session.send = getattr(session, _SEND)
        delattr(session, _SEND)


def _session(shell: InteractiveShell) -> Any:
    return getattr(getattr(shell, "kernel", None), "session", None)


def _behind(send: Callable[..., Any]) -> Callable[..., Any]:
    return _Door(send).passed


class _Door:
    """Passes what a session sends. The end of printed text with which a secret may begin waits for what follows."""

    def __init__(self, send: Callable[..., Any]) -> None:
        self._send = send
        self._lock = threading.RLock()  # text is sent by another thread than the rest
        self._waiting: dict[tuple[str, str], tuple[str, Callable[[str], Any]]] = {}
        self.listener: Listener | None = None
        self._deaf = False

    def passed(
        self, stream: Any, message: Any, content: Any = None, *rest: Any, **more: Any
    ) -> Any:
        """Send a message as the session does, with what it carries behind the door."""
        whole = isinstance(message, dict)
        if whole:
            kind = str(message.get("msg_type") or message.get("header", {}).get("msg_type", ""))
            carried = message.get("content")
        else:
            kind, carried = str(message), content

        listener = self.listener
        asked = _asked_by(message, rest, more) if listener is not None else ""

        def sent(instead: Any) -> Any:
            if listener is not None:
                self._hears(listener.heard, kind, instead, asked)
            if whole:
                return self._send(stream, {**message, "content": instead}, content, *rest, **more)
            return self._send(stream, message, instead, *rest, **more)

        if kind == "execute_reply" and listener is not None:
            with self._lock:
                self._let_go()
            # Without the lock: what is said then is printed, which another thread brings here.
            self._hears(listener.replied, passed_content(kind, carried), asked)
        if kind == "comm_close":
            # A widget that is collected says so in whatever thread and under whatever lock that happens: no lock is waited for.
            return sent(passed_content(kind, carried))
        with self._lock:
            if kind == "stream" and isinstance(carried, Mapping):
                parent = (message.get("parent_header") or {}) if whole else {}
                key = (str(parent.get("msg_id")), str(carried.get("name")))
                return self._printed(key, carried, sent)
            self._let_go()
            return sent(passed_content(kind, carried))

    def _printed(self, key: tuple[str, str], carried: Any, sent: Callable[[Any], Any]) -> Any:
        """Send printed text up to where a secret may have begun."""
        for other in [other for other in self._waiting if other != key]:
            self._let_go(other)
        before, _ = self._waiting.pop(key, ("", None))
        text = before + str(carried.get("text", ""))
        if len(text) > _HELD:
            return sent({**carried, "text": _text(text)})
        shown, stop = REDACTOR.release(text, 0, len(text))
        begun = REDACTOR.touched(text)
        if begun and text.endswith(begun):
            end = len(text) - len(begun)
            # Within what is masked nothing begins.
            if end < stop and REDACTOR.redact(text, end) == begun:
                shown, stop = REDACTOR.redact(text, 0, end), end
        if stop < len(text):
            self._waiting[key] = (
                text[stop:],
                lambda late: sent({**carried, "text": _text(late)}),
            )
        return sent({**carried, "text": coloured(shown)}) if shown else None

    def _hears(self, hear: Callable[..., None], *what: Any) -> None:
        """Tell the listener, whose trouble keeps no message from its way."""
        try:
            hear(*what)
        except Exception as error:
            if not self._deaf:
                self._deaf = True
                told = shown_line(f"{type(error).__name__}: {error}")
                logging.getLogger(__name__).error("cells are not followed: %s", told)

    def _let_go(self, *keys: tuple[str, str]) -> None:
        """Send what waited, in front of what is not printed or is printed elsewhere."""
        for key in keys or list(self._waiting):
            text, sent = self._waiting.pop(key)
            sent(text)


def _asked_by(message: Any, rest: tuple[Any, ...], more: Mapping[str, Any]) -> str:
    """Return the number of the message that one answers, as the arguments of a session's `send` have it."""
    parent = message.get("parent_header") if isinstance(message, dict) else None
    if parent is None:
        parent = more.get("parent", rest[0] if rest else None)
    if isinstance(parent, Mapping):
        parent = parent.get("header", parent)
        return str(parent.get("msg_id", "")) if isinstance(parent, Mapping) else ""
    return ""


_HELD = 65_536
"""Characters of a text of which an end may wait; a longer one is sent as it is, masked."""

_STRUCTURE = frozenset({"status", "ename", "source", "method", "transient", "output_type"})
"""Fields whose values are words of the protocol, which front ends act on; a secret may be the same word."""


def passed_content(kind: str, content: Any) -> Any:
    """Return a message's content as it may be sent.

    Args:
        kind: The message's type, such as `stream`, `error`, `display_data`.
        content: What it carries, as the protocol of Jupyter has it.
    """
    if not isinstance(content, Mapping):
        return content
    if kind == "stream":
        return {**content, "text": _text(content.get("text", ""))}
    if kind in ("display_data", "update_display_data", "execute_result", "inspect_reply"):
        return {
            **content,
            "data": _bundle(content.get("data", {})),
            "metadata": masked(content.get("metadata", {})),
        }
    if kind in ("error", "execute_reply", "input_request", "debug_reply", "debug_event"):
        return _error(content)
    if kind in ("comm_open", "comm_msg"):
        return {**content, "data": _state(content.get("data", {}))}
    return content


def _text(text: str) -> str:
    return coloured(redact(text))


def _error(value: Any) -> Any:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, list):
        return [_error(item) for item in value]
    if isinstance(value, Mapping):
        return {name: item if name in _STRUCTURE else _error(item) for name, item in value.items()}
    return value


_OF_WIDGETS = re.compile(r"_(?:model|view)_(?:name|module|module_version|count)")


def _state(data: Any) -> Any:
    """Return what is sent to a widget; names of its classes and modules are no text."""
    if not isinstance(data, Mapping):
        return masked(data)
    passed: dict[str, Any] = {}
    for name, item in data.items():
        if name in _STRUCTURE or _OF_WIDGETS.fullmatch(str(name)):
            passed[name] = item
        elif name == "state":
            passed[name] = _state(item)
        else:
            passed |= masked({name: item})
    return passed


def _bundle(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the forms of an object; pictures that are bytes hold no text."""
    passed = {}
    for kind, value in data.items():
        if kind == "text/plain" and isinstance(value, str):
            passed[kind] = _text(value)
        elif kind == "text/html" and isinstance(value, str):
            passed[kind] = _html(value)
        elif kind == _WIDGET:
            passed[kind] = value  # the number of a widget
        elif kind.startswith(("text/", "application/")) or kind == "image/svg+xml":
            passed[kind] = masked(value)
        else:
            passed[kind] = value
    return passed


_LISTING = re.compile(rf"{re.escape(OPENING)}.*?</pre>", re.DOTALL)
"""What begins as a listing of source does, whoever wrote it."""


def _html(text: str) -> str:
    """Return HTML masked. Listings are masked each by itself, and once: a notebook sends those of a step twice."""
    listings = _LISTING.findall(text)
    if not listings:
        return redact(text)
    word = f"listing-{uuid.uuid4().hex}."
    parts = redact(_LISTING.sub(word, text)).split(word)
    if len(parts) != len(listings) + 1:
        return redact(text)
    between = [redact_kept(listing) for listing in listings]
    return "".join(part for pair in zip(parts, [*between, ""], strict=True) for part in pair)


_WIDGET = "application/vnd.jupyter.widget-view+json"
