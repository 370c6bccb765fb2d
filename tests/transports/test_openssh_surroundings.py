"""What bash finds around it, and odd bodies and outputs, on OpenSSH's own server."""

from __future__ import annotations

import pytest

from k8swin_nb.errors import CommandTimeout, ScriptError
from k8swin_nb.secret import Secret
from k8swin_nb.shells import Surroundings
from k8swin_nb.transports.ssh import SshTransport

from .openssh import OpenSsh, needs_sshd, openssh

__all__ = ["openssh"]

pytestmark = needs_sshd


@pytest.fixture
def box(openssh: OpenSsh) -> SshTransport:
    return openssh.transport(openssh.start())


def test_values_strictness_and_ends(box: SshTransport) -> None:
    odd = 'it\'s "ü" $HOME `id`; exit 9\nline two'
    around = Surroundings({"ODD": odd, "KEY": Secret("sehr geheim 21")}, [odd, "two"])
    body = 'printf "%s|%s|%s|%s" "$ODD" "$KEY" "$#" "$1"; env | grep -c "^KEY=\\|K8SWIN_ARG" || :'
    assert box.run(body, around=around).stdout == f"{odd}|sehr geheim 21|2|{odd}0\n"

    body = "#!/bin/bash\nfalse\necho went on"
    assert box.run(body).stdout == "went on\n"
    assert box.run(body, around=Surroundings(strict="off")).stdout == "went on\n"
    stopped = box.run(body, around=Surroundings(strict="stop"))
    assert (stopped.returncode, stopped.stdout) == (1, "")
    assert stopped.stderr == "ended here with exit code 1: false\n"
    pipe = box.run("false | cat\necho $unset", around=Surroundings(strict="strict"))
    assert pipe.returncode == 1 and not pipe.stdout
    assert box.run("false | cat\necho on", around=Surroundings(strict="stop")).stdout == "on\n"

    assert box.run("kill -9 $$").returncode == 137
    assert box.run("kill -TERM $BASHPID").returncode == 143
    with pytest.raises(CommandTimeout, match=r"printed nothing for 0\.5 s") as caught:
        box.run("echo a\nsleep 300", idle=0.5)
    assert caught.value.silent and caught.value.result.stdout == "a\n"
    for name in ("REPLY", "K8SWIN_TAG", "2x"):
        with pytest.raises(ScriptError, match=name):
            box.run("true", around=Surroundings({name: "x"}))


def test_odd_bodies_and_outputs(box: SshTransport) -> None:
    assert box.run("if true; then\r\n  echo x\r\nfi\r\n").stdout == "x\n"
    raw = box.run(r"printf '\377\376 ok\r\n'")
    assert raw.stdout == "�� ok\n" and raw.stdout_bytes == b"\xff\xfe ok\r\n"
    assert box.run("echo ü").stdout_raw is None
    large = "echo start\n" + ("#" + "x" * 999 + "\n") * 5000 + "echo end"
    assert box.run(large).stdout == "start\nend\n"
