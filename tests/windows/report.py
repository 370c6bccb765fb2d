"""What a test of Windows servers found, as two files that say nothing of the site: report.json and report.md."""

from __future__ import annotations

import contextlib
import getpass
import json
import platform
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import k8swin_nb
from k8swin_nb.description import Description
from k8swin_nb.local_files import make_folders, write_whole
from tests.windows.nameless import Nameless

ROOT = Path(__file__).parent.parent.parent

TOLD = frozenset(["", "/", ".", "administrator", "root", "ubuntu", "localhost", "127.0.0.1"])
"""What every site has, and what says nothing."""


def words_of(description: Description) -> dict[str, str]:
    """Return what a description names, and the word that stands for it in a report."""
    words = {platform.node(): "controller", description.cluster_name: "the-cluster"}
    words |= {str(description.folder): "FOLDER", str(ROOT): "PROJECT", str(Path.home()): "HOME"}
    with contextlib.suppress(KeyError, OSError, ImportError):  # an account without a name
        words[getpass.getuser()] = "operator"
    counts: dict[str, int] = {}
    for host in description.hosts:
        kind = "server" if host.os == "windows" else "linux"
        counts[kind] = counts.get(kind, 0) + 1
        known = f"{kind}-{counts[kind]}"
        words[host.name] = known
        words[host.address] = f"{known}-address"
        domain, _, user = host.user.rpartition("\\")
        user, _, realm = user.partition("@")
        words[user] = f"{known}-user"
        for part in (domain, realm):
            if part:
                words[part] = "domain"
    return {name: word for name, word in words.items() if name.casefold() not in TOLD}


class Report:
    """Collects what happened; every text passes `Nameless` when it is added.

    Args:
        description: Of the cluster under test.
        extra: Further names that are not to be shown, such as computer names that the servers told.
    """

    def __init__(self, description: Description, extra: Iterable[str] = ()) -> None:
        networks = [str(description.pod_subnet), str(description.service_subnet)]
        names = {name: f"name-{number}" for number, name in enumerate(extra, 1) if name}
        self._nameless = Nameless({**names, **words_of(description)}, networks)
        self.began = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self.head: dict[str, Any] = {
            "k8swin_nb": k8swin_nb.__version__,
            "commit": _commit(),
            "python": platform.python_version(),
            "controller": platform.system(),
            "profile": description.profile,
            "kubernetes": description.kubernetes_version,
            "containerd": description.containerd_version,
            "flannel": description.flannel_version,
            "topology": description.topology,
        }
        self.servers: dict[str, dict[str, str]] = {}
        self.tests: list[dict[str, Any]] = []
        self.passes: list[dict[str, Any]] = []

    def text(self, text: object) -> str:
        """Return a text without what names the site."""
        return self._nameless.text(text)

    def server(self, name: str, facts: dict[str, str]) -> None:
        """Add what a server says of itself."""
        self.servers[self.text(name)] = {key: self.text(value) for key, value in facts.items()}

    def test(self, name: str, outcome: str, seconds: float, trouble: str = "") -> None:
        """Add how one test ended."""
        told: dict[str, Any] = {"test": name, "outcome": outcome, "seconds": round(seconds, 1)}
        if trouble:
            told["trouble"] = self.text(trouble)
        self.tests.append(told)

    def steps(self, what: str, events: Iterable[dict[str, Any]]) -> None:
        """Add how the steps of one run of notebooks ended, from its record."""
        rows = [
            {
                "step": f"{event['notebook'].partition('-')[0]}/{event['step']}",
                "host": self.text(event["host"]),
                "outcome": str(event["outcome"]),
                "seconds": event.get("seconds"),
                "detail": self.text(event.get("detail", "")),
            }
            for event in events
            if event["event"] == "step"
        ]
        self.passes.append({"pass": what, "steps": rows})

    def write(self, folder: Path) -> Path:
        """Write both files and return the folder."""
        make_folders(folder)
        whole = {
            "began": self.began,
            **self.head,
            "servers": self.servers,
            "tests": self.tests,
            "passes": self.passes,
        }
        write_whole(folder / "report.json", json.dumps(whole, indent=1, ensure_ascii=False) + "\n")
        write_whole(folder / "report.md", self.page())
        return folder

    def page(self) -> str:
        """Return the report to be read."""
        lines = [f"# Windows servers, {self.began}", ""]
        lines += [f"- {key}: {value}" for key, value in self.head.items()]
        for name, facts in self.servers.items():
            lines += ["", f"## {name}", "", "| | |", "|---|---|"]
            lines += [f"| {key} | {_cell(value)} |" for key, value in facts.items()]
        lines += ["", "## Tests", "", "| test | outcome | s |", "|---|---|---|"]
        lines += [f"| {t['test']} | {t['outcome']} | {t['seconds']} |" for t in self.tests]
        for told in self.tests:
            if trouble := told.get("trouble"):
                lines += [
                    "",
                    f"### {told['test']}",
                    "",
                    *(f"    {x}" for x in trouble.splitlines()),
                ]
        for one in self.passes:
            lines += ["", f"## {one['pass']}", "", "| step | host | outcome | s | detail |"]
            lines += ["|---|---|---|---|---|"]
            lines += [
                f"| {s['step']} | {s['host']} | {s['outcome']} | {s['seconds']} | {_cell(s['detail'])} |"
                for s in one["steps"]
            ]
        return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _commit() -> str:
    try:
        asked = ["git", "describe", "--always", "--dirty"]
        done = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False)
    except OSError:
        return "unknown"
    return done.stdout.strip() or "unknown"
