"""The shell around a script, here without a connection: what of a login's environment a script is given."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from k8swin_nb.scripts import Script
from k8swin_nb.shells import PLAIN, Surroundings, bash_command, bash_input, bash_supervisor

pytestmark = pytest.mark.skipif(not shutil.which("timeout"), reason="needs GNU coreutils")


def supervised(
    script: str, before: str = "", around: Surroundings = PLAIN, **given: str
) -> subprocess.CompletedProcess[bytes]:
    sent = bash_input(Script.from_text(script, "bash"), {}, {}, around=around)
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
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    begins = f"\x1efirstsecond begins {os.getuid()} {boot}\n"
    assert done.stdout.startswith(begins.encode())
    assert done.returncode == 0
    assert not trap.exists()


def test_a_signal_that_the_login_ignores_ends_a_script_all_the_same():
    done = supervised("kill -HUP $$; echo not reached", before="trap '' HUP; ")
    assert b"not reached" not in done.stdout
    assert done.stdout.endswith(b"ends 129\n")


@pytest.mark.parametrize("strict", ["", "off", "stop", "strict"])
@pytest.mark.parametrize("arguments", [(), ("one", "two")])
def test_an_error_of_syntax_is_told_with_the_scripts_own_line_and_nothing_before_it(
    strict, arguments
):
    around = Surroundings(arguments=arguments, strict=strict)
    said = supervised("echo )\necho 2", around=around).stderr.decode().split("\n")[1:-2]
    assert said[0] == "bash: eval: line 1: syntax error near unexpected token `)'"
    # Where the script ends at the first failure, bash ends before it repeats the line.
    assert said[1:] == ([] if strict in ("stop", "strict") else ["bash: eval: line 1: `echo )'"])
    later = supervised('echo "$# ${1-}"\nif )', around=around)
    assert b"bash: eval: line 2: " in later.stderr
    assert b"\n%d %s\n" % (len(arguments), b"one" if arguments else b"") in later.stdout


def test_a_script_that_lets_lines_fail_is_not_told_to_have_ended_at_one():
    around = Surroundings(strict="stop")
    done = supervised("set +e\nfalse\necho on\nfalse", around=around)
    assert b"on\n" in done.stdout and b"ended here" not in done.stderr
    done = supervised("set +e\nfalse\nset -e\nfalse", around=around)
    assert done.stderr.count(b"ended here with exit code 1: false\n") == 1
