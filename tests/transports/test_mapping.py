"""Every exception class of the libraries below becomes one of ours."""

from __future__ import annotations

import inspect
from types import ModuleType

import paramiko.ssh_exception
import pytest
import requests.exceptions
import winrm.exceptions

from k8swin_nb.errors import AuthenticationFailed, K8swinError, TransportError
from k8swin_nb.inventory import Host
from k8swin_nb.transports import ssh, winrm_errors

HOST = Host("h", "192.0.2.1", "linux", (), "u")

AUTHENTICATION = {
    "AuthenticationException",
    "PasswordRequiredException",
    "BadAuthenticationType",
    "PartialAuthentication",
    "UnableToAuthenticate",
    "AuthenticationError",
    "BasicAuthDisabledError",
    "InvalidCredentialsError",
}


def classes(*modules: ModuleType) -> list[type[BaseException]]:
    found = {
        item
        for module in modules
        for _, item in inspect.getmembers(module, inspect.isclass)
        if issubclass(item, Exception)
        and not issubclass(item, Warning)
        and item.__module__ == module.__name__
    }
    return sorted(found, key=lambda item: item.__name__)


def blank(kind: type[BaseException]) -> BaseException:
    """Make an instance without knowing the constructor's arguments."""
    error = kind.__new__(kind)
    for name, value in (
        ("code", 500),
        ("reason", "r"),
        ("wsman_fault_code", 1),
        ("wmierror_code", 1),
        ("errors", {}),
    ):
        if not isinstance(getattr(kind, name, None), property):
            error.__dict__.setdefault(name, value)
    error.args = ("http", 500, "text")
    return error


def accounted_for(source: str, kind: type[BaseException]) -> bool:
    """Whether a class or one of its own library's bases is named in the translation."""
    return any(
        base.__name__ in source for base in kind.__mro__ if base.__module__ != "builtins"
    ) or (issubclass(kind, (OSError, EOFError)))


SSH = classes(paramiko.ssh_exception)
WINRM = classes(winrm.exceptions, requests.exceptions)


@pytest.mark.parametrize("kind", SSH, ids=lambda kind: kind.__name__)
def test_ssh_errors_are_translated(kind: type[BaseException]) -> None:
    assert accounted_for(inspect.getsource(ssh.translate), kind), f"{kind} is not mapped"
    if kind.__str__ not in (Exception.__str__, OSError.__str__):
        return  # its text needs arguments of its own; that its class is named is what counts
    error = ssh.translate(blank(kind), HOST)
    assert isinstance(error, TransportError)
    assert isinstance(error, AuthenticationFailed) == (kind.__name__ in AUTHENTICATION)


@pytest.mark.parametrize("kind", WINRM, ids=lambda kind: kind.__name__)
def test_winrm_errors_are_translated(kind: type[BaseException]) -> None:
    assert accounted_for(inspect.getsource(winrm_errors.translate), kind), f"{kind} is not mapped"
    error = winrm_errors.translate(blank(kind), HOST)
    assert isinstance(error, TransportError)
    assert isinstance(error, AuthenticationFailed) == (kind.__name__ in AUTHENTICATION)


@pytest.mark.parametrize("translate", [ssh.translate, winrm_errors.translate])
def test_what_is_ours_stays_as_it_is(translate: object) -> None:
    ours = K8swinError("x")
    assert translate(ours, HOST) is ours  # type: ignore[operator]
