"""The image of binder/Dockerfile, built without Docker: buildah builds and starts it in a chroot.

The base that the Dockerfile names comes of a registry of images. K8SWIN_BINDER_BASE names one that buildah can have; without
it Debian's own packages make one that is larger, so that what fits with it fits with the other.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DEBIAN = "bookworm"
PACKAGES = "python3,python3-venv,ca-certificates"
OF_THIS_COMPUTER = ("/etc/ssl/certs", "/etc/pip.conf")
"""What a build needs here to reach an index of packages; nothing of it stays in the image."""

ALONE = ("unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh")
"""Words that give a command loopback addresses of its own, as a container has them: the lab's are fixed there."""


class NotHereError(Exception):
    """This computer cannot build an image, and why not."""


def why_not() -> str:
    """Why no image can be built here; an empty text where one can."""
    for program in ("buildah", "debootstrap", "unshare"):
        if shutil.which(program) is None and not (
            program == "debootstrap" and os.environ.get("K8SWIN_BINDER_BASE")
        ):
            return f"there is no {program} to build an image with"
    if os.geteuid() != 0:
        return "to build an image without Docker takes root's rights"
    return ""


@dataclass
class Container:
    """A container of the image: `user`, `start` and `command` as the image names them, `size` in bytes."""

    buildah: Sequence[str]
    name: str
    user: str
    start: list[str]
    command: list[str]
    size: int

    def run(self, *command: str, alone: bool = False, seconds: int = 600) -> str:
        """Run a command in it as its user and return what it printed."""
        done = subprocess.run(
            [
                *(ALONE if alone else ()),
                *(*self.buildah, "run", "--isolation", "chroot", "--user", self.user),
                *(self.name, "--", *command),
            ],
            capture_output=True,
            text=True,
            timeout=seconds,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        return done.stdout


@contextmanager
def built() -> Iterator[Container]:
    """Build the image in a storage of its own and give a container of it; both are gone at the end.

    Raises:
        NotHereError: This computer cannot build it.
        AssertionError: It can, and the build failed.
    """
    if why := why_not():
        raise NotHereError(why)
    with tempfile.TemporaryDirectory(prefix="k8swin-binder-") as name:
        folder = Path(name)
        buildah = [
            *("buildah", "--storage-driver", "vfs"),
            *("--root", str(folder / "root"), "--runroot", str(folder / "runroot")),
        ]
        base = os.environ.get("K8SWIN_BINDER_BASE") or of_debian(folder, buildah)
        image = "localhost/k8swin-binder"
        _done(
            [
                *(*buildah, "bud", "--isolation", "chroot", "--build-arg", f"BASE={base}"),
                *(
                    word
                    for path in OF_THIS_COMPUTER
                    if Path(path).exists()
                    for word in ("--volume", f"{path}:{path}:ro")
                ),
                *("-t", image, "-f", str(ROOT / "binder" / "Dockerfile"), str(ROOT)),
            ]
        )
        container = _done([*buildah, "from", image]).strip()
        config = json.loads(_done([*buildah, "inspect", container]))["OCIv1"]["config"]
        unpacked = Path(_done([*buildah, "mount", container]).strip())
        yield Container(
            buildah,
            container,
            config["User"],
            config["Entrypoint"],
            config["Cmd"],
            int(_done(["du", "-s", "--block-size=1", str(unpacked)]).split()[0]),
        )


def of_debian(folder: Path, buildah: Sequence[str]) -> str:
    """Make a base of Debian's packages and return its name."""
    system, context = folder / "system", folder / "context"
    context.mkdir()
    done = subprocess.run(
        ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", DEBIAN, str(system)],
        capture_output=True,
        text=True,
    )
    if done.returncode:
        said = (done.stdout + done.stderr).strip().splitlines()[-1:]
        raise NotHereError(f"debootstrap could not make a base: {' '.join(said)}")
    for package in (system / "var/cache/apt/archives").glob("*.deb"):
        package.unlink()
    _done(["tar", "-C", str(system), "-cf", str(context / "system.tar"), "."])
    (context / "Dockerfile").write_text("FROM scratch\nADD system.tar /\n")
    name = "localhost/k8swin-base"
    _done([*buildah, "bud", "--isolation", "chroot", "-t", name, str(context)])
    shutil.rmtree(system)
    return name


def _done(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout
