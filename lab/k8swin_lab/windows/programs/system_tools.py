"""Small programs about the system: shutdown, hostname, whoami, tasklist, taskkill, reg, w32tm, dism and others."""

from __future__ import annotations

import re

from k8swin_lab.arguments import refuse_option
from k8swin_lab.known import registry as registry_keys
from k8swin_lab.machines.program import NotSimulated, Process
from k8swin_lab.machines.registry import KINDS, Value
from k8swin_lab.network import NetworkError
from k8swin_lab.windows.machine_of import machine_of


def shutdown(process: Process) -> int:
    """shutdown.exe /r | /s | /a with /t, /f, /c and /d."""
    machine = machine_of(process)
    words, delay, mode = process.argv[1:], 30.0, ""
    forced_now = False
    index = 0
    while index < len(words):
        option = words[index].lower().replace("-", "/", 1)
        index += 1
        if option in ("/r", "/s", "/a"):
            mode = option
        elif option == "/g":
            mode = "/r"
        elif option == "/p":
            mode, forced_now = "/s", True
        elif option == "/f":
            continue
        elif option == "/t" and index < len(words) and words[index].isdigit():
            delay = float(words[index])
            index += 1
        elif option in ("/c", "/d") and index < len(words):
            index += 1
        else:
            refuse_option("shutdown.exe", option)
            process.err(
                "Usage: shutdown [/i | /l | /s | /sg | /r | /g | /a | /p | /h | /e | /o] ...\r\n"
            )
            return 87
    if mode == "/a":
        if machine.abort_shutdown():
            return 0
        process.err(
            "Unable to abort the system shutdown because no shutdown was in progress.(1116)\r\n"
        )
        return 1116
    if not mode:
        process.err(
            "Usage: shutdown [/i | /l | /s | /sg | /r | /g | /a | /p | /h | /e | /o] ...\r\n"
        )
        return 0
    if not machine.schedule_shutdown(0 if forced_now else delay, restart=mode == "/r"):
        process.err("A system shutdown has already been scheduled.(1190)\r\n")
        return 1190
    return 0


def hostname(process: Process) -> int:
    process.out(machine_of(process).computer_name.lower() + "\r\n")
    return 0


def whoami(process: Process) -> int:
    machine = machine_of(process)
    user = process.user if "\\" in process.user else f"{machine.computer_name}\\{process.user}"
    words = [w.lower() for w in process.argv[1:]]
    if not words:
        process.out(machine.locale.shown(user).lower() + "\r\n")
        return 0
    if words == ["/groups"]:
        process.out("\r\nGROUP INFORMATION\r\n-----------------\r\n\r\n"
                    f"{machine.locale.account('S-1-5-32-544'):<38} Alias            S-1-5-32-544 Mandatory group, "
                    "Enabled by default, Enabled group, Group owner\r\n"
                    "Mandatory Label\\High Mandatory Level  Label            S-1-16-12288\r\n")  # fmt: skip
        return 0
    raise NotSimulated(f"whoami.exe {' '.join(words)}")


def ver_text(process: Process) -> str:
    """What `ver` prints."""
    return f"Microsoft Windows [Version {machine_of(process).edition.full}]"


def tasklist(process: Process) -> int:
    machine = machine_of(process)
    words = process.argv[1:]
    entries = sorted(machine.processes.running.values(), key=lambda e: e.pid)
    header, form, services = True, "table", False
    index = 0
    while index < len(words):
        option = words[index].lower()
        index += 1
        if option == "/nh":
            header = False
        elif option == "/fo" and index < len(words):
            form = words[index].lower()
            index += 1
        elif option == "/svc":
            services = True
        elif option == "/fi" and index < len(words):
            found = re.fullmatch(
                r"(imagename|pid)\s+eq\s+(\S+)", words[index].strip(), re.IGNORECASE
            )
            if found is None:
                raise NotSimulated(f"tasklist.exe /FI {words[index]}")
            wanted = found[2].lower()
            entries = [
                e
                for e in entries
                if wanted
                in ((e.name.lower(),) if found[1].lower() == "imagename" else (str(e.pid),))
            ]
            index += 1
        else:
            raise NotSimulated(f"tasklist.exe {option}")
    if services or form not in ("table", "csv"):
        raise NotSimulated("tasklist.exe /SVC" if services else f"tasklist.exe /FO {form}")
    if not entries:
        process.out("INFO: No tasks are running which match the specified criteria.\r\n")
        return 0
    if form == "csv":
        if header:
            process.out('"Image Name","PID","Session Name","Session#","Mem Usage"\r\n')
        for e in entries:
            process.out(f'"{e.name}","{e.pid}","Services","0","{e.memory // 1024:,} K"\r\n')
        return 0
    if header:
        process.out("\r\nImage Name                     PID Session Name        Session#    Mem Usage\r\n"
                    "========================= ======== ================ =========== ============\r\n")  # fmt: skip
    for e in entries:
        process.out(
            f"{e.name[:25]:<25} {e.pid:>8} {'Services':<16} {0:>11} {f'{e.memory // 1024:,} K':>12}\r\n"
        )
    return 0


def taskkill(process: Process) -> int:
    machine = machine_of(process)
    words = process.argv[1:]
    names: list[str] = []
    pids: list[str] = []
    index = 0
    while index < len(words):
        option = words[index].lower()
        index += 1
        if option in ("/im", "/pid") and index < len(words):
            (names if option == "/im" else pids).append(words[index].lower())
            index += 1
        elif option in ("/f", "/t"):
            continue
        else:
            raise NotSimulated(f"taskkill.exe {option}")
    code = 0
    for wanted in [*names, *pids]:
        found = [
            e
            for e in list(machine.processes.running.values())
            if wanted in (e.name.lower(), str(e.pid))
        ]
        if not found:
            process.err(f'ERROR: The process "{wanted}" not found.\r\n')
            code = 128
        for entry in found:
            if entry.process is None:
                process.err(
                    f'ERROR: The process "{entry.name}" with PID {entry.pid} could not be terminated.\r\nReason: Access is denied.\r\n'
                )
                code = 1
                continue
            machine.processes.kill(entry)
            process.out(
                f'SUCCESS: The process "{entry.name}" with PID {entry.pid} has been terminated.\r\n'
            )
    return code


def reg(process: Process) -> int:
    """reg.exe query, add and delete."""
    machine = machine_of(process)
    words = process.argv[1:]
    if len(words) < 2 or words[0].lower() not in ("query", "add", "delete"):
        refuse_option("reg.exe", words[0] if words else "/?")
        process.err('ERROR: Invalid syntax.\r\nType "REG /?" for usage.\r\n')
        return 1
    verb, path, rest = words[0].lower(), words[1], words[2:]
    given: dict[str, str] = {}
    index = 0
    while index < len(rest):
        option = rest[index].lower()
        index += 1
        if option in (("/v",) if verb == "query" else ("/v", "/t", "/d")):
            given[option] = rest[index] if index < len(rest) else ""
            index += 1
        elif option in (
            ("/ve", "/s", "/reg:64") if verb == "query" else ("/ve", "/f", "/va", "/reg:64")
        ):
            given[option] = ""
        else:
            refuse_option(f"reg-{verb}.exe", option)
            process.err(f'ERROR: Invalid syntax.\r\nType "REG {verb.upper()} /?" for usage.\r\n')
            return 1
    registry = machine.registry
    missing = "ERROR: The system was unable to find the specified registry key or value.\r\n"
    name = given.get("/v", "")
    if verb == "add":
        kind = given.get("/t", "REG_SZ").upper()
        if kind not in KINDS:
            process.err("ERROR: Invalid syntax. Specify valid numeric value for '/t'.\r\n")
            return 1
        registry.create(path)
        if "/v" in given or "/ve" in given or "/d" in given:
            text = given.get("/d", "")
            content: object = text
            if kind in ("REG_DWORD", "REG_QWORD"):
                content = int(text or "0", 0)
            elif kind == "REG_MULTI_SZ":
                content = text.split("\\0") if text else []
            elif kind == "REG_BINARY":
                content = bytes.fromhex(text)
            registry.set(path, name, content, kind)
        process.out("The operation completed successfully.\r\n")
        return 0
    key = registry.key(path)
    if key is None and registry_keys.has_key(path):
        raise NotSimulated(f"the key {path}")
    if key is None:
        process.err(missing)
        return 1
    if verb == "delete":
        if "/v" in given:
            if not registry.unset(path, name):
                process.err(missing)
                return 1
        elif "/va" in given:
            key.values.clear()
        else:
            registry.delete(path)
        process.out("The operation completed successfully.\r\n")
        return 0
    shown = list(registry.walk(path)) if "/s" in given else [(registry.full_name(path), key)]
    hit = False
    for full, each in shown:
        values = [v for v in list(each.values.values()) if ("/v" not in given or v.name.lower() == name.lower())
                  and ("/ve" not in given or not v.name)]  # fmt: skip
        if ("/v" in given or "/ve" in given) and not values:
            continue
        hit = True
        process.out(f"\r\n{full}\r\n")
        for value in values:
            process.out(
                f"    {value.name or '(Default)'}    {value.kind}    {_reg_text(value)}\r\n"
            )
        if "/v" not in given and "/s" not in given:
            process.out("".join(f"{full}\\{child}\r\n" for child in registry.subkeys(path)))
    if not hit:
        process.err(missing)
        return 1
    process.out("\r\n")
    return 0


def _reg_text(value: Value) -> str:
    if value.kind in ("REG_DWORD", "REG_QWORD"):
        return f"0x{int(value.content):x}"
    if value.kind == "REG_MULTI_SZ":
        return "\\0".join(value.content)
    return str(value.content.hex().upper() if value.kind == "REG_BINARY" else value.content)


def w32tm(process: Process) -> int:
    words = [w.lower() for w in process.argv[1:]]
    if machine_of(process).services.state("W32Time") != "Running":
        process.out(
            "The following error occurred: The service has not been started. (0x80070426)\r\n"
        )
        return 0x80070426 - 2**32
    machine = machine_of(process)
    peers = str(machine.registry.get(_TIME, "NtpServer", "time.windows.com,0x8"))
    source = (
        "VM IC Time Synchronization Provider "
        if machine.registry.get(_TIME, "Type", "NT5DS") != "NTP"
        else peers.split()[0]
    )
    if words in (["/query", "/status"], ["/query", "/status", "/verbose"]):
        process.out("Leap Indicator: 0(no warning)\r\nStratum: 3 (secondary reference - syncd by (S)NTP)\r\n"
                    "Precision: -23 (119.209ns per tick)\r\nRoot Delay: 0.0001000s\r\nRoot Dispersion: 0.0100000s\r\n"
                    f"Source: {source}\r\nPoll Interval: 6 (64s)\r\n\r\n")  # fmt: skip
        if len(words) == 3:
            process.out(f"Phase Offset: {machine.clock_offset:.7f}s\r\nState Machine: 2 (Sync)\r\nLast Sync Error: 0 (The command completed "
                        "successfully.)\r\n\r\n")  # fmt: skip
        return 0
    if words == ["/query", "/source"]:
        process.out(source + "\r\n")
        return 0
    if words == ["/query", "/peers"]:
        names = peers.split()
        process.out(
            f"#Peers: {len(names)}\r\n\r\n"
            + "".join(f"Peer: {name}\r\nState: Active\r\n\r\n" for name in names)
        )
        return 0
    if words and words[0] == "/config":
        return _configure_time(process)
    if words and words[0] == "/stripchart":
        return _strip_chart(process, words)
    if (
        words
        and words[0] == "/resync"
        and set(words[1:]) <= {"/force", "/rediscover", "/nowait", "/soft"}
    ):
        machine.step_clock(-machine.clock_offset)
        process.out(
            "Sending resync command to local computer\r\nThe command completed successfully.\r\n"
        )
        return 0
    raise NotSimulated(f"w32tm.exe {' '.join(words)}")


_TIME = r"HKLM\SYSTEM\CurrentControlSet\Services\W32Time\Parameters"


def _configure_time(process: Process) -> int:
    registry = machine_of(process).registry
    for word in process.argv[2:]:
        name, _, value = word.partition(":")
        if name.lower() == "/manualpeerlist":
            registry.set(_TIME, "NtpServer", value.strip('"'))
        elif name.lower() == "/syncfromflags":
            kinds = {"manual": "NTP", "domhier": "NT5DS", "no": "NoSync", "all": "AllSync"}
            if value.lower() not in kinds:
                process.out("The command /config is unknown.\r\n")
                return 1
            registry.set(_TIME, "Type", kinds[value.lower()])
        elif name.lower() == "/reliable":
            registry.set(_TIME, "Reliable", value)
        elif name.lower() != "/update":
            raise NotSimulated(f"w32tm.exe /config {word}")
    process.out("The command completed successfully.\r\n")
    return 0


def _strip_chart(process: Process, words: list[str]) -> int:
    import time

    machine = machine_of(process)
    options = dict(word.partition(":")[::2] for word in words[1:])
    unknown = set(options) - {"/computer", "/samples", "/dataonly", "/period"}
    if unknown or "/computer" not in options:
        raise NotSimulated(f"w32tm.exe /stripchart {' '.join(sorted(unknown))}")
    name = options["/computer"]
    process.out(f"Tracking {name}.\r\nCollecting {options.get('/samples', '1')} samples.\r\n")
    try:
        machine.network.resolve(machine, name)
    except NetworkError:
        process.out("The following error occurred: No such host is known. (0x80072AF9)\r\n")
        return 0x80072AF9 - 2**32
    for _ in range(int(options.get("/samples", "1"))):
        clock = time.strftime("%H:%M:%S", time.gmtime(machine.now()))
        process.out(f"{clock}, {-machine.clock_offset:+.7f}s\r\n")
    return 0


def tzutil(process: Process) -> int:
    if process.argv[1:] == ["/g"]:
        process.out("UTC")
        return 0
    raise NotSimulated(f"tzutil.exe {' '.join(process.argv[1:])}")


def dism(process: Process) -> int:
    """dism.exe /online /enable-feature | /disable-feature | /get-featureinfo /featurename:X."""
    machine = machine_of(process)
    words = [w.lower() for w in process.argv[1:]]
    name = next((w.partition(":")[2] for w in words if w.startswith("/featurename:")), "")
    feature = next((f for f in machine.features.all if f.optional_name.lower() == name), None)
    known = {
        "/online",
        "/enable-feature",
        "/disable-feature",
        "/get-featureinfo",
        "/norestart",
        "/all",
        "/quiet",
        "/english",
    }
    unknown = [w for w in words if w not in known and not w.startswith("/featurename:")]
    if unknown or "/online" not in words:
        raise NotSimulated(f"dism.exe {' '.join(unknown) or 'without /online'}")
    process.out("\r\nDeployment Image Servicing and Management tool\r\n"
                f"Version: 10.0.{machine.edition.build}.1\r\n\r\nImage Version: {machine.edition.full}\r\n\r\n")  # fmt: skip
    if feature is None:
        process.out(f"\r\nError: 0x800f080c\r\n\r\nFeature name {name} is unknown.\r\n")
        return 0x800F080C - 2**32
    if "/get-featureinfo" in words:
        state = {"Installed": "Enabled", "InstallPending": "Enable Pending"}.get(
            feature.state, "Disabled"
        )
        process.out(f"Feature Information:\r\n\r\nFeature Name : {feature.optional_name}\r\nState : {state}\r\n\r\n"
                    "The operation completed successfully.\r\n")  # fmt: skip
        return 0
    restart = (
        machine.features.install(feature)
        if "/enable-feature" in words
        else machine.features.remove(feature)
    )
    process.out("The operation completed successfully.\r\n")
    if restart and "/norestart" not in words:
        if "/quiet" in words:
            machine.schedule_shutdown(1, restart=True)
        else:
            process.out("Restart Windows to complete this operation.\r\n")
    return 3010 if restart else 0


def systeminfo(process: Process) -> int:
    machine = machine_of(process)
    if process.argv[1:]:
        raise NotSimulated(f"systeminfo.exe {' '.join(process.argv[1:])}")
    facts = (
        ("Host Name", machine.computer_name), ("OS Name", machine.edition.caption),
        ("OS Version", f"10.0.{machine.edition.build} N/A Build {machine.edition.build}"),
        ("OS Configuration", "Standalone Server"), ("System Manufacturer", "Microsoft Corporation"),
        ("System Model", "Virtual Machine"), ("System Type", "x64-based PC"),
        ("Total Physical Memory", f"{machine.memory_bytes // 1024**2:,} MB"), ("Domain", machine.domain or "WORKGROUP"),
    )  # fmt: skip
    process.out("\r\n" + "".join(f"{name + ':':<26} {value}\r\n" for name, value in facts))
    return 0
