"""tar, icacls, takeown, certutil, where, findstr and find."""

from __future__ import annotations

import hashlib
import io
import re
import tarfile
import zipfile
from collections.abc import Iterator
from typing import TYPE_CHECKING

from k8swin_lab.arguments import refuse_option
from k8swin_lab.machines.program import NotSimulated, Process
from k8swin_lab.machines.windows_files import AccessList, AccessRule
from k8swin_lab.windows.machine_of import full_path, machine_of, variable

if TYPE_CHECKING:
    from k8swin_lab.machines.windows import WindowsMachine


def account(machine: WindowsMachine, text: str) -> str | None:
    """The full English name of an account that a command names by SID (*S-...) or name; None when there is none."""
    machine_name, users = machine.computer_name, machine.users
    if text.startswith("*"):
        return machine.locale.kept(text[1:])
    if sid := machine.locale.sid(text):
        return machine.locale.kept(sid)
    folded = text.lower()
    for prefix in (machine_name.lower() + "\\", ".\\"):
        folded = folded.removeprefix(prefix)
    user = next((u for u in users if u.lower() == folded), None)
    return f"{machine_name}\\{user}" if user else None


def icacls(process: Process) -> int:
    """icacls.exe PATH, with /inheritance, /grant[:r], /deny, /remove, /setowner, /reset, /t, /c, /q."""
    machine = machine_of(process)
    words = process.argv[1:]
    if not words:
        process.out("\r\nICACLS name /save aclfile [/T] [/C] [/L] [/Q]\r\n")
        return 0
    path = full_path(process, words[0])
    if not machine.files.exists(path):
        process.err(f"{words[0]}: The system cannot find the file specified.\r\n")
        process.out("Successfully processed 0 files; Failed processing 1 files\r\n")
        return 2
    options = [w.lower() for w in words[1:]]
    recursive, quiet = "/t" in options, "/q" in options
    targets = [path]
    if recursive:
        targets += _below(process, path)
    for target in targets:
        code = _icacls_one(process, target, words[1:])
        if code:
            return code
        if len(words) > 1 and not quiet:
            process.out(f"processed file: {target}\r\n")
    process.out(f"Successfully processed {len(targets)} files; Failed processing 0 files\r\n")
    return 0


def _below(process: Process, path: str) -> list[str]:
    machine = machine_of(process)
    result = []
    if machine.files.stat(path).is_directory:
        for info in machine.files.list(path):
            result.append(info.path)
            result += _below(process, info.path)
    return result


def _icacls_one(process: Process, path: str, words: list[str]) -> int:
    machine = machine_of(process)
    access = machine.files.access(path)
    if not words:
        first = True
        for rule in access.rules:
            flags = "".join(f"({f})" for f in rule.flags.split(",") if f)
            text = f"{machine.locale.shown(rule.identity)}:{'(I)' if rule.inherited else ''}{'' if rule.allow else '(DENY)'}{flags}({rule.rights})"
            process.out(f"{path if first else ' ' * len(path)} {text}\r\n")
            first = False
        process.out("\r\n")
        return 0
    mode = ""
    for word in words:
        folded = word.lower()
        if folded in ("/t", "/c", "/q", "/l"):
            continue
        if folded.startswith("/inheritance:"):
            kind = folded.partition(":")[2]
            if kind not in ("r", "d", "e"):
                process.err(f'Invalid parameter "{word}"\r\n')
                return 87
            if kind == "d":
                access.rules = [
                    AccessRule(r.identity, r.rights, r.flags, r.allow) for r in access.rules
                ]
            elif kind == "r":
                access.rules = [r for r in access.rules if not r.inherited]
            access.protected = kind != "e"
            mode = ""
        elif folded == "/reset":
            access = AccessList(access.owner)
        elif folded in (
            "/grant",
            "/grant:r",
            "/deny",
            "/remove",
            "/remove:g",
            "/remove:d",
            "/setowner",
        ):
            mode = folded
        elif mode and not folded.startswith("/"):
            code = _icacls_entry(process, access, mode, word)
            if code:
                return code
        else:
            refuse_option("icacls.exe", word)
            process.err(f'Invalid parameter "{word}"\r\n')
            return 87
    machine.files.set_access(path, access)
    return 0


def _icacls_entry(process: Process, access: AccessList, mode: str, word: str) -> int:
    machine = machine_of(process)
    name, _, rights = word.partition(":")
    identity = account(machine, name)
    if identity is None:
        process.err(f"{name}: No mapping between account names and security IDs was done.\r\n")
        return 1332
    if mode == "/setowner":
        access.owner = identity
        return 0
    if mode.startswith("/remove") or mode == "/grant:r":
        access.rules = [r for r in access.rules if r.inherited or r.identity != identity]
    if mode.startswith("/remove"):
        return 0
    groups = re.findall(r"\(([A-Z,]+)\)", rights.upper())
    simple = re.sub(r"\([A-Z,]+\)", "", rights.upper())
    flags = [g for g in groups if g in ("OI", "CI", "IO", "NP")]
    allowed = [g for g in groups if g not in ("OI", "CI", "IO", "NP")] + (
        [simple] if simple else []
    )
    known = {
        "N",
        "F",
        "M",
        "RX",
        "R",
        "W",
        "D",
        "GR",
        "GW",
        "GE",
        "GA",
        "RD",
        "WD",
        "AD",
        "X",
        "DE",
        "RC",
        "S",
    }
    if not allowed or any(part not in known for item in allowed for part in item.split(",")):
        process.err(f'Invalid parameter "{word}"\r\n')
        return 87
    access.rules.insert(
        0, AccessRule(identity, ",".join(allowed), ",".join(flags), mode != "/deny")
    )
    return 0


def takeown(process: Process) -> int:
    machine = machine_of(process)
    words = process.argv[1:]
    if len(words) < 2 or words[0].lower() != "/f":
        raise NotSimulated("takeown.exe without /f")
    path = full_path(process, words[1])
    if not machine.files.exists(path):
        process.err("ERROR: The system cannot find the file specified.\r\n")
        return 1
    access = machine.files.access(path)
    access.owner = f"{machine.computer_name}\\Administrator"
    machine.files.set_access(path, access)
    process.out(
        f'\r\nSUCCESS: The file (or folder): "{path}" now owned by user "{access.owner}".\r\n'
    )
    return 0


def certutil(process: Process) -> int:
    """certutil.exe -hashfile FILE [MD5|SHA1|SHA256|SHA512]."""
    words = process.argv[1:]
    if not words or words[0].lower().lstrip("-/") != "hashfile" or len(words) < 2:
        raise NotSimulated(f"certutil.exe {' '.join(words[:1])}")
    algorithm = (words[2] if len(words) > 2 else "SHA1").upper()
    if algorithm not in ("MD5", "SHA1", "SHA256", "SHA384", "SHA512"):
        process.out(
            "CertUtil: -hashfile command FAILED: 0xd00000bb (-805306181)\r\nCertUtil: The request is not supported.\r\n"
        )
        return 0xD00000BB - 2**32
    try:
        content = machine_of(process).files.read(full_path(process, words[1]))
    except OSError:
        process.out("CertUtil: -hashfile command FAILED: 0x80070002 (WIN32: 2 ERROR_FILE_NOT_FOUND)\r\n"
                    "CertUtil: The system cannot find the file specified.\r\n")  # fmt: skip
        return 0x80070002 - 2**32
    digest = hashlib.new(algorithm.lower(), content).hexdigest()
    process.out(
        f"{algorithm} hash of {words[1]}:\r\n{digest}\r\nCertUtil: -hashfile command completed successfully.\r\n"
    )
    return 0


def where(process: Process) -> int:
    machine = machine_of(process)
    code = 0
    for word in process.argv[1:]:
        if word.lower() != "/q":
            refuse_option("where.exe", word)
    for name in (w for w in process.argv[1:] if w.lower() != "/q"):
        found = machine.find_program(name, variable(process, "Path"), process.cwd)
        if found is None:
            process.err("INFO: Could not find files for the given pattern(s).\r\n")
            code = 1
        else:
            process.out(found + "\r\n")
    return code


_FINDSTR = re.compile(
    r"\\(?P<edge>[<>])|\\(?P<plain>.)|(?P<set>\[\^?[^\]]+\])|(?P<sign>[.*^$])|(?P<other>.)", re.S
)


def _findstr_pattern(text: str) -> str:
    """Findstr's own small language of expressions: . * ^ $ [set] and the edges of words; all else is itself."""
    made = ""
    for found in _FINDSTR.finditer(text):
        if found["edge"]:
            made += r"\b"
        elif found["set"]:
            made += found["set"].replace("\\", r"\\")
        elif found["sign"] == "*" and made in ("", "^"):
            made += r"\*"
        elif found["sign"]:
            made += found["sign"]
        else:
            made += re.escape(found["plain"] or found["other"])
    return made


def findstr(process: Process) -> int:
    """findstr.exe [/i /v /r /l /c:TEXT /n] STRINGS [FILES]."""
    machine = machine_of(process)
    flags, whole, rest = set[str](), list[str](), list[str]()
    for word in process.argv[1:]:
        if word.lower().startswith("/c:"):
            whole.append(word[3:].strip('"'))
        elif word.startswith("/") and len(word) == 2 and word[1].lower() in "ivrln":
            flags.add(word[1].lower())
        elif word.startswith("/"):
            raise NotSimulated(f"findstr.exe {word}")
        else:
            rest.append(word)
    if not whole and not rest:
        process.err("FINDSTR: Bad command line\r\n")
        return 2
    expressions = "r" in flags or ("l" not in flags and not whole)
    wanted = whole or rest.pop(0).split()
    patterns = [_findstr_pattern(p) if expressions else re.escape(p) for p in wanted]
    test = re.compile("|".join(f"(?:{p})" for p in patterns), re.IGNORECASE if "i" in flags else 0)
    sources = [(name, machine.files.read(full_path(process, name))) for name in rest] or [
        ("", process.stdin.read())
    ]
    hits = 0
    for name, content in sources:
        for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), 1):
            if bool(test.search(line)) != ("v" in flags):
                hits += 1
                head = f"{name}:" if len(sources) > 1 else ""
                process.out(f"{head}{f'{number}:' if 'n' in flags else ''}{line}\r\n")
    return 0 if hits else 1


def find(process: Process) -> int:
    """find.exe [/i /v /c] "TEXT" with standard input."""
    flags = {w.lower() for w in process.argv[1:] if w.startswith("/")}
    words = [w for w in process.argv[1:] if not w.startswith("/")]
    if flags - {"/i", "/v", "/c"} or len(words) != 1:
        raise NotSimulated("find.exe with files or other options")
    wanted = words[0].lower() if "/i" in flags else words[0]
    lines = process.stdin.read().decode("utf-8", "replace").splitlines()
    hits = [x for x in lines if (wanted in (x.lower() if "/i" in flags else x)) != ("/v" in flags)]
    process.out(f"{len(hits)}\r\n" if "/c" in flags else "".join(f"{x}\r\n" for x in hits))
    return 0 if hits else 1


def tar(process: Process) -> int:
    """tar.exe -x, -t or -c of tar, tar.gz and zip with -f, -C, -v, -z and --strip-components."""
    words = process.argv[1:]
    mode, name, folder, strip, verbose, members = "", "", process.cwd, 0, False, list[str]()
    index = 0
    if words and not words[0].startswith("-") and re.fullmatch(r"[xtcvzf]+", words[0]):
        words[0] = "-" + words[0]
    while index < len(words):
        word = words[index]
        index += 1
        if word.startswith("--strip-components"):
            value = word.partition("=")[2]
            if not value:
                value = words[index]
                index += 1
            strip = int(value)
        elif word == "-C":
            folder = full_path(process, words[index])
            index += 1
        elif re.fullmatch(r"-[xtcvzofmkp]+", word):
            for letter in word[1:]:
                if letter in "xtc":
                    mode = letter
                elif letter == "v":
                    verbose = True
                elif letter == "f":
                    name = words[index]
                    index += 1
        elif word.startswith("-"):
            refuse_option("tar.exe", word.partition("=")[0])
            process.err(f"tar.exe: Option {word} is not supported\r\n")
            return 1
        else:
            members.append(word)
    if not mode:
        process.err("tar.exe: Must specify one of -c, -r, -t, -u, -x\r\n")
        return 1
    machine = machine_of(process)
    if mode == "c":
        return _tar_create(process, name, folder, members)
    try:
        # kubectl cp sends the archive on standard input, and reads it from standard output.
        content = (
            process.stdin.read() if name == "-" else machine.files.read(full_path(process, name))
        )
    except OSError:
        process.err(f"tar.exe: Error opening archive: Failed to open '{name}'\r\n")
        return 1
    if mode == "x" and not (
        machine.files.exists(folder) and machine.files.stat(folder).is_directory
    ):
        process.err(f"tar.exe: could not chdir to '{folder}'\r\n")
        return 1
    code, seen = 0, set[str]()
    try:
        for path, data in _members(content):
            clean = path.removeprefix("./")
            fitting = [
                m
                for m in members
                if clean.rstrip("/") == m.strip("/") or clean.startswith(m.strip("/") + "/")
            ]
            if members and not fitting:
                continue
            seen.update(fitting)
            if mode == "t":
                process.out(path + "\r\n")
                continue
            parts = [p for p in clean.split("/") if p][strip:]
            if not parts:
                continue
            target = folder.rstrip("\\") + "\\" + "\\".join(parts)
            if verbose:
                process.err(f"x {path}\r\n")
            try:
                if data is None:
                    machine.files.make_directory(target)
                else:
                    machine.files.make_directory(target.rpartition("\\")[0])
                    machine.files.write(target, data)
            except OSError:
                process.err(
                    f"tar.exe: {path}: Can't unlink already-existing object: Permission denied\r\n"
                )
                code = 1
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError):
        process.err("tar.exe: Error opening archive: Unrecognized archive format\r\n")
        return 1
    for member in members:
        if member not in seen:
            process.err(f"tar.exe: {member}: Not found in archive\r\n")
            code = 1
    if code:
        process.err("tar.exe: Error exit delayed from previous errors.\r\n")
    return code


def _members(content: bytes) -> Iterator[tuple[str, bytes | None]]:
    if content[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for item in archive.infolist():
                yield item.filename, None if item.is_dir() else archive.read(item)
        return
    with tarfile.open(fileobj=io.BytesIO(content)) as archive_:
        for entry in archive_:
            if entry.isdir():
                yield entry.name + "/", None
            elif entry.isfile():
                source = archive_.extractfile(entry)
                yield entry.name, source.read() if source else b""


def _tar_create(process: Process, name: str, folder: str, members: list[str]) -> int:
    machine = machine_of(process)
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz" if name.endswith(("gz", "tgz")) else "w") as archive:
        for member in members:
            start = (
                full_path(process, member)
                if ":" in member
                else f"{folder}\\{member}".replace("/", "\\")
            )
            if not machine.files.exists(start):
                process.err(
                    f"tar.exe: {member}: Couldn't visit directory: No such file or directory\r\n"
                )
                return 1
            for path in [start, *_below(process, start)]:
                if not machine.files.stat(path).is_directory:
                    data = machine.files.read(path)
                    item = tarfile.TarInfo(path[len(folder) :].lstrip("\\").replace("\\", "/"))
                    item.size = len(data)
                    archive.addfile(item, io.BytesIO(data))
    if name == "-":
        process.stdout.write(out.getvalue())
    else:
        machine.files.write(full_path(process, name), out.getvalue())
    return 0
