"""The program `k8swin`: its version, and commands that other distributions bring."""

import os
import signal
import time

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
