"""API errors as Kubernetes words them: each is a `Status` object with a reason and a code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]


class ApiError(Exception):
    """A refused request; `status` is the Status object that the client gets."""

    def __init__(self, code: int, reason: str, message: str, details: Object | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.status: Object = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": message,
            "reason": reason,
            "details": details or {},
            "code": code,
        }
        if details is None:
            del self.status["details"]


@dataclass(frozen=True, slots=True)
class Cause:
    """One field that is not valid; `reason` such as FieldValueRequired."""

    reason: str
    field: str
    message: str


def required(field: str, detail: str = "") -> Cause:
    text = f"Required value: {detail}" if detail else "Required value"
    return Cause("FieldValueRequired", field, text)


def invalid_value(field: str, value: object, detail: str) -> Cause:
    return Cause("FieldValueInvalid", field, f"Invalid value: {_shown(value)}: {detail}")


def unsupported(field: str, value: object, supported: list[str]) -> Cause:
    names = ", ".join(f'"{name}"' for name in supported)
    text = f"Unsupported value: {_shown(value)}: supported values: {names}"
    return Cause("FieldValueNotSupported", field, text)


def _shown(value: object) -> str:
    import json

    return json.dumps(value, separators=(",", ":"))


def qualified(name: str, group: str) -> str:
    """Return `deployments.apps`, or the bare name in the core group."""
    return f"{name}.{group}" if group else name


def _details(name: str, group: str, kind: str) -> Object:
    details: Object = {"name": name} if name else {}
    if group:
        details["group"] = group
    details["kind"] = kind
    return details


def not_found(plural: str, group: str, name: str) -> ApiError:
    text = f'{qualified(plural, group)} "{name}" not found'
    return ApiError(404, "NotFound", text, _details(name, group, plural))


def no_resource() -> ApiError:
    return ApiError(404, "NotFound", "the server could not find the requested resource", {})


def already_exists(plural: str, group: str, name: str) -> ApiError:
    text = f'{qualified(plural, group)} "{name}" already exists'
    return ApiError(409, "AlreadyExists", text, _details(name, group, plural))


def conflict(plural: str, group: str, name: str, why: str = "") -> ApiError:
    why = why or (
        "the object has been modified; please apply your changes to the latest version and try again"
    )
    text = f'Operation cannot be fulfilled on {qualified(plural, group)} "{name}": {why}'
    return ApiError(409, "Conflict", text, _details(name, group, plural))


def invalid(kind: str, group: str, name: str, causes: list[Cause]) -> ApiError:
    parts = [f"{cause.field}: {cause.message}" for cause in causes]
    listed = parts[0] if len(parts) == 1 else f"[{', '.join(parts)}]"
    details = _details(name, group, kind)
    details["causes"] = [
        {"reason": cause.reason, "message": cause.message, "field": cause.field} for cause in causes
    ]
    text = f'{qualified(kind, group)} "{name}" is invalid: {listed}'
    return ApiError(422, "Invalid", text, details)


def bad_request(text: str) -> ApiError:
    return ApiError(400, "BadRequest", text)


def forbidden(text: str, plural: str = "", group: str = "", name: str = "") -> ApiError:
    return ApiError(403, "Forbidden", text, _details(name, group, plural) if plural else {})


def unauthorized() -> ApiError:
    return ApiError(401, "Unauthorized", "Unauthorized")


def method_not_allowed() -> ApiError:
    text = "the server does not allow this method on the requested resource"
    return ApiError(405, "MethodNotAllowed", text, {})


def expired(found: int, oldest: int) -> ApiError:
    return ApiError(410, "Expired", f"too old resource version: {found} ({oldest})")


def not_simulated(what: str) -> ApiError:
    """Refuse what the lab does not have, in words nobody takes for Kubernetes' own."""
    return ApiError(501, "NotImplemented", f"not simulated in the lab: {what}")
