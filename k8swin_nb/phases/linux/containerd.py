"""containerd on a Linux node: what Kubernetes needs of its configuration is changed in the file, the rest stays.

The file is edited and not written anew, so that a site's folders, registries, runtimes and comments stay what they
are. A drop-in file would not do: containerd 1.x takes a plugin's whole section from the last file that has one, and
no import can take a name out of `disabled_plugins`. What comes of an edit is read back before it is used.
"""

from __future__ import annotations

import copy
import json
import re
import tomllib
from collections.abc import Iterator
from typing import Any

from k8swin_nb.description import Description
from k8swin_nb.phases.linux.registries import FOLDERS, logins, registry_changes
from k8swin_nb.reading import lines as lines_of
from k8swin_nb.reading import shown
from k8swin_nb.secret import Secret
from k8swin_nb.versions import PAUSE, gate
from k8swin_nb.workflow.difference import Difference, file, setting
from k8swin_nb.workflow.runner import FAILED_HINT
from k8swin_nb.workflow.step import State, Verdict
from k8swin_nb.workflow.step_run import StepRun

CONFIG = "/etc/containerd/config.toml"
CRI = "io.containerd.grpc.v1.cri"
IMAGES = "io.containerd.cri.v1.images"
RUNTIME = "io.containerd.cri.v1.runtime"
RUNC = ("io.containerd.runc.v1", "io.containerd.runc.v2")
CNI_PLUGINS = "/opt/cni/bin"
CNI_FOLDER = "/etc/cni/net.d"

Path = tuple[str, ...]
Table = dict[str, Any]


def pause_image(description: Description) -> str:
    """Return the image that holds a pod's network on Linux: the one that kubeadm lists as well."""
    return f"{description.image_repository}/pause:{gate(PAUSE, description.kubernetes_version)}"


OURS = "  # of k8swin's description"
"""Stands behind a login's lines, so that a login which is not described any more can be taken back."""

GONE = object()
"""The value of what is taken out of a configuration."""


class NotMergeable(Exception):
    """A host's configuration cannot be brought to what Kubernetes needs without harm; the text says why."""


def merged(
    existing: str,
    pause: str,
    series: int,
    *,
    registries: bool = False,
    known: dict[str, tuple[str, Secret]] | None = None,
) -> str:
    """Return a configuration with what Kubernetes needs of it; everything else stays as it is written.

    Args:
        existing: The file as it is, empty when there is none.
        pause: The image that holds a pod's network.
        series: containerd's major version.
        registries: Whether hosts files of registries are to be read.
        known: User and password by the host of a registry.

    Raises:
        NotMergeable: It is no TOML, in a format that is not known, or its form cannot be edited.
    """
    try:
        table = tomllib.loads(existing)
    except (ValueError, RecursionError) as error:
        raise NotMergeable(f"{CONFIG} is no TOML: {shown(error)}") from error
    changes: dict[Path, Any] = {}
    version = wanted_version(table, series, CONFIG, changes)
    changes |= dict(_plugin_changes(table, version, pause))
    if registries:
        changes |= of_registries(table, version, CONFIG, FOLDERS["linux"], known or {})
    changes |= logins_taken_back(existing, known or {})
    return edited(existing, table, changes, CONFIG)


def wanted_version(table: Table, series: int, what: str, changes: dict[Path, Any]) -> int:
    """Return the format of a configuration, and add to the changes what makes its CRI plugin run.

    Args:
        table: The configuration.
        series: containerd's major version.
        what: The file, for messages.
        changes: Values by path, to which some are added.

    Raises:
        NotMergeable: The format is not known, or too old to be edited.
    """
    version = table.get("version")
    if version is None and "plugins" not in table:
        version = changes["version",] = 3 if series >= 2 else 2
    if version not in (2, 3, 4) or (series < 2 and version > 2):
        raise NotMergeable(
            f"{what} has the format `version = {version or 1}`, wanted 2 or newer: "
            "run `containerd config migrate`, which prints it in that of the installed containerd"
        )
    disabled = table.get("disabled_plugins", [])
    if not isinstance(disabled, list):
        raise NotMergeable(f"`disabled_plugins` of {what} is no list")
    changes["disabled_plugins",] = [n for n in disabled if n not in ("cri", CRI, IMAGES, RUNTIME)]
    return int(version)


def of_registries(
    table: Table, version: int, what: str, folder: str, known: dict[str, tuple[str, Secret]]
) -> dict[Path, Any]:
    """Return what a configuration needs for the registries of a description.

    Raises:
        NotMergeable: What the file `what` has excludes hosts files.
    """
    try:
        return dict(registry_changes(table, CRI if version == 2 else IMAGES, folder, known))
    except ValueError as error:
        raise NotMergeable(f"{what}: {error}") from error


def logins_taken_back(text: str, known: dict[str, tuple[str, Secret]]) -> dict[Path, Any]:
    """Return, as changes, the logins that were written from here and are not described any more.

    Args:
        text: The configuration as it is written.
        known: User and password by the host of a registry, as they are described.
    """
    changes: dict[Path, Any] = {}
    current: Path = ()
    for line in lines_of(text):
        if line.lstrip().startswith("["):
            current = _header(line) or ()
        elif line.endswith(OURS) and current[-1:] == ("auth",) and current[-2] not in known:
            changes[*current, line.partition("=")[0].strip()] = GONE
    return changes


def _plugin_changes(table: Table, version: int, pause: str) -> Iterator[tuple[Path, Any]]:
    images, runtime = (CRI, CRI) if version == 2 else (IMAGES, RUNTIME)
    sandbox = ("sandbox_image",) if version == 2 else ("pinned_images", "sandbox")
    yield ("plugins", images, *sandbox), pause
    runtimes = ("plugins", runtime, "containerd", "runtimes")
    for name, found in {"runc": {}, **table_at(table, runtimes)}.items():
        kind = found.get("runtime_type") if isinstance(found, dict) else None
        if name == "runc" and not kind:
            yield (*runtimes, name, "runtime_type"), RUNC[1]
        if name == "runc" or kind in RUNC:
            # The kubelet names groups as systemd does, for whichever runtime a pod asks.
            yield (*runtimes, name, "options", "SystemdCgroup"), True
    cni = table_at(table, ("plugins", runtime, "cni"))
    if cni.get("conf_dir", CNI_FOLDER) != CNI_FOLDER:
        yield ("plugins", runtime, "cni", "conf_dir"), CNI_FOLDER
    if "bin_dirs" in cni:
        if not isinstance(cni["bin_dirs"], list):
            raise NotMergeable(f"`bin_dirs` of {CONFIG} is no list")
        if CNI_PLUGINS not in cni["bin_dirs"]:
            yield ("plugins", runtime, "cni", "bin_dirs"), [*cni["bin_dirs"], CNI_PLUGINS]
    elif cni.get("bin_dir", CNI_PLUGINS) != CNI_PLUGINS:
        yield ("plugins", runtime, "cni", "bin_dir"), CNI_PLUGINS


def table_at(table: Table, path: Path) -> Table:
    """Return a table within a table; an empty one where there is none."""
    found = _at(table, path)
    return found if isinstance(found, dict) else {}


def _at(table: Any, path: Path) -> Any:
    for name in path:
        table = table.get(name) if isinstance(table, dict) else None
    return table


def edited(text: str, table: Table, changes: dict[Path, Any], what: str) -> str:
    """Change single lines of a file, and prove that nothing but these values has become another.

    Args:
        text: The file.
        table: What it says.
        changes: Values by path, GONE for what is taken out; what is so already, or is empty and not there, changes
            nothing.
        what: The file's name, for messages.

    Raises:
        NotMergeable: The file is written in a form that cannot be edited.
    """
    changes = {
        p: v for p, v in changes.items() if _at(table, p) != v and (v != [] or _at(table, p))
    }
    expected = copy.deepcopy(table)
    lines = lines_of(text)
    for path, value in changes.items():
        inner = expected
        for name in path[:-1]:
            inner = inner.setdefault(name, {})
            if not isinstance(inner, dict):
                raise NotMergeable(f"{what}: `{'.'.join(path)}` is no table there")
        if value is GONE:
            del inner[path[-1]]
            _unset(lines, path)
        else:
            inner[path[-1]] = value
            _set(lines, path, value)
    result = "\n".join(lines) + "\n" if changes else text
    try:
        found: Table | None = tomllib.loads(result)
    except (ValueError, RecursionError):
        found = None
    gone = [path for path, value in changes.items() if value is GONE]
    if found is None or _without_empty(found, gone) != _without_empty(expected, gone):
        wanted = ", ".join(_told(path, value) for path, value in changes.items())
        raise NotMergeable(
            f"{what} is written in a form that is not edited from here, wanted {wanted}"
        )
    return result


def _told(path: Path, value: Any) -> str:
    said = "(a secret)" if path[-1] == "password" else "" if value is GONE else _value(value)
    return f"no {'.'.join(path)}" if value is GONE else f"{'.'.join(path)} = {said}"


def _without_empty(table: Table, gone: list[Path]) -> Table:
    """Return a table without the tables around what was taken out, where these are empty."""
    for path in gone:
        for depth in range(len(path) - 1, 0, -1):
            around = _at(table, path[: depth - 1])
            if isinstance(around, dict) and around.get(path[depth - 1]) == {}:
                del around[path[depth - 1]]
    return table


def _unset(lines: list[str], path: Path) -> None:
    """Take out a line of ours, and its table's head when nothing else stands below it."""
    current: Path | None = ()
    head = None
    for number, text in enumerate(lines):
        if text.lstrip().startswith("["):
            current, head = _header(text), number
        elif current == path[:-1] and text.endswith(OURS):
            if text.partition("=")[0].strip() != path[-1]:
                continue
            del lines[number]
            below = lines[number] if number < len(lines) else "["
            if head == number - 1 and (below.lstrip().startswith("[") or not below.strip()):
                del lines[head]
                if head and not lines[head - 1].strip():
                    del lines[head - 1]
            return


def _set(lines: list[str], path: Path, value: Any) -> None:
    """Set a value in its line, in a new line of its table, or in a new table at the end."""
    key = path[-1]
    line = f"{key} = {_value(value)}{OURS if path[-2:-1] == ('auth',) else ''}"
    beginning = 0 if len(path) == 1 else None
    current: Path | None = ()
    for number, text in enumerate(lines):
        if text.lstrip().startswith("["):
            current = _header(text)
            if current == path[:-1]:
                beginning = number + 1
        elif current == path[:-1] and re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=", text):
            end = number
            while text.count("[") > text.count("]") and end + 1 < len(lines):
                end += 1
                text += lines[end]
            indent = lines[number][: len(lines[number]) - len(lines[number].lstrip())]
            lines[number : end + 1] = [indent + line]
            return
    if beginning is None:
        lines += ["", "[" + ".".join(_name(part) for part in path[:-1]) + "]", "  " + line]
    else:
        lines.insert(beginning, ("  " if len(path) > 1 else "") + line)


def _header(text: str) -> Path | None:
    """Return the names of a table's head; None for what is none, such as one of a list of tables."""
    try:
        inner: Any = tomllib.loads(text)
    except (ValueError, RecursionError):
        return None
    names = []
    while isinstance(inner, dict) and inner:
        ((name, inner),) = inner.items()
        names.append(name)
    return tuple(names) if inner == {} else None


def _name(part: str) -> str:
    return part if re.fullmatch(r"[A-Za-z0-9_-]+", part) else json.dumps(part)


def _value(value: Any) -> str:
    """Write a value: TOML's texts, lists, numbers and truths are JSON's."""
    return json.dumps(value)


HELD_BACK = re.compile(r"(?m)\b(password|auth|identitytoken)[\"']?\s*=|header")
"""Where a configuration holds a login of a registry."""


def differing(path: str, found: str | None, wanted: str) -> tuple[Difference, ...]:
    """Return how a configuration differs; one that holds logins is not shown."""
    if found == wanted:
        return ()
    if HELD_BACK.search(f"{found}\n{wanted}"):
        return (setting(path, "as found", "as planned, with logins that are not shown"),)
    return (file(path, found, wanted),)


def _merge_for(at: StepRun) -> tuple[str, str, str]:
    """Read version and configuration of a host's containerd.

    Returns:
        The version, the configuration as it was found, and as it is to be; all empty where there is no containerd.
    """
    # A site has logins of registries in it as well.
    read = at.script("linux/containerd_config.check.sh", quiet=True, secret_output=True)
    if read.returncode != 0:
        raise at.failed(f"the script that reads {CONFIG} ended with {read.returncode}")
    version, _, text = read.stdout.partition("\n")
    if not version:
        return "", "", ""
    series = re.match(r"[0-9]{1,4}", version)
    if series is None:
        raise at.failed(f"`containerd --version` named no version: {version[:80]}")
    wanted = merged(
        text,
        pause_image(at.description),
        int(series[0]),
        registries=bool(at.description.registries),
        known=logins(at),
    )
    return version, text, wanted


def check_containerd(at: StepRun) -> Verdict:
    """Merge the host's configuration, and find out whether containerd runs with the result."""
    try:
        version, found, wanted = _merge_for(at)
    except NotMergeable as error:
        return Verdict(State.DRIFT, str(error))
    if not version:
        planned = f"{at.description.containerd_version.split('.')[0]}.x, enabled, active"
        new = (
            setting("containerd", "not installed", planned),
            setting(CONFIG, "not there", f"SystemdCgroup = true, {pause_image(at.description)}"),
        )
        return Verdict(State.NEEDED, "containerd is not installed", differences=new)
    state, result = at.ask("linux/containerd.check.sh", stdin=wanted.encode())
    return Verdict.read(state, result.stdout, differing(CONFIG, found.rstrip("\n"), wanted))


def apply_containerd(at: StepRun) -> None:
    """Install containerd where there is none, and bring its configuration to what Kubernetes needs."""
    installed = at.script("linux/containerd_installed.apply.sh", timeout=900)
    if installed.returncode != 0:
        raise at.failed("apply failed", result=installed, hint=FAILED_HINT)
    try:
        _, _, wanted = _merge_for(at)
    except NotMergeable as error:
        raise at.drift(str(error), hint="nothing but the package was changed") from error
    result = at.script("linux/containerd.apply.sh", stdin=wanted.encode(), timeout=900)
    if result.returncode != 0:
        raise at.failed("apply failed", result=result, hint=FAILED_HINT)
