"""How kubectl ends when it cannot go on."""

from __future__ import annotations

from typing import Any


class KubectlError(Exception):
    """The whole text for standard error; `code` is the exit code."""

    def __init__(self, text: str, code: int = 1) -> None:
        super().__init__(text)
        self.code = code


class RequestError(KubectlError):
    """The API refused; `status` is its Status object."""

    def __init__(self, status: dict[str, Any]) -> None:
        self.status = status
        self.message = str(status.get("message", ""))
        self.reason = str(status.get("reason", ""))
        self.http = int(status.get("code", 500))
        if self.http == 401:
            text = "error: You must be logged in to the server (Unauthorized)"
        elif self.reason == "Invalid" and not self.message.startswith("error"):
            text = f"The {self._object()} is invalid: {self._causes()}"
        elif self.reason:
            text = f"Error from server ({self.reason}): {self.message}"
        else:
            text = f"Error from server: {self.message}"
        super().__init__(text)

    def _object(self) -> str:
        details = self.status.get("details") or {}
        return f'{details.get("kind", "object")} "{details.get("name", "")}"'

    def _causes(self) -> str:
        causes = (self.status.get("details") or {}).get("causes") or []
        shown = [f"{one.get('field')}: {one.get('message')}" for one in causes]
        if len(shown) == 1:
            return shown[0]
        return "\n" + "\n".join(f"* {one}" for one in shown) if shown else self.message
