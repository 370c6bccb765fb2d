"""System.Net.WebClient, with which scripts download that are older than Invoke-WebRequest.

Its other members (uploads, events, proxies) are refused by name, as those of any type are.
"""

from __future__ import annotations

from typing import Any

from k8swin_lab.machines.program import NotSimulated
from k8swin_lab.network import HttpResponse
from k8swin_lab.powershell.dotnet.encodings import UTF8_PLAIN, Encoding, ansi, detect
from k8swin_lab.powershell.dotnet.primitives import byte_array
from k8swin_lab.powershell.dotnet.registry import NetObject, NetType, argument
from k8swin_lab.powershell.dotnet.text import to_string
from k8swin_lab.powershell.values import Hashtable
from k8swin_lab.windows.web import answer


class WebHeaders(Hashtable):
    """Headers of a request by name, without case."""

    type_name = "System.Net.WebHeaderCollection"


class WebClient(NetObject):
    """One client; it sends no User-Agent unless it is told one."""

    type_name = "System.Net.WebClient"

    def __init__(self) -> None:
        self.headers = WebHeaders()
        self.encoding: Encoding | None = None

    def ask(self, interp: Any, address: Any) -> HttpResponse:
        """Download what an address names."""
        url = to_string(address)
        if not url.lower().startswith(("http://", "https://")):
            if "://" in url or url[1:3] == ":\\":
                raise NotSimulated(f"[System.Net.WebClient] of {url}")
            raise argument("Invalid URI: The format of the URI could not be determined.")
        headers = {str(name): to_string(value) for name, value in self.headers.items()}
        return answer(interp.host.machine, "GET", url, headers=headers)


HEADERS = NetType("System.Net.WebHeaderCollection", "System.Object")
HEADERS.method("Set")(lambda self, name, value: self.__setitem__(to_string(name), value))
HEADERS.method("Remove")(lambda self, name: self.pop(to_string(name), None))
HEADERS.prop("Count", len)


@HEADERS.method("Add")
def _add(self: WebHeaders, name: Any, value: Any = None) -> None:
    if value is None:
        name, _, value = to_string(name).partition(":")
    self[to_string(name).strip()] = to_string(value).strip()


CLIENT = NetType("System.Net.WebClient", "System.ComponentModel.Component")
CLIENT.constructor(WebClient)
CLIENT.prop("Headers", lambda client: client.headers)
CLIENT.prop(
    "Encoding",
    lambda client: client.encoding or ansi(None),
    lambda client, new: setattr(client, "encoding", new),
)
CLIENT.method("DownloadData")(
    lambda interp, self, address: byte_array(self.ask(interp, address).body)
)


@CLIENT.method("DownloadString")
def _download_string(interp: Any, self: WebClient, address: Any) -> str:
    response = self.ask(interp, address)
    kind = {k.lower(): v for k, v in response.headers.items()}.get("content-type", "").lower()
    named = UTF8_PLAIN if "charset=utf-8" in kind else None
    return detect(response.body, named or self.encoding or ansi(interp.host.machine))[0]


@CLIENT.method("DownloadFile")
def _download_file(interp: Any, self: WebClient, address: Any, path: str) -> None:
    interp.host.files.write(interp.full_path(path), self.ask(interp, address).body)
