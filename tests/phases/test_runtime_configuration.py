"""A container runtime's configuration on Linux: what somebody else had is kept once, ours is not taken for it."""

import subprocess

import pytest

from k8swin_nb.scripts import Script

PROGRAMS = {
    "containerd": '[ "$1" = --version ] && echo containerd x v2.3.4 || printf \'sandbox = ""\\nSystemdCgroup = false\\n\'',
    "dockerd": "echo Docker version 18.06.3-ce, build 1",
    "systemctl": "exit 0",
    "iptables": "exit 0",
}
VALUES = {
    "containerd": {"PAUSE_IMAGE": "pause:1", "CONTAINERD_SERIES": "2"},
    "docker": {"DOCKER_VERSION": "18.06.3", "DOCKER_SOURCE": "tarball"},
}
FILES = {
    "containerd": ("etc/containerd/config.toml", "etc/k8swin/saved/containerd-config.toml"),
    "docker": ("etc/docker/daemon.json", "etc/k8swin/saved/docker-daemon.json"),
}
THEIRS = "# of the site\n"


class Host:
    """A folder in which a script that configures a runtime works, with programs that only say yes."""

    def __init__(self, folder, runtime: str) -> None:
        self.folder = folder
        self.runtime = runtime
        self.config, self.saved = (folder / name for name in FILES[runtime])
        (folder / "etc" / "systemd" / "system").mkdir(parents=True)
        self.programs = folder / "bin"
        self.programs.mkdir()
        for name, text in PROGRAMS.items():
            (self.programs / name).write_text(f"#!/bin/bash\n{text}\n")
            (self.programs / name).chmod(0o755)

    def apply(self, wanted: str, *, until: str = "") -> None:
        """Run the script; `until` begins the line of a function before which it is killed."""
        text = Script.load(f"linux/{self.runtime}.apply.sh").text.replace(
            "/etc/", f"{self.folder}/etc/"
        )
        if until:
            assert text.count(f"\n  {until}") == 1
            text = text.replace(f"\n  {until}", f"\n  kill -KILL $$\n  {until}")
        subprocess.run(
            ["bash", "-c", text],
            env={"PATH": f"{self.programs}:/usr/bin:/bin"}
            | VALUES[self.runtime]
            | ({"PAUSE_IMAGE": wanted} if self.runtime == "containerd" else {}),
            input=wanted,
            text=True,
            check=not until,
        )

    def restore(self, *, until: str = "") -> None:
        """Run the script of the removal; `until` is where it is killed once it has put the files back."""
        text = Script.load("linux/runtime_restored.apply.sh").text.replace(
            "/etc/", f"{self.folder}/etc/"
        )
        if until:
            record = {"containerd": "containerd-config", "docker": "docker-daemon"}[self.runtime]
            after = f"{until}{self.folder}/etc/k8swin/{record}.sha256"
            assert text.count(after) == 1
            text = text.replace(after, f"kill -KILL $$\n{after}")
        subprocess.run(
            ["bash", "-c", text],
            env={
                "PATH": f"{self.programs}:/usr/bin:/bin",
                "CONTAINER_RUNTIME": self.runtime,
                "KEEP_IMAGES": "true",
            },
            check=not until,
        )


@pytest.fixture(params=sorted(FILES))
def host(tmp_path, request):
    return Host(tmp_path, request.param)


def test_what_an_earlier_run_of_ours_wrote_is_not_kept_as_somebody_elses(host):
    host.apply("one")
    host.apply("two")
    assert "two" in host.config.read_text()
    assert not host.saved.exists()


@pytest.mark.parametrize("until", ["sha256sum <", "install -m 0644", 'mv "$2'])
def test_a_run_that_was_interrupted_is_not_taken_for_somebody_else(host, until):
    host.apply("one", until=until)
    host.apply("one")
    assert "one" in host.config.read_text()
    assert not host.saved.exists()


@pytest.mark.parametrize("until", ["sha256sum <", "install -m 0644", 'mv "$2'])
def test_what_somebody_else_had_is_kept_through_interruptions(host, until):
    host.config.parent.mkdir(parents=True)
    host.config.write_text(THEIRS)
    host.apply("one", until=until)
    host.apply("one")
    host.apply("two")
    assert "two" in host.config.read_text()
    assert host.saved.read_text() == THEIRS


@pytest.mark.parametrize("found", [THEIRS, ""])
def test_a_removal_that_was_interrupted_puts_back_what_was_found_and_nothing_else(host, found):
    if found:
        host.config.parent.mkdir(parents=True)
        host.config.write_text(found)
    host.apply("one")
    host.restore(until="rm -f ")
    host.restore()
    assert (host.config.read_text() if host.config.exists() else "") == found
    assert not host.config.with_name(host.config.name + ".k8swin").exists()
