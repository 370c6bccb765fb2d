from __future__ import annotations

import inspect
import pickle
from dataclasses import dataclass

import pytest

from k8swin_nb import errors
from k8swin_nb.errors import (
    ClusterError,
    CommandFailed,
    CommandTimeout,
    DriftFound,
    HostKeyMismatch,
    HostKeyUnknown,
    HostUnreachable,
    K8swinError,
    MultiHostError,
    ParamsError,
    StepFailed,
    Stopped,
    VerifyFailed,
)
from k8swin_nb.result import Result
from k8swin_nb.secret import Secret


def result(stdout: str = "", stderr: str = "", code: int = 3) -> Result:
    return Result("kubeadm init", code, stdout, stderr, "cp1", 1.5)


EXAMPLES: list[K8swinError] = [
    K8swinError("it broke", hint="mend it"),
    ParamsError("bad"),
    HostUnreachable("cp1", "nobody there"),
    HostKeyUnknown("cp1", where="cp1 port 22", algorithm="ssh-ed25519", fingerprint="SHA256:x"),
    HostKeyMismatch("cp1", where="cp1 port 22", expected="SHA256:x", found="SHA256:y"),
    CommandFailed(result(stderr="no\n")),
    CommandTimeout(result(stdout="so far\n"), 5),
    StepFailed(phase="02_master", step="swap", host="cp1", detail="apply failed", result=result()),
    VerifyFailed(phase="", step="swap", host="cp1", detail="still on"),
    DriftFound(phase="p", step="s", host="h", detail="theirs"),
    ClusterError("not found", status=404, reason="NotFound"),
    MultiHostError({"a": HostUnreachable("a", "x"), "b": CommandFailed(result())}),
]


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda e: type(e).__name__)
def test_errors_survive_pickling_with_their_fields(error: K8swinError) -> None:
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert str(copy) == str(error) and copy.hint == error.hint
    assert copy.lines() == error.lines()
    assert set(vars(copy)) == set(vars(error))


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda e: type(e).__name__)
def test_messages_end_without_a_full_stop(error: K8swinError) -> None:
    assert str(error) and not str(error).endswith(".")


def test_the_tree_in_the_docstring_names_every_class_and_no_other() -> None:
    classes = {
        name
        for name, item in inspect.getmembers(errors, inspect.isclass)
        if issubclass(item, K8swinError)
    }
    tree = (errors.__doc__ or "").split("\n\n")[1]
    drawn = {line.strip("│├└─ ").split()[0] for line in tree.splitlines() if line.strip("│├└─ ")}
    assert drawn == classes


def test_a_notebook_shows_message_and_hint_in_two_lines() -> None:
    lines = HostKeyUnknown(
        "cp1", where="192.0.2.1 port 22", algorithm="ssh-ed25519", fingerprint="SHA256:abc"
    )._render_traceback_()
    assert len(lines) == 2
    assert "SHA256:abc" in lines[0] and lines[1].startswith("hint: ")
    assert "k8swin hostkey pin --params FILE cp1" in lines[1]


def test_a_failed_command_shows_host_code_and_its_last_ten_lines() -> None:
    printed = "".join(f"line {number}\n" for number in range(1, 31))
    lines = CommandFailed(result(stdout="out\n", stderr=printed))._render_traceback_()
    assert "cp1" in lines[0] and "exit code 3" in lines[0]
    assert [line.strip() for line in lines[1:]] == [f"line {number}" for number in range(21, 31)]
    assert "out" in CommandFailed(result(stdout="out\n")).lines()[1]


def test_many_hosts_are_shown_up_to_four() -> None:
    many = MultiHostError({f"h{n}": HostUnreachable(f"h{n}", "gone") for n in range(6)})
    assert "6 hosts failed" in str(many)
    assert "... 2 more" in many.lines()
    stopped = {f"h{n}": Stopped(f"h{n}", "was not begun") for n in range(5)}
    first = MultiHostError(stopped | {"h9": HostUnreachable("h9", "gone")}).details()[0]
    assert first == "HostUnreachable: h9: gone"


def test_no_secret_is_in_a_message() -> None:
    Secret("sehr-geheim-99")
    for error in (
        ParamsError("is sehr-geheim-99", hint="not sehr-geheim-99"),
        CommandFailed(result(stderr="was sehr-geheim-99\n")),
        MultiHostError({"a": ParamsError("x sehr-geheim-99"), "b": ValueError("sehr-geheim-99")}),
    ):
        assert "sehr-geheim-99" not in "\n".join([str(error), *error.lines()])


def test_a_result_checks_its_code_and_reads_json() -> None:
    assert result('{"a": 1}', code=0).json() == {"a": 1}
    assert result(code=0).ok
    result(code=0).check_returncode()
    with pytest.raises(CommandFailed) as caught:
        result().check_returncode()
    assert caught.value.result.returncode == 3
    with pytest.raises(errors.ScriptError, match="no JSON"):
        result("no json").json()


def test_a_result_shows_itself_masked_and_short() -> None:
    Secret("zeig-mich-nicht")
    shown = repr(result("x\n" * 50 + "zeig-mich-nicht <b>\n", "e\n"))
    assert "zeig-mich-nicht" not in shown and "lines above" in shown and "stderr: e" in shown
    assert "<b>" not in result("<b>")._repr_html_()


@dataclass
class Reported:
    rows: int


def test_what_a_runner_adds_to_an_error_survives_too() -> None:
    error = ParamsError("x")
    error.report = Reported(3)  # type: ignore[attr-defined]
    assert pickle.loads(pickle.dumps(error)).report == Reported(3)


def test_of_several_hosts_each_error_names_its_own_though_it_is_about_something_here():
    lines = MultiHostError(
        {"win1": ParamsError("no secret"), "win2": HostUnreachable("win2", "gone")}
    ).details()
    assert (
        lines[0] == "ParamsError: win1: no secret"
        and lines.count("HostUnreachable: win2: gone") == 1
    )
