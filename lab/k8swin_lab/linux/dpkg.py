"""dpkg and dpkg-query: what is installed, and comparing versions."""

from __future__ import annotations

import fnmatch
import re
from functools import partial

from k8swin_lab.arguments import Options
from k8swin_lab.internet.debs import Package
from k8swin_lab.linux.files import machine_of
from k8swin_lab.machines.installed import Installed, compare
from k8swin_lab.machines.program import NotSimulated, Process

_OPTIONS = Options(
    flags="-l,--list -s,--status -L,--listfiles -S,--search -W,--show -C,--audit --configure"
    " --print-architecture --print-foreign-architectures --compare-versions --version -a,--pending"
    " --get-selections -i,--install -r,--remove -P,--purge --no-pager",
    values="-f,--showformat",
)


def dpkg(process: Process) -> int:
    """Run dpkg or dpkg-query."""
    name = process.argv[0].rpartition("/")[2]
    if process.argv[1:2] == ["--compare-versions"]:
        return _compare(process, process.argv[2:])
    parsed = _OPTIONS.parse(name, process.argv[1:])
    table = machine_of(process).installed
    if "--print-architecture" in parsed:
        process.out("amd64\n")
        return 0
    if "--print-foreign-architectures" in parsed or "-C" in parsed or "--configure" in parsed:
        return 0
    if "--version" in parsed:
        process.out(
            "Debian 'dpkg' package management program version "
            f"{machine_of(process).distribution.dpkg} (amd64).\n"
        )
        return 0
    if "-l" in parsed:
        return _list(process, table.table, parsed.operands)
    if "-W" in parsed:
        return _show(
            process, table.table, parsed.operands, parsed.get("-f", "${Package}\t${Version}\n")
        )
    if "-s" in parsed:
        return _status(process, table.table, parsed.operands)
    if "-L" in parsed:
        return _files(process, table.table, parsed.operands)
    if "-S" in parsed:
        return _search(process, table.table, parsed.operands)
    if "--get-selections" in parsed:
        for package, one in sorted(table.table.items()):
            process.out(f"{package:<48}{one.status.split()[0]}\n")
        return 0
    raise NotSimulated(" ".join([name, *process.argv[1:2]]))


def _compare(process: Process, arguments: list[str]) -> int:
    if len(arguments) != 3:
        process.err(
            "dpkg: error: --compare-versions takes three arguments: <version> <relation> <version>\n"
        )
        return 2
    one, relation, other = arguments
    order = compare(one, other)
    answers = {
        "lt": order < 0, "le": order <= 0, "eq": order == 0, "ne": order != 0, "ge": order >= 0,
        "gt": order > 0, "<<": order < 0, "<=": order <= 0, "=": order == 0, ">=": order >= 0,
        ">>": order > 0, "<": order <= 0, ">": order >= 0,
    }  # fmt: skip
    if relation not in answers:
        process.err("dpkg: error: --compare-versions bad relation\n")
        return 2
    return 0 if answers[relation] else 1


def _matching(table: dict[str, Installed], patterns: list[str]) -> list[Installed]:
    names = sorted(table)
    return [
        table[name]
        for name in names
        if not patterns or any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)
    ]


def _abbreviated(one: Installed) -> str:
    return f"{'h' if one.hold else 'r' if one.removed else 'i'}{'c' if one.removed else 'i'}"


def _list(process: Process, table: dict[str, Installed], patterns: list[str]) -> int:
    found = _matching(table, patterns)
    if not found:
        for pattern in patterns:
            process.err(f"dpkg-query: no packages found matching {pattern}\n")
        return 1
    rows = [(one.package.name, one.package.version, one.package.architecture) for one in found]
    widths = [
        max([minimum, *(len(row[at]) for row in rows)]) for at, minimum in enumerate((14, 12, 12))
    ]
    described = max([33, *(len(one.package.description) for one in found)])
    described = min(described, 80)
    process.out(
        "Desired=Unknown/Install/Remove/Purge/Hold\n"
        "| Status=Not/Inst/Conf-files/Unpacked/halF-conf/Half-inst/trig-aWait/Trig-pend\n"
        "|/ Err?=(none)/Reinst-required (Status,Err: uppercase=bad)\n"
        f"||/ {'Name':<{widths[0]}} {'Version':<{widths[1]}} {'Architecture':<{widths[2]}} Description\n"
        f"+++-{'=' * widths[0]}-{'=' * widths[1]}-{'=' * widths[2]}-{'=' * described}\n"
    )
    for one, row in zip(found, rows, strict=True):
        cells = " ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        process.out(f"{_abbreviated(one)}  {cells} {one.package.description[:described]}\n")
    return 0


def _show(process: Process, table: dict[str, Installed], patterns: list[str], template: str) -> int:
    code = 0
    text = template.replace("\\n", "\n").replace("\\t", "\t")
    for pattern in patterns or ["*"]:
        found = _matching(table, [pattern])
        if not found:
            process.err(f"dpkg-query: no packages found matching {pattern}\n")
            code = 1
        for one in found:
            process.out(re.sub(r"\$\{([^};]+)(?:;(-?\d+))?\}", partial(_field, one), text))
    return code


def _field(one: Installed, match: re.Match[str]) -> str:
    package: Package = one.package
    values = {
        "package": package.name,
        "binary:package": package.name,
        "version": package.version,
        "architecture": package.architecture,
        "status": one.status,
        "db:status-abbrev": _abbreviated(one) + " ",
        "db:status-status": one.status.split()[2],
        "description": package.description,
        "maintainer": package.maintainer,
        "conffiles": "".join(f"\n {path} {md5}" for path, md5 in one.conffiles.items()),
        "depends": ", ".join(package.depends),
        "installed-size": str(package.installed_size),
        "section": package.section,
    }
    value = values.get(match[1].lower(), "")
    width = int(match[2] or 0)
    return value.rjust(width) if width > 0 else value.ljust(-width)


def _status(process: Process, table: dict[str, Installed], names: list[str]) -> int:
    code = 0
    for name in names:
        one = table.get(name)
        if one is None:
            process.err(
                f"dpkg-query: package '{name}' is not installed and no information is available\n"
                "Use dpkg --info (= dpkg-deb --info) to examine archive files.\n"
            )
            code = 1
            continue
        package = one.package
        lines = [
            f"Package: {name}",
            f"Status: {one.status}",
            "Priority: optional",
            f"Section: {package.section}",
            f"Installed-Size: {package.installed_size}",
            f"Maintainer: {package.maintainer}",
            f"Architecture: {package.architecture}",
            f"Version: {package.version}",
        ]
        if package.depends:
            lines.append(f"Depends: {', '.join(package.depends)}")
        process.out("\n".join([*lines, f"Description: {package.description}"]) + "\n")
    return code


def _files(process: Process, table: dict[str, Installed], names: list[str]) -> int:
    for name in names:
        if name not in table:
            process.err(f"dpkg-query: package '{name}' is not installed\n")
            return 1
        folders: set[str] = set()
        for path in table[name].files:
            parts = path.split("/")
            folders |= {"/".join(parts[:depth]) for depth in range(2, len(parts))}
        process.out(
            "/.\n" + "".join(f"{path}\n" for path in sorted(folders | set(table[name].files)))
        )
    return 0


def _search(process: Process, table: dict[str, Installed], patterns: list[str]) -> int:
    code = 0
    for pattern in patterns:
        hits = [
            f"{name}: {path}\n"
            for name, one in sorted(table.items())
            for path in one.files
            if (path == pattern if pattern.startswith("/") else pattern in path)
        ]
        process.out("".join(hits))
        if not hits:
            process.err(f"dpkg-query: no path found matching pattern {pattern}\n")
            code = 1
    return code
