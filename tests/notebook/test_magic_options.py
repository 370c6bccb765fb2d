"""Options of the magics that run scripts, on hosts that say what they were given; and the examples that help shows."""

from __future__ import annotations

import argparse
import enum
import inspect
import json
import pickle
import re
from datetime import date, timedelta
from decimal import Decimal
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell

from k8swin_nb.errors import Interrupted, InventoryError, MultiHostError, ParamsError
from k8swin_nb.notebook import context, host_magics, k8swin_magic, remote_magics
from k8swin_nb.notebook.k8swin_magic import use
from k8swin_nb.notebook.magic_line import MagicUsageError
from k8swin_nb.notebook.magics import ALL
from k8swin_nb.notebook.outputs import ScriptOutput
from k8swin_nb.notebook.tool_line import selected
from k8swin_nb.opened import OpenPhase
from k8swin_nb.secret import Secret
from k8swin_nb.shells import powershell_input
from k8swin_nb.transports.base import End, Work
from k8swin_nb.transports.output import Output
from k8swin_nb.transports.pool import Pool
from k8swin_nb.workflow.host_lock import HostLocks
from k8swin_nb.workflow.report import Report, Row
from k8swin_nb.workflow.step import Outcome
from tests.interrupts import interrupt
from tests.notebook import test_magics
from tests.notebook.test_magics import Echo, EchoPs, run, shell

__all__ = ["shell"]

events = test_magics.events

pytestmark = pytest.mark.usefixtures("events")


def around() -> Any:
    return Echo.works[-1][1].around


def test_values_are_passed_and_not_pasted(shell: InteractiveShell) -> None:
    word = 'two "words" $HOME; rm -rf /'
    names = {"word": word, "n": 3, "key": Secret("sehr geheim 11"), "many": ["a", 1]}
    shell.user_ns.update(names)
    run(
        shell,
        "%%remote_bash --env A=word --env N={n + 1} --env word --env KEY=key --env T=True "
        "--env L={many} --env P=__import__('pathlib').Path('/x') --env 'Q=n + 1' --env W=\"C:\\new\" "
        "--arg word --arg 'plain text' --arg {n + 2}\n"
        "echo $A",
    )
    given = dict(around().environment)
    assert given.pop("KEY") == names["key"]
    listed = json.dumps(names["many"])
    assert given == {"A": word, "N": "4", "word": word, "T": "true", "L": listed, "P": "/x"} | {
        "Q": "4",
        "W": "C:\\new",
    }
    assert tuple(around().arguments) == (word, "plain text", "5")
    assert Echo.works[-1][1].script.text == "echo $A\n"
    recorded = context.current().cluster.record.events[-1]
    assert recorded["environment"]["N"] == "4" and recorded["secrets"] == ["KEY"]
    assert "geheim" not in json.dumps(context.current().cluster.record.events)


class Colour(enum.Enum):
    RED = "red"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ([Path("/a"), date(2026, 1, 2), None, "ü"], '["/a", "2026-01-02", null, "ü"]'),
        ({"n": np.int64(5), "yes": True, "c": Colour.RED}, '{"n": 5, "yes": true, "c": "red"}'),
        (pd.Series([1, 2]), "[1, 2]"),
        (np.array(["a"]), '["a"]'),
        (range(2), "[0, 1]"),
        (Decimal("1.10"), "1.10"),
        (IPv4Address("10.0.0.1"), "10.0.0.1"),
        (Colour.RED, "red"),
        (np.bool_(False), "false"),
        ("two\nlines 'q' \"d\" 日本 \udcff", "two\nlines 'q' \"d\" 日本 \udcff"),
        ("", ""),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_of_any_kind_becomes_text(shell: InteractiveShell, value: Any, text: str) -> None:
    shell.user_ns["value"] = value
    run(shell, "%%remote_bash --env value --arg value\nls")
    assert dict(around().environment) == {"value": text} and tuple(around().arguments) == (text,)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (pd.DataFrame({"a": [1]}), "to_csv"),
        (pd.NaT, "nothing that a script can be given"),
        (timedelta(minutes=1), "total_seconds"),
        ({1, 2}, "sorted"),
        ((n for n in range(2)), "list"),
        ([Secret("sehr geheim 13")], "it holds a secret"),
        ("a\0b", "NUL"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_that_is_no_text_is_refused_with_what_to_pass(
    shell: InteractiveShell, value: Any, told: str
) -> None:
    shell.user_ns["value"] = value
    with pytest.raises(MagicUsageError, match=told) as caught:
        run(shell, "%%remote_bash --arg value\nls")
    assert "geheim" not in str(caught.value) and not Echo.works


def test_powershells_parameters_are_given_by_name_and_in_order(shell: InteractiveShell) -> None:
    word = Secret("sehr geheim 14")
    shell.user_ns.update(names=["a", "b c"], like="-Force", word=word)
    body = "param([Parameter(Mandatory)][string]$First, [switch]$Force, [string[]]$Names, $Key)"
    line = '--arg "-force" --arg like --arg names --arg "-Key" --arg word --arg "-Other"'
    run(shell, f"%%remote_ps -H win1 {line}\n{body}\nls")
    work = Echo.works[-1][1]
    assert work.parameters == {"Force": "true"} and work.secrets == {"Key": word}
    assert tuple(work.around.arguments) == ("-Force", '["a", "b c"]', "-Other")
    given = (work.script, work.parameters, work.secrets)
    document = json.loads(powershell_input(*given, word="w", around=work.around))
    assert document["parameters"] == {"Force": True, "Key": word.reveal()}
    assert document["arguments"] == ["-Force", ["a", "b c"], "-Other"]
    # What is missing the script itself misses: the host may have it.
    run(shell, f"%%remote_ps -H win1\n{body}\nls")
    run(shell, '%%remote_bash --env A=1\n: "${A:?}"\n: "${HOME:?}"\nls')
    with pytest.raises(MagicUsageError, match="no --arg with its value"):
        run(shell, f'%%remote_ps -H win1 --arg "-Key"\n{body}')


def test_names_of_a_function_are_seen(shell: InteractiveShell) -> None:
    run(
        shell,
        "def outer(where):\n"
        "    def inner():\n"
        "        return [get_ipython().run_line_magic('remote_bash', '--host {where} --env N=n ls') for n in (7,)]\n"
        "    return inner()\n"
        "outer('cp1')",
    )
    assert dict(around().environment) == {"N": "7"}
    Echo.works.clear()
    run(
        shell,
        "def ask(where, local):\n"
        "    for n in (1, 2):\n"
        "        %remote_bash --host {where} --env LOCAL=local --env N=n echo hello\n"
        "ask('cp1', 'inner')",
    )
    assert [dict(work.around.environment) for _, work in Echo.works] == [
        {"LOCAL": "inner", "N": "1"},
        {"LOCAL": "inner", "N": "2"},
    ]


def test_strictness_is_asked_for(shell: InteractiveShell) -> None:
    for option, strict in (("", "stop"), ("--strict", "strict"), ("--no-strict", "off")):
        run(shell, f"%%remote_bash {option}\nls")
        assert around().strict == strict
    with pytest.raises(MagicUsageError, match="not allowed"):
        run(shell, "%%remote_bash --strict --no-strict\nls")


def test_the_output_is_text_that_knows_the_rest(shell: InteractiveShell) -> None:
    run(shell, '%%remote_bash -o text\n{"a": [1, 2]}')
    text = shell.user_ns["text"]
    assert isinstance(text, str) and text == '{"a": [1, 2]}\n' and text.json() == {"a": [1, 2]}
    assert (text.host, text.exit_code, text.stderr, text.ok) == ("cp1", 0, "complaint\n", True)
    assert text.df["a"].tolist() == [[1, 2]] and text.stdout_bytes == text.encode()
    assert repr(text).startswith("cp1: exit code 0") and pickle.loads(pickle.dumps(text)) == text
    run(shell, "%%remote_ps -H windows -o both\n[3]")
    both = shell.user_ns["both"]
    assert both["win1"] == "[3]\n" and both.exit_code == {"win1": 0, "win2": 0}
    assert both.json() == {"win1": [3], "win2": [3]} and both.ok and both.host == ["win1", "win2"]
    assert both.df.to_dict("list") == {"host": ["win1", "win2"], "value": [3, 3]}


def test_the_line_form_shows_its_output_once(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    run(shell, "for n in range(2):\n    %remote_bash echo {n}\nNone")
    assert capsys.readouterr().out.count("[cp1] echo {n}") == 2
    shell.run_cell("%remote_bash echo hello", store_history=True)
    assert capsys.readouterr().out.count("echo hello") == 1
    shell.run_cell("answer = %remote_bash -q echo quiet", store_history=True)
    assert not capsys.readouterr().out
    shell.run_cell("answer", store_history=True)
    assert capsys.readouterr().out.count("echo quiet") == 1


def test_a_table_comes_back_in_place_of_lines(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = run(shell, "%%remote_bash --df -o out\nname,n\nx,1\ny,2")
    assert frame.to_dict("list") == {"host": ["cp1"] * 2, "name": ["x", "y"], "n": [1, 2]}
    assert "[cp1]" not in capsys.readouterr().out
    assert isinstance(shell.user_ns["out"], ScriptOutput)
    run(shell, "%%remote_ps -H win1 --df=json\n1")
    assert around().objects
    assert capsys.readouterr().err == "[win1] stderr: 1\n[win1] stderr: complaint\n"
    assert run(shell, "%remote_bash --df=columns name").columns.tolist() == ["host", "name"]


def test_a_dry_run_says_what_would_be_sent_and_where_and_sends_nothing(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.user_ns["key"] = Secret("sehr geheim 12")
    line = "-H windows --dry-run --bg --serial 1 -t 5m --env KEY=key --env N=3"
    assert run(shell, f"%%remote_ps {line}\n" + "hostname\n" * 12) is None
    told = capsys.readouterr().out
    assert told.startswith("would run on: win1, win2\n") and told.endswith("nothing was sent\n")
    assert "win2: Administrator at 10.1.0.4 port 5986" in told and "win1 | win2" in told
    assert "12 lines of powershell" in told and "... 2 more lines" in told
    assert "N=3" in told and "5 min" in told and "geheim" not in told
    cluster = context.current().cluster
    assert not Echo.works and not cluster.record.events and not context.current().jobs
    run(shell, "%%remote_bash --dry-run\necho " + "x" * 1_000_000)
    told = capsys.readouterr().out
    assert told.startswith("would run on: cp1\n  cp1: ") and "1000006 bytes" in told
    assert len(told) < 1000


def test_batches_stop_after_a_failure_and_the_failed_are_asked_again(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(MultiHostError, match="1 host failed: win1; stopped or not begun: win2"):
        run(shell, "%%remote_ps -H windows --serial 1 --fail-fast\nexit 3")
    assert [name for name, _ in Echo.works] == ["win1"]
    run(shell, "%%remote_ps -H @failed --ok-rc 3\nexit 3")
    assert [name for name, _ in Echo.works] == ["win1", "win1"]
    with pytest.raises(InventoryError, match="no host of the last run"):
        run(shell, "%%remote_ps -H @failed\nhello")
    capsys.readouterr()
    run(shell, "%%remote_bash --retries 2 --retry-delay 0 --no-raise-error -o r\nexit 75")
    assert shell.user_ns["r"].exit_code == 75 and len(Echo.works) == 5
    assert capsys.readouterr().err.count("attempt") == 2
    run(shell, "%%remote_ps -H win1 --ok-rc -1073741819,3 -t '1 min 5 s'\nexit -1073741819")
    with interrupt(lambda: len(Echo.works) > 6), pytest.raises(Interrupted) as caught:
        run(shell, "%%remote_ps -H windows --serial 1\nhang")
    assert "it begins anew" in caught.value.hint
    run(shell, "%%remote_ps -H @left\nhello")
    # Both at once, in whichever order.
    assert sorted(name for name, _ in Echo.works[-2:]) == ["win1", "win2"]


def test_a_long_script_is_in_the_record_once(shell: InteractiveShell) -> None:
    run(shell, "%%remote_ps -H windows\n# " + "x" * 60_000)
    record = context.current().cluster.record
    files = {event["script_file"] for event in record.events}
    assert len(record.events) == 4 and len(files) == 1
    assert (record.folder / files.pop()).read_text().startswith("# xxx")
    assert all(len(event["script"]) < 5_000 for event in record.events)


def test_the_failed_of_a_phase_are_selected(shell: InteractiveShell) -> None:
    cluster = context.current().cluster
    phase = OpenPhase(cluster, cluster.phase_run(cluster.phase("01_network").phase))

    def each(*_: Any) -> Report:
        rows = [
            Row("swap", "cp1", Outcome.CHANGED, 0.1),
            Row("swap", "win1", Outcome.OK, 0.1),
            Row("swap", "win2", Outcome.FAILED, 0.1),
        ]
        return Report("x", rows)

    phase._one = each  # type: ignore[method-assign]
    phase.apply(phase.phase.steps[0].name)
    assert cluster.last == {"cp1": "changed", "win1": "ok", "win2": "failed"}
    run(shell, "%%remote_ps -H @failed\nhello")
    assert [name for name, _ in Echo.works] == ["win2"]


def test_a_body_with_a_nul_byte_is_refused_and_line_ends_of_windows_are_taken(
    shell: InteractiveShell,
) -> None:
    magics = shell.magics_manager.magics["cell"]["remote_bash"]
    with pytest.raises(MagicUsageError, match="line 2 of the script holds a NUL byte"):
        magics("", "echo\nx\0y\n")
    with pytest.raises(MagicUsageError, match="line 2 of the script holds half of a character"):
        magics("", "echo\nx\ud800y\n")
    assert not Echo.works
    run(shell, "%%remote_bash\nif true; then\r\n  echo x\r\nfi\r\n")
    assert Echo.works[-1][1].script.text == "if true; then\n  echo x\nfi\n"


def test_a_host_is_named_with_its_login_alone(
    shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    (home / ".ssh").mkdir(parents=True)
    (home / ".ssh" / "id_rsa").touch()
    (home / ".ssh" / "known_hosts").touch()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(tmp_path)
    run(shell, "%k8swin close")
    assert "no cluster is open" in repr(run(shell, "%k8swin"))
    opened = context.current()
    opened.cluster.pool = Pool(
        opener=lambda host, _: (EchoPs if host.os == "windows" else Echo)(host)
    )
    opened.cluster.locks = HostLocks(opened.cluster.pool, "run")
    run(shell, "%%remote_bash --host ubuntu@192.0.2.7,root@[fd00::5]:2222 --dry-run\nls")
    assert not (tmp_path / "runs").exists() and not (home / ".k8swin").exists()
    for word in ("ubuntu@192.0.2.7", "root@[fd00::5]:2222", "ops@corp.example@web1:22"):
        run(shell, f"%%remote_bash --host {word} --sudo\nls")
    ubuntu, six, web = opened.strangers.values()
    assert (ubuntu.user, ubuntu.address, ubuntu.ssh_port) == ("ubuntu", "192.0.2.7", 22)
    assert (six.address, six.ssh_port, web.user) == ("fd00::5", 2222, "ops@corp.example")
    assert ubuntu.own_keys and ubuntu.own_keys.identities == (str(home / ".ssh" / "id_rsa"),)
    assert ubuntu.known_hosts == str(home / ".k8swin" / "known_hosts")
    assert ubuntu.known_elsewhere == str(home / ".ssh" / "known_hosts")
    assert [p.name for p in (home / ".k8swin" / "runs").iterdir()] == [opened.cluster.run_id]
    with pytest.raises(InventoryError, match="no host of the last run"):
        run(shell, "%%remote_bash --host @failed\nls")
    run(shell, "%%remote_bash --host root@192.0.2.7\nls")
    assert opened.strangers["root@192.0.2.7:22"].user == "root"
    run(shell, r"%%remote_ps --host CORP\op@win9:5985 --credential env:WIN_PASSWORD" + "\nhostname")
    windows = opened.strangers["win9"]
    assert (windows.user, windows.winrm_scheme) == (r"CORP\op", "http")
    assert windows.credential == "env:WIN_PASSWORD"
    run(shell, "%remote_bash --host 192.0.2.7 uptime")
    key = home / ".ssh" / "id_rsa"
    run(shell, f"%%remote_bash --host ubuntu@192.0.2.7 --identity {key}\nls")
    run(shell, "%%remote_bash --host ubuntu@192.0.2.7\nls")
    assert opened.strangers["192.0.2.7"].identity == str(key)  # said once, it holds
    everybody = argparse.Namespace(selection="all")
    assert selected(host_magics.HOSTS, opened, everybody) == tuple(opened.strangers.values())
    for line, told in (
        ("--host ubuntu@h --credential secret-as-it-is", "literal value|reference"),
        ("--host ubuntu@h --set ssh_prot=22", "did you mean `ssh_port`"),
        ("--host ubuntu@h:99999", "ssh_port"),
        ("--host linux", "no host or group is named|no cluster is open"),
        ("", "no Linux hosts are there"),
    ):
        with pytest.raises((InventoryError, MagicUsageError)) as caught:
            run(shell, f"%%remote_bash {line}\nls")
        text = f"{caught.value} {getattr(caught.value, 'hint', '')}"
        assert re.search(told, text) and "secret-as-it-is" not in text, text
    for magic in ("%nodes", "%pods"):
        with pytest.raises(InventoryError, match="no cluster is open"):
            run(shell, magic)


def test_a_cluster_is_opened_by_path_and_a_wrong_word_is_told(
    shell: InteractiveShell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import yaml

    from tests.test_description import described

    (tmp_path / "params").mkdir()
    (tmp_path / "params" / "mine.yaml").write_text(yaml.safe_dump(described()))
    monkeypatch.chdir(tmp_path)
    before = context.current().cluster.pool
    told = repr(run(shell, "%k8swin open params/mine.yaml"))
    cluster = context.current().cluster
    assert "made when something runs" in told and cluster.pool is before
    assert not (tmp_path / "runs").exists()
    (tmp_path / "params" / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "params" / "sub")
    assert use("params/mine.yaml").description == cluster.description
    assert use(cluster) is cluster and context.current().cluster is cluster
    with pytest.raises(ParamsError, match="file's path, and this is of the type `int`"):
        use(5)
    for line, message in (
        ("opne params/mine.yaml", "did you mean `open`"),
        ("params/mine.yaml", "did you mean `%k8swin open params/mine.yaml`"),
        ("open", "expected `%k8swin open FILE`"),
        ("close now", "expected `%k8swin close`"),
        ("--sho", "unknown option `--sho`"),
    ):
        with pytest.raises(MagicUsageError, match=re.escape(message)):
            run(shell, f"%k8swin {line}")


MINE = [(magics, parsers) for magics, parsers in ALL if magics in (
    k8swin_magic.K8swinMagic, remote_magics.RemoteMagics)]  # fmt: skip


def examples() -> list[str]:
    found = []
    for magics, parsers in MINE:
        for name in parsers:
            text = inspect.getdoc(getattr(magics, name)) or ""
            told = text.partition("\n")[2].partition("\nusage:")[0]
            found += [one.strip("\n") for one in told.split("\n\n") if "%" in one]
    page = (Path(__file__).parents[2] / "docs" / "magics.md").read_text(encoding="utf-8")
    for block in re.findall(r"(?:^    .*\n)+", page, flags=re.M):
        cell = re.sub(r"^    ", "", block, flags=re.M)
        magic = re.match(r"%+(\w+)", cell)
        mine = {name for _, parsers in MINE for name in parsers}
        found += [cell] if magic and magic[1] in mine else []
    return found


@pytest.mark.parametrize("cell", examples(), ids=lambda cell: cell.splitlines()[0][:60])
def test_every_example_of_help_and_page_runs(
    shell: InteractiveShell, cell: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import yaml

    from k8swin_nb.transports import hostkeys, jump
    from tests.test_description import MASTER, WORKER, described

    hosts = [{**MASTER, "name": "linuxmaster"}, {**WORKER, "name": "winworker01"}]
    hosts += [
        {**MASTER, "role": "worker", "name": f"linux{n}", "address": f"10.1.0.{n}"}
        for n in (20, 21)
    ]
    (tmp_path / "params").mkdir()
    (tmp_path / "params" / "mine.yaml").write_text(yaml.safe_dump(described(hosts=hosts)))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        jump, "scan_through", lambda _: hostkeys.HostKey("ssh-ed25519", "SHA256:x", "AAAA")
    )
    run(shell, "%k8swin close")
    run(shell, "%k8swin open params/mine.yaml")
    opened = context.current()
    opened.cluster.pool = Pool(
        opener=lambda host, _: (Columns if host.os == "linux" else EchoPs)(host)
    )
    opened.cluster.locks = HostLocks(opened.cluster.pool, "run")
    opened.cluster.last = {"linuxmaster": "failed", "winworker01": "failed"}
    shell.user_ns.update(params={"hall": "north"}, message="hello", folders=["a", "b"])
    run(shell, cell)


class Columns(Echo):
    """Answers what can be read as a table, whatever it is asked."""

    def _run(self, work: Work, output: Output) -> End:
        if "host_lock.check" in work.script.name:
            return Echo._run(self, work, output)
        output.feed("stdout", b'[{"name": "x"}]\n')
        return End(0)


def test_help_shows_examples_and_every_option(shell: InteractiveShell) -> None:
    for _, parsers in MINE:
        for name, parser in parsers.items():
            kind = "cell" if name in shell.magics_manager.magics["cell"] else "line"
            told = inspect.getdoc(shell.magics_manager.magics[kind][name]) or ""
            assert all(option in told for option in parser.options()), name
            assert f"%{name}" in told
