"""Parts of the tests that run side by side: what is told of them."""

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
    assert "passes: passed in 0 s; 7 passed, 5 skipped in 1.25s (0:00:01)" in lines
    assert "fails: failed with exit code 3 in 0 s; 1 failed, 2 passed, 2 errors in 0.50s" in lines
    assert lines[-1].strip("= ").startswith("1 failed, 9 passed, 5 skipped, 2 errors in ")


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
