"""Files that are kept on the operator's computer: whole or not at all, and nobody's link, mode or device is lost."""

import os
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from k8swin_nb.errors import (
    AuthenticationFailed,
    CertificateRejected,
    K8swinError,
    ParamsError,
)
from k8swin_nb.inventory import Host
from k8swin_nb.local_files import make_folders, write_whole
from k8swin_nb.secret import resolve
from k8swin_nb.transports import hostkeys
from k8swin_nb.transports.login import Login
from k8swin_nb.transports.winrm_tls import Trust


def test_a_link_stays_a_link_and_a_file_keeps_its_mode(tmp_path):
    real, link = tmp_path / "dotfiles" / "known_hosts", tmp_path / "known_hosts"
    real.parent.mkdir()
    real.write_text("old\n")
    real.chmod(0o640)
    link.symlink_to(real)
    write_whole(link, "new\n")
    assert link.is_symlink() and real.read_text() == "new\n"
    assert stat.S_IMODE(real.stat().st_mode) == 0o640


def test_what_is_new_is_for_this_account_alone(tmp_path):
    make_folders(tmp_path / "a" / "b")
    write_whole(tmp_path / "a" / "b" / "fresh", "x")
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("a", "a/b", "a/b/fresh")]
    assert modes == [0o700, 0o700, 0o600]
    with pytest.raises(K8swinError, match="cannot make the folder"):
        make_folders(tmp_path / "a" / "b" / "fresh" / "c")
    with pytest.raises(K8swinError, match="No such file"):
        write_whole(tmp_path / "not there" / "x", "x")


def test_a_full_disk_leaves_what_was_there_and_nothing_beside_it(tmp_path, monkeypatch):
    path = tmp_path / "plan.json"
    path.write_text("old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(K8swinError, match="No space left on device"):
        write_whole(path, "new")
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_what_is_no_file_is_never_replaced(tmp_path):
    pipe, loop = tmp_path / "pipe", tmp_path / "loop"
    os.mkfifo(pipe)
    loop.symlink_to(loop)
    for path in (pipe, loop, tmp_path, Path("/dev/full")):
        before = path.lstat().st_mode
        with pytest.raises(K8swinError, match="cannot write"):
            write_whole(path, "x")
        assert path.lstat().st_mode == before


@pytest.mark.parametrize("kind", ["pipe", "device", "large"])
def test_a_file_that_a_description_names_and_is_none_is_an_error_and_no_wait(tmp_path, kind):
    path = tmp_path / kind
    if kind == "pipe":
        os.mkfifo(path, mode=0o600)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        with path.open("wb") as file:
            file.truncate(100 * 1024 * 1024)
        path.chmod(0o600)
    host = Host(
        "h", "10.1.0.2", "linux", ("worker",), "u", identity=str(path), known_hosts=str(path)
    )
    for error, read in (
        (ParamsError, lambda: resolve(f"file:{path}")),
        (AuthenticationFailed, lambda: list(Login(host, lambda _: False)._ways())),
        (CertificateRejected, lambda: Trust(replace(host, ca=str(path))).pool_options()),
        (K8swinError, lambda: hostkeys.pinned(host)),
    ):
        with pytest.raises(error, match=kind):
            read()


def test_keys_that_two_processes_pin_at_once_are_both_kept(tmp_path):
    host = Host("h", "10.1.0.2", "linux", ("worker",), "u", known_hosts=str(tmp_path / "known"))
    code = """
import sys
from k8swin_nb.inventory import Host
from k8swin_nb.transports.hostkeys import HostKey, pin
for n in range(20):
    name = f"10.{sys.argv[2]}.0.{n}"
    pin(Host("h", name, "linux", ("worker",), "u", known_hosts=sys.argv[1]), HostKey("ssh-ed25519", "", "AAAA"))
"""
    running = [
        subprocess.Popen([sys.executable, "-c", code, host.known_hosts, str(n)]) for n in (1, 2)
    ]
    assert [process.wait(60) for process in running] == [0, 0]
    assert len(Path(host.known_hosts).read_text().splitlines()) == 40
