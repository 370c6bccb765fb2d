"""Tarballs on a Linux host: verified, recorded, finished when interrupted, and never another's."""

import hashlib
import subprocess
import tarfile

import pytest

from k8swin_nb.scripts import Script


def downloads(verb: str, folder, line: str) -> subprocess.CompletedProcess[str]:
    """Run the script of the step `downloads` with its folders moved below `folder`."""
    text = Script.load(f"linux/downloads.{verb}.sh").text
    for own in ("/etc/k8swin", "/var/cache/k8swin", "/etc/kubernetes"):
        text = text.replace(own, f"{folder}{own}")
    return subprocess.run(
        ["bash", "-c", text],
        env={"PATH": "/usr/bin:/bin", "LINUX_ARTIFACTS": line},
        capture_output=True,
        text=True,
    )


@pytest.fixture
def archive(tmp_path):
    source = tmp_path / "kubernetes" / "node" / "bin"
    source.mkdir(parents=True)
    for name in ("kubeadm", "kubelet", "kubectl"):
        (source / name).write_text(f"#!/bin/sh\necho {name}\n")
        (source / name).chmod(0o755)
    file = tmp_path / "node.tar.gz"
    with tarfile.open(file, "w:gz") as tar:
        tar.add(tmp_path / "kubernetes", "kubernetes")
    return file, hashlib.sha512(file.read_bytes()).hexdigest()


def line_of(archive, folder, digest="") -> str:
    file, right = archive
    return f"tools file://{file} sha512 {digest or right} {folder}/bin kubeadm kubelet kubectl"


def test_a_tarball_is_installed_once_and_recorded(tmp_path, archive):
    line = line_of(archive, tmp_path)
    assert downloads("check", tmp_path, line).returncode == 10
    done = downloads("apply", tmp_path, line)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "bin" / "kubeadm").stat().st_mode & 0o777 == 0o755
    assert downloads("check", tmp_path, line).returncode == 0
    archive[0].unlink()
    assert downloads("apply", tmp_path, line).returncode == 0


def test_a_corrupted_download_is_deleted_and_nothing_of_it_is_installed(tmp_path, archive):
    done = downloads("apply", tmp_path, line_of(archive, tmp_path, "0" * 128))
    assert done.returncode == 1
    assert "the lock has 000" in done.stderr
    assert not (tmp_path / "bin").exists()
    assert [p for p in (tmp_path / "var/cache/k8swin").iterdir() if p.name != "x"] == []


def test_a_program_that_was_changed_is_installed_again(tmp_path, archive):
    line = line_of(archive, tmp_path)
    downloads("apply", tmp_path, line)
    (tmp_path / "bin" / "kubelet").write_text("changed")
    found = downloads("check", tmp_path, line)
    assert (found.returncode, "changed since" in found.stdout) == (10, True)
    assert downloads("apply", tmp_path, line).returncode == 0
    assert downloads("check", tmp_path, line).returncode == 0


def test_an_interrupted_installation_is_ours_and_is_finished(tmp_path, archive):
    line = line_of(archive, tmp_path)
    records = tmp_path / "etc/k8swin/downloads"
    records.mkdir(parents=True)
    (records / "tools").write_text(f"# started sha512 {archive[1]}\n")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "kubeadm").write_text("half")
    assert downloads("check", tmp_path, line).returncode == 10
    assert downloads("apply", tmp_path, line).returncode == 0
    assert downloads("check", tmp_path, line).returncode == 0


def test_a_program_of_somebody_else_is_left_alone(tmp_path, archive):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "kubeadm").write_text("theirs")
    found = downloads("check", tmp_path, line_of(archive, tmp_path))
    assert (found.returncode, "was not installed from here" in found.stdout) == (20, True)


def test_another_version_on_a_node_of_a_cluster_is_an_upgrade(tmp_path, archive):
    downloads("apply", tmp_path, line_of(archive, tmp_path))
    (tmp_path / "etc/kubernetes").mkdir()
    (tmp_path / "etc/kubernetes/kubelet.conf").write_text("")
    found = downloads("check", tmp_path, line_of(archive, tmp_path, "1" * 128))
    assert (found.returncode, "that is an upgrade" in found.stdout) == (20, True)
