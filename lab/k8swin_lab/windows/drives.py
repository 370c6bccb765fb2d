"""Item providers of a Windows machine: HKLM: and HKCU:, and the basics of WSMan:."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from k8swin_lab.known import registry as registry_keys
from k8swin_lab.machines.program import NotSimulated
from k8swin_lab.machines.registry import HIVES, Key, kind_of
from k8swin_lab.machines.windows_winrm import SETTINGS
from k8swin_lab.powershell.values import PSArray, PSObject, TypedInt

if TYPE_CHECKING:
    from k8swin_lab.machines.windows import WindowsMachine
    from k8swin_lab.powershell.providers import ItemProvider

_KINDS = {
    "string": "REG_SZ", "expandstring": "REG_EXPAND_SZ", "multistring": "REG_MULTI_SZ", "dword": "REG_DWORD",
    "qword": "REG_QWORD", "binary": "REG_BINARY", "none": "REG_NONE", "unknown": "",
}  # fmt: skip
_NAMES = {v: k for k, v in _KINDS.items()}
_SPELLED_KINDS = {
    "expandstring": "ExpandString",
    "multistring": "MultiString",
    "dword": "DWord",
    "qword": "QWord",
}


class RegistryProvider:
    """One hive as a drive."""

    name = "Registry"

    def __init__(self, machine: WindowsMachine, hive: str) -> None:
        self._machine = machine
        self._registry = machine.registry
        self.root = HIVES[hive]

    def _path(self, path: str) -> str:
        return f"{self.root}\\{path}" if path else self.root

    def _key(self, path: str) -> Key | None:
        """The key at a path; one that every server has and the lab has not is refused."""
        full = self._path(path)
        key = self._registry.key(full)
        if key is None and registry_keys.has_key(full):
            raise NotSimulated(f"the key {full}")
        return key

    def exists(self, path: str) -> bool:
        return self._key(path) is not None

    def is_container(self, path: str) -> bool:
        return self.exists(path)

    def get(self, path: str) -> PSObject:
        """A RegistryKey, with the methods that scripts call."""
        full = self._path(path)
        key = self._key(path)
        if key is None:
            raise FileNotFoundError(path)
        name = self._registry.full_name(full)

        def read(value: Any = "", default: Any = None, options: Any = None) -> Any:
            found = key.values.get(str(value).lower())
            if found is not None and str(options).lower() == "donotexpandenvironmentnames":
                return found.content
            return self.get_property(path).get(_spelled(key.values, str(value)), default)

        def kind(value: Any) -> str:
            found = key.values.get(str(value).lower())
            name = _NAMES.get(found.kind if found else "", "unknown")
            return _SPELLED_KINDS.get(name, name.capitalize())

        return PSObject(
            {
                "Name": name, "Property": PSArray([v.name or "(default)" for v in list(key.values.values())], "System.String"),
                "SubKeyCount": len(key.keys), "ValueCount": len(key.values), "PSChildName": name.rpartition("\\")[2],
            },
            type_names=["Microsoft.Win32.RegistryKey"], display=name, default_properties=["Name", "Property"],
            methods={
                "GetValue": read, "GetValueKind": kind, "Close": lambda: None, "Dispose": lambda: None,
                "GetSubKeyNames": lambda: PSArray(self.children(path), "System.String"),
                "GetValueNames": lambda: PSArray([v.name for v in list(key.values.values())], "System.String"),
            },
        )  # fmt: skip

    def children(self, path: str) -> Iterator[str]:
        """Names of the keys right below."""
        return iter(self._registry.subkeys(self._path(path)))

    def new(self, path: str, *, kind: str, value: Any, force: bool) -> PSObject:
        """Make a key; `value` becomes its default value."""
        full = self._path(path)
        if self._key(path) is not None and not force:
            raise FileExistsError("A key in this path already exists.")
        if self._registry.key(full.rpartition("\\")[0]) is None and not force:
            raise FileNotFoundError("The registry key at the specified path does not exist.")
        if force:
            # New-Item -Force on a key that is there makes it anew
            self._registry.delete(full)
        self._registry.create(full)
        if value is not None:
            self._registry.set(full, "", str(value))
        return self.get(path)

    def remove(self, path: str, *, recursive: bool) -> None:
        """Remove a key."""
        full = self._path(path)
        if self._key(path) is not None and self._registry.subkeys(full) and not recursive:
            raise OSError("The key has subkeys.")
        if not self._registry.delete(full):
            raise FileNotFoundError(path)

    def get_property(self, path: str) -> dict[str, Any]:
        """The values of a key, as PowerShell values."""
        key = self._key(path)
        result: dict[str, Any] = {}
        for value in list(key.values.values()) if key else []:
            content = value.content
            if value.kind == "REG_EXPAND_SZ":
                content = self._machine.expand(str(content))
            elif value.kind == "REG_MULTI_SZ":
                content = PSArray(content, "System.String")
            elif value.kind == "REG_BINARY":
                content = PSArray([TypedInt(b, "System.Byte") for b in content], "System.Byte")
            elif value.kind == "REG_DWORD":
                content = int(content) - 2**32 if int(content) >= 2**31 else int(content)
            result[value.name or "(default)"] = content
        return result

    def set_property(self, path: str, name: str, value: Any, kind: str | None = None) -> None:
        """Set a value; without a kind it keeps the one it has, or gets one by its content."""
        full = self._path(path)
        key = self._key(path)
        if key is None:
            raise FileNotFoundError(path)
        stored = "" if name.lower() == "(default)" else name
        old = key.values.get(stored.lower())
        wanted = _KINDS.get((kind or "").lower(), "") or (old.kind if old else "")
        if isinstance(value, PSArray) and value.element_type == "System.Byte":
            value = bytes(value)
        wanted = wanted or kind_of(value if isinstance(value, int | bytes | list) else str(value))
        if wanted in ("REG_DWORD", "REG_QWORD"):
            content: Any = int(value or 0)
        elif wanted == "REG_MULTI_SZ":
            content = [str(v) for v in (value if isinstance(value, list | tuple) else [value])]
        elif wanted == "REG_BINARY":
            content = bytes(value)
        else:
            content = "" if value is None else str(value)
        self._registry.set(full, stored, content, wanted)

    def remove_property(self, path: str, name: str) -> None:
        """Remove a value."""
        if not self._registry.unset(self._path(path), "" if name.lower() == "(default)" else name):
            raise FileNotFoundError(f"Property {name} does not exist at path {self._path(path)}.")


def _spelled(values: dict[str, Any], name: str) -> str:
    found = values.get(name.lower())
    return (found.name if found else name) or "(default)"


WSMAN: dict[str, Any] = {
    "localhost": {
        "MaxEnvelopeSizekb": "500", "MaxTimeoutms": "60000", "MaxBatchItems": "32000",
        "Client": {"AllowUnencrypted": "false", "TrustedHosts": ""},
        "Listener": {
            "Listener_1305953032": {"Address": "*", "Transport": "HTTPS", "Port": "5986", "Enabled": "true", "URLPrefix": "wsman"},
        },
        "Service": {
            "AllowUnencrypted": "false", "MaxConnections": "300", "MaxConcurrentOperationsPerUser": "1500",
            "Auth": {"Basic": "false", "Kerberos": "true", "Negotiate": "true", "Certificate": "false", "CredSSP": "false"},
        },
        "Shell": {
            "AllowRemoteShellAccess": "true", "IdleTimeout": "7200000", "MaxConcurrentUsers": "2147483647",
            "MaxShellRunTime": "2147483647", "MaxProcessesPerShell": "2147483647", "MaxMemoryPerShellMB": "2147483647",
            "MaxShellsPerUser": "2147483647",
        },
    }
}  # fmt: skip


class WsManProvider:
    r"""WSMan:\localhost with its settings; what was set is kept in the registry."""

    name = "WSMan"
    root = "WSMan"

    def __init__(self, machine: WindowsMachine) -> None:
        self._registry = machine.registry

    def _find(self, path: str) -> Any:
        found: Any = WSMAN
        for part in path.split("\\") if path else []:
            if not isinstance(found, dict):
                return None
            found = next((v for k, v in found.items() if k.lower() == part.lower()), None)
        return found

    def exists(self, path: str) -> bool:
        return self._find(path) is not None

    def is_container(self, path: str) -> bool:
        return isinstance(self._find(path), dict)

    def get(self, path: str) -> PSObject:
        found = self._find(path)
        name = path.rpartition("\\")[2]
        if isinstance(found, dict):
            return PSObject({"Name": name, "Type": "Container"}, display=name)
        value = self._registry.get(SETTINGS, path, found)
        return PSObject({"Name": name, "Value": value, "Type": "System.String"}, display=name)

    def children(self, path: str) -> Iterator[str]:
        found = self._find(path)
        return iter(list(found) if isinstance(found, dict) else [])

    def new(self, path: str, *, kind: str, value: Any, force: bool) -> Any:
        raise NotSimulated("New-Item in WSMan:")

    def remove(self, path: str, *, recursive: bool) -> None:
        raise NotSimulated("Remove-Item in WSMan:")

    def get_property(self, path: str) -> dict[str, Any]:
        found = self.get(path)
        return dict(found.properties.items())

    def set_property(self, path: str, name: str, value: Any, kind: str | None = None) -> None:
        if self.is_container(path) or not self.exists(path):
            raise FileNotFoundError(path)
        if "\\listener\\" in path.lower():
            raise NotSimulated("changing a listener of WinRM")
        self._registry.set(SETTINGS, path, str(value))

    def set_item(self, path: str, value: Any) -> None:
        """Set-Item: a setting's value."""
        self.set_property(path, "Value", value)

    def remove_property(self, path: str, name: str) -> None:
        raise NotSimulated("Remove-ItemProperty in WSMan:")


def provider(machine: WindowsMachine, drive: str) -> ItemProvider | None:
    """The provider behind a drive, or None."""
    folded = drive.rstrip(":").upper()
    if folded in ("HKLM", "HKCU"):
        return RegistryProvider(machine, folded)
    return WsManProvider(machine) if folded == "WSMAN" else None
