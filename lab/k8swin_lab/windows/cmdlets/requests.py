"""Invoke-WebRequest and Invoke-RestMethod of Windows PowerShell 5.1."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from k8swin_lab.network import HttpResponse
from k8swin_lab.powershell.api import Call, CommandTable
from k8swin_lab.powershell.values import Hashtable, PSArray, PSObject
from k8swin_lab.windows.objects import parameters, record
from k8swin_lab.windows.web import answer


def _send(call: Call) -> HttpResponse:
    machine = call.session.machine
    url = str(call["Uri"])
    if "://" not in url:
        url = "http://" + url
    headers = {str(k): call.session.to_string(v) for k, v in (call["Headers"] or {}).items()}
    body = call["Body"]
    content = b""
    if isinstance(body, Hashtable):
        import urllib.parse

        content = urllib.parse.urlencode(
            {str(k): call.session.to_string(v) for k, v in body.items()}
        ).encode()
        headers.setdefault("content-type", "application/x-www-form-urlencoded")
    elif body is not None:
        content = call.session.to_string(body).encode()
    headers["user-agent"] = str(
        call["UserAgent"]
        or "Mozilla/5.0 (Windows NT; Windows NT 10.0; en-US) WindowsPowerShell/5.1"
    )
    if call["ContentType"]:
        headers["content-type"] = str(call["ContentType"])
    response = answer(
        machine, str(call["Method"] or "GET").upper(), url, headers=headers, body=content,
        timeout=float(call["TimeoutSec"] or 100), redirects=int(call["MaximumRedirection"]) if call.bound("MaximumRedirection") else 5,
    )  # fmt: skip
    if call["OutFile"]:
        machine.files.write(call.session.full_path(str(call["OutFile"])), response.body)
    return response


def web_request(call: Call) -> Iterator[Any]:
    response = _send(call)
    if call["OutFile"] and not call["PassThru"]:
        return
    kind = {k.lower(): v for k, v in response.headers.items()}.get("content-type", "")
    textual = kind.startswith("text/") or "json" in kind or "xml" in kind or not kind
    content: Any = response.body.decode("utf-8", "replace") if textual else response.body
    yield record(
        "Microsoft.PowerShell.Commands.BasicHtmlWebResponseObject",
        {
            "StatusCode": response.status, "StatusDescription": "OK" if response.status == 200 else "", "Content": content,
            "RawContent": content, "Headers": Hashtable(response.headers.items()), "RawContentLength": len(response.body),
        },
    )  # fmt: skip


def from_json(value: Any) -> Any:
    """Parsed JSON as PowerShell values."""
    if isinstance(value, dict):
        return PSObject({k: from_json(v) for k, v in value.items()})
    if isinstance(value, list):
        return PSArray([from_json(v) for v in value])
    return value


def rest_method(call: Call) -> Iterator[Any]:
    response = _send(call)
    if call["OutFile"] and not call["PassThru"]:
        return
    text = response.body.decode("utf-8", "replace")
    try:
        yield from_json(json.loads(text))
    except ValueError:
        yield text


def register(table: CommandTable) -> None:
    """Add the cmdlets to a table."""
    declared = (
        "Uri string @0 !; Method string; Headers object; Body object value; ContentType string; OutFile string; PassThru switch; "
        "UseBasicParsing switch; TimeoutSec int; MaximumRedirection int; DisableKeepAlive switch; UserAgent string"
    )
    table.cmdlet("Invoke-WebRequest", parameters=parameters(declared), module="Microsoft.PowerShell.Utility",
                 aliases=("iwr", "curl", "wget"))(web_request)  # fmt: skip
    table.cmdlet("Invoke-RestMethod", parameters=parameters(declared), module="Microsoft.PowerShell.Utility",
                 aliases=("irm",))(rest_method)  # fmt: skip
