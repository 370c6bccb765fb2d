"""Fetch the programs of a Windows worker that judge here: `python -m tests.programs.fetch FOLDER`.

The lock file of the toolkit says where they are and which SHA-256 they have.
"""

from __future__ import annotations

import hashlib
import io
import json
import sys
import tarfile
import urllib.request
from pathlib import Path

from k8swin_nb.phases.windows.artifacts import worker_artifacts
from tests.runs import make_run

WANTED = ("kubelet.exe", "kube-proxy.exe", "kubeadm.exe", "flanneld.exe")


def fetch(folder: Path) -> None:
    """Put the programs into a folder; one whose hash differs is an error, and is not kept."""
    folder.mkdir(parents=True, exist_ok=True)
    locked = {each["name"]: each for each in json.loads(worker_artifacts(make_run().description))}
    for name in WANTED:
        (folder / name).write_bytes(_download(locked[name]))
    archive = io.BytesIO(_download(locked["containerd"]))
    with tarfile.open(fileobj=archive) as opened:
        member = opened.extractfile("bin/containerd.exe")
        if member is None:
            raise SystemExit("there is no bin/containerd.exe in the archive of containerd")
        (folder / "containerd.exe").write_bytes(member.read())


def _download(locked: dict[str, str]) -> bytes:
    url = locked["url"]
    with urllib.request.urlopen(url, timeout=300) as answer:
        content: bytes = answer.read()
    wanted = locked["hash"]
    if (
        len(wanted) < 64
    ):  # `published` and `first-use` stand for a hash that nobody published ahead of time
        sys.stdout.write(f"{url}: no hash is locked ({wanted})\n")
        return content
    found = hashlib.new(locked["algorithm"], content).hexdigest()
    if found != wanted.lower():
        raise SystemExit(f"{url} has the hash {found}, wanted {wanted}")
    return content


if __name__ == "__main__":
    fetch(Path(sys.argv[1]))
