"""curl, ipconfig, ping, route and nslookup."""

from __future__ import annotations

import urllib.parse

from k8swin_lab.arguments import refuse_option
from k8swin_lab.machines.program import NotSimulated, Process
from k8swin_lab.machines.windows_network import Route
from k8swin_lab.network import NetworkError
from k8swin_lab.web_client import refuse_answer, refuse_host
from k8swin_lab.windows.machine_of import full_path, machine_of
from k8swin_lab.windows.objects import matches
from k8swin_lab.windows.web import fetch, unrevokable

_CODES = {
    "name": 6,
    "refused": 7,
    "unreachable": 7,
    "timeout": 28,
    "tls": 60,
    "revocation": 35,
    "redirect": 47,
    "protocol": 1,
}
_FLAGS = "fsSLkIivOgq"
_VALUED = {"o": "output", "H": "header", "X": "request", "d": "data", "m": "max-time", "w": "write-out", "u": "user",
           "A": "user-agent", "x": "proxy"}  # fmt: skip
_LONG_FLAGS = {"fail": "f", "silent": "s", "show-error": "S", "location": "L", "insecure": "k", "head": "I", "include": "i",
               "verbose": "v", "remote-name": "O", "ssl-no-revoke": "R", "retry-all-errors": "", "retry-connrefused": "",
               "create-dirs": "", "globoff": "g", "no-progress-meter": "s", "compressed": ""}  # fmt: skip
_LONG_VALUED = ("output", "header", "request", "data", "max-time", "write-out", "user", "user-agent", "connect-timeout", "retry",
                "retry-delay", "retry-max-time", "cacert", "proxy", "noproxy")  # fmt: skip


def curl(process: Process) -> int:
    """curl.exe with the options that installers use."""
    machine = machine_of(process)
    flags: set[str] = set()
    values: dict[str, list[str]] = {}
    urls: list[str] = []
    words, index = process.argv[1:], 0
    while index < len(words):
        word = words[index]
        index += 1
        if word.startswith("--"):
            name = word[2:]
            if name in _LONG_FLAGS:
                flags.add(_LONG_FLAGS[name])
            elif name in _LONG_VALUED and index < len(words):
                values.setdefault(name, []).append(words[index])
                index += 1
            elif name == "version":
                process.out("curl 8.4.0 (Windows) libcurl/8.4.0 Schannel WinIDN\r\n")
                return 0
            else:
                refuse_option("curl.exe", word)
                process.err(
                    f"curl: option {word}: is unknown\r\ncurl: try 'curl --help' for more information\r\n"
                )
                return 2
        elif word.startswith("-") and len(word) > 1:
            letters = word[1:]
            while letters:
                letter, letters = letters[0], letters[1:]
                if letter in _VALUED:
                    value = letters
                    if not value:
                        if index >= len(words):
                            process.err(f"curl: option -{letter}: requires parameter\r\n")
                            return 2
                        value = words[index]
                        index += 1
                    values.setdefault(_VALUED[letter], []).append(value)
                    break
                if letter not in _FLAGS:
                    refuse_option("curl.exe", f"-{letter}")
                    process.err(
                        f"curl: option -{letter}: is unknown\r\ncurl: try 'curl --help' for more information\r\n"
                    )
                    return 2
                flags.add(letter)
        else:
            urls.append(word)
    if not urls:
        process.err("curl: (2) no URL specified\r\n")
        return 2
    if "proxy" in values or "v" in flags or "user" in values:
        raise NotSimulated("curl.exe -x, -v and -u")
    quiet = "s" in flags and "S" not in flags

    def failed(code: int, text: str) -> int:
        if not quiet:
            process.err(f"curl: ({code}) {text}\r\n")
        return code

    headers = {
        h.partition(":")[0].strip(): h.partition(":")[2].strip() for h in values.get("header", [])
    }
    body = "&".join(values.get("data", [])).encode()
    method = values.get("request", ["HEAD" if "I" in flags else "POST" if body else "GET"])[-1]
    attempts = 1 + int(values.get("retry", ["0"])[-1])
    authority = (
        machine.files.read(full_path(process, values["cacert"][-1])) if "cacert" in values else None
    )
    for url in urls:
        if "://" not in url:
            url = "http://" + url
        error: NetworkError | None = None
        for attempt in range(attempts):
            if attempt:
                process.cancelled.wait(float(values.get("retry-delay", ["1"])[-1]) * machine.pace)
            try:
                response, last = fetch(
                    machine, method, url, headers=headers, body=body, redirects=50 if "L" in flags else 0,
                    insecure="k" in flags, authority=authority,
                )  # fmt: skip
                error = None
                refuse_answer(response)
                if (
                    "k" not in flags
                    and "R" not in flags
                    and "cacert" not in values
                    and unrevokable(machine, url)
                ):
                    error = NetworkError("revocation", "no revocation list")
                    break
            except NetworkError as caught:
                error = caught
                if caught.kind == "name":
                    refuse_host(machine, urllib.parse.urlsplit(url).hostname or "")
                if caught.kind in ("name", "tls", "refused", "protocol"):
                    break
                continue
            if response.status not in (408, 429, 500, 502, 503, 504):
                break
        host = urllib.parse.urlsplit(url)
        if error is not None:
            port = host.port or (443 if host.scheme == "https" else 80)
            texts = {
                "name": f"Could not resolve host: {host.hostname}",
                "tls": "schannel: SEC_E_UNTRUSTED_ROOT (0x80090325) - The certificate chain was issued by an authority that is "
                "not trusted.",
                "revocation": "schannel: next InitializeSecurityContext failed: CRYPT_E_REVOCATION_OFFLINE (0x80092013) - "
                "The revocation function was unable to check revocation because the revocation server was offline.",
                "timeout": f"Failed to connect to {host.hostname} port {port} after 21045 ms: Timed out",
                "redirect": str(error),
            }
            return failed(
                _CODES.get(error.kind, 7),
                texts.get(
                    error.kind,
                    f"Failed to connect to {host.hostname} port {port} after 2045 ms: Couldn't connect to server",
                ),
            )
        if "f" in flags and response.status >= 400:
            return failed(22, f"The requested URL returned error: {response.status}")
        content = response.body
        if "I" in flags or "i" in flags:
            head = f"HTTP/1.1 {response.status} \r\n" + "".join(
                f"{k}: {v}\r\n" for k, v in response.headers.items()
            )
            content = head.encode() + b"\r\n" + (b"" if "I" in flags else content)
        target = values.get("output", [""])[-1] or (
            last.rpartition("/")[2].partition("?")[0] if "O" in flags else ""
        )
        if "O" in flags and "output" not in values:
            target = url.rpartition("/")[2].partition("?")[0]
        if target and target.lower() != "nul":
            path = full_path(process, target)
            try:
                if "create-dirs" in words:
                    machine.files.make_directory(path.rpartition("\\")[0])
                machine.files.write(path, content)
            except OSError:
                process.err(
                    f"Warning: Failed to open the file {target}: No such file or directory\r\n"
                )
                return failed(23, "Failure writing output to destination")
        elif not target:
            process.stdout.write(content)
        if "write-out" in values:
            text = (
                values["write-out"][-1]
                .replace("%{http_code}", f"{response.status:03}")
                .replace("%{url_effective}", last)
            )
            if "%{" in text:
                raise NotSimulated(f"curl.exe -w {text}")
            process.out(text.replace("\\n", "\n").replace("\\r", "\r"))
    return 0


def ipconfig(process: Process) -> int:
    machine = machine_of(process)
    words = [w.lower() for w in process.argv[1:]]
    if words[:1] in (["/renew"], ["/release"]) and len(words) == 2:
        if not any(matches(a.name, words[1]) for a in machine.net.adapters):
            process.out(
                "\r\nWindows IP Configuration\r\n\r\nThe operation failed as no adapter is in the state permissible for \r\n"
                "this operation.\r\n"
            )
            return 1
        words = words[:1]
    if words in (["/flushdns"], ["/registerdns"], ["/renew"], ["/release"]):
        process.out("\r\nWindows IP Configuration\r\n\r\n")
        if words == ["/flushdns"]:
            process.out("Successfully flushed the DNS Resolver Cache.\r\n")
        return 0
    if words not in ([], ["/all"]):
        raise NotSimulated(f"ipconfig.exe {' '.join(words)}")
    say = machine.locale.words.say
    process.out(f"\r\n{say('Windows IP Configuration')}\r\n\r\n")
    if words:
        process.out(
            f"   Host Name . . . . . . . . . . . . : {machine.computer_name.lower()}\r\n\r\n"
        )
    for adapter in machine.net.adapters:
        own = [a for a in machine.net.addresses if a.index == adapter.index]
        if not own:
            continue
        process.out(
            f"\r\n{say('Ethernet adapter {}:').format(adapter.name)}\r\n\r\n   Connection-specific DNS Suffix  . : \r\n"
        )
        if words:
            process.out(f"   Description . . . . . . . . . . . : {adapter.description}\r\n"
                        f"   Physical Address. . . . . . . . . : {adapter.mac}\r\n"
                        f"   DHCP Enabled. . . . . . . . . . . : {'Yes' if adapter.dhcp else 'No'}\r\n")  # fmt: skip
        for address in own:
            mask = netmask(address.length)
            process.out(
                f"   IPv4 Address. . . . . . . . . . . : {address.address}\r\n   Subnet Mask . . . . . . . . . . . : {mask}\r\n"
            )
        gateway = next(
            (
                r.next_hop
                for r in machine.net.routes
                if r.index == adapter.index and r.prefix == "0.0.0.0/0"
            ),
            "",
        )
        process.out(f"   Default Gateway . . . . . . . . . : {gateway}\r\n")
        if words and adapter.dns:
            process.out(f"   DNS Servers . . . . . . . . . . . : {adapter.dns[0]}\r\n")
    return 0


def netmask(length: int) -> str:
    """Return the mask of a prefix: 24 gives 255.255.255.0."""
    number = (0xFFFFFFFF << (32 - length)) & 0xFFFFFFFF
    return ".".join(str(number >> shift & 255) for shift in (24, 16, 8, 0))


def ping(process: Process) -> int:
    machine = machine_of(process)
    words, count, name, index, forever = process.argv[1:], 4, "", 0, False
    while index < len(words):
        option = words[index].lower()
        index += 1
        if option in ("-n", "/n", "-w", "/w"):
            count = int(words[index]) if option[1] == "n" else count
            index += 1
        elif option in ("-t", "/t"):
            forever = True
        elif option[0] in "-/" and option[1:] not in ("4",):
            raise NotSimulated(f"ping.exe {option}")
        elif option[0] not in "-/":
            name = words[index - 1]
    try:
        address = machine.network.resolve(machine, name)
    except NetworkError:
        refuse_host(machine, name)
        process.out(
            f"Ping request could not find host {name}. Please check the name and try again.\r\n"
        )
        return 1
    target = machine.network.machine_at(address)
    alive = address in ("127.0.0.1", machine.address) or (
        target is not None and target.reachable and machine.reachable
    )
    process.out(f"\r\nPinging {name} with 32 bytes of data:\r\n")
    line = (
        f"Reply from {address}: bytes=32 time<1ms TTL=128\r\n"
        if alive
        else "Request timed out.\r\n"
    )
    sent = 0
    while forever or sent < count:
        # A second lies between two of them, as long as nobody ends the program.
        if sent and process.cancelled.wait(1):
            return 0xC000013A - 2**32
        process.out(line)
        sent += 1
    got = count if alive else 0
    process.out(f"\r\nPing statistics for {address}:\r\n    Packets: Sent = {count}, Received = {got}, Lost = {count - got} "
                f"({0 if alive else 100}% loss),\r\n")  # fmt: skip
    return 0 if alive else 1


def route(process: Process) -> int:
    """route.exe print, add and delete (IPv4)."""
    machine = machine_of(process)
    words = [w.lower() for w in process.argv[1:] if w.lower() not in ("-4", "-p", "/p")]
    persistent = any(w.lower() in ("-p", "/p") for w in process.argv[1:])
    if words[:1] == ["print"]:
        process.out("IPv4 Route Table\r\n" + "=" * 75 + "\r\nActive Routes:\r\n"
                    "Network Destination        Netmask          Gateway       Interface  Metric\r\n")  # fmt: skip
        for entry in machine.net.route_table():
            network, _, length = entry.prefix.partition("/")
            gateway = entry.next_hop if entry.protocol != "Local" else "On-link"
            own = next((a.address for a in machine.net.addresses if a.index == entry.index), "")
            process.out(
                f"{network:>17}{netmask(int(length)):>17}{gateway:>17}{own:>16}{entry.metric:>7}\r\n"
            )
        process.out("=" * 75 + "\r\n")
        return 0
    if words[:1] == ["add"] and len(words) >= 5 and words[2] == "mask":
        ones = sum(bin(int(part)).count("1") for part in words[3].split("."))
        machine.net.routes.append(
            Route(f"{words[1]}/{ones}", words[4], machine.net.primary().index, 1, persistent)
        )
        process.out(" OK!\r\n")
        return 0
    if words[:1] == ["delete"] and len(words) >= 2:
        kept = [r for r in machine.net.routes if r.prefix.partition("/")[0] != words[1]]
        if len(kept) == len(machine.net.routes):
            process.err("The route deletion failed: Element not found.\r\n\r\n")
            return 1
        machine.net.routes = kept
        process.out(" OK!\r\n")
        return 0
    raise NotSimulated(f"route.exe {' '.join(words)}")


def nslookup(process: Process) -> int:
    machine = machine_of(process)
    words = [w for w in process.argv[1:] if not w.startswith("-")]
    for option in process.argv[1:]:
        if option.startswith("-") and option.lower() not in ("-type=a", "-q=a", "-querytype=a"):
            raise NotSimulated(f"nslookup.exe {option}")
    if not words:
        raise NotSimulated("an interactive nslookup.exe")
    server = (machine.net.primary().dns or ["127.0.0.1"])[0]
    process.out(f"Server:  UnKnown\r\nAddress:  {server}\r\n\r\n")
    try:
        address = machine.network.resolve(machine, words[0])
    except NetworkError:
        refuse_host(machine, words[0])
        process.err(f"*** UnKnown can't find {words[0]}: Non-existent domain\r\n")
        return 1
    process.out(f"Name:    {words[0]}\r\nAddress:  {address}\r\n\r\n")
    return 0
