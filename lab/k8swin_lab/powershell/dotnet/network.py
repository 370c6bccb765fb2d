"""System.Net: Dns, ServicePointManager, HttpListener, TcpClient and TcpListener over the lab's network."""

from __future__ import annotations

import queue
import threading
from typing import Any

from k8swin_lab.machines.program import NotSimulated
from k8swin_lab.network import HttpRequest, HttpResponse, NetworkError
from k8swin_lab.powershell.api import Terminating
from k8swin_lab.powershell.dotnet import enums
from k8swin_lab.powershell.dotnet.conversion import to_bytes
from k8swin_lab.powershell.dotnet.registry import NetObject, NetType, invalid_operation
from k8swin_lab.powershell.dotnet.streams import Stream
from k8swin_lab.powershell.dotnet.text import to_string
from k8swin_lab.powershell.dotnet.uris import Uri
from k8swin_lab.powershell.dotnet.values import EndPoint, IPAddress, parse_address
from k8swin_lab.powershell.records import EXCEPTION_PARENTS
from k8swin_lab.powershell.values import Hashtable, PSArray, PSObject

_LISTENER_ERROR = "System.Net.HttpListenerException"
EXCEPTION_PARENTS.setdefault(_LISTENER_ERROR, "System.ComponentModel.Win32Exception")

MANAGER = NetType("System.Net.ServicePointManager")


class _Manager:
    """Settings that a script may change; the lab speaks no TLS of its own, so they change nothing else."""

    protocol: Any = None


def _protocol() -> Any:
    declared = enums.find("System.Net.SecurityProtocolType")
    assert declared is not None  # noqa: S101 - declared in enums
    return declared.of(0) if _Manager.protocol is None else _Manager.protocol


def _set_protocol(interp: Any, new: Any) -> None:
    declared = enums.find("System.Net.SecurityProtocolType")
    assert declared is not None  # noqa: S101 - declared in enums
    _Manager.protocol = declared.parse(new)


MANAGER.value("SecurityProtocol", _protocol, _set_protocol)
MANAGER.value("ServerCertificateValidationCallback", None, lambda interp, new: None)
MANAGER.value("Expect100Continue", True, lambda interp, new: None)
MANAGER.value("DefaultConnectionLimit", 2, lambda interp, new: None)

# --- names

DNS = NetType("System.Net.Dns")


def socket_error(message: str) -> Terminating:
    """A SocketException."""
    return Terminating(
        message, exception="System.Net.Sockets.SocketException", error_id="SocketException"
    )


def resolve(interp: Any, name: str) -> str:
    """The address of a name as this machine sees it."""
    try:
        return str(parse_address(name))
    except Terminating:
        pass
    machine = interp.host.machine
    network = getattr(machine, "network", None)
    if name.lower() == "localhost" or network is None:
        if name.lower() == "localhost":
            return "127.0.0.1"
        raise socket_error("No such host is known")
    if not name or name.lower() == str(machine.name).lower():
        return str(machine.address)
    try:
        return str(network.resolve(machine, name))
    except NetworkError as error:
        raise socket_error("No such host is known") from error


def _host_name(interp: Any) -> str:
    return str(getattr(interp.host.machine, "name", "") or "localhost")


DNS.static("GetHostName")(_host_name)
DNS.static("GetHostAddresses")(
    lambda interp, name: PSArray(
        [parse_address(resolve(interp, to_string(name)))], "System.Net.IPAddress"
    )
)


@DNS.static("GetHostEntry", "GetHostByName", "Resolve")
def _entry(interp: Any, name: Any) -> PSObject:
    address = parse_address(resolve(interp, to_string(name)))
    return PSObject(
        [
            ("HostName", to_string(name) or _host_name(interp)),
            ("Aliases", PSArray((), "System.String")),
            ("AddressList", PSArray([address], "System.Net.IPAddress")),
        ],
        type_names=["System.Net.IPHostEntry"],
    )


# --- HttpListener


class HttpListener(NetObject):
    """A web server: requests wait in a queue for GetContext, and the network's thread waits for the answer."""

    type_name = _LISTENER_ERROR.replace("Exception", "")

    def __init__(self) -> None:
        self.prefixes = PSArray()
        self.waiting: queue.Queue[HttpContext] = queue.Queue()
        self.listening = False
        self.close_ports: list[Any] = []
        self.thread: threading.Thread | None = None

    def answer(self, request: HttpRequest) -> HttpResponse:
        """What the network calls: hand the request to the script and wait for it."""
        context = HttpContext(request)
        self.waiting.put(context)
        while not context.done.wait(0.1):
            # The ports of a process close when it ends, whatever it was doing.
            if self.thread is not None and not self.thread.is_alive():
                self.close()
            if not self.listening:
                return HttpResponse(503)
        return context.response()

    def close(self) -> None:
        """Stop listening on all ports."""
        self.listening = False
        for stop in self.close_ports:
            if callable(stop):
                stop()
        self.close_ports.clear()


class HttpContext(NetObject):
    type_name = "System.Net.HttpListenerContext"

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self.done = threading.Event()
        self.status = 200
        self.description = "OK"
        self.headers = Hashtable(ordered=True)
        self.content_type: str | None = None
        self.output = Stream()
        self.output.type_name = "System.Net.HttpResponseStream"
        # Closing the body's stream ends the response.
        self.output.store = lambda content: None
        self.chunked = False

    def finish(self) -> None:
        self.done.set()

    def response(self) -> HttpResponse:
        headers = {str(name).lower(): to_string(value) for name, value in self.headers.items()}
        if self.content_type:
            headers["content-type"] = self.content_type
        headers.setdefault("server", "Microsoft-HTTPAPI/2.0")
        return HttpResponse(self.status, headers, self.output.buffer.getvalue())


class HttpSide(NetObject):
    """`Request` or `Response` of a context."""

    def __init__(self, context: HttpContext, kind: str) -> None:
        self.context = context
        self.type_name = f"System.Net.HttpListener{kind}"


LISTENER = NetType("System.Net.HttpListener")
LISTENER.constructor(HttpListener)
LISTENER.value("IsSupported", True)
LISTENER.prop("Prefixes", lambda listener: Prefixes(listener))
LISTENER.prop("IsListening", lambda listener: listener.listening)
LISTENER.prop("AuthenticationSchemes", lambda listener: "Anonymous", lambda _, new: _anonymous(new))


def _anonymous(new: Any) -> None:
    if to_string(new) != "Anonymous":
        raise NotSimulated(f"HttpListener authentication {to_string(new)}")


class Prefixes(NetObject):
    type_name = "System.Net.HttpListenerPrefixCollection"

    def __init__(self, listener: HttpListener) -> None:
        self.listener = listener

    def __iter__(self) -> Any:
        return iter(list(self.listener.prefixes))

    def __len__(self) -> int:
        return len(self.listener.prefixes)


PREFIXES = NetType("System.Net.HttpListenerPrefixCollection")
PREFIXES.prop("Count", len)


@PREFIXES.method("Add")
def _add_prefix(self: Prefixes, prefix: str) -> None:
    if not prefix.endswith("/"):
        raise Terminating(
            "Only Uri prefixes ending in '/' are allowed.\r\nParameter name: uriPrefix",
            exception="System.ArgumentException",
        )
    self.listener.prefixes.append(prefix)


def _port(prefix: str) -> int:
    scheme, _, rest = prefix.partition("://")
    host = rest.partition("/")[0]
    _, colon, port = host.rpartition(":")
    return int(port) if colon and port.isdigit() else (443 if scheme == "https" else 80)


@LISTENER.method("Start")
def _start(interp: Any, self: HttpListener) -> None:
    listen = getattr(interp.host, "listen", None)
    if listen is None:
        raise Terminating(
            "The handle is invalid", exception=_LISTENER_ERROR, error_id="HttpListenerException"
        )
    for prefix in self.prefixes:
        try:
            self.close_ports.append(listen(_port(prefix), self.answer))
        except (OSError, NetworkError) as error:
            raise Terminating(
                f"Failed to listen on prefix '{prefix}' because it conflicts with an existing "
                "registration on the machine.",
                exception=_LISTENER_ERROR,
            ) from error
    self.thread = threading.current_thread()
    self.listening = True


@LISTENER.method("GetContext")
def _get_context(interp: Any, self: HttpListener) -> HttpContext:
    if not self.listening:
        raise invalid_operation("Please call the Start() method before calling this method.")
    while True:
        if interp.cancelled():
            self.listening = False
            raise Terminating("The I/O operation has been aborted", exception=_LISTENER_ERROR)
        try:
            return self.waiting.get(timeout=0.1)
        except queue.Empty:
            if not self.listening:
                raise Terminating(
                    "The I/O operation has been aborted because of either a thread exit or an "
                    "application request",
                    exception=_LISTENER_ERROR,
                ) from None


@LISTENER.method("Stop", "Close", "Abort", "Dispose")
def _stop(self: HttpListener) -> None:
    self.close()


CONTEXT = NetType("System.Net.HttpListenerContext")
CONTEXT.prop("Request", lambda c: HttpSide(c, "Request"))
CONTEXT.prop("Response", lambda c: HttpSide(c, "Response"))
REQUEST = NetType("System.Net.HttpListenerRequest")
REQUEST.prop("HttpMethod", lambda r: r.context.request.method)
REQUEST.prop("Url", lambda r: Uri(r.context.request.url))
REQUEST.prop("RawUrl", lambda r: Uri(r.context.request.url).path + Uri(r.context.request.url).query)
REQUEST.prop("Headers", lambda r: Hashtable(r.context.request.headers.items()))
REQUEST.prop("UserAgent", lambda r: r.context.request.headers.get("user-agent"))
REQUEST.prop("ContentType", lambda r: r.context.request.headers.get("content-type"))
REQUEST.prop("ContentLength64", lambda r: len(r.context.request.body))
REQUEST.prop("HasEntityBody", lambda r: bool(r.context.request.body))
REQUEST.prop("InputStream", lambda r: Stream(r.context.request.body))
REQUEST.prop("RemoteEndPoint", lambda r: EndPoint(_peer(r.context.request), 0))
REQUEST.prop("UserHostAddress", lambda r: r.context.request.headers.get("host"))
REQUEST.prop("UserHostName", lambda r: r.context.request.headers.get("host"))
REQUEST.prop("IsLocal", lambda r: r.context.request.peer.startswith("127."))


def _peer(request: HttpRequest) -> IPAddress:
    return parse_address(request.peer or "127.0.0.1")


RESPONSE = NetType("System.Net.HttpListenerResponse")


def _response_value(name: str, convert: Any) -> None:
    attribute = {
        "StatusCode": "status",
        "StatusDescription": "description",
        "ContentType": "content_type",
        "SendChunked": "chunked",
    }[name]
    RESPONSE.prop(
        name,
        lambda r: getattr(r.context, attribute),
        lambda r, new: setattr(r.context, attribute, convert(new)),
    )


_response_value("StatusCode", lambda new: int(getattr(new, "enum_number", None) or new))
_response_value("StatusDescription", to_string)
_response_value("ContentType", to_string)
_response_value("SendChunked", bool)
RESPONSE.prop("Headers", lambda r: r.context.headers)
RESPONSE.prop("ContentEncoding", lambda r: None, lambda r, new: None)
RESPONSE.prop("KeepAlive", lambda r: True, lambda r, new: None)
RESPONSE.prop("OutputStream", lambda r: ResponseStream(r.context))
RESPONSE.prop(
    "ContentLength64", lambda r: len(r.context.output.buffer.getvalue()), lambda r, new: None
)
RESPONSE.method("AddHeader", "AppendHeader")(
    lambda self, name, value: self.context.headers.__setitem__(to_string(name), value)
)


@RESPONSE.method("Close", "Abort", "Dispose")
def _close(self: HttpSide, body: Any = None, will_block: Any = None) -> None:
    if body is not None:
        self.context.output.buffer.write(to_bytes(body))
    self.context.finish()


@RESPONSE.method("Redirect")
def _redirect(self: HttpSide, url: str) -> None:
    self.context.status = 302
    self.context.headers["Location"] = url


class ResponseStream(Stream):
    """The body: closing it ends the response."""

    def __init__(self, context: HttpContext) -> None:
        super().__init__(type_name="System.Net.HttpResponseStream")
        self.buffer = context.output.buffer
        self.context = context

    def close(self) -> None:
        self.context.finish()


RESPONSE_STREAM = NetType("System.Net.HttpResponseStream", "System.IO.Stream")


@RESPONSE_STREAM.method("Write")
def _write_body(self: ResponseStream, data: Any, start: int = 0, count: int = -1) -> None:
    raw = to_bytes(data)[start:]
    raw = raw if count < 0 else raw[:count]
    if raw and self.context.request.method == "HEAD":
        # Its answer has no body, whatever Content-Length says (.NET Framework, HttpResponseStream.ComputeLeftToWrite).
        raise Terminating(
            "Bytes to be written to the stream exceed the Content-Length bytes size specified.",
            exception="System.Net.ProtocolViolationException",
        )
    self.buffer.write(raw)


# --- TCP


class TcpClient(NetObject):
    """A connection that is only opened: whether something listens is what scripts ask."""

    type_name = "System.Net.Sockets.TcpClient"

    def __init__(self) -> None:
        self.connected = False

    def connect(self, interp: Any, name: str, port: int) -> None:
        address = resolve(interp, name)
        machine = interp.host.machine
        network = getattr(machine, "network", None)
        if network is None:
            raise socket_error(
                f"No connection could be made: the machine has no network {address}:{port}"
            )
        try:
            network.open(machine, address, port)
        except NetworkError as error:
            text = (
                f"No connection could be made because the target machine actively refused it {address}:{port}"
                if error.kind == "refused"
                else "A connection attempt failed because the connected party did not properly respond after "
                "a period of time, or established connection failed because connected host has failed to "
                f"respond {address}:{port}"
            )
            raise socket_error(text) from error
        self.connected = True


TCP = NetType("System.Net.Sockets.TcpClient")


@TCP.constructor
def _new_client(interp: Any, host: Any = None, port: Any = None) -> TcpClient:
    client = TcpClient()
    if port is not None:
        client.connect(interp, to_string(host), int(port))
    return client


TCP.prop("Connected", lambda c: c.connected)
TCP.prop("ReceiveTimeout", lambda c: 0, lambda c, new: None)
TCP.prop("SendTimeout", lambda c: 0, lambda c, new: None)
TCP.method("Connect")(
    lambda interp, self, host, port: self.connect(interp, to_string(host), int(port))
)
TCP.method("Close", "Dispose")(lambda self: setattr(self, "connected", False))


class Attempt(NetObject):
    """The result of BeginConnect and ConnectAsync: the attempt is over at once."""

    type_name = "System.Threading.Tasks.Task"

    def __init__(self, client: TcpClient, error: Terminating | None) -> None:
        self.client = client
        self.error = error


@TCP.method("BeginConnect", "ConnectAsync")
def _begin(interp: Any, self: TcpClient, host: Any, port: int, *rest: Any) -> Attempt:
    try:
        self.connect(interp, to_string(host), int(port))
    except Terminating as error:
        return Attempt(self, error)
    return Attempt(self, None)


@TCP.method("EndConnect")
def _end(self: TcpClient, attempt: Attempt) -> None:
    if attempt.error is not None:
        raise attempt.error


TASK = NetType("System.Threading.Tasks.Task")
TASK.prop("AsyncWaitHandle", lambda attempt: attempt)
TASK.prop("IsCompleted", lambda attempt: True)
TASK.prop("IsFaulted", lambda attempt: attempt.error is not None)
TASK.method("Wait", "WaitOne")(lambda self, *rest: self.error is None)
