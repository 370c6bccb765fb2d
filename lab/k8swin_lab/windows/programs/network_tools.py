"""curl, ipconfig, ping, route, netsh and nslookup."""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Callable

from k8swin_lab.arguments import refuse_option
from k8swin_lab.known import options
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
            mask = _mask(address.length)
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


def _mask(length: int) -> str:
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
                f"{network:>17}{_mask(int(length)):>17}{gateway:>17}{own:>16}{entry.metric:>7}\r\n"
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


def netsh(process: Process) -> int:
    """netsh.exe: port ranges, forwarding, the WinHTTP proxy, and the firewall's basics."""
    words = [w.lower() for w in process.argv[1:]]
    text = " ".join(words)
    text = re.sub(r"^(?:int|interface) ip(?:v4)? ", "interface ipv4 ", text)
    for pattern, action in _NETSH:
        found = re.fullmatch(pattern, text)
        if found is not None:
            return action(process, found)
    if not words:
        raise NotSimulated("an interactive netsh.exe")
    if words[0] in options.of("netsh.exe"):
        raise NotSimulated(f"netsh.exe {text}")
    process.out(f"The following command was not found: {' '.join(process.argv[1:])}.\r\n")
    return 1


def _say(process: Process, text: str) -> None:
    """Write an answer of netsh in the language of the machine."""
    process.out(f"{machine_of(process).locale.words.say(text)}\r\n\r\n")


def _excluded(process: Process, found: re.Match[str]) -> int:
    ranges = [(5985, 5985, ""), (47001, 47001, "")]
    ranges += [(a, b, "     *") for a, b in machine_of(process).net.excluded_ports[found[1]]]
    rows = "".join(f"{a:>10}{b:>12}{mark} \r\n" for a, b, mark in sorted(ranges))
    say = machine_of(process).locale.words.say
    title = say("Protocol {} Port Exclusion Ranges").format(found[1])
    process.out(f"\r\n{title}\r\n\r\n{say('Start Port    End Port')}      \r\n----------    --------      \r\n"
                f"{rows}\r\n{say('* - Administered port exclusions.')}\r\n\r\n")  # fmt: skip
    return 0


def _exclude(process: Process, found: re.Match[str]) -> int:
    first, count = int(found[3]), int(found[4])
    ranges = machine_of(process).net.excluded_ports[found[2]]
    wanted = (first, first + count - 1)
    if found[1] == "delete":
        if wanted not in ranges:
            _say(process, "The system cannot find the file specified.")
            return 1
        ranges.remove(wanted)
    elif (
        count < 1 or first + count > 65536 or any(a <= wanted[1] and first <= b for a, b in ranges)
    ):
        _say(
            process,
            "The process cannot access the file because it is being used by another process.",
        )
        return 1
    else:
        ranges.append(wanted)
    _say(process, "Ok.")
    return 0


def _dynamic(process: Process, found: re.Match[str]) -> int:
    start, count = machine_of(process).net.dynamic_ports[found[1]]
    say = machine_of(process).locale.words.say
    title = say("Protocol {} Dynamic Port Range").format(found[1])
    process.out(f"\r\n{title}\r\n---------------------------------\r\n{say('Start Port      : {}').format(start)}\r\n"
                f"{say('Number of Ports : {}').format(count)}\r\n\r\n")  # fmt: skip
    return 0


def _set_dynamic(process: Process, found: re.Match[str]) -> int:
    start, count = int(found[2]), int(found[3])
    if start < 1025 or count < 255 or start + count > 65536:
        _say(process, "The parameter is incorrect.")
        return 1
    machine_of(process).net.dynamic_ports[found[1]] = (start, count)
    _say(process, "Ok.")
    return 0


def _proxy(process: Process, found: re.Match[str]) -> int:
    say = machine_of(process).locale.words.say
    process.out(
        f"\r\n{say('Current WinHTTP proxy settings:')}\r\n\r\n    {say('Direct access (no proxy server).')}\r\n\r\n"
    )
    return 0


def _forwarding(process: Process, found: re.Match[str]) -> int:
    name = found[1].strip('"')
    net = machine_of(process).net
    adapter = net.adapter(index=int(name)) if name.isdigit() else net.adapter(name=name)
    if adapter is None:
        _say(process, "The filename, directory name, or volume label syntax is incorrect.")
        return 1
    adapter.forwarding = found[2] == "enabled"
    _say(process, "Ok.")
    return 0


def _configuration(process: Process, found: re.Match[str]) -> int:
    """`show config`, with or without an interface: flanneld 0.11 and 0.12 read its English words."""
    net = machine_of(process).net
    say = machine_of(process).locale.words.say
    wanted = (found[1] or "").strip('"')
    adapters = [a for a in net.adapters if wanted in ("", a.name.lower(), str(a.index))]
    if not adapters:
        _say(process, "The filename, directory name, or volume label syntax is incorrect.")
        return 1
    for adapter in adapters:
        title = say('Configuration for interface "{}"').format(adapter.name)
        lines = [(say("DHCP enabled"), say("Yes" if adapter.dhcp else "No"))]
        for address in net.addresses:
            if address.index == adapter.index:
                prefix = f"{address.network} ({say('mask')} {_mask(address.length)})"
                lines += [(say("IP Address"), address.address), (say("Subnet Prefix"), prefix)]
        for route in net.routes:
            if route.index == adapter.index and route.prefix == "0.0.0.0/0":
                lines += [
                    (say("Default Gateway"), route.next_hop),
                    (say("Gateway Metric"), str(route.metric)),
                ]
        lines.append((say("InterfaceMetric"), str(adapter.metric)))
        body = "".join(f"    {name + ':':<38}{value}\r\n" for name, value in lines)
        process.out(f"\r\n{title}\r\n{body}")
    process.out("\r\n")
    return 0


def _firewall_off(process: Process, found: re.Match[str]) -> int:
    net = machine_of(process).net
    for name in net.profiles_enabled:
        if found[1] in ("all", name.lower()):
            net.profiles_enabled[name] = found[2] == "on"
    _say(process, "Ok.")
    return 0


_NETSH: tuple[tuple[str, Callable[[Process, re.Match[str]], int]], ...] = (
    (r"interface ipv4 show excludedportrange (?:protocol=)?(tcp|udp)(?: store=(?:active|persistent))?", _excluded),
    (r"interface ipv4 (add|delete) excludedportrange (?:protocol=)?(tcp|udp) (?:startport=)?(\d+) (?:numberofports=)?(\d+)"
     r"(?: (?:store=)?(?:active|persistent))?", _exclude),
    (r"interface ipv4 show dynamic(?:port|portrange)? ?(?:protocol=)?(tcp|udp)", _dynamic),
    (r"interface ipv4 set dynamic(?:port|portrange)? (?:protocol=)?(tcp|udp) (?:start=|startport=)?(\d+) (?:num=|numberofports=)?(\d+)",
     _set_dynamic),
    (r"interface ipv4 set int(?:erface)? (?:interface=)?(\"[^\"]+\"|.+?) for(?:warding)?=(enabled|disabled)",
     _forwarding),
    (r"interface ipv4 show (?:config|addresses)(?: (?:name=)?(\"[^\"]+\"|.+))?", _configuration),
    (r"winhttp show proxy", _proxy),
    (r"advfirewall set (all|domain|private|public)profiles? state (on|off)", _firewall_off),
)  # fmt: skip
