"""Tools and builtins as people use them: the adapter in Python answers what the system's own bash answers."""

from __future__ import annotations

from pathlib import Path

import pytest
from k8swin_lab.bash import open_shell, system_bash_available

from lab.tests.bash.bash_cases import SmallMachine, run

SNIPPETS = [
    "mkdir -p d/e; touch d/a d/e/b; chmod 640 d/a; find d -name e -prune -o -type f -print",
    "mkdir d; touch d/a; chmod 640 d/a; find d -type f -perm 640; find d -type f -perm -u+r",
    "mkdir d; echo 12345 >d/a; find d -type f -printf '%f %s %m %p\\n'",
    "mkdir d; touch d/a d/b; find d -type f -exec basename {} + | sort; find d -type f -exec echo one {} \\; | sort",
    "du -s . >/dev/null; echo $?",
    "printf '%s-%03d\\n' a 7 b 8; /usr/bin/printf '%5s|%-5s|\\n' x y",
    "cd /tmp; /usr/bin/pwd; tty </dev/null; /usr/bin/false; echo $?",
    "getconf PAGE_SIZE; id -gn; groups | tr ' ' '\\n' | sort",
    "getent passwd root | cut -d: -f1,3; getent group root | cut -d: -f1; getent passwd nosuch; echo $?",
    "printf 'ab\\ncd\\n' | hexdump -C | head -1",
    "printf 'a\\nb\\nc\\n' | sed -n '1!G;h;$p'; printf 'x\\n' | sed 's/x/y/;t end;s/y/z/;:end'",
    "printf 'k v\\n' >f; awk 'BEGIN { while ((getline line < \"f\") > 0) print \"got\", line; \"echo hi\" | getline x; print x }'",
    "printf 'net.tool\\t = /a b\\n' | awk -F = '{ name = $1; gsub(/[ \\t]/, \"\", name); gsub(/\\//, \"-\", $2); print name $2 }'",
    "printf '3 c\\n1 a\\n2 b\\n' | sort -k1,1n | awk '{ s += $1; print $2 } END { print s }'",
    "shopt -s extglob\nx=foo.tar.gz; echo ${x%.@(tar.gz|zip)}; case abc in @(abc|d)) echo yes;; esac; [[ aXb == a?(X)b ]] && echo t",
    "ulimit -n >/dev/null; echo $?; builtin echo b; type -t cd ls if; command -V cd",
    "sleep 5 & jobs -p >f; wc -l <f; kill %1; wait %1 2>/dev/null; echo $?",
    "a=(x y z); echo ${!a[@]} ${#a[@]} ${a[-1]}; declare -A m=([k]=v); declare -p m; declare -f nosuch; echo $?",
    "f() { echo in; }; declare -F f; unset -f f; type f 2>/dev/null || echo none",
    "timeout 0.1 sleep 5; echo $?; timeout 5 echo done",
    "read -t 0.1 x </dev/null; echo $?; echo 'a b c' | { read -r x y; echo \"$y\"; }",
    "x='a b'; echo ${x@Q}; printf '%q\\n' \"$x\"; echo ${x^^} ${x/a/c} ${x:2}",
    "echo one two | xargs -n1 echo got; seq 3 | paste -sd, ; seq 10 | tail -n 2 | tac",
    "echo text | tee f | sha256sum | cut -c1-8; cmp f f && echo same; diff <(echo a) <(echo b); wc -c <f",
    "exec 9>>f; flock -n 9; echo $?; (exec 8>>f; flock -n 8; echo $?; flock -w 0.1 -E 7 8; echo $?); flock -u 9; flock -n f echo mine",
    "exec 9>>f; flock 9; exec 9>&-; flock -n f -c 'echo free'; exec 9<f; flock -s 9; flock -n -s f echo both; flock -n f echo no; echo $?",
    "su - ubuntu -c 'id -un; pwd'; sudo -u ubuntu id -un",
]  # fmt: skip


@pytest.mark.parametrize("text", SNIPPETS)
def test_both_adapters_answer_alike(tmp_path: Path, text: str) -> None:
    if not system_bash_available():
        pytest.skip(system_bash_available().reason)
    outcomes = []
    for adapter in ("system", "python"):
        machine = SmallMachine(tmp_path / adapter)
        shell = open_shell(machine, adapter)
        done = run(shell, machine, ["bash", "-c", text], cwd="/root/work")
        shell.stop()
        outcomes.append((done.output, done.code))
    assert outcomes[1] == outcomes[0]
    assert outcomes[0][0]


@pytest.mark.parametrize(
    "text", ["alias l=ls", "unalias l", "f() { :; }; declare -f f", "f() { :; }; type f"]
)
def test_what_the_python_adapter_has_not_is_refused(tmp_path: Path, text: str) -> None:
    machine = SmallMachine(tmp_path / "root")
    shell = open_shell(machine, "python")
    done = run(shell, machine, ["bash", "-c", text], cwd="/root/work")
    shell.stop()
    assert done.code == 70
    assert "not simulated in the lab: " in done.errors


def test_commands_run_where_the_folder_of_temporary_files_has_a_long_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not system_bash_available():
        pytest.skip(system_bash_available().reason)
    long = tmp_path / ("long" * 25)
    long.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(long))
    assert system_bash_available.__wrapped__()
