"""COM objects of a Windows machine: those of Windows Update.

Downloading and installing are refused to somebody who logged in over the network, as Windows does: they need a
service's or a task's token.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from k8swin_lab.machines.program import NotSimulated
from k8swin_lab.machines.windows_services import ServiceError
from k8swin_lab.machines.windows_updates import Update
from k8swin_lab.powershell.api import Terminating
from k8swin_lab.powershell.dotnet.collections import NetList
from k8swin_lab.powershell.values import PSObject
from k8swin_lab.windows.objects import texts

if TYPE_CHECKING:
    from k8swin_lab.machines.windows import WindowsMachine

_SUCCEEDED = 2
_COMPARISON = re.compile(r"(\w+)\s*(=|!=)\s*('[^']*'|\d+)", re.IGNORECASE)
_DENIED = "Access is denied. (Exception from HRESULT: 0x80070005 (E_ACCESSDENIED))"


def create(machine: WindowsMachine, name: str, *, remote: bool) -> Any:
    """Make an object by its program id.

    Args:
        machine: on which.
        name: "Microsoft.Update.Session".
        remote: whether the caller has the token of a network logon.

    Raises:
        NotSimulated: the lab has no such class.
    """
    makers: dict[str, Callable[[], Any]] = {
        "microsoft.update.session": lambda: _session(machine, remote=remote),
        "microsoft.update.updatecoll": NetList,
        "microsoft.update.systeminfo": lambda: PSObject(
            {
                "RebootRequired": machine.updates.reboot_due,
                "OemHardwareSupportLink": "",
            }
        ),
    }
    maker = makers.get(name.lower())
    if maker is None:
        raise NotSimulated(f"New-Object -ComObject {name}")
    return maker()


def _session(machine: WindowsMachine, *, remote: bool) -> PSObject:
    def local(made: Callable[[WindowsMachine], PSObject]) -> Callable[[], PSObject]:
        def make() -> PSObject:
            if remote:
                raise Terminating(_DENIED, exception="System.UnauthorizedAccessException")
            return made(machine)

        return make

    return PSObject(
        {"ClientApplicationID": "", "ReadOnly": False, "WebProxy": None, "UserLocale": 1033},
        type_names=["System.__ComObject#{918efd1e-b5d8-4c90-8540-aeb9bdc56f9d}"],
        methods={
            "CreateUpdateSearcher": lambda: _searcher(machine),
            "CreateUpdateDownloader": local(_downloader),
            "CreateUpdateInstaller": local(_installer),
        },
    )


def _searcher(machine: WindowsMachine) -> PSObject:
    def search(criteria: Any = "") -> PSObject:
        text = str(criteria)
        left = re.sub(r"(?i)\band\b", "", _COMPARISON.sub("", text)).strip()
        if left:
            raise NotSimulated(f"the search criteria `{text}` of Windows Update")
        wanted = [
            (m[1].lower(), m[2] == "=", m[3].strip("'").lower()) for m in _COMPARISON.finditer(text)
        ]
        _ask_service(machine)
        found = NetList()
        pool = (
            machine.updates.all
            if any(w == ("isinstalled", True, "1") for w in wanted)
            else machine.updates.offered()
        )
        for update in pool:
            if all(_fits(update, *one) for one in wanted):
                found.append(_update(update))
        return PSObject(
            {
                "ResultCode": _SUCCEEDED,
                "Updates": found,
                "RootCategories": NetList(),
                "Warnings": NetList(),
            }
        )

    def history(start: Any = 0, count: Any = 0) -> NetList:
        found = NetList()
        for update in [u for u in machine.updates.all if u.installed or u.pending][
            int(start) : int(start) + int(count)
        ]:
            found.append(
                PSObject({"Title": update.title, "ResultCode": _SUCCEEDED, "Operation": 1})
            )
        return found

    return PSObject(
        {
            "Online": True,
            "ServerSelection": 0,
            "ServiceID": "",
            "CanAutomaticallyUpgradeService": False,
        },
        methods={
            "Search": search,
            "GetTotalHistoryCount": lambda: sum(
                u.installed or u.pending for u in machine.updates.all
            ),
            "QueryHistory": history,
        },
    )


def _ask_service(machine: WindowsMachine) -> None:
    """Start the service of Windows Update, which is behind its objects."""
    try:
        machine.services.ask("wuauserv")
    except ServiceError as error:
        number = 0x80070000 | error.code
        raise Terminating(
            f"{error} (Exception from HRESULT: 0x{number:08X})",
            exception="System.Runtime.InteropServices.COMException",
        ) from error


def _fits(update: Update, name: str, equal: bool, value: str) -> bool:
    facts = {
        "isinstalled": str(int(update.installed)), "ishidden": str(int(update.hidden)), "type": update.type.lower(),
        "isassigned": "1", "deploymentaction": "installation", "autoselectonwebsites": "1", "browseonly": str(int(update.optional)),
        "rebootrequired": str(int(update.pending)), "updateid": update.id,
    }  # fmt: skip
    if name not in facts:
        raise _refused("0x80240032")  # WU_E_INVALID_CRITERIA
    return (facts[name] == value) == equal


def _categories(update: Update) -> NetList:
    found = NetList()
    found.append(PSObject({"CategoryID": update.category, "Type": "UpdateClassification"}))
    return found


def _update(update: Update) -> PSObject:
    numbers = texts([update.number])
    made = PSObject(
        {
            "Title": update.title, "Description": update.title, "KBArticleIDs": numbers, "MsrcSeverity": "Critical" if update.needs_reboot else None,
            "IsDownloaded": update.downloaded, "IsInstalled": update.installed, "IsHidden": update.hidden, "IsMandatory": False,
            "EulaAccepted": update.accepted, "EulaText": "", "MaxDownloadSize": update.size, "MinDownloadSize": update.size, "Type": 1,
            "RebootRequired": update.pending, "IsUninstallable": update.needs_reboot, "AutoSelectOnWebSites": True,
            "BrowseOnly": update.optional, "Categories": _categories(update),
            "Identity": PSObject({"UpdateID": update.id, "RevisionNumber": 200}),
            "InstallationBehavior": PSObject({"CanRequestUserInput": False, "Impact": 0, "RebootBehavior": 1 if update.needs_reboot else 0,
                                              "RequiresNetworkConnectivity": False}),
        },
        type_names=["System.__ComObject#{c1c2f21a-d2f4-4902-b5c6-8a081c19a890}"],
    )  # fmt: skip

    def accept() -> None:
        update.accepted = True
        made.properties["EulaAccepted"] = True

    made.methods = {"AcceptEula": accept, "_update": lambda: update}
    return made


def _refused(code: str) -> Terminating:
    return Terminating(
        f"Exception from HRESULT: {code}", exception="System.Runtime.InteropServices.COMException"
    )


def _chosen(holder: PSObject) -> list[Update]:
    updates = holder.properties["Updates"]
    if updates is None or not len(updates):
        raise _refused("0x80240024")  # WU_E_NO_UPDATE
    return [item.methods["_update"]() for item in updates]


def _downloader(machine: WindowsMachine) -> PSObject:
    made = PSObject({"ClientApplicationID": "", "IsForced": False, "Priority": 2, "Updates": None})

    def download() -> PSObject:
        chosen = _chosen(made)
        for update, item in zip(chosen, made.properties["Updates"], strict=True):
            update.downloaded = True
            item.properties["IsDownloaded"] = True
            machine.pause(1)
        return _result(chosen, [False] * len(chosen), {})

    made.methods = {"Download": download}
    return made


def _installer(machine: WindowsMachine) -> PSObject:
    made = PSObject({
        "ClientApplicationID": "", "IsForced": False, "ForceQuiet": True, "AllowSourcePrompts": False, "Updates": None,
        "IsBusy": machine.updates.busy, "RebootRequiredBeforeInstallation": machine.updates.reboot_due,
    })  # fmt: skip

    def install() -> PSObject:
        chosen = _chosen(made)
        if machine.updates.busy:
            raise _refused("0x80240009")  # WU_E_OPERATIONINPROGRESS
        if machine.updates.reboot_due:
            raise _refused("0x80240016")  # WU_E_INSTALL_NOT_ALLOWED
        failed: dict[int, int] = {}
        reboots = []
        for index, update in enumerate(chosen):
            if not update.downloaded or not update.accepted:
                failed[index] = (
                    -2145124317 if not update.accepted else -2145124284
                )  # 0x80240023, 0x80240044
                reboots.append(False)
                continue
            machine.pause(2)
            reboots.append(machine.updates.install(update))
        return _result(chosen, reboots, failed)

    made.methods = {"Install": install}
    return made


def _result(chosen: list[Update], reboots: list[bool], failed: dict[int, int]) -> PSObject:
    code = _SUCCEEDED if not failed else 4 if len(failed) == len(chosen) else 3
    each = [
        PSObject(
            {
                "ResultCode": 4 if index in failed else _SUCCEEDED,
                "HResult": failed.get(index, 0),
                "RebootRequired": reboot,
            }
        )
        for index, reboot in enumerate(reboots)
    ]
    return PSObject(
        {
            "ResultCode": code,
            "HResult": next(iter(failed.values()), 0),
            "RebootRequired": any(reboots),
        },
        methods={"GetUpdateResult": lambda index: each[int(index)]},
    )
