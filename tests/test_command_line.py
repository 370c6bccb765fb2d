"""The program `k8swin`: its version, and commands that other distributions bring."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import k8swin_nb
from k8swin_nb import __main__ as program


def test_the_program_tells_its_version(capsys):
    with pytest.raises(SystemExit) as stop:
        program.main(["--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out == f"k8swin {k8swin_nb.__version__}\n"


@pytest.mark.parametrize("command", sorted(program.OF_THE_LAB))
def test_a_command_of_the_lab_names_what_is_not_installed(command, capsys, monkeypatch):
    class Nothing:
        names = ()

        def __iter__(self):
            return iter(())

    monkeypatch.setattr(program, "entry_points", lambda **_: Nothing())
    assert program.main([command]) == 2
    assert "k8swin-lab" in capsys.readouterr().err


def test_a_command_of_another_distribution_is_given_its_arguments(monkeypatch):
    class Entries(list):
        names = ("other",)

    class Entry:
        def load(self):
            return len

    monkeypatch.setattr(program, "entry_points", lambda **_: Entries([Entry()]))
    assert program.main(["other", "a", "--b", "c"]) == 3


ROOT = Path(__file__).parent.parent
CHECK = f"exec {sys.executable} -m k8swin_nb check"


def shell(line: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["bash", "-c", line], cwd=ROOT, env={**os.environ, **environment}, capture_output=True, timeout=60
    )  # fmt: skip


@pytest.mark.parametrize("closed", ["<&- >&-", "<&- >&- 2>&-"])
def test_streams_that_the_caller_closed_hinder_no_command(closed):
    done = shell(f"{CHECK} params/example.yaml {closed}")
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_file_that_is_opened_takes_no_place_of_a_closed_stream():
    code = "from k8swin_nb.__main__ import _three_streams as o; o(); print(open('/dev/zero').fileno(), file=open('/dev/fd/9', 'w'))"
    done = shell(f'exec 9>&1; exec {sys.executable} -c "{code}" <&- >&- 2>&-')
    assert int(done.stdout) > 2


def test_a_full_disk_behind_standard_output_is_told_and_a_reader_who_has_gone_is_not():
    full = shell(f"{CHECK} params/example.yaml >/dev/full")
    assert full.returncode == 1
    assert full.stderr.splitlines() == [
        b"k8swin: standard output could not be written: No space left on device"
    ]
    gone = shell(f"({CHECK} params/example.yaml; echo $? >&2) | true")
    assert b"Traceback" not in gone.stderr


def test_a_terminal_of_another_encoding_is_told_what_it_cannot_show():
    done = shell(f"{CHECK} params/n\u00f6.yaml", PYTHONIOENCODING="ascii")
    assert done.returncode == 2
    assert b"n\\xf6.yaml" in done.stderr and b"Traceback" not in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_any_command_with_one_line_and_its_code(number, capsys, monkeypatch):
    ended = []

    def work(options):
        try:
            os.kill(os.getpid(), number)
            time.sleep(30)
        finally:
            ended.append("what was open is closed")

    monkeypatch.setattr(program, "_check", work)
    usual = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
    before = signal.signal(number, usual)  # under nohup it would be ignored
    try:
        assert program.main(["check", "params.yaml"]) == 128 + number
        assert signal.getsignal(number) is usual
    finally:
        signal.signal(number, before)
    said = capsys.readouterr().err
    assert said.startswith("k8swin: stopped by ") and len(said.splitlines()) == 1
    assert ended


def test_check_says_how_each_host_will_be_reached_and_asks_nobody(tmp_path):
    file = tmp_path / "params.yaml"
    file.write_text("""
host_subnet: 192.0.2.0/24
jump_hosts: [{name: bastion, address: jump.corp.example, user: pass}]
hosts:
  - {name: linuxmaster, address: 192.0.2.2, os: linux, role: control-plane, user: ubuntu}
  - {name: win1, address: 192.0.2.3, os: windows, user: operator@CORP.EXAMPLE, winrm_auth: kerberos,
     winrm_host: win1.corp.example, winrm_keytab: op.keytab, winrm_jump: bastion}
  - {name: win2, address: 192.0.2.4, os: windows, user: operator, winrm_auth: certificate, winrm_certificate: op.pem,
     winrm_fingerprint: "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}
  - {name: win3, address: 192.0.2.5, os: windows, user: admin, credential: env:NOT_THERE, winrm_scheme: http, winrm_port: 5985}
""")
    done = shell(f"{CHECK} {file}", COLUMNS="400")
    told = done.stdout.decode()
    assert done.returncode == 0, done.stderr
    for words in (
        "ssh://192.0.2.2:22", "https://win1.corp.example:5986, through bastion", "operator@CORP.EXAMPLE, kerberos, ",
        "op.keytab", "op.pem", "the certificate 0123456789abcdef...", "http://192.0.2.5:5985", "admin, ntlm, env:NOT_THERE",
    ):  # fmt: skip
        assert words in told, told


def test_the_key_of_a_jump_host_is_pinned_by_its_name(tmp_path, capsys):
    file = tmp_path / "params.yaml"
    file.write_text("""
host_subnet: 192.0.2.0/24
jump_hosts: [{name: bastion, address: 127.0.0.1, user: pass, ssh_port: 1}]
hosts: [{name: linuxmaster, address: 192.0.2.2, os: linux, role: control-plane, user: ubuntu}]
""")
    assert program.main(["hostkey", "pin", "--params", str(file), "--yes", "bastion"]) == 2
    assert "bastion: SSH to 127.0.0.1 port 1: " in capsys.readouterr().err
    assert program.main(["hostkey", "forget", "--params", str(file), "bastion"]) == 0
    assert "keys of bastion removed" in capsys.readouterr().out


@pytest.mark.parametrize("option", ["--params", "--confirm", "--runs"])
def test_an_option_that_is_given_twice_is_refused(option, capsys):
    """argparse alone takes the last one without a word."""
    with pytest.raises(SystemExit) as stop:
        program.main(["run", "--params", "a.yaml", option, "one", option, "two"])
    assert stop.value.code == 2
    assert f"{option} is given twice" in capsys.readouterr().err


def test_notebooks_that_are_named_one_after_the_other_all_run(monkeypatch):
    asked = []

    def run_notebooks(*_, names, **more):
        asked.append(list(names))
        return Path("runs"), []

    monkeypatch.setattr("k8swin_nb.headless.notebooks.run_notebooks", run_notebooks)
    words = ["run", "--params", "params/lab.yaml", "--only", "01_network, 02_master"]
    assert program.main([*words, "--only", "03_flannel"]) == 0
    assert asked == [["01_network", "02_master", "03_flannel"]]
