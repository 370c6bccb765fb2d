"""Parts of the tests that run side by side: what is told of them."""

import os
import re
import signal
import subprocess
import sys
import time

from tests.conftest import ROOT

PROGRAM = [sys.executable, str(ROOT / ".ci" / "side_by_side.py")]
PASSES = """passes=echo 'much that is of no interest'
echo '12.25s setup    tests/wire/test_it.py::test_it'
echo 'SKIPPED [2] tests/wire/test_it.py:26: no Chromium on PATH: install it'
echo 'SKIPPED [3] tests/browser/test_it.py:7: no Chromium on PATH: install it'
echo '=========== 7 passed, 5 skipped in 1.25s (0:00:01) ==========='"""
FAILS = "fails=echo boom; echo '1 failed, 2 passed, 2 errors in 0.50s' >&2; exit 3"


def run(*parts: str) -> tuple[int, list[str]]:
    done = subprocess.run([*PROGRAM, *parts], capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    return done.returncode, done.stdout.splitlines()


def test_a_part_that_fails_is_told_whole_and_others_in_a_line():
    code, lines = run(PASSES, FAILS)
    assert code == 1
    assert "much that is of no interest" not in lines
    assert "boom" in lines
    ended = [
        re.sub(r"in \d+ s;", "in N s;", line) for line in lines
    ]  # a busy computer takes longer
    assert "passes: passed in N s; 7 passed, 5 skipped in 1.25s (0:00:01)" in ended
    assert "fails: failed with exit code 3 in N s; 1 failed, 2 passed, 2 errors in 0.50s" in ended
    assert lines[-1].strip("= ").startswith("1 failed, 9 passed, 5 skipped, 2 errors in ")


def test_the_last_lines_name_every_test_that_failed():
    failed = """fails=echo 'FAILED tests/a/test_it.py::test_it[1] - assert 1 == 2'
echo 'ERROR tests/b/test_it.py::test_it'; echo 'ERROR of a program'; echo '1 failed, 1 error in 0.50s'; exit 1"""
    _, lines = run(failed, PASSES, "style=echo 'mypy found it'; exit 2")
    assert lines[-5:-1] == [
        "",
        "FAILED fails: tests/a/test_it.py::test_it[1] - assert 1 == 2",
        "FAILED fails: tests/b/test_it.py::test_it",
        "FAILED style: exit code 2: mypy found it",
    ]


def test_real_hosts_go_when_their_tests_have_ended(tmp_path):
    """The tests are ended once and waited for; a host that is gone before would leave them hanging."""
    starter, tests = tmp_path / "starter", tmp_path / "bin" / "python"
    tests.parent.mkdir()
    starter.write_text(f'#!/bin/sh\necho "$1" >>{tmp_path}/told\necho "$2 192.0.2.1"\n')
    tests.write_text(
        f"#!/bin/bash\ntrap 'kill $!; sleep 0.3; echo tests >>{tmp_path}/told; exit 1' TERM\n"
        f"touch {tmp_path}/begun\nsleep 60 >&- 2>&- & wait\n"
    )
    for program in (starter, tests):
        program.chmod(0o755)
    with subprocess.Popen(
        [ROOT / ".ci" / "real-hosts", starter, "current", "1.36.4", "1", "true"],
        env={**os.environ, "VENV": str(tmp_path), "TMPDIR": str(tmp_path)},
        stdout=subprocess.DEVNULL,
    ) as hosts:
        while not (tmp_path / "begun").exists():
            time.sleep(0.05)
        hosts.send_signal(signal.SIGTERM)
        assert hosts.wait(60) == 128 + signal.SIGTERM
    assert (tmp_path / "told").read_text().split() == ["up", "key", "tests", "down"]


def test_skips_are_counted_by_reason():
    code, lines = run(PASSES, "--left-out", "real hosts=none are named")
    assert code == 0
    at = lines.index("skipped:")
    assert lines[at + 1 : at + 3] == [
        "     5  no Chromium on PATH: install it (tests/browser/test_it.py, tests/wire/test_it.py)",
        "   all  real hosts: none are named",
    ]
    assert "    12  tests/wire/test_it.py::test_it" in lines


def test_a_part_without_tests_counts_when_it_fails():
    code, lines = run("style=true", "types=exit 1")
    assert code == 1
    assert lines[-1].strip("= ").startswith("1 failed in ")


def test_when_it_is_ended_its_parts_clean_up(tmp_path):
    part = f"trap 'echo down >{tmp_path}/told; exit' TERM; echo >{tmp_path}/up; sleep 60 & wait"
    with subprocess.Popen(
        [*PROGRAM, f"hosts={part}", "later=true"], stdout=subprocess.PIPE
    ) as all_of_it:
        while not (tmp_path / "up").exists():
            time.sleep(0.05)
        all_of_it.send_signal(signal.SIGTERM)
        all_of_it.wait(60)
    assert all_of_it.returncode == 128 + signal.SIGTERM
    assert (tmp_path / "told").read_text() == "down\n"
