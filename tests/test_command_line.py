"""The program `k8swin`: its version, and commands that other distributions bring."""

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
