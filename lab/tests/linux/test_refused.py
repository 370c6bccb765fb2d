"""What every server has from the start and the lab has not is there and refused, not called unknown."""

from __future__ import annotations

import pytest
from k8swin_lab.bash import open_shell
from k8swin_lab.bash.root import HOST_TOOLS
from k8swin_lab.bash.tools import TOOLS
from k8swin_lab.internet.pulling import PullError
from k8swin_lab.linux import programs, refused
from k8swin_lab.machines.program import NotSimulated

from lab.tests.bash.bash_cases import run as run_script


def test_nothing_is_simulated_and_refused_at_once():
    simulated = {
        *(name for name, program in programs.base().items() if name not in refused.PROGRAMS),
        *programs.packaged(),
        *TOOLS,
        *HOST_TOOLS,
    }
    assert simulated & set(refused.PROGRAMS) == set()
    assert all(programs.base()[name] is refused.PROGRAMS[name] for name in refused.PROGRAMS)


@pytest.mark.parametrize("python_bash", [True, False])
def test_a_program_of_the_base_system_that_is_missing_is_refused(machine, python_bash):
    shell = open_shell(machine, "python" if python_bash else "auto")
    done = run_script(shell, machine, ["bash", "-c", "type -P lsblk; lsblk -f; echo $?; nonsense"])
    shell.stop()
    assert done.output == "/usr/bin/lsblk\n70\n"
    assert "not simulated in the lab: lsblk" in done.errors
    assert "nonsense: command not found" in done.errors


@pytest.mark.parametrize("python_bash", [True, False])
def test_a_refusal_that_a_script_hides_is_written_down(machine, python_bash):
    shell = open_shell(machine, "python" if python_bash else "auto")
    done = run_script(
        shell, machine, ["bash", "-c", "if lsblk 2>/dev/null; then :; fi; lsblk 2>&- || true"]
    )
    shell.stop()
    assert (done.output, done.code) == ("", 0)
    assert machine.lacking == {"lsblk": 2}


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("systemctl get-default", "systemctl get-default"),
        ("systemctl list-timers", "systemctl list-timers"),
        ("apt-get download vim", "apt-get download"),
        ("apt-mark minimize-manual vim", "apt-mark minimize-manual"),
        ("ip netn list", "ip netns"),
    ],
)
def test_a_verb_that_is_missing_is_refused(run, line, named):
    with pytest.raises(NotSimulated, match=named):
        run(line)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("systemctl frob", "Unknown command verb frob."),
        ("apt-get frob", "E: Invalid operation frob"),
        ("apt-mark frob", "E: Invalid operation frob"),
        ("ip frob", 'Object "frob" is unknown'),
        ("journalctl -u", "journalctl: option requires an argument -- 'u'"),
        ("systemctl show --property", "systemctl: option '--property' requires an argument"),
    ],
)
def test_a_verb_that_nobody_has_gets_the_programs_words(run, line, said):
    assert said in run(line).err


def test_names_of_alternatives_are_found(machine):
    shell = open_shell(machine, "auto")
    done = run_script(shell, machine, ["bash", "-c", "which ls; type -P nc editor telnet"])
    shell.stop()
    assert done.output == "/usr/bin/ls\n/usr/bin/nc\n/usr/bin/editor\n/usr/bin/telnet\n"


def test_a_package_of_dockers_archive_is_refused_once_the_archive_is_a_source(machine, run):
    machine.write_file(
        "/etc/apt/sources.list.d/docker.list",
        "deb [trusted=yes] https://download.docker.com/linux/debian bookworm stable\n",
    )
    assert run("apt-get install -y docker-ce").code == 100
    assert run("apt-get update").code == 0
    with pytest.raises(NotSimulated, match="the package docker-ce"):
        run("apt-get install -y docker-ce")


@pytest.fixture
def listed(run):
    """The machine's commands after its package lists were fetched."""
    assert run("apt-get update").code == 0
    return run


@pytest.mark.parametrize(
    "line", ["apt-get install -y vim", "apt-cache policy git", "apt-cache show librust-x-dev"]
)
def test_a_package_of_the_distribution_that_is_missing_is_refused(listed, line):
    with pytest.raises(NotSimulated, match="the package "):
        listed(line)


def test_a_package_that_nobody_has_gets_apts_words(listed):
    done = listed("apt-get install -y frobnicate-nonsense")
    assert (done.code, done.err) == (100, "E: Unable to locate package frobnicate-nonsense\n")


def test_without_its_lists_apt_knows_no_package_of_the_archive(run):
    assert run("apt-get install -y vim").err == "E: Unable to locate package vim\n"


@pytest.mark.parametrize(
    "line",
    [
        "curl -s https://get.helm.sh/helm.tar.gz",
        "wget -q https://www.example.com/",
        "getent hosts golang.org",
        "ping -c 1 debian.org",
        "curl -sf https://github.com/nobody/nothing/releases/download/v1/a.tar.gz",
    ],
)
def test_what_only_the_real_internet_has_is_refused(run, line):
    with pytest.raises(NotSimulated, match=r"the internet's host|github\.com/nobody"):
        run(line)


def test_a_name_that_nobody_has_is_not_resolved_and_an_old_version_not_found(run):
    assert run("curl -sS http://repo.plant.example/").code == 6
    assert run("curl -sS https://mirror.example.com/").code == 6
    assert run("curl -sf https://dl.k8s.io/v1.99.0/bin/linux/amd64/kubectl").code == 22


def test_at_a_site_without_the_internet_no_host_of_it_is_known(machine, run):
    machine.network.origins.clear()
    assert run("curl -sS https://get.helm.sh/x").code == 6


def test_a_damaged_image_is_not_taken(machine, run):
    run("apt-get update")
    machine.damaged_downloads = 1
    with pytest.raises(PullError, match="unexpected commit digest"):
        machine.runtime.pull("registry.k8s.io/e2e-test-images/agnhost:2.63.0")
