"""The shell around a script, here without a connection: what of a login's environment a script is given."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from k8swin_nb.scripts import Script
from k8swin_nb.shells import bash_command, bash_input, bash_supervisor

pytestmark = pytest.mark.skipif(not shutil.which("timeout"), reason="needs GNU coreutils")


def supervised(script: str, before: str = "", **given: str) -> subprocess.CompletedProcess[bytes]:
    sent = bash_input(Script.from_text(script, "bash"), {}, {})
    return subprocess.run(
        ["bash", "-c", before + bash_command(tag="k8swin-check-0123456789abcdef", sudo=False)],
        input=bash_supervisor() + b"second\0first\0" + b"0.000\0" + sent,
        env={"PATH": os.environ["PATH"], "HOME": "/", **given},
        capture_output=True,
        timeout=60,
    )


def test_a_script_is_given_the_variables_that_are_named_and_none_else(tmp_path):
    trap = tmp_path / "evaluated"
    done = supervised(
        "env",
        **{
            "http_proxy": "http://proxy:3128",
            "FOO": "bar",
            "a.b": "1",
            f"x[$(touch {trap})]": "1",
            "BASH_FUNC_ls%%": "() { echo mine; }",
            # What the shell around the script calls its own variables.
            "name": "n",
            "entry": "e",
            "first": "f",
            "run": "r",
            "changes": "c",
            "SHLVL": "7",
            "OLDPWD": "/tmp",
        },
    )
    names = {line.partition(b"=")[0].decode() for line in done.stdout.splitlines() if b"=" in line}
    assert names - {"LANG"} == {"PATH", "HOME", "http_proxy", "K8SWIN_TAG", "PWD", "SHLVL", "_"}
    assert b"SHLVL=1" in done.stdout.splitlines()
    assert done.stdout.startswith(b"\x1efirstsecond begins\n")
    assert done.returncode == 0
    assert not trap.exists()


def test_a_signal_that_the_login_ignores_ends_a_script_all_the_same():
    done = supervised("kill -HUP $$; echo not reached", before="trap '' HUP; ")
    assert b"not reached" not in done.stdout
    assert done.stdout.endswith(b"ends 129\n")
