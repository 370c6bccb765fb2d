"""A registry of a cluster's description: what is asked instead of it, who it is, and who we are for it."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from k8swin_nb.field_types import DNS_NAME, Reference, without_login
from k8swin_nb.host_description import StrictModel

EVERY = "*"
"""The name of an entry whose mirrors are asked for all registries that have no entry of their own."""


def _registry(text: str) -> str:
    if text == EVERY:
        return text
    host, _, port = without_login(text).partition(":")
    if "://" in text or "/" in text:
        plain = text.rpartition("://")[2].split("/")[0]
        raise ValueError(f"`{text}` is no host alone; write `{plain}`")
    if text == "_default":
        raise ValueError(f"`{text}` is containerd's folder for all registries; write `{EVERY}`")
    if host != host.lower() and DNS_NAME.fullmatch(host.lower()):
        raise ValueError(f"`{text}` has capitals; write `{text.lower()}`")
    if not DNS_NAME.fullmatch(host) or not _is_port(port):
        raise ValueError(f"`{text}` is no registry such as `docker.io` or `mirror.example:5000`")
    return text


def _is_port(text: str) -> bool:
    return not text or (re.fullmatch(r"[1-9][0-9]{0,4}", text) is not None and int(text) <= 65535)


def _mirror(text: str) -> str:
    found = re.fullmatch(r"https?://([a-z0-9.-]+)(?::([0-9]+))?(/[\w./-]*)?", without_login(text))
    if not found or not DNS_NAME.fullmatch(found[1]) or not _is_port(found[2] or ""):
        if text != text.lower() and text.lower().startswith(("http://", "https://")):
            raise ValueError(f"`{text}` has capitals in its host; write it in small letters")
        raise ValueError(
            f"`{text}` is no address of a mirror such as `https://mirror.example:5000`"
        )
    return text.rstrip("/")


def _robot(text: str) -> str:
    """Return a registry's login name: accounts of robots have `$` and `+` in it, and only a colon would end it."""
    if not text.strip() or ":" in text:
        raise ValueError(f"`{text}` is no login name of a registry" if text else "is empty")
    return text


RobotName = Annotated[str, AfterValidator(_robot)]
RegistryName = Annotated[str, AfterValidator(_registry)]
Mirror = Annotated[str, AfterValidator(_mirror)]


class RegistryDescription(StrictModel):
    """One registry under `registries`."""

    name: RegistryName
    """The registry's host, as names of images begin, or as the address of a mirror has it; `*`: all others."""

    mirrors: list[Mirror] = Field(default=[])
    """URLs that are asked for its images first, in this order; the registry itself is asked last."""

    ca: str | None = None
    """Path of the authority that signed this host's certificate; None: those that the nodes know."""

    user: RobotName | None = None
    """Login name; what is pulled from this host is pulled with it."""

    credential: Reference | None = Field(default=None, repr=False)
    """Reference to the password or token of `user`."""
