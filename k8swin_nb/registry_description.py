"""A registry of a cluster's description: what is asked instead of it, who it is, and who we are for it."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from k8swin_nb.field_types import DNS_NAME, Reference, User, without_login
from k8swin_nb.host_description import StrictModel


def _registry(text: str) -> str:
    host, _, port = without_login(text).partition(":")
    if "://" in text or "/" in text:
        plain = text.rpartition("://")[2].split("/")[0]
        raise ValueError(f"`{text}` is no host alone; write `{plain}`")
    if not DNS_NAME.fullmatch(host) or (port and not re.fullmatch(r"[1-9][0-9]{0,4}", port)):
        raise ValueError(f"`{text}` is no registry such as `docker.io` or `mirror.example:5000`")
    return text


def _mirror(text: str) -> str:
    found = re.fullmatch(
        r"(https?)://([A-Za-z0-9.-]+(?::[1-9][0-9]{0,4})?)(/[\w./-]*)?", without_login(text)
    )
    if not found:
        raise ValueError(
            f"`{text}` is no address of a mirror such as `https://mirror.example:5000`"
        )
    return text.rstrip("/")


RegistryName = Annotated[str, AfterValidator(_registry)]
Mirror = Annotated[str, AfterValidator(_mirror)]


class RegistryDescription(StrictModel):
    """One registry under `registries`."""

    name: RegistryName
    """The registry's host, as names of images begin, or as the address of a mirror has it."""

    mirrors: list[Mirror] = Field(default=[])
    """URLs that are asked for its images first, in this order; the registry itself is asked last."""

    ca: str | None = None
    """Path of the authority that signed this host's certificate; None: those that the nodes know."""

    user: User | None = None
    """Login name; what is pulled from this host is pulled with it."""

    credential: Reference | None = Field(default=None, repr=False)
    """Reference to the password or token of `user`."""
