"""How much of the lab its users reach: `make lab-reach`, or `python -m lab.tools.reach --help`.

Everything that uses the lab is run under coverage, the lab's process and what it starts included: the
notebooks of both generations, the tests of the toolkit that need machines, and the lab's own tests, which
hold what docs/lab.md promises. Counted are the statements inside functions. Import lines, class bodies and
`def` lines run as soon as a module is loaded, so they would say nothing.

What a source left behind stays in `.k8swin/reach`, so that sources can be measured one by one
(`--only notebooks`) and the table be shown again (`--show`).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import coverage
import yaml

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "lab" / "k8swin_lab"
WORK = ROOT / ".k8swin" / "reach"
NETWORKS = {"current": "127.186.0.0/24", "classic": "127.187.0.0/24"}
PYTEST = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "-o", "timeout=900")

SETTINGS = """\
[run]
source = {package}
data_file = {folder}/.coverage
parallel = true
patch = subprocess
disable_warnings = no-data-collected, module-not-imported, module-not-measured
[report]
exclude_also =
    if TYPE_CHECKING:
    class .*\\(.*Protocol.*\\):
"""
"""A Protocol's methods are declarations, which nobody can run."""


@dataclass(frozen=True, slots=True)
class Function:
    """One function of the lab: where its lines are, and which of its statements ran."""

    module: str
    name: str
    lines: tuple[int, int]
    statements: int
    ran: int


class Source:
    """One kind of user of the lab: a folder for what coverage finds, and programs run under it."""

    def __init__(self, name: str) -> None:
        self.folder = WORK / name
        self.settings = self.folder / "settings"

    def clear(self) -> None:
        """Forget what an earlier measurement found."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.settings.write_text(SETTINGS.format(package=PACKAGE, folder=self.folder))

    def python(self, *arguments: str) -> int:
        """Run Python under coverage in the project's folder; return its exit code."""
        paths = [str(ROOT), str(ROOT / "lab"), *filter(None, [os.environ.get("PYTHONPATH")])]
        done = subprocess.run(
            [sys.executable, "-m", "coverage", "run", f"--rcfile={self.settings}", *arguments],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
            check=False,
        )
        return done.returncode

    def k8swin(self, *arguments: str) -> int:
        return self.python("-m", "k8swin_nb", *arguments)

    def functions(self) -> list[Function]:
        """Return the functions with what ran of them; all files of the source are taken together."""
        files = sorted(map(str, self.folder.glob(".coverage*")))
        if not files:
            return []
        return _functions(self.settings, files, self.folder / "together")


def _notebooks(source: Source, *more: str) -> int:
    """All notebooks of both generations: 01 to 06, 07, 80, and 90 as a preview and in earnest."""
    failed = 0
    for generation, network in NETWORKS.items():
        home = source.folder / generation
        place = ("--home", str(home))
        where = ("--network", network, "--generation", generation)
        failed |= source.k8swin("lab", "up", *place, *where, *more)
        try:
            described = yaml.safe_load((home / "params.yaml").read_text())
            hosts = " ".join(host["name"] for host in described["hosts"])
            run = ("run", "--params", str(home / "params.yaml"), "--runs", str(home / "runs"))
            failed |= source.k8swin(*run)
            failed |= source.k8swin(*run, "--only", "07_dashboard,80_troubleshoot")
            failed |= source.k8swin(*run, "--only", "90_teardown", "--dry-run")
            confirm = f"{described['cluster_name']}: {hosts}"
            failed |= source.k8swin(*run, "--only", "90_teardown", "--confirm", confirm)
        finally:
            failed |= source.k8swin("lab", "down", *place)
    return failed


def _portable(source: Source) -> int:
    """The same on a computer whose own bash cannot be used, as on macOS."""
    return _notebooks(source, "--python-bash")


def _steps(source: Source) -> int:
    """Every step in both profiles, cut short, twice, and taken back."""
    # The files share no network, the tests of one file do.
    return source.python(*PYTEST, "-n", "2", "--dist", "loadfile", "tests/steps")


def _tests(source: Source) -> int:
    """The toolkit's other tests that need machines: its scripts, the wire, the notebooks."""
    return source.python(*PYTEST, "tests/scripts", "tests/wire", "tests/notebooks")


def _lab(source: Source) -> int:
    """The lab's own tests: what docs/lab.md promises."""
    return source.python(*PYTEST, "-n", "2", "-c", "lab/pyproject.toml", "lab/tests")


def _workshop(source: Source) -> int:
    """Tests of the workshop's exercises, where there is a workshop."""
    if not (ROOT / "workshop").is_dir():
        sys.stdout.write("workshop: there is no folder workshop/, so it reaches nothing\n")
        return 0
    return source.python(*PYTEST, "workshop")


SOURCES: Mapping[str, Callable[[Source], int]] = {
    "notebooks": _notebooks,
    "portable": _portable,
    "steps": _steps,
    "tests": _tests,
    "lab": _lab,
    "workshop": _workshop,
}


def _functions(settings: Path, files: Iterable[str], where: Path) -> list[Function]:
    measured = coverage.Coverage(data_file=str(where), config_file=str(settings))
    measured.combine(list(files), keep=True)
    measured.save()
    report = where.with_suffix(".json")
    measured.json_report(outfile=str(report), ignore_errors=True)
    found = []
    for path, told in json.loads(report.read_text())["files"].items():
        module = (ROOT / path).relative_to(PACKAGE.parent).with_suffix("")
        for name, region in told["functions"].items():
            statements = region["summary"]["num_statements"]
            if name and statements:  # the nameless one is what stands outside of all functions
                lines = sorted(region["executed_lines"] + region["missing_lines"])
                ran = region["summary"]["covered_lines"]
                found.append(
                    Function(".".join(module.parts), name, (lines[0], lines[-1]), statements, ran)
                )
    return found


def _package(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 2 else "(beside packages)"


def _table(columns: Mapping[str, list[Function]], key: Callable[[str], str]) -> str:
    """Return lines of the program, statements in functions, and what each source ran of them in percent."""
    total: dict[str, int] = defaultdict(int)
    ran: dict[str, dict[str, int]] = {name: defaultdict(int) for name in columns}
    for function in columns["all"]:
        total[key(function.module)] += function.statements
    for name, functions in columns.items():
        for function in functions:
            ran[name][key(function.module)] += function.ran
    lines: dict[str, int] = defaultdict(int)
    for path in PACKAGE.rglob("*.py"):
        module = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
        lines[key(module)] += len(path.read_text().splitlines())
    width = max(map(len, lines)) + 2
    head = f"{'':<{width}}{'lines':>8}{'inside':>8}" + "".join(f"{n:>11}" for n in columns)
    rows = [head]
    for place in [*sorted(lines, key=lambda place: (-lines[place], place)), "together"]:
        if place == "together":
            many, statements = sum(lines.values()), sum(total.values())
            shares = [sum(ran[name].values()) for name in columns]
        else:
            many, statements = lines[place], total[place]
            shares = [ran[name][place] for name in columns]
        told = "".join(
            f"{100 * n / statements:>9.0f} %" if statements else f"{'':>11}" for n in shares
        )
        rows.append(f"{place:<{width}}{many:>8,}{statements:>8,}{told}")
    return "\n".join(rows)


def _show(by_module: bool) -> None:
    """Print the table of everything that was measured so far, and write the list of what nothing reached."""
    columns: dict[str, list[Function]] = {}
    everything: list[str] = []
    for name in SOURCES:
        source = Source(name)
        functions = source.functions()
        columns[name] = functions
        everything += [str(path) for path in source.folder.glob(".coverage*")]
    settings = next((s for name in SOURCES if (s := Source(name).settings).is_file()), None)
    if settings is None or not everything:
        raise SystemExit("nothing was measured yet")
    columns["all"] = _functions(settings, everything, WORK / "together")
    sys.stdout.write(_table(columns, (lambda module: module) if by_module else _package) + "\n")
    unreached: list[dict[str, Any]] = [
        {"module": f.module, "function": f.name, "lines": f.lines, "statements": f.statements}
        for f in columns["all"]
        if not f.ran
    ]
    target = WORK / "unreached.json"
    target.write_text(json.dumps(unreached, indent=1) + "\n")
    count = sum(f["statements"] for f in unreached)
    sys.stdout.write(
        f"{len(unreached)} functions with {count:,} statements were reached by nothing: {target}\n"
    )


def main(argv: list[str] | None = None) -> int:
    """Measure what is asked for, show the table; return 1 when something that ran had failed."""
    parser = argparse.ArgumentParser(
        prog="python -m lab.tools.reach", description="How much of the lab its users reach."
    )
    parser.add_argument("--only", action="append", choices=SOURCES, help="measure this source")
    parser.add_argument("--show", action="store_true", help="measure nothing, show what is there")
    parser.add_argument("--modules", action="store_true", help="a line for each module")
    options = parser.parse_args(argv)
    failed = []
    for name in () if options.show else options.only or SOURCES:
        source = Source(name)
        source.clear()
        began = time.monotonic()
        if SOURCES[name](source):
            failed.append(name)
        sys.stdout.write(f"{name}: measured in {time.monotonic() - began:.0f} s\n")
    _show(options.modules)
    if failed:
        sys.stdout.write(f"something failed while measuring {', '.join(failed)}; see above\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
