"""WS-Management messages: what a request asks, and envelopes for answers and faults.

Windows' wording and numbers are kept in faults, because clients decide by the number.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass, field
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

SOAP = "http://www.w3.org/2003/05/soap-envelope"
ADDRESSING = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
WSMAN = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
MS_WSMAN = "http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd"
SHELL = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
TRANSFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
IDENTITY = "http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"
FAULT = "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault"

CMD_RESOURCE = f"{SHELL}/cmd"
ANONYMOUS = f"{ADDRESSING}/role/anonymous"

TIMED_OUT = 2150858793
SHELL_NOT_FOUND = 2150858843
QUOTA_SHELLS = 2150859173
QUOTA_COMMANDS = 2150859241
QUOTA_OPERATIONS = 2150859174
ENVELOPE_TOO_LARGE = 2150858789
INVALID_REQUEST = 2150858752
NO_SUCH_RESOURCE = 2150858811
ACTION_UNSUPPORTED = 2150858755
INVALID_OPTION = 2150858835

ACCESS_DENIED = 5
BUSY = 170

_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?", re.ASCII)


class SoapFault(Exception):
    """A fault with its WSManFault number; `subcode` such as `w:TimedOut`."""

    def __init__(self, code: int, subcode: str, text: str, *, sender: bool = True) -> None:
        super().__init__(text)
        self.code = code
        self.subcode = subcode
        self.text = text
        self.sender = sender


@dataclass(slots=True)
class SoapRequest:
    """One request; times in seconds, sizes in bytes."""

    action: str
    resource: str
    message_id: str
    body: ElementTree.Element
    selectors: dict[str, str] = field(default_factory=dict)
    options: dict[str, str] = field(default_factory=dict)
    timeout: float = 60.0
    max_envelope: int = 153600

    @property
    def shell_id(self) -> str:
        return self.selectors.get("ShellId", "")


def tag(namespace: str, name: str) -> str:
    """Return a name as ElementTree writes it."""
    return f"{{{namespace}}}{name}"


def seconds(text: str) -> float:
    """Return an XML duration such as `PT20S` in seconds.

    Raises:
        ValueError: it is not a duration of days or less.
    """
    found = _DURATION.fullmatch(text.strip())
    if found is None or not any(found.groups()):
        raise ValueError(f"`{text}` is not a duration such as PT60S")
    days, hours, minutes, rest = (float(part or 0) for part in found.groups())
    return days * 86400 + hours * 3600 + minutes * 60 + rest


def parse(data: bytes) -> SoapRequest:
    """Read a request.

    Raises:
        SoapFault: it is not an envelope, or a header that is needed is missing.
    """
    if b"<!DOCTYPE" in data:
        raise _invalid("a document type is not allowed in a SOAP message")
    try:
        # What makes untrusted XML harmful, entity declarations, was refused above.
        root = ElementTree.fromstring(data)  # noqa: S314
    except ElementTree.ParseError as error:
        raise _invalid(f"the request is not well-formed XML: {error}") from error
    body = root.find(tag(SOAP, "Body"))
    if root.tag != tag(SOAP, "Envelope") or body is None:
        raise _invalid("the request is not a SOAP 1.2 envelope")
    if body.find(tag(IDENTITY, "Identify")) is not None:
        return SoapRequest("Identify", "", "", body)
    header = root.find(tag(SOAP, "Header"))
    if header is None:
        raise _invalid("the request has no SOAP header")
    return _with_header(header, body)


def _with_header(header: ElementTree.Element, body: ElementTree.Element) -> SoapRequest:
    def text(namespace: str, name: str, default: str = "") -> str:
        found = header.find(tag(namespace, name))
        return (found.text or "").strip() if found is not None else default

    action = text(ADDRESSING, "Action")
    if not action:
        raise _invalid("the request has no wsa:Action header")
    try:
        timeout = seconds(text(WSMAN, "OperationTimeout", "PT60S"))
        largest = int(text(WSMAN, "MaxEnvelopeSize", "153600"))
    except ValueError as error:
        raise _invalid(str(error)) from error
    return SoapRequest(
        action,
        text(WSMAN, "ResourceURI"),
        text(ADDRESSING, "MessageID"),
        body,
        _named(header, "SelectorSet", "Selector"),
        _named(header, "OptionSet", "Option"),
        timeout,
        largest,
    )


def _named(header: ElementTree.Element, group: str, item: str) -> dict[str, str]:
    return {
        found.get("Name", ""): (found.text or "").strip()
        for found in header.iterfind(f"{tag(WSMAN, group)}/{tag(WSMAN, item)}")
    }


def _invalid(text: str) -> SoapFault:
    return SoapFault(
        INVALID_REQUEST, "w:SchemaValidationError", f"The WS-Management service: {text}."
    )


def envelope(action: str, relates_to: str, body: str) -> bytes:
    """Return an answer; `body` is XML that may use the prefixes s, a, w, p, x and rsp."""
    return (
        f'<s:Envelope xml:lang="en-US" xmlns:s="{SOAP}" xmlns:a="{ADDRESSING}" '
        f'xmlns:x="{TRANSFER}" xmlns:w="{WSMAN}" xmlns:rsp="{SHELL}" xmlns:p="{MS_WSMAN}">'
        f"<s:Header><a:Action>{escape(action)}</a:Action>"
        f"<a:MessageID>uuid:{str(uuid.uuid4()).upper()}</a:MessageID>"
        f"<a:To>{ANONYMOUS}</a:To><a:RelatesTo>{escape(relates_to)}</a:RelatesTo></s:Header>"
        f"<s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


def fault(error: SoapFault, relates_to: str, machine: str) -> bytes:
    """Return the fault as an envelope."""
    text = escape(error.text)
    who = "s:Sender" if error.sender else "s:Receiver"
    return envelope(
        "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault",
        relates_to,
        f"<s:Fault><s:Code><s:Value>{who}</s:Value><s:Subcode><s:Value>{error.subcode}</s:Value>"
        f'</s:Subcode></s:Code><s:Reason><s:Text xml:lang="en-US">{text}</s:Text></s:Reason>'
        f'<s:Detail><f:WSManFault xmlns:f="{FAULT}" Code="{error.code}" '
        f"Machine={quoteattr(machine)}><f:Message>{text}</f:Message></f:WSManFault></s:Detail>"
        "</s:Fault>",
    )


def identify(version: str) -> bytes:
    """Return the answer to Identify; `version` such as `10.0.20348`."""
    return (
        f'<s:Envelope xml:lang="en-US" xmlns:s="{SOAP}"><s:Header/><s:Body>'
        f'<wsmid:IdentifyResponse xmlns:wsmid="{IDENTITY}">'
        "<wsmid:ProtocolVersion>http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
        "</wsmid:ProtocolVersion><wsmid:ProductVendor>Microsoft Corporation</wsmid:ProductVendor>"
        f"<wsmid:ProductVersion>OS: {escape(version)} SP: 0.0 Stack: 3.0</wsmid:ProductVersion>"
        "</wsmid:IdentifyResponse></s:Body></s:Envelope>"
    ).encode()


def timed_out() -> SoapFault:
    return SoapFault(
        TIMED_OUT,
        "w:TimedOut",
        "The WS-Management service cannot complete the operation within the time specified in "
        "OperationTimeout.  ",
        sender=False,
    )


def access_denied() -> SoapFault:
    """What a filtered token gets after a login that was right."""
    return SoapFault(ACCESS_DENIED, "w:AccessDenied", "Access is denied. ")


def busy() -> SoapFault:
    return SoapFault(BUSY, "w:InternalError", "The requested resource is in use. ", sender=False)


def shell_not_found(shell_id: str) -> SoapFault:
    return SoapFault(
        SHELL_NOT_FOUND,
        "w:InvalidSelectors",
        f"The request for the Windows Remote Shell with ShellId {shell_id} failed because the "
        "shell was not found on the server. Possible causes are: the specified ShellId is "
        "incorrect or the shell no longer exists on the server. Provide the correct ShellId or "
        "create a new shell and retry the operation. ",
    )
