"""Debian packages of the lab: what they say of themselves, and the files that carry them.

A `.deb` here starts as a real one does and holds a tar archive: `control.json` and the files under
`data/`. dpkg of the lab unpacks it; nothing else has to understand it.
"""

from __future__ import annotations

import io
import json
import tarfile
from dataclasses import asdict, dataclass, field

from k8swin_lab.internet.archives import Members, tar

_MAGIC = b"!<arch>\n"


@dataclass(slots=True)
class Package:
    """One version of a package. Contents of `files` are text, or a program as "program NAME VERSION"."""

    name: str
    version: str
    description: str
    depends: list[str] = field(default_factory=list)  # "kubernetes-cni (>= 1.2.0)"
    recommends: list[str] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)
    provides: list[str] = field(default_factory=list)
    replaces: list[str] = field(default_factory=list)
    maintainer: str = "Debian packagers <packages@lab.example>"
    section: str = "admin"
    architecture: str = "amd64"
    installed_size: int = 1024  # KiB
    download_size: int = 262144  # bytes, as the index says it
    conffiles: list[str] = field(default_factory=list)
    enable: list[str] = field(
        default_factory=list
    )  # units that the installation enables and starts
    groups: list[str] = field(default_factory=list)  # that the installation makes
    reboot: bool = False  # asks for a reboot when it is upgraded


@dataclass(slots=True)
class PackageFile:
    """What a `.deb` holds."""

    package: Package
    files: dict[str, bytes | str]  # by absolute path; a string is the target of a link


def pack(package: Package, files: dict[str, bytes | str]) -> bytes:
    """Return the `.deb` file of a package; paths are absolute."""
    members: Members = {"control.json": json.dumps(asdict(package), sort_keys=True).encode()}
    for path, content in files.items():
        members[f"data{path}"] = content
    return _MAGIC + tar(members)


def unpack(content: bytes) -> PackageFile | None:
    """Read a `.deb` file; None when it is none of the lab's."""
    if not content.startswith(_MAGIC):
        return None
    files: dict[str, bytes | str] = {}
    control: dict[str, object] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(content[len(_MAGIC) :])) as archive:
            for member in archive:
                if member.issym():
                    files[member.name.removeprefix("data")] = member.linkname
                elif member.isfile() and (opened := archive.extractfile(member)):
                    if member.name == "control.json":
                        control = json.loads(opened.read())
                    else:
                        files[member.name.removeprefix("data")] = opened.read()
        return PackageFile(Package(**control), files)  # type: ignore[arg-type]
    except (tarfile.TarError, TypeError, ValueError):
        return None


def stanza(package: Package, filename: str, content: bytes, digest: str) -> str:
    """Return the paragraph of a package in a repository's index."""
    lines = [
        f"Package: {package.name}",
        f"Version: {package.version}",
        f"Architecture: {package.architecture}",
        f"Maintainer: {package.maintainer}",
        f"Installed-Size: {package.installed_size}",
    ]
    for title, names in (
        ("Depends", package.depends),
        ("Recommends", package.recommends),
        ("Conflicts", package.conflicts),
        ("Provides", package.provides),
        ("Replaces", package.replaces),
    ):
        if names:
            lines.append(f"{title}: {', '.join(names)}")
    lines += [
        f"Filename: {filename}",
        f"Size: {len(content)}",
        f"SHA256: {digest}",
        f"Section: {package.section}",
        "Priority: optional",
        f"Description: {package.description}",
    ]
    return "\n".join(lines) + "\n"
