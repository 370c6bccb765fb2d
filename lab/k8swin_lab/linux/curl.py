"""curl and wget over the machine's network."""

from __future__ import annotations

import base64
import json
import re
import time
import urllib.parse
from dataclasses import dataclass, field

from k8swin_lab.arguments import MissingValue, Options, Parsed
from k8swin_lab.linux.files import Files, explain, machine_of
from k8swin_lab.machines.disk import Disk
from k8swin_lab.machines.program import NotSimulated, Process
from k8swin_lab.network import HttpResponse
from k8swin_lab.web_client import WebError, certificate_header, reason_of, send

_CURL = Options(
    flags="-f,--fail -s,--silent -S,--show-error -L,--location -O,--remote-name -k,--insecure"
    " -I,--head -i,--include -v,--verbose -g,--globoff -4,--ipv4 -6,--ipv6 --compressed -#,--progress-bar"
    " --create-dirs --no-keepalive --retry-connrefused --retry-all-errors -G,--get -V,--version"
    " --fail-with-body --tlsv1.2 --http1.1 --no-progress-meter -J,--remote-header-name -N,--no-buffer"
    " -R,--remote-time -q,--disable --ssl-no-revoke",
    values="-o,--output -H,--header -d,--data,--data-ascii --data-raw --data-binary --data-urlencode"
    " --json -X,--request -w,--write-out -m,--max-time --connect-timeout --retry --retry-delay"
    " --retry-max-time --cacert --capath -E,--cert --key -A,--user-agent -x,--proxy --noproxy -u,--user"
    " -e,--referer -b,--cookie --resolve -T,--upload-file --proto --output-dir -C,--continue-at -z,--time-cond",
)
_WGET = Options(
    flags="-q,--quiet -nv,--no-verbose --no-check-certificate -S,--server-response --spider"
    " -c,--continue -N,--timestamping -4,--inet4-only --https-only --content-disposition",
    values="-O,--output-document -P,--directory-prefix -T,--timeout -t,--tries --header -U,--user-agent"
    " --ca-certificate -o,--output-file --post-data",
    optional="--show-progress --progress",
)
_REFUSED = ["--proxy", "-x", "-u", "-T", "-z", "-C", "--resolve", "-b", "-J"]


class CurlError(Exception):
    """A failure; `code` is curl's exit code."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(slots=True)
class _Transfer:
    """One URL with where its answer goes."""

    url: str
    output: str = ""
    remote_name: bool = False
    started: float = field(default_factory=time.monotonic)
    redirects: int = 0


def curl(process: Process) -> int:
    """Run curl."""
    try:
        parsed = _CURL.parse("curl", process.argv[1:])
    except MissingValue as error:
        process.err(
            f"curl: option {error}: requires parameter\n"
            "curl: try 'curl --help' or 'curl --manual' for more information\n"
        )
        return 2
    for option in _REFUSED:
        if option in parsed:
            raise NotSimulated(f"curl {option}")
    if "-V" in parsed:
        process.out("curl 7.88.1 (x86_64-pc-linux-gnu) libcurl/7.88.1 OpenSSL/3.0.17\n")
        return 0
    if not parsed.operands:
        process.err("curl: try 'curl --help' or 'curl --manual' for more information\n")
        return 2
    outputs = parsed.all("-o")
    names = parsed.all("-O")
    code = 0
    for index, url in enumerate(parsed.operands):
        transfer = _Transfer(url if "://" in url else f"http://{url}")
        if index < len(outputs):
            transfer.output = outputs[index]
        elif index - len(outputs) < len(names):
            transfer.output = _remote_name(transfer.url)
            if not transfer.output:
                process.err("curl: Remote file name has no length!\n")
                return 23
        code = _transfer(process, parsed, transfer)
    return code


def _remote_name(url: str) -> str:
    return urllib.parse.urlsplit(url).path.rpartition("/")[2]


def _transfer(process: Process, parsed: Parsed, transfer: _Transfer) -> int:
    attempts = 1 + int(parsed.get("--retry") or 0)
    quiet = "-s" in parsed and "-S" not in parsed
    for attempt in range(attempts):
        try:
            response = _answer(process, parsed, transfer)
            if response.status >= 500 and attempt + 1 < attempts:
                raise CurlError(22, f"The requested URL returned error: {response.status}")
            break
        except CurlError as error:
            retry = attempt + 1 < attempts and (
                error.code in (28, 22) or "--retry-all-errors" in parsed
                or (error.code == 7 and "--retry-connrefused" in parsed)
            )  # fmt: skip
            if retry and not process.cancelled.wait(
                min(float(parsed.get("--retry-delay") or 1), 1.0)
            ):
                if not quiet:
                    process.err(
                        f"Warning: Problem: {error}. Will retry in 1 seconds. {attempts - attempt - 1} retries left.\n"
                    )
                continue
            _write_out(process, parsed, transfer, None, error)
            if not quiet:
                process.err(f"curl: ({error.code}) {error}\n")
            return error.code
    return _deliver(process, parsed, transfer, response)


def _deliver(process: Process, parsed: Parsed, transfer: _Transfer, response: HttpResponse) -> int:
    failed = response.status >= 400 and ("-f" in parsed or "--fail-with-body" in parsed)
    code = 0
    if not failed or "--fail-with-body" in parsed:
        content = response.body
        if "-I" in parsed or "-i" in parsed:
            head = f"HTTP/1.1 {response.status} {reason_of(response.status)}\r\n"
            head += (
                "".join(f"{name}: {value}\r\n" for name, value in response.headers.items()) + "\r\n"
            )
            content = head.encode() + (b"" if "-I" in parsed else content)
        target = transfer.output
        if target and (folder := parsed.get("--output-dir")):
            target = f"{folder.rstrip('/')}/{target}"
        try:
            if target and target != "-":
                _save(process, parsed, target, content)
            else:
                process.stdout.write(content)
        except OSError as error:
            process.err(f"Warning: Failed to open the file {target}: {explain(error)}\n")
            if "-s" not in parsed or "-S" in parsed:
                process.err("curl: (23) Failure writing output to destination\n")
            return 23
    _write_out(process, parsed, transfer, response, None)
    if failed:
        code = 22
        if "-s" not in parsed or "-S" in parsed:
            process.err(f"curl: (22) The requested URL returned error: {response.status}\n")
    return code


def _save(process: Process, parsed: Parsed, target: str, content: bytes) -> None:
    files = Files(process)
    if "--create-dirs" in parsed and "/" in target and target.rpartition("/")[0]:
        folder = Disk(machine_of(process), process.cwd).absolute(target.rpartition("/")[0])
        (machine_of(process).root / folder.lstrip("/")).mkdir(parents=True, exist_ok=True)
    files.write(target, content)


def _answer(process: Process, parsed: Parsed, transfer: _Transfer) -> HttpResponse:
    method, headers, body = _request(process, parsed)
    url = transfer.url
    if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
        scheme = urllib.parse.urlsplit(url).scheme
        raise CurlError(1, f'Protocol "{scheme}" not supported or disabled in libcurl')
    if "-G" in parsed and body:
        url += ("&" if "?" in url else "?") + body.decode()
        method, body = parsed.get("-X") or "GET", b""
    trusted = _file(process, parsed.get("--cacert"), 77) if "--cacert" in parsed else b""
    if "-E" in parsed:
        headers |= _client_certificate(process, parsed)
    for _ in range(51):
        try:
            response = send(
                process.machine, method, url, dict(headers), body,
                trusted=trusted, verify="-k" not in parsed,
            )  # fmt: skip
        except WebError as error:
            raise _explained(process, parsed, error) from error
        if "-L" in parsed and response.status in (301, 302, 303, 307, 308):
            url = urllib.parse.urljoin(url, response.headers["location"])
            transfer.redirects += 1
            if response.status in (301, 302, 303) and method == "POST":
                method, body = "GET", b""
            continue
        transfer.url = url
        return response
    raise CurlError(47, "Maximum (50) redirects followed")


def _request(process: Process, parsed: Parsed) -> tuple[str, dict[str, str], bytes]:
    headers = {"user-agent": parsed.get("-A") or "curl/7.88.1", "accept": "*/*"}
    parts: list[bytes] = []
    for option, value in parsed.options:
        if option in ("-d", "--data-binary", "--json") and value.startswith("@"):
            content = _file(process, value[1:], 26)
            if option == "-d":
                content = re.sub(rb"[\r\n\0]", b"", content)
            parts.append(content)
        elif option in ("-d", "--data-raw", "--data-binary", "--json"):
            parts.append(value.encode())
        elif option == "--data-urlencode":
            name, equals, text = value.partition("=")
            quoted = urllib.parse.quote(text if equals else name, safe="")
            parts.append((f"{name}={quoted}" if equals and name else quoted).encode())
    body = (b"" if parsed.all("--json") else b"&").join(parts)
    if parts:
        kind = "application/json" if parsed.all("--json") else "application/x-www-form-urlencoded"
        headers["content-type"] = kind
    for header in parsed.all("-H"):
        name, _, value = header.partition(":")
        headers[name.strip().lower()] = value.strip()
    method = parsed.get("-X") or ("HEAD" if "-I" in parsed else "POST" if parts else "GET")
    return method, headers, body


def _file(process: Process, path: str, code: int) -> bytes:
    try:
        return Files(process).read(path)
    except OSError as error:
        if code == 77:
            raise CurlError(77, f"error setting certificate file: {path}") from error
        raise CurlError(26, f"Failed to open {path}") from error


def _client_certificate(process: Process, parsed: Parsed) -> dict[str, str]:
    text = _file(process, parsed.get("-E"), 58).decode(errors="replace")
    found = re.search(r"-----BEGIN CERTIFICATE-----(.+?)-----END", text, re.DOTALL)
    if not found:
        raise CurlError(58, f"could not load PEM client certificate from {parsed.get('-E')}")
    return certificate_header(base64.b64decode(found[1]))


def _explained(process: Process, parsed: Parsed, error: WebError) -> CurlError:
    if error.kind == "name":
        return CurlError(6, f"Could not resolve host: {error.host}")
    if error.kind == "timeout":
        limit = float(parsed.get("--connect-timeout") or parsed.get("-m") or 130)
        waited = int(limit * 1000)
        process.cancelled.wait(min(limit, 2.0))
        return CurlError(
            28,
            f"Failed to connect to {error.host} port {error.port} after {waited} ms: Timeout was reached",
        )
    if error.kind == "refused":
        return CurlError(
            7,
            f"Failed to connect to {error.host} port {error.port} after 0 ms: Couldn't connect to server",
        )
    if error.kind == "unreachable":
        return CurlError(
            7,
            f"Failed to connect to {error.host} port {error.port} after 3067 ms: Couldn't connect to server",
        )
    if error.kind == "tls":
        return CurlError(
            60,
            "SSL certificate problem: unable to get local issuer certificate\n"
            "More details here: https://curl.se/docs/sslcerts.html\n\n"
            "curl failed to verify the legitimacy of the server and therefore could not\n"
            "establish a secure connection to it. To learn more about this situation and\n"
            "how to fix it, please visit the web page mentioned above.",
        )
    if error.kind == "protocol":
        return CurlError(1, "Received HTTP/0.9 when not allowed")
    return CurlError(56, str(error))


def _write_out(
    process: Process,
    parsed: Parsed,
    transfer: _Transfer,
    response: HttpResponse | None,
    error: CurlError | None,
) -> None:
    template = parsed.get("-w")
    if not template:
        return
    size = len(response.body) if response else 0
    values = {
        "http_code": f"{response.status if response else 0:03d}",
        "response_code": f"{response.status if response else 0:03d}",
        "size_download": str(size),
        "url_effective": transfer.url,
        "url": transfer.url,
        "num_redirects": str(transfer.redirects),
        "content_type": response.headers.get("content-type", "") if response else "",
        "redirect_url": response.headers.get("location", "") if response else "",
        "time_total": f"{time.monotonic() - transfer.started:.6f}",
        "time_connect": "0.000400",
        "exitcode": str(error.code if error else 0),
        "errormsg": str(error) if error else "",
        "json": json.dumps(
            {"http_code": response.status if response else 0, "size_download": size}
        ),
        "method": parsed.get("-X") or "GET",
        "scheme": urllib.parse.urlsplit(transfer.url).scheme.upper(),
        "ssl_verify_result": "0",
        "remote_ip": "",
    }

    def value(match: re.Match[str]) -> str:
        if match[1] not in values:
            raise NotSimulated(f"curl -w %{{{match[1]}}}")
        return values[match[1]]

    text = template.replace("\\n", "\n").replace("\\t", "\t").replace("\\r", "\r")
    process.out(re.sub(r"%\{(\w+)\}", value, text))


def wget(process: Process) -> int:
    """Run wget."""
    parsed = _WGET.parse("wget", _split_quiet(process.argv[1:]))
    for option in ("--spider", "--post-data", "-o", "-c"):
        if option in parsed:
            raise NotSimulated(f"wget {option}")
    quiet = "-q" in parsed
    code = 0
    for operand in parsed.operands:
        url = operand if "://" in operand else f"http://{operand}"
        trusted = (
            Files(process).read(parsed.get("--ca-certificate"))
            if "--ca-certificate" in parsed
            else b""
        )
        headers = {}
        for header in parsed.all("--header"):
            name, _, value = header.partition(":")
            headers[name.strip().lower()] = value.strip()
        try:
            response = _follow(
                process, url, headers, trusted, "--no-check-certificate" not in parsed
            )
        except WebError as error:
            if not quiet:
                process.err(f"{_wget_text(error)}\n")
            code = 5 if error.kind == "tls" else 4
            continue
        if response.status >= 400:
            if not quiet:
                stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
                process.err(f"{stamp} ERROR {response.status}: {reason_of(response.status)}.\n")
            code = 8
            continue
        target = parsed.get("-O") or (_remote_name(url) or "index.html")
        if "-P" in parsed and "-O" not in parsed:
            target = f"{parsed.get('-P').rstrip('/')}/{target}"
        try:
            Files(process).write(target, response.body)
        except OSError as error:
            process.err(f"{target}: {explain(error)}\n")
            code = 3
            continue
        if not quiet and "-nv" not in parsed:
            process.err(f"‘{target}’ saved [{len(response.body)}/{len(response.body)}]\n")  # noqa: RUF001 - the real text
    return code


def _split_quiet(arguments: list[str]) -> list[str]:
    """Split `-qO-`, which the option table would take for `-q -O -`, as wget does."""
    return [
        word
        for one in arguments
        for word in (["-q", f"-O{one[3:]}"] if one.startswith("-qO") else [one])
    ]


def _follow(
    process: Process, url: str, headers: dict[str, str], trusted: bytes, verify: bool
) -> HttpResponse:
    for _ in range(20):
        response = send(process.machine, "GET", url, dict(headers), trusted=trusted, verify=verify)
        if response.status not in (301, 302, 303, 307, 308):
            return response
        url = urllib.parse.urljoin(url, response.headers["location"])
    return response


def _wget_text(error: WebError) -> str:
    where = f"Connecting to {error.host} ({error.host})|{error.address}|:{error.port}..."
    return {
        "name": f"wget: unable to resolve host address ‘{error.host}’",  # noqa: RUF001 - the real text
        "refused": f"{where} failed: Connection refused.",
        "timeout": f"{where} failed: Connection timed out.",
        "unreachable": f"{where} failed: No route to host.",
        "tls": f"ERROR: The certificate of ‘{error.host}’ is not trusted.\n"  # noqa: RUF001 - the real text
        f"ERROR: The certificate of ‘{error.host}’ doesn't have a known issuer.",  # noqa: RUF001 - the real text
    }.get(error.kind, str(error))
