"""The command that looks at real Windows servers, on a server of the lab: that the command works, and nothing about Windows."""

import os
import subprocess
import sys

from tests.conftest import ROOT


def test_a_server_is_looked_at_and_the_report_names_nothing_of_the_site(lab, tmp_path):
    description = lab.write(tmp_path, cluster_name="plant7")
    report = tmp_path / "report"
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "tests/windows",
            "-m",
            "windows",
            "-p",
            "no:cacheprovider",
        ],
        cwd=ROOT,
        env={
            **os.environ,
            "WIN_HOSTS": "winworker01",
            "WIN_PARAMS": str(description),
            "WIN_PART": "look",
            "WIN_REPORT": str(report),
        },
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr
    assert "failed" not in done.stdout.splitlines()[-1]
    whole = (report / "report.md").read_text() + (report / "report.json").read_text()
    assert "Windows Server" in whole
    for word in ("winworker01", lab.addresses["winworker01"], "plant7", str(tmp_path)):
        assert word not in whole, word
