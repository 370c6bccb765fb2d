"""What stands between the login and a script on a real server: it runs, proves it and is undisturbed, or nothing counts as done."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from k8swin_nb.errors import AuthenticationFailed, EndUnknown, ScriptNotStarted
from k8swin_nb.secret import Secret
from k8swin_nb.transports import session

from .openssh import OpenSsh, needs_sshd

pytestmark = needs_sshd

SCRIPT = 'echo "out $VALUE $HIDDEN"; cat; echo err >&2; exit 7'


@pytest.mark.parametrize(
    "command",
    [
        'eval "$SSH_ORIGINAL_COMMAND"',
        "exec $SSH_ORIGINAL_COMMAND",
        'echo Welcome; echo hello >&2; eval "$SSH_ORIGINAL_COMMAND"; echo Bye; echo bye >&2; exit 0',
        'printf "no line end"; eval "$SSH_ORIGINAL_COMMAND"',
        'trap "" TERM INT; set -e; set -u; eval "$SSH_ORIGINAL_COMMAND"',
        'read -rp "Your terminal? "; read -r; eval "$SSH_ORIGINAL_COMMAND"',
        'exec dash -c "$SSH_ORIGINAL_COMMAND"',
        'exec fish -c "$SSH_ORIGINAL_COMMAND"',
        'exec zsh -c "$SSH_ORIGINAL_COMMAND"',
        'exec tcsh -c "$SSH_ORIGINAL_COMMAND"',
        'exec bash -r -c "$SSH_ORIGINAL_COMMAND"',
    ],
)
def test_a_script_is_undisturbed_whatever_starts_its_shell(
    openssh: OpenSsh,
    command: str,
) -> None:
    program = command.split()[1] if command.startswith("exec ") else "bash"
    if not program.startswith("$") and not shutil.which(program):
        pytest.skip(f"needs {program}")
    ssh = openssh.transport(openssh.start(f"ForceCommand {command}"))
    result = ssh.run(
        SCRIPT,
        parameters={"VALUE": "it's $HOME"},
        secrets={"HIDDEN": Secret("!x'y")},
        stdin=b"in\n",
    )
    assert (result.stdout, result.stderr, result.returncode) == (
        "out it's $HOME !x'y\nin\n",
        "err\n",
        7,
    )


@pytest.mark.parametrize(
    ("command", "shown", "hint"),
    [
        ("echo 'Please login as the user ubuntu.'", "login as the user ubuntu", "forced command"),
        ("exit 0", "", "forced command"),
        ("cat", "supervise", "forced command"),
        ("/usr/sbin/nologin", "not available", "usermod --shell"),
        ("env -i PATH=/nowhere /bin/sh -c 'bash -s'", "bash: not found", "install bash"),
        ("kill -9 $$", "", "forced command"),
        ('ulimit -n 64; eval "$SSH_ORIGINAL_COMMAND"', "64 open files", "forced command"),
        ("exec bash", "another shell", "forced command"),
        ("exec bash -l -s", "another shell", "forced command"),
        ("echo begins; echo ends 0", "ends 0", "forced command"),
    ],
)
def test_a_host_that_runs_no_script_is_an_error_that_shows_what_it_printed(
    openssh: OpenSsh,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    command: str,
    shown: str,
    hint: str,
) -> None:
    if command == "cat":  # it would go on to wait for input
        monkeypatch.setattr(session, "START_SECONDS", 3.0)
    ssh = openssh.transport(openssh.start(f"ForceCommand {command}"))
    target = tmp_path / "never"
    for work in (
        lambda: ssh.run("exit 3", secrets={"HIDDEN": Secret("never sent there")}),
        lambda: ssh.put(b"x", str(target)),
        lambda: ssh.get("/etc/hostname"),
    ):
        with pytest.raises(ScriptNotStarted, match="nothing was run") as caught:
            work()
        assert command == "cat" or shown in "\n".join(caught.value.details())
        assert "never sent there" not in caught.value.printed
        assert hint in (caught.value.hint or "")
    assert not target.exists()


def test_a_login_that_never_comes_to_the_script_ends(
    openssh: OpenSsh,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ssh = openssh.transport(openssh.start("ForceCommand echo waiting for you; sleep 600"))
    for seconds in (2, 10, 50):  # a busy computer takes longer to say anything
        monkeypatch.setattr(session, "START_SECONDS", seconds - 0.5)
        with pytest.raises(ScriptNotStarted, match=f"within {seconds} s") as caught:
            ssh.run("true")
        if caught.value.printed:
            break
    assert "waiting for you" in caught.value.printed


def test_an_expired_account_is_about_the_login(openssh: OpenSsh) -> None:
    said = "Password change required but no TTY available."
    ssh = openssh.transport(openssh.start(f"ForceCommand echo {said}; exit 1"))
    with pytest.raises(AuthenticationFailed, match="Password change required") as caught:
        ssh.run("true")
    assert "change the password" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("says", "hint"),
    [
        ("sudo: sorry, you must have a tty to run sudo", "!requiretty"),
        ("sudo: a password is required", "NOPASSWD"),
        ("someone is not in the sudoers file. sudo:", "NOPASSWD"),
        ("bash: sudo: command not found", "install sudo"),
    ],
)
def test_sudo_that_refuses_says_what_to_change(
    openssh: OpenSsh,
    tmp_path: Path,
    says: str,
    hint: str,
) -> None:
    fake = tmp_path / "bin" / "sudo"
    fake.parent.mkdir()
    fake.write_text(f"#!/bin/sh\necho '{says}' >&2\nexit 1\n")
    fake.chmod(0o755)
    command = f'ForceCommand PATH={fake.parent}:$PATH; eval "$SSH_ORIGINAL_COMMAND"'
    ssh = openssh.transport(openssh.start(command))
    with pytest.raises(ScriptNotStarted) as caught:
        ssh.run("true", sudo=True)
    assert says in caught.value.printed
    assert hint in (caught.value.hint or "")


def test_a_lecture_of_sudo_is_no_output(openssh: OpenSsh, tmp_path: Path) -> None:
    fake = tmp_path / "bin" / "sudo"
    fake.parent.mkdir()
    fake.write_text(
        "#!/bin/sh\necho 'We trust you have received the usual lecture' >&2\n"
        'while [ "$1" != -- ]; do shift; done; shift\nexec "$@"\n'
    )
    fake.chmod(0o755)
    command = f'ForceCommand PATH={fake.parent}:$PATH; eval "$SSH_ORIGINAL_COMMAND"'
    result = openssh.transport(openssh.start(command)).run("echo hi", sudo=True)
    assert (result.stdout, result.stderr) == ("hi\n", "")


def test_what_start_up_files_set_does_not_reach_a_script(
    openssh: OpenSsh,
    tmp_path: Path,
) -> None:
    (tmp_path / "first").mkdir()
    (tmp_path / "first" / "grep").write_text("#!/bin/sh\necho hidden\n")
    (tmp_path / "first" / "grep").chmod(0o755)
    (tmp_path / "first" / "site-tool").symlink_to("grep")
    startup = tmp_path / "startup"
    startup.write_text(
        f"""
        set -e -u -f -o pipefail -o noclobber; shopt -s nullglob expand_aliases
        cd /tmp; umask 077; IFS=:; CDPATH=/usr
        export GREP_OPTIONS=-v BASH_ENV={tmp_path}/env ENV={tmp_path}/env POSIXLY_CORRECT=1 TMPDIR=/nowhere
        export SHELLOPTS BASHOPTS LC_ALL=de_DE.UTF-8 LANGUAGE=de PYTHONPATH=/x JUNK=1 http_proxy=http://proxy:3128
        ls() {{ echo function; }}; export -f ls; printf() {{ echo function; }}; export -f printf
        alias echo='echo alias'; trap 'echo trapped' EXIT; trap '' TERM PIPE; trap 'echo debug' DEBUG
        exec 7>/dev/null
        PATH={tmp_path}/first:/usr/bin:/bin
        """
    )
    (tmp_path / "env").write_text("echo from BASH_ENV; set -e\n")
    ssh = openssh.transport(
        openssh.start(f'ForceCommand . {startup}; eval "$SSH_ORIGINAL_COMMAND"')
    )
    result = ssh.run(
        """
        echo "$-"; pwd; umask; printf '%q\\n' "$IFS"; alias; declare -F; trap -p; env -0 | tr '\\0' '\\n' | cut -d= -f1 | sort | xargs
        false; echo "$unset"
        echo "one two" | grep two; command -v site-tool; ls -d /
        case :$PATH: in *:/usr/local/sbin:*:/usr/sbin:*) echo administrators ;; esac
        mktemp -u >/dev/null && echo temporary; echo "$LANG $http_proxy"; ls /nowhere
        """
    )
    assert result.stdout.splitlines() == [
        "hBc",
        str(Path.home()),
        "0022",
        "$' \\t\\n'",
        result.stdout.splitlines()[4],
        "",
        "one two",
        f"{tmp_path}/first/site-tool",
        "/",
        "administrators",
        "temporary",
        "C.UTF-8 http://proxy:3128",
    ]
    names = set(result.stdout.splitlines()[4].split())
    assert names >= {"HOME", "PATH", "K8SWIN_TAG"}
    assert not names & {"GREP_OPTIONS", "BASH_ENV", "ENV", "SHELLOPTS", "JUNK", "LC_ALL", "TMPDIR"}
    assert not [name for name in names if name.startswith(("BASH_FUNC", "PYTHON"))]
    assert "cannot access '/nowhere'" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_limit_for_people_who_are_idle_ends_no_script(openssh: OpenSsh) -> None:
    command = 'readonly TMOUT=1; export TMOUT FUNCNEST=1; eval "$SSH_ORIGINAL_COMMAND"'
    ssh = openssh.transport(openssh.start(f"ForceCommand {command}"))
    assert ssh.run('sleep 2.5; echo "over ${TMOUT-}"').stdout == "over \n"


def test_both_streams_in_one_leave_a_script_whole(openssh: OpenSsh) -> None:
    ssh = openssh.transport(openssh.start('ForceCommand eval "$SSH_ORIGINAL_COMMAND" 2>&1'))
    result = ssh.run("echo out; echo err >&2; exit 4")
    assert (result.stdout, result.returncode) == ("out\nerr\n", 4)


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("kill -9 $$", 137),
        ("kill -TERM $$", 143),
        ("kill -SEGV $$", 139),
        ("exec sh -c 'kill -9 $$'", 137),
        ("trap 'exit 9' EXIT; exit 3", 9),
        ("exec 1>&- 2>&-; exit 5", 5),
        ("if; then", 2),
        ("exit 255", 255),
    ],
)
def test_how_a_script_ended_is_what_a_shell_would_say(
    openssh: OpenSsh,
    script: str,
    code: int,
) -> None:
    assert openssh.transport(openssh.start()).run(script).returncode == code


def test_a_script_whose_shell_was_killed_is_not_done(openssh: OpenSsh) -> None:
    ssh = openssh.transport(openssh.start())
    with pytest.raises(EndUnknown, match="not known"):
        ssh.run(
            'echo begun; kill -9 $(grep -alzx -- "$K8SWIN_TAG" /proc/[0-9]*/cmdline | cut -d/ -f3); sleep 20'
        )
