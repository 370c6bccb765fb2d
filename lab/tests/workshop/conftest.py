from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

COURSE = """
title: For tests
starts: {empty: []}
exercises:
  - {id: ex1, title: One, notebook: 01_one.ipynb, minutes: 5, points: 10, start: empty}
  - {id: ex2, title: Two, notebook: 02_two.ipynb, minutes: 5, points: 10, start: empty, drills: [slow]}
drills:
  slow: {says: winworker02 answers late, faults: [{machine: winworker02, fault: slow, value: 1}]}
  cut: {says: winworker01 refuses connections, faults: [{machine: winworker01, fault: refuse}]}
"""

NOTEBOOK = {
    "cells": [
        {
            "cell_type": "code",
            "execution_count": None,
            "id": "one",
            "metadata": {},
            "outputs": [],
            "source": ["1 + 1"],
        }
    ],
    "metadata": {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}
    },
    "nbformat": 4,
    "nbformat_minor": 5,
}


class Running:
    """A workshop that the command line started."""

    def __init__(self, folder: Path, port: int) -> None:
        self.home = folder / "workshop-home"
        self.port = port
        self.course = folder / "course"

    def command(self, *arguments: str, fails: bool = False) -> str:
        start = "import sys; from k8swin_lab.workshop.cli import main; sys.exit(main(sys.argv[1:]))"
        done = subprocess.run(
            [sys.executable, "-c", start, arguments[0], "--home", str(self.home), *arguments[1:]],
            capture_output=True,
            text=True,
            timeout=280,
        )
        said = done.stdout + done.stderr
        assert (done.returncode != 0) == fails, (
            f"{arguments} ended with {done.returncode}: {said}\n{self.log()}"
        )
        return said

    def log(self) -> str:
        with contextlib.suppress(OSError):
            return (self.home / "workshop.log").read_text(errors="replace")[-6000:]
        return ""

    def up(self, *arguments: str, fails: bool = False) -> str:
        options = ["--course", str(self.course), "--port", str(self.port), *arguments]
        return self.command("up", *options, fails=fails)

    def seats(self) -> dict[str, dict[str, Any]]:
        return {one["name"]: one for one in json.loads(self.command("status", "--json"))}

    def wait_for(self, seat: str, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        while not wanted(found := self.seats()[seat]):
            time.sleep(0.3)
        return found

    def work(self, seat: str) -> Path:
        return self.home / "seats" / seat / "work"

    def kernel(self, seat: str) -> Kernel:
        return Kernel(self.seats()[seat]["url"])

    def processes(self, seat: str, folder: str) -> list[int]:
        """Return the computer's numbers of the processes that see a seat's folder as theirs."""
        seen = {
            "work": "home/trainee/work",
            "lab": "home/trainee/work/.k8swin/lab",
        }[folder]
        wanted = (self.home / "seats" / seat / folder).stat()
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    there = (entry / "root" / seen).stat()
                    if (there.st_dev, there.st_ino) == (wanted.st_dev, wanted.st_ino):
                        found.append(int(entry.name))
        return found


class Kernel:
    """A kernel in a seat, over the seat's real port."""

    def __init__(self, url: str) -> None:
        import websocket

        base, _, token = url.partition("/lab?token=")
        self._headers = {"Authorization": f"token {token}"}
        asked = urllib.request.Request(
            f"{base}/api/kernels", data=b"{}", headers=self._headers, method="POST"
        )
        with urllib.request.urlopen(asked, timeout=60) as answer:
            self._id = json.load(answer)["id"]
        self._base = base
        self._socket = websocket.create_connection(
            f"{base.replace('http', 'ws', 1)}/api/kernels/{self._id}/channels",
            header=[f"Authorization: token {token}"],
            timeout=120,
        )

    def run(self, code: str) -> str:
        """Execute code, and return what it printed, with the error if there was one."""
        number = uuid.uuid4().hex
        header = {
            "msg_id": number,
            "username": "t",
            "session": number,
            "msg_type": "execute_request",
            "version": "5.3",
        }
        content = {"code": code, "silent": False, "store_history": False, "allow_stdin": False}
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content}
        self._socket.send(json.dumps({**message, "channel": "shell", "buffers": []}))
        said = ""
        while True:
            heard = json.loads(self._socket.recv())
            if heard["parent_header"].get("msg_id") != number:
                continue
            if heard["msg_type"] == "stream":
                said += heard["content"]["text"]
            elif heard["msg_type"] == "error":
                said += f"{heard['content']['ename']}: {heard['content']['evalue']}"
            elif heard["msg_type"] == "status" and heard["content"]["execution_state"] == "idle":
                return said.strip()

    def close(self) -> None:
        self._socket.close()
        asked = urllib.request.Request(
            f"{self._base}/api/kernels/{self._id}", headers=self._headers, method="DELETE"
        )
        with contextlib.suppress(OSError):
            urllib.request.urlopen(asked, timeout=60).close()


def free_ports(count: int) -> int:
    """Return a port that is free with those after it."""
    for first in range(20000 + os.getpid() % 5000 * 5, 60000, count):
        with contextlib.ExitStack() as until_the_end:
            try:
                for port in range(first, first + count):
                    one = until_the_end.enter_context(socket.socket())
                    one.bind(("127.0.0.1", port))
            except OSError:
                continue
            return first
    raise AssertionError("no free ports")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A workshop's folder and course; nothing runs yet, and nothing does afterwards."""
    from k8swin_lab.workshop.sandbox import reason_against

    if why := reason_against():
        pytest.skip(f"seats cannot be kept apart here: {why.splitlines()[0]}")
    pytest.importorskip("jupyterlab", reason="JupyterLab is not installed")
    pytest.importorskip("websocket", reason="websocket-client is not installed")
    folder = tmp_path_factory.mktemp("workshop")
    running = Running(folder, free_ports(8))
    running.course.mkdir()
    (running.course / "course.yaml").write_text(COURSE)
    for name in ("01_one.ipynb", "02_two.ipynb"):
        (running.course / name).write_text(json.dumps(NOTEBOOK))
    (running.course / "material" / "record").mkdir(parents=True)
    (running.course / "material" / "record" / "events.jsonl").write_text("{}")
    (running.course / "solutions").mkdir()
    (running.course / "solutions" / "secret.ipynb").write_text(json.dumps(NOTEBOOK))
    yield running
    running.command("down")
