"""Runs a piece of PowerShell in the interpreter and returns what it printed."""

from __future__ import annotations

import io
import os
import threading
from dataclasses import dataclass
from typing import Any

from k8swin_lab.powershell.interpreter import Interpreter

from lab.tests.powershell.posix_host import PosixHost


@dataclass
class Ran:
    output: str
    errors: str
    code: int


def interpreter(
    location: str, *, host: Any = None, edition: str = "Core", stdin: bytes = b""
) -> tuple[Interpreter, io.BytesIO, io.BytesIO]:
    """An interpreter over the test machine's files."""
    chosen = host or PosixHost()
    chosen.edition = edition
    out, err = io.BytesIO(), io.BytesIO()
    made = Interpreter(
        chosen,
        user="tester",
        environment=dict(os.environ),
        location=location,
        stdin=io.BytesIO(stdin),
        stdout=out,
        stderr=err,
        cancelled=threading.Event(),
    )
    return made, out, err


def run(
    text: str, location: str = "/", *, host: Any = None, edition: str = "Core", stdin: bytes = b""
) -> Ran:
    """Run a script; line ends of the output are LF."""
    session, out, err = interpreter(location, host=host, edition=edition, stdin=stdin)
    code = session.run_script(text)
    return Ran(out.getvalue().decode().replace("\r\n", "\n"), err.getvalue().decode(), code)
