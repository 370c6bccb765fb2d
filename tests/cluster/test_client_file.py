"""The kubeconfig that kubectl is given: in memory, and where that cannot be, no longer there than its maker."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from k8swin_nb.cluster import client_file


@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="needs Linux")
def test_a_kubeconfig_is_read_as_often_as_a_program_wants_and_is_on_no_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with client_file._kept(b"the key") as (path, descriptors):
        reader = f"for again in 1, 2: print(open({str(path)!r}).read(), end=' ')"
        found = subprocess.run(
            [sys.executable, "-c", reader], pass_fds=descriptors, capture_output=True, check=True
        )
        assert found.stdout == b"the key the key "
        assert list(tmp_path.iterdir()) == []
    assert not path.exists()


def test_where_it_is_a_file_that_of_a_process_which_was_killed_is_taken_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.delattr(os, "memfd_create", raising=False)
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    for name in (f"k8swin-{ended.pid}-left", f"k8swin-{os.getpid()}-mine", "k8swin-x-other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "kubeconfig").touch()
    with client_file._kept(b"the key") as (path, descriptors):
        assert (path.read_bytes(), descriptors) == (b"the key", ())
        assert path.stat().st_mode & 0o077 == 0
    left = sorted(one.name for one in tmp_path.iterdir())
    assert left == sorted([f"k8swin-{os.getpid()}-mine", "k8swin-x-other"])
