"""The commands as an auditor types them: their exit codes, and what they answer."""

import json
import re
import subprocess
import sys
import threading
from urllib.parse import unquote

import pytest

from k8swin_nb.__main__ import main
from k8swin_nb.audit.sealing import ASKED, seal_beside, seal_run
from k8swin_nb.audit.verifying import verify
from k8swin_nb.errors import RecordError
from k8swin_nb.workflow.record import Record, read_events
from tests.audit.records import OTHER, RUN, begin, copy, make_record, quiet, script


@pytest.fixture
def project(tmp_path, monkeypatch, kept):
    """A project's folder with a signed run."""
    (tmp_path / "params").mkdir()
    copy(kept, tmp_path / "runs")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def audit(capsys, *words):
    code = main(["audit", *map(str, words)])
    return code, *capsys.readouterr()


def test_a_run_is_verified_by_its_id_its_folder_and_its_archive(project, keys, capsys):
    allowed = ("--allowed-signers", keys / "allowed")
    code, out, _ = audit(capsys, "verify", RUN, *allowed)
    assert (
        code == 0
        and out.startswith(f"run {RUN}: intact and signed\n")
        and "alice@example.org" in out
    )
    assert "what nobody can tell" in out
    assert audit(capsys, "verify", project / "runs" / RUN, *allowed)[0] == 0
    code, out, _ = audit(capsys, "export", RUN, *allowed)
    assert code == 0 and f"packed: {RUN}.tar.gz" in out
    code, out, _ = audit(capsys, "verify", f"{RUN}.tar.gz", *allowed, "--json")
    told = json.loads(out)
    assert code == 0 and told["code"] == 0 and told["seals"][-1]["trusted"] is True
    assert audit(capsys, "verify", RUN)[0] == 3
    with (project / "runs" / RUN / "index.html").open("a") as file:
        file.write("x")
    code, out, _ = audit(capsys, "verify", RUN, *allowed)
    assert code == 1 and "index.html: changed after seal 2" in out


@pytest.mark.parametrize("words", [
    ("verify", "20200101-000000-0000"), ("verify", "."), ("verify", ".."), ("verify", ""), ("verify", "/dev/null"), ("verify", "params"),
    ("show", "nothing"), ("diff", RUN, "nothing"), ("export", "nothing"), ("seal", "nothing"),
    ("verify", RUN, "--allowed-signers", "nothing"), ("verify", RUN, "--ca", "nothing"), ("verify", RUN, "--notebook", "nothing"),
    ("show", RUN, "--host", "nobody"), ("seal", RUN, "--sign", "gpg:x"), ("export", RUN, "--output", "/nowhere/x"),
])  # fmt: skip
def test_what_cannot_be_read_is_told_and_is_no_verdict(project, capsys, words):
    code, _, err = audit(capsys, *words)
    assert code == 2 and err.startswith("k8swin: ") and "Traceback" not in err


def test_the_record_answers_what_was_done(project, capsys):
    code, out, _ = audit(capsys, "show", RUN)
    assert code == 0
    for text in ("02_master by alice (login name)", "reason: CHG-4711", "toolkit 1.2.3 (0123abc)", "swap was on", "swap is off",
                 "scripts as root: 2 of 2", "linux/swap.apply.sh", "nobody: nothing was removed", "SHA256:abc"):  # fmt: skip
        assert text in out, text
    record = Record(project / "runs", RUN, "90_teardown")
    record.write(
        "removal-confirmed",
        confirm="plant1: linuxmaster",
        hosts=[{"name": "linuxmaster", "address": "192.0.2.10"}],
    )
    record.write(
        "script-started",
        host="winworker01",
        user="Administrator",
        as_root=False,
        tag="t",
        script="windows/x.ps1",
    )
    code, out, _ = audit(capsys, "show", RUN, "--confirmations")
    assert "alice: `plant1: linuxmaster`; linuxmaster" in out
    code, out, _ = audit(capsys, "show", RUN, "--root")
    assert (
        out.count("as root (login ubuntu)") == 2
        and "windows/x.ps1" not in out
        and "scripts/" in out
    )
    code, out, _ = audit(capsys, "show", RUN, "--scripts", "--host", "winworker01")
    assert "windows/x.ps1, its end is not known" in out and "swap" not in out
    code, out, _ = audit(capsys, "show", RUN, "--changes", "--host", "linuxmaster")
    assert "swap: on -> off" in out
    told = json.loads(audit(capsys, "show", RUN, "--json")[1])
    assert [event["step"] for event in told["changes"]] == ["swap", "kernel"] and told[
        "unfinished"
    ][0]["tag"] == "t"


def test_a_record_that_was_changed_is_shown_with_a_word_on_that(project, capsys):
    path = project / "runs" / RUN / "events.jsonl"
    path.write_text(path.read_text().replace('"exit_code": 0', '"exit_code": 1', 1))
    assert audit(capsys, "show", RUN)[1].startswith(
        "the record is changed: `k8swin audit verify` says where\n"
    )


def test_two_runs_are_compared(project, capsys):
    record = begin(project / "runs", OTHER, reason="CHG-5000")
    script(record, text="swapoff -a\nsystemctl mask swap.target\n")
    record.write("host-identified", host="linuxmaster", host_key="SHA256:def")
    code, out, _ = audit(capsys, "diff", RUN, OTHER)
    assert code == 0
    for text in ("reason: CHG-4711 -> CHG-5000", "linux/swap.apply.sh: ", "+systemctl mask swap.target", "kernel on linuxmaster: changed -> not there",
                 "linuxmaster host_key: SHA256:abc -> SHA256:def", "parameters: the same"):  # fmt: skip
        assert text in out, (text, out)
    told = json.loads(audit(capsys, "diff", RUN, RUN, "--json")[1])
    assert not any(
        told[name] for name in ("about", "parameters", "scripts", "outcomes", "identities")
    )


def test_a_run_is_sealed_by_hand(project, keys, capsys):
    (project / "runs" / RUN / "notes.md").write_text("x")
    code, out, err = audit(capsys, "seal", RUN, "--sign", f"ssh:{keys / 'alice'}")
    assert code == 0 and "0003.json.sig" in out and err == ""
    assert audit(capsys, "verify", RUN, "--allowed-signers", keys / "allowed")[0] == 0
    code, _, err = audit(capsys, "seal", RUN)
    assert code == 0 and "it is not signed" in err
    code, out, _ = audit(capsys, "verify", RUN, "--allowed-signers", keys / "allowed")
    assert code == 3 and "what is proven ends with seal 3" in out


def test_many_that_end_at_once_seal_one_after_the_other(tmp_path, keys, trusted):
    record = begin(tmp_path)
    record.write("notebook-finished")
    failed = []

    def work(number):
        try:
            Record(tmp_path, RUN, f"n{number}").write("note")
            seal_run(record.folder, ASKED, f"ssh:{keys / 'alice'}", by=f"n{number}")
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    code = "from pathlib import Path; from k8swin_nb.audit.sealing import seal_run, ASKED; import sys; seal_run(Path(sys.argv[1]), ASKED, sys.argv[2])"
    words = [sys.executable, "-c", code, str(record.folder), f"ssh:{keys / 'alice'}"]
    others = [subprocess.Popen(words, env=quiet()) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [other.wait() for other in others] == [0, 0, 0] and not failed
    seal_run(record.folder, ASKED, f"ssh:{keys / 'alice'}")
    verdict = verify(record.folder, trusted)
    assert (verdict.code, len(verdict.seals)) == (0, 12), verdict.findings


def test_a_seal_that_cannot_be_written_leaves_nothing_and_the_record_says_so(tmp_path, monkeypatch):
    record = begin(tmp_path)
    before = (record.folder / "events.jsonl").read_bytes()
    write = Record.write

    def full(self, kind, **fields):
        if kind == "sealed":
            raise RecordError(str(self.path), "No space left on device")
        return write(self, kind, **fields)

    monkeypatch.setattr(Record, "write", full)
    told = seal_beside(record.folder, ASKED)
    assert "is not sealed" in told and "No space left" in told
    assert list((record.folder / "seals").iterdir()) == []
    assert (record.folder / "events.jsonl").read_bytes().startswith(before)
    assert read_events(record.path)[-1]["event"] == "seal-failed"


def test_no_secret_and_no_key_is_in_what_is_sealed(tmp_path, keys, forgotten_secrets):
    from k8swin_nb.secret import Secret

    Secret("hunter2-hunter2")
    record = begin(tmp_path, reason="because of hunter2-hunter2")
    record.write("notebook-finished")
    seal_run(record.folder, ASKED, f"ssh:{keys / 'alice'}")
    body = (keys / "alice").read_text().splitlines()[1]
    for path in record.folder.rglob("*"):
        if path.is_file():
            text = path.read_text()
            assert "hunter2" not in text and body not in text and str(keys) not in text, path


@pytest.fixture
def prints(tmp_path, monkeypatch):
    """A program that prints PDFs as Chromium does, in no time."""
    program = tmp_path / "chromium"
    program.write_text(
        "#!/bin/sh\nfor word; do case $word in --print-to-pdf=*) "
        "printf '%%PDF-1.7 a sheet %%%%EOF\\n' > \"${word#*=}\";; esac; done\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("K8SWIN_CHROMIUM", str(program))


def state(folder):
    return {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("sign", [False, True])
def test_looking_at_the_page_of_a_signed_run_changes_nothing_of_it(
    project, keys, capsys, monkeypatch, prints, sign
):
    if sign:
        monkeypatch.setenv("K8SWIN_SIGN", f"ssh:{keys / 'mallory'}")
    before = state(project / "runs")
    assert main(["page", RUN]) == 0
    out, err = capsys.readouterr()
    assert out == f"{project / 'runs' / RUN / 'index.html'}\n" and "as it was sealed" in err
    assert main(["page", RUN, "--pdf"]) == 0
    assert f"{project / RUN}.pdf\n" in capsys.readouterr().out
    assert (project / f"{RUN}.pdf").read_bytes().startswith(b"%PDF")
    (project / "desk").mkdir()
    assert main(["page", RUN, "--out", "desk/other.html", "--pdf"]) == 0
    text = (project / "desk" / "other.html").read_text()
    assert (project / "desk" / "other.pdf").is_file()
    links = re.findall(r'<a href="([^"#]+)"', text)
    assert len(links) > 5
    assert all((project / "desk" / unquote(link)).is_file() for link in links), links
    assert state(project / "runs") == before
    assert audit(capsys, "verify", RUN, "--allowed-signers", keys / "allowed")[0] == 0


def test_a_page_that_was_put_in_the_place_of_a_sealed_one_is_told_and_left(project, keys, capsys):
    page = project / "runs" / RUN / "index.html"
    page.write_text("all is well")
    assert main(["page", RUN]) == 1
    out, err = capsys.readouterr()
    assert out == f"{project / RUN}.html\n" and "not as it was sealed" in err
    assert page.read_text() == "all is well"
    code, out, _ = audit(capsys, "verify", RUN, "--allowed-signers", keys / "allowed")
    assert code == 1 and "index.html: changed after seal 2" in out


def test_a_signed_run_without_a_page_gets_one_beside_and_stays_proven(
    tmp_path, keys, capsys, monkeypatch
):
    (tmp_path / "params").mkdir()
    monkeypatch.chdir(tmp_path)
    record = begin(tmp_path / "runs")
    record.write("notebook-finished")
    seal_run(record.folder, "02_master finished", f"ssh:{keys / 'alice'}")
    assert main(["page", RUN]) == 0
    assert capsys.readouterr().out == f"{tmp_path / RUN}.html\n"
    assert audit(capsys, "verify", RUN, "--allowed-signers", keys / "allowed")[0] == 0
    monkeypatch.chdir(record.folder)
    for words in ((), ("--out", "x.html"), ("--out", str(tmp_path / "x.txt"))):
        assert main(["page", str(record.folder), *words]) == 2
        assert "--out" in capsys.readouterr().err


def test_the_page_of_an_unsigned_run_is_written_and_sealed_again(
    tmp_path, keys, capsys, monkeypatch, prints
):
    folder = make_record(tmp_path)
    assert main(["page", str(folder), "--pdf"]) == 0
    assert (folder / "index.pdf").is_file() and "plant1" in (folder / "index.html").read_text()
    verdict = verify(folder)
    assert [seal.why for seal in verdict.seals][-1] == "page written"
    assert [finding.what for finding in verdict.findings] == ["unsigned"]


def test_the_page_of_a_run_that_goes_on_is_no_end_of_it(tmp_path, capsys):
    record = begin(tmp_path)
    seal_run(record.folder, "01 finished")
    script(record)
    assert main(["page", str(record.folder)]) == 0
    assert (record.folder / "index.html").is_file()
    verdict = verify(record.folder)
    assert verdict.code == 3 and len(verdict.seals) == 1


def test_several_runs_are_judged_each_and_the_worst_is_the_exit_code(project, keys, capsys):
    allowed = ("--allowed-signers", keys / "allowed")
    runs = project / "runs"
    begin(runs, OTHER)
    code, out, _ = audit(capsys, "verify", *runs.iterdir(), *allowed)
    assert code == 3 and "2 runs: " in out and "1 intact and signed" in out
    assert "there is no seal" in out and "alice@example.org" in out
    code, out, _ = audit(capsys, "verify", RUN, "nothing", OTHER, *allowed)
    assert code == 2 and "nothing: cannot be read: no run `nothing`" in out
    assert f"{RUN}: intact and signed" in out and "1 cannot be read" in out
    (runs / RUN / "index.html").write_text("x")
    code, out, _ = audit(capsys, "verify", OTHER, "nothing", RUN, *allowed, "--json")
    told = json.loads(out)
    assert code == told["code"] == 1
    assert [(one["named"], one["code"]) for one in told["runs"]] == [
        (OTHER, 3), ("nothing", 2), (RUN, 1),
    ]  # fmt: skip
    code, _, err = audit(capsys, "verify", RUN, OTHER, "--notebook", "x.ipynb")
    assert code == 2 and "by itself" in err
    assert audit(capsys, "verify", RUN, OTHER, "--ca", "nothing")[0] == 2


def test_the_help_says_what_the_exit_codes_mean():
    words = [sys.executable, "-m", "k8swin_nb", "audit", "verify", "--help"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    for code in "0123":
        assert f"\n  {code}  " in done.stdout


def test_a_terminal_shows_the_first_of_many_of_a_kind_and_json_all(project, capsys):
    for number in range(30):
        (project / "runs" / RUN / f"logs/{number}.more").write_text("x")
    code, out, _ = audit(capsys, "verify", RUN)
    assert code == 1 and out.count("no seal names it") == 10
    assert "and 20 more `file-added`, which --json has" in out
    told = json.loads(audit(capsys, "verify", RUN, "--json")[1])
    assert len([one for one in told["findings"] if one["what"] == "file-added"]) == 30
