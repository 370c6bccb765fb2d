"""The door of a notebook's kernel: whatever it sends to be shown or kept in the notebook passes here.

Tracebacks of exceptions that nobody expected, warnings, what libraries log, other people's reprs and the state of widgets
are not written by us. They leave the kernel as messages of its one session, so this is where they are masked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from k8swin_nb.redact import redact
from k8swin_nb.shown import coloured, masked

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_SEND = "_k8swin_send"
"""Attribute of a session that holds its own `send` while ours stands before it."""


def install(shell: InteractiveShell) -> None:
    """Stand before the session of a shell's kernel; where there is none, or when done already, nothing happens."""
    session = _session(shell)
    if session is None or hasattr(session, _SEND):
        return
    send = session.send
    setattr(session, _SEND, send)
    session.send = _behind(send)


def remove(shell: InteractiveShell) -> None:
    """Let the session send by itself again."""
    session = _session(shell)
    if session is not None and hasattr(session, _SEND):
        session.send = getattr(session, _SEND)
        delattr(session, _SEND)


def _session(shell: InteractiveShell) -> Any:
    return getattr(getattr(shell, "kernel", None), "session", None)


def _behind(send: Callable[..., Any]) -> Callable[..., Any]:
    def passed(stream: Any, message: Any, content: Any = None, *rest: Any, **more: Any) -> Any:
        if isinstance(message, dict):
            kind = str(message.get("msg_type") or message.get("header", {}).get("msg_type", ""))
            message = {**message, "content": passed_content(kind, message.get("content"))}
        else:
            content = passed_content(str(message), content)
        return send(stream, message, content, *rest, **more)

    return passed


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
    if kind in ("display_data", "update_display_data", "execute_result"):
        return {**content, "data": _bundle(content.get("data", {}))}
    if kind in ("error", "execute_reply"):
        return {name: _error(value) for name, value in content.items()}
    if kind in ("comm_open", "comm_msg"):
        return {**content, "data": masked(content.get("data", {}))}
    return content


def _text(text: str) -> str:
    return coloured(redact(text))


def _error(value: Any) -> Any:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, list):
        return [_error(item) for item in value]
    if isinstance(value, Mapping):
        return {name: _error(item) for name, item in value.items()}
    return value


def _bundle(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the forms of an object; pictures that are bytes hold no text."""
    passed = {}
    for kind, value in data.items():
        if kind == "text/plain" and isinstance(value, str):
            passed[kind] = _text(value)
        elif kind.startswith(("text/", "application/")) or kind == "image/svg+xml":
            passed[kind] = masked(value)
        else:
            passed[kind] = value
    return passed
