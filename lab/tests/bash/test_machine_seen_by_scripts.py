"""What a script sees of the machine, and what it cannot see of the host; both adapters."""

from __future__ import annotations

import io
import threading
import time
from typing import cast

import pytest
from k8swin_lab.bash import Shell, open_shell, system_bash_available
from k8swin_lab.machines.base import Machine
from k8swin_lab.machines.program import NotSimulated, Process

from lab.tests.bash.bash_cases import ENVIRONMENT, SmallMachine, run


def script(shell: Shell, machine: SmallMachine, text: str, user: str = "root") -> str:
    home = "/root/work" if user == "root" else f"/home/{user}"
    outcome = run(shell, machine, ["bash", "-c", text], user=user, cwd=home)
    assert outcome.errors == ""
    return outcome.output


def test_a_script_after_nul_on_standard_input_leaves_the_rest_to_itself(
    shell: Shell, machine: SmallMachine
) -> None:
    outcome = run(
        shell,
        machine,
        ["bash", "-c", """sudo -n -- env K=V bash -c 'IFS= read -r -d "" s; eval "$s"'"""],
        given=b'echo "$K"; read -r line; echo "read $line"; cat\nfalse\0first\nsecond\nthird',
        user="ubuntu",
        cwd="/home/ubuntu",
    )
    assert (outcome.output, outcome.errors, outcome.code) == (
        "V\nread first\nsecond\nthird",
        "",
        1,
    )


def test_a_program_can_be_started_without_a_shell(shell: Shell, machine: SmallMachine) -> None:
    outcome = run(
        shell, machine, ["/usr/bin/env", "K=V", "bash", "-s", "--", "a b"], given=b'echo "$K $1"'
    )
    assert outcome.output == "V a b\n"


def test_an_ordinary_user_is_himself_and_sudo_is_root(shell: Shell, machine: SmallMachine) -> None:
    text = 'echo "$EUID $(id -un) $(whoami) $HOME"; sudo -n bash -c \'echo "$EUID $(id -un) $SUDO_USER"\''
    assert script(shell, machine, text, "ubuntu") == "1000 ubuntu ubuntu /root\n0 root ubuntu\n"


def test_sudo_asks_for_a_password_without_a_rule(shell: Shell, machine: SmallMachine) -> None:
    (machine.root / "etc/sudoers.d/ubuntu").unlink()
    outcome = run(shell, machine, ["bash", "-c", "sudo -n true"], user="ubuntu", cwd="/")
    assert (outcome.errors, outcome.code) == ("sudo: a password is required\n", 1)


def test_owners_are_the_machines(shell: Shell, machine: SmallMachine) -> None:
    text = (
        "touch f; chown ubuntu:adm f; stat -c '%U:%G' f;"
        " install -o ubuntu -m 0640 f g; stat -c '%U %a' g; id ubuntu"
    )
    expected = (
        "ubuntu:adm\nubuntu 640\nuid=1000(ubuntu) gid=1000(ubuntu) groups=1000(ubuntu),4(adm)\n"
    )
    assert script(shell, machine, text) == expected
    assert machine.owner_of("/root/work/f") == ("ubuntu", "adm")


def test_proc_is_the_machines_and_can_be_written(shell: Shell, machine: SmallMachine) -> None:
    text = (
        "cat /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv4/ip_forward;"
        " cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/hostname /proc/swaps;"
        " stat -fc %T /sys/fs/cgroup; [ -f /sys/fs/cgroup/cgroup.controllers ] && echo v2"
    )
    expected = "0\n1\nsmall\nFilename\tType\tSize\tUsed\tPriority\ncgroup2fs\nv2\n"
    assert script(shell, machine, text) == expected
    assert machine.proc["/proc/sys/net/ipv4/ip_forward"] == b"1\n"


def test_programs_come_and_go_while_a_script_runs(shell: Shell, machine: SmallMachine) -> None:
    def install(process: Process) -> int:
        if process.argv[1] == "install":
            machine.programs["kubeadm"] = lambda p: p.out("kubeadm here\n") or 0
        else:
            del machine.programs["kubeadm"]
        return 0

    machine.programs["apt-get"] = install
    text = (
        "command -v kubeadm || echo absent; apt-get install; kubeadm; /usr/bin/kubeadm;"
        " command -v kubeadm; apt-get remove; hash -r; command -v kubeadm || echo gone"
    )
    expected = "absent\nkubeadm here\nkubeadm here\n/usr/bin/kubeadm\ngone\n"
    assert script(shell, machine, text) == expected


def test_a_stand_in_binary_runs_the_program_it_names(shell: Shell, machine: SmallMachine) -> None:
    machine.programs["download"] = lambda p: (
        p.out("#!/.k8swin-lab/run answer v1.36.4\n\x01\x02") or 0
    )
    text = (
        "download > tool; ./tool x 2>/dev/null || echo $?; chmod +x tool; ./tool y;"
        " install -m 0755 tool /usr/local/bin/kubetool; kubetool z; sha256sum < tool | wc -c"
    )
    expected = "126\nanswer: y\nanswer: z\n68\n"
    assert script(shell, machine, text) == expected


def test_a_gap_is_named_and_has_its_own_code(shell: Shell, machine: SmallMachine) -> None:
    def gap(process: Process) -> int:
        raise NotSimulated("answer --strange")

    machine.programs["answer"] = gap
    outcome = run(shell, machine, ["bash", "-c", "answer --strange"])
    assert (outcome.errors, outcome.code) == ("not simulated in the lab: answer --strange\n", 70)


def test_output_arrives_while_the_command_runs(shell: Shell, machine: SmallMachine) -> None:
    seen = threading.Event()

    class Watched(io.BytesIO):
        def write(self, data: object, /) -> int:
            if b"early" in bytes(data):  # type: ignore[call-overload]
                seen.set()
            return super().write(data)  # type: ignore[arg-type]

    machine.programs["wait-for-reader"] = lambda p: 0 if seen.wait(100) else 1
    output = Watched()
    process = Process(
        cast(Machine, machine), [], dict(ENVIRONMENT), "/", "root", io.BytesIO(), output,
        io.BytesIO(),
    )  # fmt: skip
    assert shell.run(["bash", "-c", "echo early; wait-for-reader; echo late"], process) == 0
    assert output.getvalue() == b"early\nlate\n"


@pytest.mark.parametrize("text", ["sleep 600", "hold", "while :; do :; done", "hold | cat"])
def test_cancelling_ends_the_command_and_its_programs(
    shell: Shell, machine: SmallMachine, text: str
) -> None:
    ended = threading.Event()
    started = threading.Event()

    def hold(process: Process) -> int:
        started.set()
        process.cancelled.wait(60)
        ended.set()
        return 143

    machine.programs["hold"] = hold
    process = Process(
        cast(Machine, machine), [], dict(ENVIRONMENT), "/", "root", io.BytesIO(), io.BytesIO(),
        io.BytesIO(),
    )  # fmt: skip
    worker = threading.Thread(target=shell.run, args=(["bash", "-c", text], process))
    worker.start()
    if "hold" in text:
        assert started.wait(100)
    else:
        time.sleep(0.5)
    process.cancelled.set()
    worker.join(100)
    assert not worker.is_alive()
    if "hold" in text:
        assert ended.wait(100)


def test_the_hosts_files_cannot_be_seen(
    shell: Shell, machine: SmallMachine, tmp_path: object
) -> None:
    text = f"cat /etc/passwd; ls / | tr '\\n' ' '; test -e {tmp_path} && echo visible; true"
    output = script(shell, machine, text)
    assert "Ubuntu" in output
    assert "visible" not in output
    assert output.splitlines()[-1].split() == sorted(
        [
            "bin",
            "dev",
            "etc",
            "home",
            "lib",
            "lib64",
            "opt",
            "proc",
            "root",
            "run",
            "sbin",
            "srv",
            "sys",
            "tmp",
            "usr",
            "var",
        ]
    )


def test_the_hosts_programs_cannot_be_changed() -> None:
    if not system_bash_available():
        pytest.skip(system_bash_available().reason)
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as directory:
        machine = SmallMachine(Path(directory) / "root")
        opened = open_shell(machine, "system")
        outcome = run(
            opened, machine,
            ["bash", "-c", "echo x >> /.k8swin-lab/host/usr/bin/env; echo > /dev/tcp/127.0.0.1/22"],
        )  # fmt: skip
        opened.stop()
    assert "Read-only file system" in outcome.errors
    assert "Network is unreachable" in outcome.errors or "refused" in outcome.errors


def test_an_ordinary_user_cannot_write_what_is_roots(machine: SmallMachine) -> None:
    opened = open_shell(machine, "python")
    outcome = run(opened, machine, ["bash", "-c", "echo x > /etc/new"], user="ubuntu", cwd="/")
    opened.stop()
    assert (outcome.errors, outcome.code) == (
        "bash: line 1: /etc/new: Permission denied\n",
        1,
    )


def test_a_tool_that_only_the_system_has_is_refused_by_the_python_adapter(
    machine: SmallMachine,
) -> None:
    shell = open_shell(machine, "python")
    outcome = run(shell, machine, ["bash", "-c", "command -v dd; shuf -n 1; echo after $?"])
    shell.stop()
    assert outcome.output == "/usr/bin/dd\nafter 70\n"
    assert outcome.errors == "not simulated in the lab: shuf\n"


def test_sudo_and_su_take_a_path_and_options_after_the_user(
    shell: Shell, machine: SmallMachine
) -> None:
    text = "sudo -n /bin/sh -c 'id -un'; sudo -n su - -c 'id -un'; sudo -n su - root -c 'id -un'"
    assert script(shell, machine, text, "ubuntu") == "root\n" * 3


def test_the_beginning_of_a_long_option_is_enough(shell: Shell, machine: SmallMachine) -> None:
    text = """
    mkdir -p d/e; echo x >d/e/f; tar -cf a.tar d; rm -r d; tar --strip=1 -xf a.tar; cat e/f
    head -c 4 /dev/zero | od -An -c | tr -d ' '; a=(x y); echo "${a[@]/#/p-}" "${a[@]/%/-s}"
    """
    assert script(shell, machine, text) == "x\n\\0\\0\\0\\0\np-x p-y x-s y-s\n"
