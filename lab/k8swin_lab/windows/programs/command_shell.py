"""cmd.exe: enough of its language for /c lines and simple batch files.

Commands joined by &&, || and &, pipes, redirection, %VARIABLES%, and the built-ins echo, type, dir, set, ver,
exit, cd, md, rd, del, copy, move, if exist/errorlevel/equality, rem and call. Anything else is said not to be simulated.
"""

from __future__ import annotations

import fnmatch
import io
import re
from collections.abc import Callable
from dataclasses import replace

from k8swin_lab.arguments import refuse_option
from k8swin_lab.machines.program import NotSimulated, Process
from k8swin_lab.machines.windows_command_line import split_command_line
from k8swin_lab.machines.windows_environment import Environment, expand
from k8swin_lab.machines.windows_programs import BadExecutable
from k8swin_lab.windows.machine_of import full_path, machine_of
from k8swin_lab.windows.programs.system_tools import ver_text

_LIMIT = 8191
_OPERATORS = re.compile(r"\|\||&&|[&|]")


class _Exit(Exception):
    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def cmd(process: Process) -> int:
    """cmd.exe /c LINE (also /s, /q, /d), or a batch file as argv[0]."""
    path = process.argv[0]
    process.env = Environment(process.env.items())
    try:
        if path.lower().endswith((".cmd", ".bat")):
            return _batch(process, path, process.argv[1:])
        words = process.argv[1:]
        while words and words[0].lower() in ("/s", "/q", "/d", "/v:on", "/u", "/a"):
            if words[0].lower() in ("/v:on", "/u"):
                raise NotSimulated(f"cmd.exe {words[0]}")
            words = words[1:]
        if not words or words[0].lower()[:2] not in ("/c", "/r"):
            raise NotSimulated("an interactive cmd.exe")
        line = (
            " ".join(_requoted(w) for w in [words[0][2:], *words[1:]] if w)
            if len(words) != 2
            else words[1]
        )
        return run_line(process, line.strip())
    except _Exit as done:
        return done.code


def _requoted(word: str) -> str:
    return f'"{word}"' if " " in word and '"' not in word and not _OPERATORS.search(word) else word


def _batch(process: Process, path: str, arguments: list[str]) -> int:
    machine = machine_of(process)
    text = machine.files.read(path).decode("utf-8", "replace")
    code = 0
    for raw in text.splitlines():
        line = raw.strip().removeprefix("@")
        if (
            not line
            or line.startswith("::")
            or line.lower().startswith(("rem ", "setlocal", "endlocal"))
        ):
            continue
        if line.startswith(":") or line.lower().startswith(("goto", "for ", "shift")):
            raise NotSimulated(f"batch files with {line.split()[0]}")
        if line.lower() in ("echo off", "echo on"):
            continue
        for number in range(1, 10):
            line = line.replace(
                f"%{number}", arguments[number - 1] if number <= len(arguments) else ""
            )
        code = run_line(process, line.replace("%*", " ".join(arguments)))
        process.env["ERRORLEVEL"] = str(code)
    return code


def _pieces(line: str) -> list[tuple[str, str]]:
    """Cut at operators outside quotes: (operator before, command)."""
    result, current, operator, quoted, index = [], "", "", False, 0
    while index < len(line):
        char = line[index]
        if char == "^" and not quoted and index + 1 < len(line):
            current += (
                line[index + 1] if line[index + 1] not in "&|<>" else "\x00" + line[index + 1]
            )
            index += 2
            continue
        if char == '"':
            quoted = not quoted
        if not quoted and char in "&|" and not (char == "&" and current.endswith((">", "<"))):
            double = line[index : index + 2] in ("&&", "||")
            result.append((operator, current))
            operator, current = line[index : index + 2] if double else char, ""
            index += 2 if double else 1
            continue
        current += char
        index += 1
    result.append((operator, current))
    return result


def run_line(process: Process, line: str) -> int:
    """Run one line and return its exit code."""
    if len(line) > _LIMIT:
        process.err("The command line is too long.\r\n")
        return 1
    env = Environment(process.env.items())
    line = expand(line, env)
    pieces = _pieces(line)
    code, index = 0, 0
    while index < len(pieces):
        operator, text = pieces[index]
        group = [text]
        while index + 1 < len(pieces) and pieces[index + 1][0] == "|":
            index += 1
            group.append(pieces[index][1])
        index += 1
        if (operator == "&&" and code != 0) or (operator == "||" and code == 0):
            continue
        code = _pipeline(process, group)
        process.env["ERRORLEVEL"] = str(code)
    return code


def _pipeline(process: Process, commands: list[str]) -> int:
    code, stdin = 0, process.stdin
    for position, text in enumerate(commands):
        last = position == len(commands) - 1
        buffer = _Buffer()
        child = replace(process, stdin=stdin, stdout=process.stdout if last else buffer)
        code = _redirected(child, text)
        process.cwd = child.cwd if last and len(commands) == 1 else process.cwd
        stdin = io.BytesIO(buffer.getvalue())
    return code


class _Buffer(io.BytesIO):
    """What a command of a pipe writes."""


_REDIRECTION = re.compile(r"""(?P<fd>[12]?)(?P<op>>>|>|<)\s*(?P<target>&[12]|"[^"]*"|[^\s<>|&]+)""")


def _redirected(process: Process, text: str) -> int:
    machine = machine_of(process)
    masked = re.sub(r'"[^"]*"', lambda m: m[0].replace(">", "\x01").replace("<", "\x02"), text)
    files: list[tuple[str, bool, _Buffer]] = []

    def take(found: re.Match[str]) -> str:
        target = found["target"].strip('"').replace("\x01", ">").replace("\x02", "<")
        if found["op"] == "<":
            process.stdin = io.BytesIO(machine.files.read(full_path(process, target)))
        elif target == "&1":
            process.stderr = process.stdout
        elif target == "&2":
            process.stdout = process.stderr
        else:
            buffer = _Buffer()
            if target.lower() != "nul":
                files.append((full_path(process, target), found["op"] == ">>", buffer))
            if found["fd"] == "2":
                process.stderr = buffer
            else:
                process.stdout = buffer
        return ""

    try:
        masked = _REDIRECTION.sub(take, masked)
    except OSError:
        process.err("The system cannot find the file specified.\r\n")
        return 1
    command = masked.replace("\x01", ">").replace("\x02", "<").replace("\x00", "")
    code = _command(process, command)
    for path, append, buffer in files:
        try:
            (machine.files.append if append else machine.files.write)(path, buffer.getvalue())
        except OSError:
            process.err("The system cannot find the path specified.\r\n")
            code = 1
    return code


def _command(process: Process, text: str) -> int:
    stripped = text.strip().removeprefix("@").strip()
    if not stripped:
        return 0
    if stripped.startswith("("):
        if not stripped.endswith(")"):
            raise NotSimulated("cmd.exe blocks over several commands")
        return run_line(process, stripped[1:-1])
    name, rest = _name(stripped)
    folded = name.lower()
    built_in = _BUILT_IN.get(folded)
    if folded.startswith("echo") and folded[4:5] in (".", ":", "/", "("):
        process.out(stripped[5:] + "\r\n")
        return 0
    if folded == "echo":
        shown = text.lstrip().removeprefix("@").lstrip()[4:]
        process.out(
            (shown[1:] if shown[:1] == " " else shown) + "\r\n"
            if shown.strip()
            else "ECHO is on.\r\n"
        )
        return 0
    if built_in is not None:
        return built_in(process, rest)
    refuse_option("cmd.exe", folded)
    return _external(process, name, stripped)


def _name(text: str) -> tuple[str, str]:
    if text.startswith('"'):
        end = text.find('"', 1)
        return text[1:end], text[end + 1 :].strip()
    found = re.match(r"[^\s/,;=]+|\S+", text)
    word = text.split(None, 1)[0]
    name = found[0] if found and found[0].lower() in _BUILT_IN else word
    return name, text[len(name) :].strip()


def _external(process: Process, name: str, line: str) -> int:
    machine = machine_of(process)
    env = Environment(process.env.items())
    path = machine.find_program(name, env.get("Path", ""), process.cwd)
    if path is None:
        process.err(
            f"'{name}' is not recognized as an internal or external command,\r\noperable program or batch file.\r\n"
        )
        return 1
    child = replace(process, argv=[path, *split_command_line(line)[1:]], env=dict(process.env))
    entry = machine.processes.enter(
        child,
        job=machine.processes.job_with(process.cancelled),
        parent=machine.processes.parent_with(process.cancelled),
        command_line=line,
    )
    code = 1
    try:
        code = machine.run_program(child)
    except BadExecutable:
        process.err(
            f"{line.split()[0]}\r\nThis version of {path} is not compatible with the version of Windows you're running.\r\n"
        )
        code = 216
    finally:
        machine.processes.leave(entry, code)
    return code


# --- built-ins


def _ver(process: Process, rest: str) -> int:
    process.out(f"\r\n{ver_text(process)}\r\n")
    return 0


def _exit(process: Process, rest: str) -> int:
    words = rest.lower().split()
    number = (
        words[1]
        if words[:1] == ["/b"] and len(words) > 1
        else (words[0] if words and words[0] != "/b" else "0")
    )
    raise _Exit(int(number) if number.lstrip("-").isdigit() else 0)


def _set(process: Process, rest: str) -> int:
    if rest[:2].lower() in ("/a", "/p"):
        raise NotSimulated(f"cmd.exe set {rest[:2]}")
    rest = rest.strip('"')
    name, sign, value = rest.partition("=")
    if sign:
        if value:
            process.env[name] = value
        else:
            process.env.pop(name, None)
        return 0
    found = sorted((k, v) for k, v in process.env.items() if k.lower().startswith(name.lower()))
    if not found:
        process.err(f"Environment variable {name} not defined\r\n")
        return 1
    process.out("".join(f"{k}={v}\r\n" for k, v in found))
    return 0


def _type(process: Process, rest: str) -> int:
    machine = machine_of(process)
    for word in split_command_line(rest):
        try:
            process.stdout.write(machine.files.read(full_path(process, word)))
        except FileNotFoundError:
            process.err("The system cannot find the file specified.\r\n")
            return 1
        except OSError:
            process.err("Access is denied.\r\n")
            return 1
    return 0


def _dir(process: Process, rest: str) -> int:
    machine = machine_of(process)
    words = split_command_line(rest)
    bare = any(w.lower() == "/b" for w in words)
    odd = [w for w in words if w.startswith("/") and w.lower() not in ("/b", "/a")]
    if odd:
        raise NotSimulated(f"cmd.exe dir {odd[0]}")
    target = full_path(process, next((w for w in words if not w.startswith("/")), process.cwd))
    try:
        info = machine.files.stat(target)
        found = list(machine.files.list(target)) if info.is_directory else [info]
    except OSError:
        process.err("File Not Found\r\n")
        return 1
    if bare:
        process.out("".join(i.path.rpartition("\\")[2] + "\r\n" for i in found))
        return 0
    import time

    process.out(
        f" Volume in drive C has no label.\r\n Volume Serial Number is 0000-0000\r\n\r\n Directory of {target}\r\n\r\n"
    )
    for item in found:
        stamp = time.strftime("%m/%d/%Y  %I:%M %p", time.gmtime(item.modified))
        size = "<DIR>         " if item.is_directory else f"{item.size:>14,}"
        process.out(f"{stamp}    {size:<14} {item.path.rpartition(chr(92))[2]}\r\n")
    files = [i for i in found if not i.is_directory]
    process.out(f"{len(files):>16} File(s) {sum(i.size for i in files):>14,} bytes\r\n"
                f"{len(found) - len(files):>16} Dir(s) {machine.free_bytes():>15,} bytes free\r\n")  # fmt: skip
    return 0


def _cd(process: Process, rest: str) -> int:
    words = [w for w in split_command_line(rest) if w.lower() != "/d"]
    if not words:
        process.out(process.cwd + "\r\n")
        return 0
    target = full_path(process, " ".join(words))
    machine = machine_of(process)
    if not machine.files.exists(target) or not machine.files.stat(target).is_directory:
        process.err("The system cannot find the path specified.\r\n")
        return 1
    process.cwd = machine.files.stat(target).path
    return 0


def _md(process: Process, rest: str) -> int:
    machine = machine_of(process)
    for word in split_command_line(rest):
        path = full_path(process, word)
        if machine.files.exists(path):
            process.err(f"A subdirectory or file {word} already exists.\r\n")
            return 1
        machine.files.make_directory(path)
    return 0


def _removal(process: Process, rest: str, name: str, known: set[str]) -> tuple[set[str], list[str]]:
    """The options and the full paths of del and rd."""
    words = split_command_line(rest)
    options = {w.lower() for w in words if w.startswith("/")}
    if options - known:
        raise NotSimulated(f"cmd.exe {name} {sorted(options - known)[0]}")
    return options, [full_path(process, w) for w in words if not w.startswith("/")]


def _delete(process: Process, rest: str) -> int:
    files = machine_of(process).files
    options, paths = _removal(process, rest, "del", {"/q", "/f"})
    for path in paths:
        if files.exists(path) and files.stat(path).is_directory:
            path += r"\*"
        folder, _, pattern = path.rpartition("\\")
        found = [path]
        if "*" in pattern or "?" in pattern:
            wanted = re.compile(fnmatch.translate(pattern.replace("*.*", "*")), re.IGNORECASE)
            there = files.list(folder) if files.exists(folder) else ()
            plain = (e.path for e in there if not e.is_directory)
            found = [one for one in plain if wanted.match(one.rpartition("\\")[2])]
        if not found or not files.exists(found[0]):
            process.err(f"Could Not Find {path}\r\n")
            continue
        for one in found:
            try:
                if "/f" in options:
                    files.make_writable(one)
                files.remove(one)
            except OSError as error:
                process.err(f"{one}\r\n{str(error).partition(':')[0]}\r\n")
    return 0


def _remove_folder(process: Process, rest: str) -> int:
    files = machine_of(process).files
    options, paths = _removal(process, rest, "rd", {"/s", "/q"})
    code = 0
    for path in paths:
        if not files.exists(path):
            code, said = 2, "The system cannot find the file specified."
        elif not files.stat(path).is_directory:
            code, said = 267, "The directory name is invalid."
        elif "/s" not in options and any(True for _ in files.list(path)):
            code, said = 145, "The directory is not empty."
        else:
            try:
                files.make_writable(path)
                files.remove(path, recursive=True)
                continue
            except OSError as error:
                code, said = 5, str(error).partition(":")[0]
        process.err(f"{said}\r\n")
    return code


def _copy(process: Process, rest: str) -> int:
    machine = machine_of(process)
    words = [w for w in split_command_line(rest) if w.lower() not in ("/y", "/b", "/v")]
    if len(words) != 2 or any("+" in w or "*" in w for w in words):
        raise NotSimulated("cmd.exe copy of several files")
    source, target = (full_path(process, w) for w in words)
    try:
        content = machine.files.read(source)
        if machine.files.exists(target) and machine.files.stat(target).is_directory:
            target = target.rstrip("\\") + "\\" + source.rpartition("\\")[2]
        machine.files.write(target, content)
    except OSError:
        process.err("The system cannot find the file specified.\r\n")
        return 1
    process.out("        1 file(s) copied.\r\n")
    return 0


def _move(process: Process, rest: str) -> int:
    machine = machine_of(process)
    words = [w for w in split_command_line(rest) if w.lower() != "/y"]
    try:
        machine.files.move(full_path(process, words[0]), full_path(process, words[1]))
    except (OSError, IndexError):
        process.err("The system cannot find the file specified.\r\n")
        return 1
    process.out("        1 file(s) moved.\r\n")
    return 0


def _if(process: Process, rest: str) -> int:
    found = re.match(
        r"(?P<i>/i\s+)?(?P<not>not\s+)?(?:exist\s+(?P<path>\"[^\"]+\"|\S+)|errorlevel\s+(?P<level>\d+)|"
        r"(?P<left>\"[^\"]*\"|\S+?)\s*==\s*(?P<right>\"[^\"]*\"|\S+))\s+(?P<then>.+)",
        rest, re.IGNORECASE | re.DOTALL,
    )  # fmt: skip
    if found is None:
        raise NotSimulated(f"cmd.exe if {rest}")
    if found["path"]:
        holds = machine_of(process).files.exists(full_path(process, found["path"]))
    elif found["level"]:
        holds = int(process.env.get("ERRORLEVEL", "0")) >= int(found["level"])
    else:
        left, right = found["left"], found["right"]
        holds = left.lower() == right.lower() if found["i"] else left == right
    then, _, otherwise = re.sub(
        r"\s+else\s+", "\x03", found["then"], count=1, flags=re.IGNORECASE
    ).partition("\x03")
    chosen = then if holds != bool(found["not"]) else otherwise
    return run_line(process, chosen.strip()) if chosen.strip() else 0


def _nothing(process: Process, rest: str) -> int:
    return 0


def _chcp(process: Process, rest: str) -> int:
    if rest.strip().isdigit():
        process.codepage = int(rest)
    say = machine_of(process).locale.words.say
    process.out(say("Active code page: {}").format(process.codepage) + "\r\n")
    return 0


_BUILT_IN: dict[str, Callable[[Process, str], int]] = {
    "ver": _ver, "exit": _exit, "set": _set, "type": _type, "dir": _dir, "cd": _cd, "chdir": _cd, "md": _md,
    "mkdir": _md, "rd": _remove_folder, "rmdir": _remove_folder, "del": _delete, "erase": _delete, "copy": _copy, "move": _move,
    "if": _if, "rem": _nothing, "call": run_line, "echo": _nothing, "chcp": _chcp,
}  # fmt: skip
