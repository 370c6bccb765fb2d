"""containerd's configuration: its default, what a machine's file changes, and how containerd prints it.

The defaults are those of containerd 2.3; an older one differs in the number of the format, and those
of 1.x in the names of the CRI plugin's tables.
"""

from __future__ import annotations

import copy
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

Table = dict[str, Any]

_SINCE_2 = {
    "io.containerd.differ.v1.erofs",
    "io.containerd.image-verifier.v1.bindir",
    "io.containerd.metrics.v1.grpc-prometheus",
    "io.containerd.monitor.container.v1.restart",
    "io.containerd.monitor.task.v1.cgroups",
    "io.containerd.mount-handler.v1.erofs",
}

IMAGES = "io.containerd.cri.v1.images"
RUNTIME = "io.containerd.cri.v1.runtime"
CRI = "io.containerd.grpc.v1.cri"


@cache
def _default() -> Table:
    path = Path(__file__).with_name("containerd-config.toml")
    return tomllib.loads(path.read_text())


def default(version: str) -> Table:
    """Return the default configuration of a version of containerd ("2.3.4")."""
    major, minor = (int(part) for part in version.split(".")[:2])
    table = copy.deepcopy(_default())
    if major >= 2:
        table["version"] = 4 if (major, minor) >= (2, 3) else 3
        return table
    plugins = table["plugins"]
    runtime, images = plugins.pop(RUNTIME), plugins.pop(IMAGES)
    old = {
        "sandbox_image": images["pinned_images"]["sandbox"].replace("3.10.2", "3.8"),
        **{key: value for key, value in runtime.items() if not isinstance(value, dict)},
        "cni": {key: value for key, value in runtime["cni"].items() if key != "bin_dirs"},
        "containerd": runtime["containerd"],
        "registry": images["registry"],
    }
    old["cni"]["bin_dir"] = "/opt/cni/bin"
    del table["imports"]
    streaming = plugins.pop(CRI, {})
    others = {name: value for name, value in plugins.items() if name not in _SINCE_2}
    return {**table, "version": 2, "plugins": {CRI: {**streaming, **old}, **others}}


def effective(version: str, text: str) -> Table:
    """Return the default configuration with a machine's own laid over it.

    Raises:
        tomllib.TOMLDecodeError: the text is not TOML.
        ValueError: the format's number is not known to this version.
    """
    own = tomllib.loads(text)
    table = default(version)
    number = own.get("version", 1)
    if not isinstance(number, int) or number > table["version"]:
        raise ValueError(f"expected containerd config version equal to or less than "
                         f"`{table['version']}`, got `{number}`")  # fmt: skip
    if table["version"] >= 3 and number < 3:
        own = _migrated(own)
    own["version"] = table["version"]
    _lay_over(table, own)
    return table


def _migrated(own: Table) -> Table:
    """Move the tables of format 2 to where format 3 has them."""
    own = copy.deepcopy(own)
    plugins = own.get("plugins", {})
    old = plugins.pop(CRI, None) or plugins.pop("cri", None)
    if old:
        images, runtime = plugins.setdefault(IMAGES, {}), plugins.setdefault(RUNTIME, {})
        for key, value in old.items():
            if key == "sandbox_image":
                images.setdefault("pinned_images", {})["sandbox"] = value
            elif key in ("registry", "image_decryption", "max_concurrent_downloads"):
                images[key] = value
            elif key == "cni" and "bin_dir" in value:
                rest = {name: one for name, one in value.items() if name != "bin_dir"}
                runtime["cni"] = {**rest, "bin_dirs": [value["bin_dir"]]}
            else:
                runtime[key] = value
    return own


def _lay_over(table: Table, own: Table) -> None:
    for key, value in own.items():
        if isinstance(value, dict) and isinstance(table.get(key), dict):
            _lay_over(table[key], value)
        else:
            table[key] = value


def render(table: Table) -> str:
    """Return a configuration as `containerd config default` and `config dump` print it."""
    # containerd 1.x was built with another TOML library, which writes double quotes.
    quote = "'" if table["version"] >= 3 else '"'
    return _render(table, (), quote).lstrip("\n")


def _render(table: Table, path: tuple[str, ...], quote: str) -> str:
    indent = "  " * len(path)
    lines = "".join(
        f"{indent}{_key(key, quote)} = {_value(value, quote)}\n"
        for key, value in table.items()
        if not isinstance(value, dict)
    )
    first = not lines
    for key, value in table.items():
        if isinstance(value, dict):
            inner = (*path, key)
            head = f"{indent}[{'.'.join(_key(part, quote) for part in inner)}]\n"
            gap = "" if first and path else "\n"
            lines += gap + head + _render(value, inner, quote)
            first = False
    return lines


def _key(key: str, quote: str) -> str:
    return key if key.replace("_", "").replace("-", "").isalnum() else f"{quote}{key}{quote}"


def _value(value: Any, quote: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(_value(one, quote) for one in value)}]"
    return f"{quote}{value}{quote}" if isinstance(value, str) else str(value)


def cri_enabled(table: Table) -> bool:
    """Tell whether the CRI plugin is on."""
    return not {"cri", CRI, IMAGES, RUNTIME} & set(table.get("disabled_plugins", []))


def runtime_table(table: Table) -> Table:
    """Return the table of the CRI plugin's runtime part."""
    plugins = table["plugins"]
    found: Table = plugins.get(RUNTIME) or plugins.get(CRI) or {}
    return found


def sandbox_image(table: Table) -> str:
    """Return the image that holds a pod's namespaces."""
    plugins = table["plugins"]
    if IMAGES in plugins:
        return str(plugins[IMAGES].get("pinned_images", {}).get("sandbox", ""))
    return str(plugins.get(CRI, {}).get("sandbox_image", ""))


def cni_directories(table: Table) -> tuple[str, list[str]]:
    """Return the directory of CNI configurations and those of plugins."""
    cni = runtime_table(table).get("cni", {})
    binaries = cni.get("bin_dirs") or [cni.get("bin_dir") or "/opt/cni/bin"]
    return str(cni.get("conf_dir") or "/etc/cni/net.d"), list(binaries)
