"""apt's package sources: what sources.list says, reading the lists, and the packages they offer."""

from __future__ import annotations

import gzip
import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from k8swin_lab.known import packages
from k8swin_lab.linux.gpg import dearmored
from k8swin_lab.machines.installed import compare, satisfies
from k8swin_lab.machines.program import NotSimulated
from k8swin_lab.web_client import WebError, fetch

if TYPE_CHECKING:
    from k8swin_lab.machines.linux import LinuxMachine

LISTS = "/var/lib/apt/lists"


@dataclass(slots=True)
class Source:
    """One line of sources.list: the index of one component or of a flat repository."""

    uri: str
    suite: str  # "bookworm", or "./" and "/" for flat repositories
    component: str = ""
    signed_by: str = ""
    trusted: bool = False

    @property
    def base(self) -> str:
        uri = self.uri.rstrip("/")
        return f"{uri}/dists/{self.suite}" if self.component else f"{uri}/{self.suite}".rstrip("./")

    @property
    def index(self) -> str:
        inner = f"{self.component}/binary-amd64/Packages" if self.component else "Packages"
        return f"{self.base}/{inner}"

    @property
    def title(self) -> str:
        """How apt names the source: "http://deb.debian.org/debian bookworm"."""
        return f"{self.uri.rstrip('/')} {self.suite if self.component else ''}".rstrip() + (
            "" if self.component else " "
        )

    def listed(self, url: str) -> str:
        """Return the path of the list in which an index is kept."""
        plain = re.sub(r"^\w+:/+", "", url).replace("_", "%5f").replace("/", "_")
        return f"{LISTS}/{plain}"


@dataclass(slots=True)
class Offer:
    """A package version that a source offers."""

    fields: dict[str, str]
    source: Source

    @property
    def name(self) -> str:
        return self.fields["Package"]

    @property
    def version(self) -> str:
        return self.fields["Version"]

    @property
    def architecture(self) -> str:
        return self.fields.get("Architecture", "amd64")

    @property
    def url(self) -> str:
        return f"{self.source.uri.rstrip('/')}/{self.fields['Filename'].removeprefix('./')}"

    @property
    def size(self) -> int:
        return int(self.fields.get("Size", "0"))

    def relations(self, field_name: str) -> list[list[tuple[str, str, str]]]:
        """Return the alternatives of each relation: name, operator, version."""
        text = self.fields.get(field_name, "")
        return [
            [_relation(one) for one in group.split("|")]
            for group in text.split(",")
            if group.strip()
        ]


def _relation(text: str) -> tuple[str, str, str]:
    found = re.fullmatch(
        r"\s*([^\s(:]+)(?::\w+)?\s*(?:\(\s*(<<|<=|=|>=|>>)\s*([^)\s]+)\s*\))?\s*", text
    )
    if not found:
        return text.strip(), "", ""
    return found[1], found[2] or "", found[3] or ""


def sources(machine: LinuxMachine) -> list[Source]:
    """Return the configured sources.

    Raises:
        ValueError: a malformed line; the text is apt's.
    """
    found: list[Source] = []
    paths = ["/etc/apt/sources.list"]
    folder = "/etc/apt/sources.list.d"
    try:
        names = sorted(entry.name for entry in machine.path(folder).iterdir())
    except OSError:
        names = []
    paths += [f"{folder}/{name}" for name in names if name.endswith((".list", ".sources"))]
    for path in paths:
        try:
            text = machine.read_text(path)
        except OSError:
            continue
        if path.endswith(".sources"):
            found += _deb822(text)
            continue
        for number, line in enumerate(text.splitlines(), 1):
            line = line.partition("#")[0].strip()
            if line and not line.startswith("deb-src"):
                found += _one_line(line, number, path)
    return found


def _one_line(line: str, number: int, path: str) -> list[Source]:
    match = re.fullmatch(r"deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s*(.*)", line)
    if not match:
        raise ValueError(f"Malformed entry {number} in list file {path} (type)")
    options = dict(one.partition("=")[::2] for one in (match[1] or "").split())
    if "arch" in options and "amd64" not in options["arch"].split(","):
        return []
    signed, trusted = options.get("signed-by", ""), options.get("trusted") == "yes"
    uri, suite, components = match[2], match[3], match[4].split()
    if suite.endswith("/") and components:
        text = f"Malformed entry {number} in list file {path} (absolute Suite Component)"
        raise ValueError(text)
    if not suite.endswith("/") and not components:
        raise ValueError(f"Malformed entry {number} in list file {path} (Component)")
    return [Source(uri, suite, component, signed, trusted) for component in components or [""]]


def _deb822(text: str) -> list[Source]:
    found = []
    for paragraph in re.split(r"\n\s*\n", text):
        lines = [line for line in paragraph.splitlines() if not line.startswith("#")]
        fields = {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}
        if "deb" not in fields.get("Types", "").split():
            continue
        for uri in fields.get("URIs", "").split():
            for suite in fields.get("Suites", "").split():
                for component in fields.get("Components", "").split() or [""]:
                    signed = fields.get("Signed-By", "")
                    trusted = fields.get("Trusted") == "yes"
                    found.append(Source(uri, suite, component, signed, trusted))
    return found


@dataclass(slots=True)
class Update:
    """What reading the lists came to."""

    lines: list[str] = field(default_factory=list)  # Hit:, Get:, Err:
    warnings: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    fetched: int = 0


def update(machine: LinuxMachine, configured: list[Source]) -> Update:
    """Read the lists of all sources, as `apt-get update` does."""
    done = Update()
    machine.path(LISTS).mkdir(parents=True, exist_ok=True)
    seen: dict[str, str | None] = {}
    number = 0
    for source in configured:
        if source.base not in seen:
            number += 1
            seen[source.base] = _release(machine, source, number, done)
        release = seen[source.base]
        if release is not None:
            number = _index(machine, source, number, done)
    return done


def _get(machine: LinuxMachine, url: str) -> bytes:
    if url.startswith("file:"):
        path = "/" + url.removeprefix("file:").lstrip("/")
        try:
            return machine.path(path).read_bytes()
        except OSError as error:
            raise WebError("status", f"File not found - {path}", "localhost", status=404) from error
    return fetch(machine, url).body


def _release(machine: LinuxMachine, source: Source, number: int, done: Update) -> str | None:
    url = f"{source.base}/InRelease"
    title = f"{source.title} InRelease"
    kept = source.listed(url)
    try:
        content = _get(machine, url)
    except WebError as error:
        if source.trusted and url.startswith("file:"):
            done.lines.append(
                f"Ign:{number} {title}"
            )  # a folder of packages with an index is enough
            return ""
        _failed(source, number, title, url, error, done)
        return None
    text = content.decode(errors="replace")
    key = re.search(r"^key (\w+)$", text, re.MULTILINE)
    if not source.trusted and not _signed(machine, source, key[1] if key else ""):
        done.lines.append(f"Get:{number} {title} [{len(content)} B]")
        done.lines.append(f"Err:{number} {title}")
        missing = key[1] if key else "unknown"
        why = (
            "The following signatures couldn't be verified because the public key is not available: "
            f"NO_PUBKEY {missing}"
        )
        done.lines.append(f"  {why}")
        done.warnings.append(f"GPG error: {source.title} InRelease: {why}")
        done.errors.append(f"The repository '{title}' is not signed.")
        return None
    old = machine.read_text(kept) if machine.exists(kept) else None
    if old == text:
        done.lines.append(f"Hit:{number} {title}")
    else:
        done.lines.append(f"Get:{number} {title} [{_size(len(content))}]")
        done.fetched += len(content)
    machine.write_file(kept, content)
    return text


def _failed(
    source: Source, number: int, title: str, url: str, error: WebError, done: Update
) -> None:
    if error.status:
        done.lines.append(f"Err:{number} {source.title} Release")
        done.lines.append(f"  {error.status}  {error.reason} [IP: {error.address} {error.port}]")
        done.errors.append(f"The repository '{source.title} Release' does not have a Release file.")
        return
    done.lines.append(f"Err:{number} {title}")
    done.lines.append(f"  {error.apt_text}")
    done.warnings.append(f"Failed to fetch {url}  {error.apt_text}")


def _signed(machine: LinuxMachine, source: Source, key: str) -> bool:
    if source.signed_by:
        paths = [source.signed_by]
    else:
        folder = "/etc/apt/trusted.gpg.d"
        names = sorted(entry.name for entry in machine.path(folder).iterdir())
        paths = ["/etc/apt/trusted.gpg", *(f"{folder}/{name}" for name in names)]
    for path in paths:
        try:
            ring = machine.path(path).read_bytes()
        except OSError:
            continue
        if path.endswith(".asc"):
            ring = dearmored(ring) or ring
        if key and f"public key {key} ".encode() in ring:
            return True
    return False


def _index(machine: LinuxMachine, source: Source, number: int, done: Update) -> int:
    kept = source.listed(source.index)
    try:
        try:
            packed = _get(machine, f"{source.index}.gz")
            content = gzip.decompress(packed)
        except WebError:
            packed = content = _get(machine, source.index)
    except WebError as error:
        done.warnings.append(f"Failed to fetch {source.index}  {error.apt_text}")
        return number
    if machine.exists(kept) and machine.path(kept).read_bytes() == content:
        return number
    machine.write_file(kept, content)
    number += 1
    inner = f"{source.component} amd64 Packages" if source.component else "Packages"
    done.lines.append(
        f"Get:{number} {source.title} {inner} [{_size(len(packed))}]".replace("  ", " ")
    )
    done.fetched += len(packed)
    return number


def _size(count: float) -> str:
    if count < 10_000:
        return f"{count:.0f} B"
    if count < 10_000_000:
        return f"{count / 1000:.0f} kB" if count >= 100_000 else f"{count / 1000:.1f} kB"
    return f"{count / 1e6:.1f} MB"


size_text = _size


def offers(machine: LinuxMachine) -> list[Offer]:
    """Return every package version in the lists that were read last."""
    found = []
    for source in sources(machine):
        kept = source.listed(source.index)
        if not machine.exists(kept):
            continue
        for paragraph in machine.read_text(kept).split("\n\n"):
            fields = {}
            for line in paragraph.splitlines():
                key, colon, value = line.partition(": ")
                if colon and not line.startswith(" "):
                    fields[key] = value
            if "Package" in fields:
                found.append(Offer(fields, source))
    return found


def best(offered: list[Offer]) -> Offer | None:
    """Return the newest of some versions."""
    newest: Offer | None = None
    for one in offered:
        if newest is None or compare(one.version, newest.version) > 0:
            newest = one
    return newest


def matching(offered: list[Offer], relation: tuple[str, str, str]) -> list[Offer]:
    """Return the offers that a relation accepts, by name or by what they provide."""
    name, operator, version = relation
    found = [
        one
        for one in offered
        if one.name == name and (not operator or satisfies(one.version, operator, version))
    ]
    if found:
        return found
    return [
        one
        for one in offered
        if any(name == other for group in one.relations("Provides") for other, _, _ in group)
    ]


def download(machine: LinuxMachine, offer: Offer) -> bytes:
    """Fetch a package.

    Raises:
        WebError: it could not be fetched.
        ValueError: it is not what the index says.
    """
    content = _get(machine, offer.url)
    wanted = offer.fields.get("SHA256", "")
    if wanted and hashlib.sha256(content).hexdigest() != wanted:
        raise ValueError("Hash Sum mismatch")
    return content


def refuse_package(offered: list[Offer], name: str) -> None:
    """Say of a package that the lab lacks that the distribution's archive has it.

    Args:
        offered: what the lists hold that were fetched; without the archive's own nothing is known of it.
        name: of a package that none of them offers.

    Raises:
        NotSimulated: it is such a package.
    """
    sources = {one.source.uri for one in offered}
    hosts = {uri.split("//")[-1].partition("/")[0] for uri in sources}
    if any(packages.in_archive(host, name) for host in hosts) or (
        packages.exists(name) and any(re.search(r"/(debian|ubuntu)(/|$)", uri) for uri in sources)
    ):
        raise NotSimulated(f"the package {name}")
