"""What a freshly installed Windows Server has: folders, registry, services. Nothing of Kubernetes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from k8swin_lab.known import lines

if TYPE_CHECKING:
    from k8swin_lab.machines.registry import Registry
    from k8swin_lab.machines.windows import WindowsMachine

CURRENT_VERSION = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion"
SESSION_MANAGER = r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager"
ENVIRONMENT = SESSION_MANAGER + r"\Environment"
COMPUTER_NAME = r"HKLM\SYSTEM\CurrentControlSet\Control\ComputerName"
LOGON_SHOWN = CURRENT_VERSION + r"\Winlogon\AutoLogonChecked"
TCPIP = r"HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters"
SYSTEM_ROOT = r"C:\Windows"
SYSTEM32 = r"C:\Windows\System32"
_AUTOMATIC = 2


@dataclass(frozen=True, slots=True)
class Edition:
    build: int
    ubr: int
    product: str
    display_version: str
    release: str
    caption: str

    @property
    def full(self) -> str:
        """`10.0.20348.2402`."""
        return f"10.0.{self.build}.{self.ubr}"


EDITIONS = {
    17763: Edition(17763, 5830, "Windows Server 2019 Standard", "", "1809", "Microsoft Windows Server 2019 Standard"),
    20348: Edition(20348, 2402, "Windows Server 2022 Standard", "21H2", "2009", "Microsoft Windows Server 2022 Standard"),
    26100: Edition(26100, 1742, "Windows Server 2025 Standard", "24H2", "2009", "Microsoft Windows Server 2025 Standard"),
}  # fmt: skip

_FOLDERS = (
    r"C:\Users\Administrator\AppData\Local\Temp", r"C:\Users\Administrator\Desktop", r"C:\Users\Administrator\Documents",
    r"C:\Users\Public", r"C:\Program Files\WindowsPowerShell\Modules", r"C:\Program Files\Common Files",
    r"C:\Program Files (x86)\Common Files", r"C:\ProgramData\Microsoft\Windows", r"C:\PerfLogs", r"C:\Windows\Temp",
    r"C:\Windows\Logs", r"C:\Windows\System32\drivers\etc", r"C:\Windows\System32\WindowsPowerShell\v1.0\Modules",
    r"C:\Windows\System32\config\systemprofile\AppData\Local", r"C:\Windows\System32\Tasks", r"C:\Windows\SysWOW64",
    r"C:\Windows\WinSxS", r"C:\Windows\Panther", r"C:\Windows\Microsoft.NET\Framework\v4.0.30319", r"C:\Windows\Fonts",
    r"C:\Windows\Microsoft.NET\Framework64\v4.0.30319", r"C:\Windows\System32\winevt\Logs", r"C:\Windows\INF",
    r"C:\Windows\SoftwareDistribution", r"C:\Windows\servicing", r"C:\Windows\Logs\CBS", r"C:\Windows\Logs\DISM",
    r"C:\Users\Default", r"C:\Program Files\Windows Defender", r"C:\Windows\System32\spool\drivers",
)  # fmt: skip

_Row = tuple[str, str, int, bool, bool, tuple[str, ...]]
"""Name, display name, start type, delayed, running, what it needs."""

_CONTAINER_SERVICES = (
    ("hns", "Host Network Service", 3, False, True, ("RpcSs",)),
    ("vmcompute", "Hyper-V Host Compute Service", 2, False, True, ("RpcSs",)),
)
_HYPER_V_SERVICES = (("vmms", "Hyper-V Virtual Machine Management", 2, False, True, ("RpcSs",)),)


def install(machine: WindowsMachine) -> None:
    """Fill an empty machine."""
    for folder in _FOLDERS:
        machine.files.make_directory(folder)
    machine.files.write(
        SYSTEM32 + r"\drivers\etc\hosts",
        b"# Copyright (c) 1993-2009 Microsoft Corp.\r\n#\r\n"
        b"# localhost name resolution is handled within DNS itself.\r\n"
        b"#\t127.0.0.1       localhost\r\n#\t::1             localhost\r\n",
    )
    machine.files.write(
        SYSTEM32 + r"\drivers\etc\services", b"# <service name>  <port number>/<protocol>\r\n"
    )
    machine.files.write(r"C:\Windows\win.ini", b"; for 16-bit app support\r\n")
    _registry(machine)
    for row in _services():
        _service(machine, row)


@cache
def _services() -> tuple[_Row, ...]:
    """The services that every server has."""
    rows = []
    for line in lines("services.txt"):
        name, display, start, delayed, running, *needs = (part.strip() for part in line.split(" |"))
        needed = tuple(needs[0].split()) if needs else ()
        rows.append((name, display, int(start), delayed == "D", running == "R", needed))
    return tuple(rows)


def _service(machine: WindowsMachine, row: _Row) -> None:
    name, display, start, delayed, running, depends = row
    if machine.services.find(name) is not None:
        return
    machine.services.create(
        name, rf"C:\Windows\System32\svchost.exe -k {name} -p", display_name=display, start=start,
        delayed=delayed, depends=list(depends), account="LocalSystem",
    )  # fmt: skip
    machine.services.of_windows.add(name.lower())
    if running:
        machine.services.runtime(name).state = "Running"


def start_features(machine: WindowsMachine) -> None:
    """Services that come with installed features appear, at boot."""
    if machine.features.installed("Containers") or machine.features.installed("Hyper-V"):
        for row in _CONTAINER_SERVICES:
            _service(machine, row)
    if machine.features.installed("Hyper-V"):
        for row in _HYPER_V_SERVICES:
            _service(machine, row)


def start_windows(machine: WindowsMachine) -> None:
    """The state that Windows' own services have after a boot: what is off keeps off what needs it."""
    services = machine.services
    for name, _, start, _, running, _ in (*_services(), *_CONTAINER_SERVICES, *_HYPER_V_SERVICES):
        found = services.find(name)
        if found is None or not running or services.state(found) == "Running":
            continue
        kind = services.start_type(found)
        if kind == "Automatic" or (kind == "Manual" and start != _AUTOMATIC):
            services.start_at_boot(found)


def _usual_keys(registry: Registry) -> None:
    """Keys in which scripts set something, with what a fresh server has there."""
    control = r"HKLM\SYSTEM\CurrentControlSet\Control"
    registry.create(r"HKLM\SYSTEM\CurrentControlSet\Services\Tcpip6\Parameters")
    registry.set(control + r"\Terminal Server", "fDenyTSConnections", 1)
    registry.set(control + r"\Terminal Server\WinStations\RDP-Tcp", "UserAuthentication", 1)
    registry.set(control + r"\Terminal Server\WinStations\RDP-Tcp", "PortNumber", 3389)
    schannel = control + r"\SecurityProviders\SCHANNEL"
    registry.set(schannel + r"\Protocols\SSL 2.0\Client", "DisabledByDefault", 1)
    for name in ("Ciphers", "Hashes", "KeyExchangeAlgorithms", "CipherSuites"):
        registry.create(f"{schannel}\\{name}")
    registry.create(r"HKLM\SOFTWARE\Wow6432Node\Microsoft\.NETFramework\v4.0.30319")
    for place in ("", r"\Wow6432Node"):
        current = rf"HKLM\SOFTWARE{place}\Microsoft\Windows\CurrentVersion"
        registry.create(current + r"\Uninstall")
        registry.create(current + r"\RunOnce")
    registry.create(r"HKCU\Software\Microsoft\Windows\CurrentVersion\RunOnce")
    settings = r"HKCU\Software\Microsoft\Windows\CurrentVersion\Internet Settings"
    registry.set(settings, "ProxyEnable", 0)


def _registry(machine: WindowsMachine) -> None:
    edition, registry, name = machine.edition, machine.registry, machine.name.upper()
    for value, content in (
        ("ProductName", edition.product),
        ("CurrentBuild", str(edition.build)),
        ("CurrentBuildNumber", str(edition.build)),
        ("CurrentMajorVersionNumber", 10),
        ("CurrentMinorVersionNumber", 0),
        ("CurrentVersion", "6.3"),
        ("CurrentType", "Multiprocessor Free"),
        ("DisplayVersion", edition.display_version),
        ("EditionID", "ServerStandard"),
        ("InstallationType", "Server Core"),
        ("ReleaseId", edition.release),
        ("UBR", edition.ubr),
        ("SystemRoot", SYSTEM_ROOT),
        ("PathName", SYSTEM_ROOT),
        ("RegisteredOwner", "Windows User"),
        ("RegisteredOrganization", ""),
        ("InstallDate", int(machine.now()) - 30 * 86400),
        ("BuildLabEx", f"{edition.build}.1.amd64fre"),
    ):
        if content != "" or value == "RegisteredOrganization":
            registry.set(CURRENT_VERSION, value, content)
    search = ";".join(
        (
            r"%SystemRoot%\system32",
            "%SystemRoot%",
            r"%SystemRoot%\System32\Wbem",
            r"%SYSTEMROOT%\System32\WindowsPowerShell\v1.0" + "\\",
            r"%SYSTEMROOT%\System32\OpenSSH" + "\\",
        )
    )
    for value, content, kind in (
        ("ComSpec", r"%SystemRoot%\system32\cmd.exe", "REG_EXPAND_SZ"),
        ("DriverData", r"C:\Windows\System32\Drivers\DriverData", "REG_SZ"),
        ("NUMBER_OF_PROCESSORS", str(machine.cpus), "REG_SZ"),
        ("OS", "Windows_NT", "REG_SZ"),
        ("Path", search, "REG_EXPAND_SZ"),
        ("PATHEXT", ".COM;.EXE;.BAT;.CMD;.VBS;.VBE;.JS;.JSE;.WSF;.WSH;.MSC", "REG_SZ"),
        ("PROCESSOR_ARCHITECTURE", "AMD64", "REG_SZ"),
        ("PROCESSOR_IDENTIFIER", "Intel64 Family 6 Model 85 Stepping 7, GenuineIntel", "REG_SZ"),
        ("PSModulePath", r"%ProgramFiles%\WindowsPowerShell\Modules;%SystemRoot%\system32\WindowsPowerShell\v1.0"
         r"\Modules", "REG_EXPAND_SZ"),
        ("TEMP", r"%SystemRoot%\TEMP", "REG_EXPAND_SZ"),
        ("TMP", r"%SystemRoot%\TEMP", "REG_EXPAND_SZ"),
        ("USERNAME", "SYSTEM", "REG_SZ"),
        ("windir", "%SystemRoot%", "REG_EXPAND_SZ"),
    ):  # fmt: skip
        registry.set(ENVIRONMENT, value, content, kind)
    registry.set(r"HKCU\Environment", "TEMP", r"%USERPROFILE%\AppData\Local\Temp", "REG_EXPAND_SZ")
    registry.set(r"HKCU\Environment", "TMP", r"%USERPROFILE%\AppData\Local\Temp", "REG_EXPAND_SZ")
    registry.set(COMPUTER_NAME + r"\ComputerName", "ComputerName", name)
    registry.set(COMPUTER_NAME + r"\ActiveComputerName", "ComputerName", name)
    registry.set(TCPIP, "Hostname", machine.name)
    registry.set(TCPIP, "NV Hostname", machine.name)
    registry.set(TCPIP, "Domain", "")
    registry.create(r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update")
    registry.create(r"HKLM\SOFTWARE\Policies\Microsoft\Windows\WindowsUpdate\AU")
    registry.create(r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing")
    registry.set(SESSION_MANAGER, "ProtectionMode", 1)
    policies = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System"
    for value, number in (
        ("ConsentPromptBehaviorAdmin", 5), ("ConsentPromptBehaviorUser", 3), ("EnableInstallerDetection", 1), ("EnableLUA", 1),
        ("EnableSecureUIAPaths", 1), ("EnableVirtualization", 1), ("PromptOnSecureDesktop", 1), ("dontdisplaylastusername", 0),
        ("ValidateAdminCodeSignatures", 0), ("scforceoption", 0), ("shutdownwithoutlogon", 0), ("undockwithoutlogon", 1),
    ):  # fmt: skip
        registry.set(policies, value, number)
    _usual_keys(registry)
    registry.set(policies, "LocalAccountTokenFilterPolicy", 1)  # as `winrm quickconfig` leaves it
    registry.set(
        r"HKLM\SYSTEM\CurrentControlSet\Control\TimeZoneInformation", "TimeZoneKeyName", "UTC"
    )
    registry.set(r"HKLM\SYSTEM\CurrentControlSet\Control\FileSystem", "LongPathsEnabled", 0)
    registry.set(r"HKLM\SOFTWARE\Microsoft\.NETFramework\v4.0.30319", "SchUseStrongCrypto", 1)
    registry.set(r"HKLM\SOFTWARE\Microsoft\NET Framework Setup\NDP\v4\Full", "Release", 528449)
    registry.set(r"HKLM\SOFTWARE\Microsoft\Cryptography", "MachineGuid", machine.machine_guid)
