"""The first process of a seat's desk: it begins the trainee's folder, keeps JupyterLab running, and looks after both.

It runs as the trainee, behind the trainee's own root: no link that he makes leads it to anything that is not his.
"""

from __future__ import annotations

import contextlib
import fcntl
import http.client
import json
import os
import select
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from k8swin_lab.workshop import given, sandbox, system, usage
from k8swin_lab.workshop.channel import Channel, Gone
from k8swin_lab.workshop.looking import look

TEMPLATE = Path("/template")
"""Where a desk sees the folder from which each trainee's begins."""

RECORDS = "records"
"""Folder of it with the records of what the workshop did, by run."""

_TICK_SECONDS = 0.5
_LOOK_SECONDS = 2.0
_STARTS = 3
"""So often JupyterLab may end within `_STARTS_SECONDS`, before the seat is given up."""

_STARTS_SECONDS = 60.0
_END_SECONDS = 8.0


class Desk:
    """The trainee's folder and his JupyterLab.

    Args:
        spec: as the seat's, with `port`, `token`, `open` (path of the notebook that is shown first) and `template`.
        channel: to the seat's process.
    """

    def __init__(self, spec: dict[str, Any], channel: Channel) -> None:
        self._spec = spec
        self._channel = channel
        self._shared = bool(spec["shared"])
        self.work = Path(spec["folder"], "work") if self._shared else sandbox.WORK
        self._home = Path(spec["folder"], "home") if self._shared else sandbox.HOME
        self._template = Path(spec["template"]) if self._shared else TEMPLATE
        self._state = self.work / ".k8swin"
        self._server = 0
        self._ready = False
        self._ending = False
        self._starts: list[float] = []
        self._lock = -1

    def run(self) -> int:
        """Serve until told to end; return 0."""
        try:
            self._begin()
        except OSError as error:
            self._channel.send({"desk": "failed", "why": f"{error.filename}: {error.strerror}"})
            return 1
        sandbox.limit(self._spec["limits"])
        with contextlib.suppress(OSError):
            os.nice(5)  # the labs answer first: everybody waits for them
        self._start()
        looked = 0.0
        while True:
            readable, _, _ = select.select([self._channel], [], [], _TICK_SECONDS)
            if readable:
                try:
                    message, _ = self._channel.receive()
                except Gone:
                    return 0
                if self._told(message):
                    return 0
            if not self._reap():
                return 1
            if self._server and not self._ready and self._answers():
                self._ready = True
                self._channel.try_send({"desk": "ready"})
            self._watch_memory()
            if time.monotonic() - looked > _LOOK_SECONDS:
                looked = time.monotonic()
                self._channel.try_send({"look": look(self.work, self._template)})

    def _told(self, message: dict[str, Any]) -> bool:
        what = message.get("do")
        if "clients" in message:
            self._tried(message, lambda: self._write_clients(message["clients"]))
        elif what == "open":
            self._tried(message, lambda: self._show(str(message["open"])))
        elif what == "fresh":
            self._tried(message, lambda: self._fresh(list(message["names"])))
        elif what == "give":
            self._tried(message, lambda: self._give(list(message["records"])))
        elif what == "end":
            self._end()
            return True
        return False

    def _tried(self, message: dict[str, Any], work: Callable[[], object]) -> None:
        answer: dict[str, Any] = {}
        try:
            answer = {"value": work()}
        except OSError as error:
            answer = {"error": f"{error.filename}: {error.strerror}"}
            self._channel.try_send({"trouble": answer["error"]})
        if "id" in message:
            self._channel.try_send({"id": message["id"], **answer})

    def _begin(self) -> None:
        """Write what is missing of the project, and how JupyterLab shows it."""
        self._give([])
        (self._state / "lab").mkdir(parents=True, exist_ok=True)
        self._lock = os.open(self._state / "lab" / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        # Held as a lab's own process holds it: `k8swin lab up` says that the lab is up.
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._home.mkdir(parents=True, exist_ok=True)
        self._configure()
        self._show(self._spec["open"], only_new=True)

    def _give(self, records: list[str]) -> None:
        """Bring what the trainee lacks of the course, and these records of what made his machines."""
        given.bring(self._template / "work", self.work, self._state / "given.json")
        given.bring_records(self._template / RECORDS, self.work / "runs", records)

    def _configure(self) -> None:
        folder = self._home / ".jupyter"
        (folder / "labconfig").mkdir(parents=True, exist_ok=True)
        settings = {
            "ServerApp": {
                "ip": self._spec["network"],
                "port": self._spec["port"],
                "port_retries": 0,
                "open_browser": False,
                "root_dir": str(self.work),
                "allow_remote_access": True,
                "allow_root": True,  # as root nobody gets here, but whoever is all of his container
                "quit_button": False,
                "jpserver_extensions": {"jupyter_lsp": False, "notebook_shim": False},
            },
            "IdentityProvider": {"token": self._spec["token"]},
            "LabApp": {
                "default_url": "/lab",
                "workspaces_dir": str(self._state / "jupyter/workspaces"),
                "user_settings_dir": str(self._state / "jupyter/settings"),
                "check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
                "news_url": None,
                "extension_manager": "readonly",
            },
        }
        path = folder / "jupyter_server_config.json"
        path.touch(mode=0o600)
        path.chmod(0o600)
        path.write_text(json.dumps(settings))
        quiet = {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false"}}
        (folder / "labconfig/default_setting_overrides.json").write_text(json.dumps(quiet))

    def _show(self, notebook: str, *, only_new: bool = False) -> None:
        """Let the page open with a notebook, from the next time on that it is loaded."""
        from jupyterlab_server.workspaces_handler import WorkspacesManager

        folder = self._state / "jupyter/workspaces"
        if only_new and folder.is_dir() and any(folder.iterdir()):
            return
        widget = f"notebook:{notebook}"
        dock = {"type": "tab-area", "currentIndex": 0, "widgets": [widget]}
        data: dict[str, Any] = {
            "layout-restorer:data": {
                "main": {"dock": dock, "current": widget},
                "left": {"collapsed": False, "current": "filebrowser", "widgets": ["filebrowser"]},
            },
            widget: {"data": {"path": notebook, "factory": "Notebook"}},
            "file-browser-filebrowser:cwd": {"path": str(Path(notebook).parent)},
        }
        if not notebook:
            data = {}
        workspace = {"data": data, "metadata": {"id": "default"}}
        WorkspacesManager(str(folder)).save("default", json.dumps(workspace))

    def _fresh(self, names: list[str]) -> list[str]:
        """Put copies of notebooks as they were beside the trainee's; return their names."""
        made = []
        for name in names:
            source = self._template / "work" / name
            if not source.is_file():
                continue
            target = self.work / name
            number = 1
            while target.exists() or target.is_symlink():
                target = (self.work / name).with_name(f"{source.stem}-fresh-{number}.ipynb")
                number += 1
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
            made.append(target.relative_to(self.work).as_posix())
        return made

    def _write_clients(self, files: dict[str, str]) -> None:
        """Write what clients of the lab need where descriptions of the project look for it."""
        folder = self._state / "lab"
        folder.mkdir(parents=True, exist_ok=True)
        files = dict(files)
        if self._shared and "params.yaml" in files:
            # Where the lab is no other than that of the shipped description, it is not needed.
            (self.work / "params/lab.yaml").write_text(files["params.yaml"])
        if "kubeconfig" not in files:
            (folder / "kubeconfig").unlink(missing_ok=True)
        for name, text in files.items():
            fresh = folder / f".{Path(name).name}.new"
            fresh.unlink(missing_ok=True)
            with os.fdopen(
                os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w"
            ) as file:
                file.write(text)
            fresh.replace(folder / Path(name).name)

    def _start(self) -> None:
        self._starts = [t for t in self._starts if time.monotonic() - t < _STARTS_SECONDS]
        self._starts.append(time.monotonic())
        self._ready = False
        sys.stdout.flush()
        self._server = os.fork()
        if self._server == 0:
            code = 1
            try:
                code = self._serve()
            except SystemExit as stop:
                code = stop.code if isinstance(stop.code, int) else 1
            except BaseException as error:
                print(f"{type(error).__name__}: {error}", file=sys.stderr)  # noqa: T201 - the desk's log
            finally:
                sys.stderr.flush()
                os._exit(code)

    def _serve(self) -> int:
        """Be JupyterLab."""
        os.setsid()
        self._channel.leave()
        os.close(self._lock)
        system.let_be_seen()
        for ending in (signal.SIGINT, signal.SIGTERM):
            signal.signal(ending, signal.SIG_DFL)
        home = {"HOME": str(self._home), "USER": sandbox.USER, "LOGNAME": sandbox.USER}
        os.environ.clear()
        os.environ.update(
            sandbox.environment({**home, "JUPYTER_CONFIG_DIR": str(self._home / ".jupyter")})
        )
        log = os.open(self._home / "jupyter.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        for number in (1, 2):
            os.dup2(log, number)
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text("500")
        os.chdir(self.work)
        sys.argv = ["jupyter-lab"]
        from jupyterlab.labapp import LabApp

        LabApp.launch_instance(argv=[])
        return 0

    def _answers(self) -> bool:
        try:
            asked = http.client.HTTPConnection(
                self._spec["network"], int(self._spec["port"]), timeout=2
            )
            with contextlib.closing(asked):
                asked.request("GET", "/api")
                return asked.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False

    def _reap(self) -> bool:
        """Bury what ended, and start JupyterLab again if it did; False: it ends over and over."""
        while True:
            try:
                ended, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                ended = 0
            if not ended:
                break
            if ended != self._server:
                continue
            self._server = 0
            recent = [t for t in self._starts if time.monotonic() - t < _STARTS_SECONDS]
            if len(recent) < _STARTS:
                self._start()
                continue
            code = os.waitstatus_to_exitcode(status)
            said = ""
            with contextlib.suppress(OSError):
                said = (self._home / "jupyter.log").read_text(errors="replace")[-600:]
            last = " ".join(said.split()[-40:])
            why = f"JupyterLab ended {len(recent)} times in a minute, last with {code}: {last}"
            self._channel.try_send({"desk": "failed", "why": why})
            return False
        return True

    def _watch_memory(self) -> None:
        """End the largest process of a desk that takes more than it may."""
        most = self._spec["limits"].memory
        if not most or self._shared:
            return
        processes = usage.of_processes()
        total = sum(one.bytes for one in processes)
        others = [one for one in processes if one.number != self._server]
        if total <= most or not others:
            return
        largest = max(others, key=lambda one: one.bytes)
        with contextlib.suppress(ProcessLookupError):
            os.kill(largest.number, signal.SIGKILL)
        told = f"took {usage.readable(total)} of memory, {usage.readable(most)} are allowed"
        self._channel.try_send({"trouble": f"the desk {told}: `{largest.name}` was ended"})

    def _end(self) -> None:
        """Let JupyterLab end its kernels, so that their records say so."""
        if not self._server:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._server, signal.SIGTERM)
        until = time.monotonic() + _END_SECONDS
        while time.monotonic() < until:
            with contextlib.suppress(ChildProcessError):
                ended, _ = os.waitpid(-1, os.WNOHANG)
                if ended != self._server:
                    time.sleep(0.02)
                    continue
            return


def run(spec: dict[str, Any], channel: Channel) -> int:
    """Be that process until the seat ends it; return 0, or 1 when the desk cannot be."""
    return Desk(spec, channel).run()
