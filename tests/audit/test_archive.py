"""One file for the archive: a stranger checks it with what every system has, and a hostile one does no harm."""

import gzip
import io
import re
import shutil
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

from k8swin_nb.audit.archive import export, opened
from k8swin_nb.audit.sealing import ASKED, seal_run
from k8swin_nb.audit.verifying import verify
from k8swin_nb.errors import K8swinError, ParamsError
from tests.audit.records import RUN, WHO, allow, begin, copy, make_record


def verified(path, trusted):
    with opened(path) as (folder, named):
        return verify(folder, trusted, named=named)


def test_an_archive_is_the_run_and_the_same_bytes_each_time(kept, trusted, tmp_path):
    one = export(kept, tmp_path / "one.tar.gz", "intact and signed")
    moved = copy(kept, tmp_path / "elsewhere")
    for path in moved.rglob("*"):
        path.touch()
    two = export(moved, tmp_path / "two.tar.gz", "intact and signed")
    assert one.read_bytes() == two.read_bytes()
    assert verified(one, trusted).code == 0
    with tarfile.open(one) as tar:
        names = {member.name for member in tar}
    assert names == {"README.txt", "SHA256SUMS", *(f"{RUN}/{p.relative_to(kept)}" for p in kept.rglob("*") if p.is_file())}  # fmt: skip
    with pytest.raises(ParamsError, match="is there already"):
        export(kept, one, "")


def test_an_archive_in_which_something_was_changed_is_found(kept, trusted, tmp_path):
    export(kept, tmp_path / "one.tar.gz", "")
    subprocess.run(["tar", "-xzf", "one.tar.gz"], cwd=tmp_path, check=True)
    log = next((tmp_path / RUN).glob("logs/*"))
    log.write_text("something else\n")
    subprocess.run(["tar", "-czf", "two.tar.gz", RUN, "README.txt"], cwd=tmp_path, check=True)
    shutil.make_archive(str(tmp_path / "three"), "zip", tmp_path, RUN)
    for name in ("two.tar.gz", "three.zip"):
        assert verified(tmp_path / name, trusted).code == 1
    shutil.copytree(kept, tmp_path / "four" / RUN)
    shutil.make_archive(str(tmp_path / "five"), "zip", tmp_path / "four", RUN)
    assert verified(tmp_path / "five.zip", trusted).code == 0


def commands(text: str) -> list[str]:
    """Return the commands that stand indented in a text for people, those of several lines whole."""
    found = re.findall(r"^    ((?:sha256sum|head|while|grep|prev|ssh-keygen|openssl).*(?:\n        .*|\n    (?:while|done).*)*)", text, re.M)  # fmt: skip
    return [re.sub(r"\n        expected: .*", "", one) for one in found]


def run(command: str, place: Path) -> subprocess.CompletedProcess:
    return subprocess.run(["bash", "-c", command], cwd=place, capture_output=True, text=True)


def test_a_stranger_checks_an_archive_with_what_every_system_has(kept, keys, tmp_path):
    export(kept, tmp_path / "one.tar.gz", "intact and signed")
    subprocess.run(["tar", "-xzf", "one.tar.gz"], cwd=tmp_path, check=True)
    allow(tmp_path / "allowed_signers", keys / "alice")
    text = (tmp_path / "README.txt").read_text()
    typed = commands(text)
    assert len(typed) == 6, typed
    said = [run(one, tmp_path) for one in typed]
    assert "Good" in said[0].stdout and WHO in said[0].stdout
    expected = re.search(r"expected: (\w{64})", text)[1]
    assert expected in said[2].stdout
    assert [(one.returncode, one.stdout) for one in said[3:]] == [(0, "")] * 3, said
    # What he sees of a forged one.
    events = tmp_path / RUN / "events.jsonl"
    events.write_text(events.read_text().replace('"exit_code": 0', '"exit_code": 1', 1))
    next((tmp_path / RUN).glob("scripts/*")).write_text("echo\n")
    sums = tmp_path / "SHA256SUMS"
    said = [run(one, tmp_path) for one in typed]
    assert "FAILED" in said[1].stdout and expected not in said[2].stdout
    assert "broken before" in said[5].stdout
    sums.write_text(sums.read_text().replace(sums.read_text()[:8], "01234567", 1))
    assert "not sealed" in run(typed[3], tmp_path).stdout


def test_without_a_signature_the_stranger_is_told(tmp_path):
    folder = make_record(tmp_path)
    export(folder, tmp_path / "x.tar.gz", "not proven")
    with tarfile.open(tmp_path / "x.tar.gz") as tar:
        text = tar.extractfile("README.txt").read().decode()
    assert "Nobody has signed" in text and "ssh-keygen" not in text


def test_what_is_not_of_the_run_and_what_came_later_is_not_packed(kept, tmp_path):
    folder = copy(kept, tmp_path)
    (folder / "later.txt").write_text("x")
    (folder / "link").symlink_to("/etc/passwd")
    (folder / ".ipynb_checkpoints").mkdir()
    (folder / ".ipynb_checkpoints" / "x.ipynb").write_text("{}")
    export(folder, tmp_path / "x.tar.gz", "")
    with tarfile.open(tmp_path / "x.tar.gz") as tar:
        assert not [
            m.name for m in tar if "later" in m.name or "link" in m.name or "check" in m.name
        ]


def test_a_private_key_is_never_packed(tmp_path, keys):
    folder = make_record(tmp_path)
    (folder / "id_ed25519").write_bytes((keys / "alice").read_bytes())
    seal_run(folder, ASKED)
    with pytest.raises(ParamsError, match="`id_ed25519` holds a private key"):
        export(folder, tmp_path / "x.tar.gz", "")
    assert not (tmp_path / "x.tar.gz").exists()


def test_a_run_without_a_seal_is_not_packed(tmp_path):
    with pytest.raises(ParamsError, match="has no seal"):
        export(begin(tmp_path).folder, tmp_path / "x.tar.gz", "")


def test_where_it_cannot_be_written_nothing_is_left(kept, tmp_path):
    with pytest.raises(ParamsError, match="cannot be written"):
        export(kept, tmp_path / "nowhere" / "x.tar.gz", "")
    if Path("/dev/full").exists():
        (tmp_path / "x").symlink_to("/dev/full")
        with pytest.raises(K8swinError, match="is there already"):
            export(kept, tmp_path / "x", "")


def tar_of(*members, path):
    with tarfile.open(path, "w:gz") as tar:
        for name, content, change in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            for field, value in change.items():
                setattr(info, field, value)
            tar.addfile(info, io.BytesIO(content))
    return path


EVENTS = (f"{RUN}/events.jsonl", b"{}\n", {})


@pytest.mark.parametrize(("members", "text"), [
    ([("../evil", b"x", {})], "leads out"),
    ([("/etc/evil", b"x", {})], "leads out"),
    ([(f"{RUN}/../../evil", b"x", {})], "leads out"),
    ([(f"{RUN}/a", b"", {"type": tarfile.SYMTYPE, "linkname": "/etc/passwd"})], "no plain file"),
    ([(f"{RUN}/a", b"", {"type": tarfile.LNKTYPE, "linkname": "/etc/passwd"})], "no plain file"),
    ([(f"{RUN}/a", b"", {"type": tarfile.CHRTYPE, "devmajor": 1})], "no plain file"),
    ([(f"{RUN}/a", b"", {"type": tarfile.FIFOTYPE})], "no plain file"),
    ([EVENTS, EVENTS], "twice"),
    ([(f"{RUN}/a", b"x", {}), (f"{RUN}/a/b", b"x", {})], "a file and a folder"),
    ([("a/events.jsonl", b"", {}), ("b/events.jsonl", b"", {})], "2 runs"),
    ([("README.txt", b"", {})], "0 runs"),
    ([(f"{RUN}/\x1b[31m\n/..", b"x", {})], "leads out"),
])  # fmt: skip
def test_an_archive_that_is_an_attack_is_refused(tmp_path, members, text):
    path = tar_of(*members, path=tmp_path / "x.tar.gz")
    before = set(tmp_path.parent.rglob("evil"))
    with pytest.raises(ParamsError, match=text) as raised, opened(path):
        pass
    assert "\x1b" not in str(raised.value)
    assert set(tmp_path.parent.rglob("evil")) == before and not Path("/etc/evil").exists()


def test_bombs_are_refused(tmp_path, monkeypatch):
    from k8swin_nb.audit import archive

    monkeypatch.setattr(archive, "ALL_BYTES", 1024 * 1024)
    zeros = bytes(4 * 1024 * 1024)
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr(f"{RUN}/events.jsonl", zeros)
    tar_of((f"{RUN}/events.jsonl", zeros, {}), path=tmp_path / "x.tar.gz")
    # What stands behind the end of an archive, or in one long head, is never unpacked as a whole.
    with gzip.open(tmp_path / "y.tar.gz", "wb") as file:
        for _ in range(80):
            file.write(zeros)
    for name in ("x.zip", "x.tar.gz", "y.tar.gz"):
        with pytest.raises(ParamsError, match="no archive of a run"), opened(tmp_path / name):
            pass


def test_a_zip_that_says_another_size_than_it_has_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr(f"{RUN}/events.jsonl", b"a" * 100_000)
    content = (tmp_path / "x.zip").read_bytes()
    (tmp_path / "x.zip").write_bytes(content.replace((100_000).to_bytes(4, "little"), (10).to_bytes(4, "little")))  # fmt: skip
    with pytest.raises(ParamsError, match="no archive"), opened(tmp_path / "x.zip"):
        pass


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"PK\x03\x04nonsense", b"\x1f\x8bnonsense", bytes(1024)]
)
def test_what_is_no_archive_is_told(tmp_path, content):
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(ParamsError, match="no archive of a run"), opened(tmp_path / "x"):
        pass


def test_an_encrypted_zip_is_told(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as zipped:
        zipped.writestr(f"{RUN}/events.jsonl", b"hello")
    content = bytearray((tmp_path / "x.zip").read_bytes())
    for head, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(head) + at] |= 1
    (tmp_path / "x.zip").write_bytes(content)
    with pytest.raises(ParamsError, match="no archive of a run"), opened(tmp_path / "x.zip"):
        pass
