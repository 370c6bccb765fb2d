"""Docker on a simulated Windows, as its users and installers use it."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from k8swin_lab.internet.windows_classic import docker_archive
from k8swin_lab.machines.windows import WindowsMachine
from k8swin_lab.machines.windows_setup import EDITIONS

from .conftest import Result

Run = Callable[[str], Result]
NANO = "mcr.microsoft.com/windows/nanoserver:1809"


@pytest.fixture
def machine(server_2019: WindowsMachine) -> WindowsMachine:
    return server_2019


@pytest.fixture
def docker(machine: WindowsMachine, run: Run) -> WindowsMachine:
    """Containers installed, Docker unpacked, registered and started."""
    feature = machine.features.find("Containers")
    assert feature is not None
    machine.features.install(feature)
    machine.reboot()
    machine.files.write(r"C:\docker.zip", docker_archive("20.10.23"))
    assert run(r"tar.exe -xf C:\docker.zip -C C:\\").code == 0
    assert run(r"C:\docker\dockerd.exe --register-service").code == 0
    machine.services.start("docker")
    return machine


def test_the_service_needs_the_containers_feature_and_says_so_in_the_event_log(
    machine: WindowsMachine, run: Run
) -> None:
    machine.files.write(r"C:\docker.zip", docker_archive("20.10.23"))
    run(r"tar.exe -xf C:\docker.zip -C C:\\")
    assert run(r"C:\docker\dockerd.exe --register-service").code == 0
    assert run("sc.exe start docker").code == 1053
    assert any(
        "Ensure that the Containers feature is installed" in e.message for e in machine.events
    )
    assert "docker daemon is not running" in run(r"C:\docker\docker.exe ps").err


def test_the_service_makes_the_nat_network_and_answers_version_and_info(
    docker: WindowsMachine, run: Run
) -> None:
    assert docker.services.start_type("docker") == "Automatic"
    assert docker.net.network_named("nat") is not None
    assert docker.reachable
    assert (
        run(r'C:\docker\docker.exe version --format "{{.Server.Version}} {{.Client.Os}}"').out
        == "20.10.23 windows\n"
    )
    assert run(r'C:\docker\docker.exe info --format "{{.OSType}}"').out == "windows\n"
    assert (
        "Operating System: Windows Server 2019 Standard Version 1809"
        in run(r"C:\docker\docker.exe info").out
    )
    assert "no entry" in run(r'C:\docker\docker.exe info --format "{{.Cgroups}}"').err


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'\xef\xbb\xbf{"debug": true}', "looking for beginning of value"),
        (b'{"no-such-key": 1}', "don't match any configuration option: no-such-key"),
        (b"", "EOF"),
    ],
)
def test_a_wrong_configuration_keeps_the_engine_from_starting(
    docker: WindowsMachine, run: Run, content: bytes, said: str
) -> None:
    docker.services.stop("docker")
    docker.files.make_directory(r"C:\ProgramData\docker\config")
    docker.files.write(r"C:\ProgramData\docker\config\daemon.json", content)
    assert run("sc.exe start docker").code == 1053
    assert said in docker.events[-1].message or any(said in e.message for e in docker.events)


def test_images_are_pulled_tagged_listed_inspected_and_removed(
    docker: WindowsMachine, run: Run
) -> None:
    assert (
        f"Status: Downloaded newer image for {NANO}"
        in run(rf"C:\docker\docker.exe pull {NANO}").out
    )
    assert (
        f"Status: Image is up to date for {NANO}" in run(rf"C:\docker\docker.exe pull {NANO}").out
    )
    assert (
        run(rf"C:\docker\docker.exe tag {NANO} mcr.microsoft.com/windows/nanoserver:latest").code
        == 0
    )
    listed = run(r'C:\docker\docker.exe images --format "{{.Repository}}:{{.Tag}}"').out.split()
    assert listed == [NANO, "mcr.microsoft.com/windows/nanoserver:latest"]
    assert run(
        rf'C:\docker\docker.exe image inspect --format "{{{{.OsVersion}}}}" {NANO}'
    ).out.startswith("10.0.17763.")
    inspected = json.loads(run(rf"C:\docker\docker.exe inspect {NANO}").out)
    assert inspected[0]["Config"]["Cmd"] == [r"c:\windows\system32\cmd.exe"]
    missing = run(r"C:\docker\docker.exe image inspect nothing:1")
    assert (missing.code, missing.out, missing.err) == (
        1,
        "[]\n",
        "Error: No such image: nothing:1\n",
    )
    free = docker.free_bytes()
    assert run(rf"C:\docker\docker.exe rmi {NANO}").out == f"Untagged: {NANO}\n"
    assert (
        "Deleted: sha256:"
        in run(r"C:\docker\docker.exe rmi mcr.microsoft.com/windows/nanoserver:latest").out
    )
    assert docker.free_bytes() > free
    assert run(r"C:\docker\docker.exe images -q").out == ""


def test_what_a_registry_lacks_is_refused_in_the_engines_words(
    docker: WindowsMachine, run: Run
) -> None:
    assert (
        "manifest unknown"
        in run(r"C:\docker\docker.exe pull mcr.microsoft.com/windows/nanoserver:0").err
    )
    assert (
        "pull access denied for kubeletwin/pause"
        in run(r"C:\docker\docker.exe pull kubeletwin/pause").err
    )
    newer = run(r"C:\docker\docker.exe pull mcr.microsoft.com/windows/servercore:ltsc2022")
    assert (
        "no matching manifest for windows/amd64 10.0.17763 in the manifest list entries"
        in newer.err
    )
    assert newer.code == 1


def test_containers_run_and_are_shown_and_removed(docker: WindowsMachine, run: Run) -> None:
    hello = run(r"C:\docker\docker.exe run --rm hello-world:nanoserver")
    assert hello.code == 0
    assert "Hello from Docker!" in hello.out
    assert run(r"C:\docker\docker.exe ps -aq").out == ""
    run(rf"C:\docker\docker.exe pull {NANO}")
    said = run(rf"C:\docker\docker.exe run --rm -e GREETING=hi {NANO} cmd /c echo %GREETING%")
    assert said.out.strip() == "hi"
    assert run(rf"C:\docker\docker.exe run --rm {NANO} cmd /c exit 7").code == 7
    assert (
        "The system cannot find the file"
        in run(rf"C:\docker\docker.exe run --rm {NANO} nothing.exe").err
    )
    started = run(rf"C:\docker\docker.exe run -d --name long {NANO} ping -t localhost")
    assert started.code == 0
    assert run(r'C:\docker\docker.exe ps --format "{{.Names}} {{.State}}"').out == "long running\n"
    state = run(
        r'C:\docker\docker.exe inspect -f "{{.State.Running}} {{.HostConfig.Isolation}}" long'
    )
    assert state.out == "true process\n"
    assert "(cannot be forced)" in run(rf"C:\docker\docker.exe rmi {NANO}").err
    assert run(r"C:\docker\docker.exe rm long").code == 1
    assert run(r"C:\docker\docker.exe stop long").out == "long\n"
    assert run(r'C:\docker\docker.exe ps -a --format "{{.State}}"').out == "exited\n"
    assert run(r"C:\docker\docker.exe rm long").code == 0


def test_nanoserver_has_no_powershell(docker: WindowsMachine, run: Run) -> None:
    assert run(rf"C:\docker\docker.exe run --rm {NANO} powershell -Command 1").code == 127


def test_an_image_of_an_older_build_is_pulled_but_does_not_run(
    docker: WindowsMachine, run: Run
) -> None:
    run(rf"C:\docker\docker.exe pull {NANO}")
    docker.edition = EDITIONS[20348]
    refused = run(rf"C:\docker\docker.exe run --rm {NANO}")
    assert refused.code == 125
    assert "(0xc0370101)" in refused.err


def test_a_pause_image_is_built_from_a_dockerfile(docker: WindowsMachine, run: Run) -> None:
    docker.files.make_directory(r"C:\k")
    docker.files.write(
        r"C:\k\Dockerfile",
        b"FROM mcr.microsoft.com/windows/nanoserver:1809\r\n\r\nCMD cmd /c ping -t localhost > nul\r\n",
    )
    built = run(r"C:\docker\docker.exe build -t kubeletwin/pause C:\k")
    assert built.code == 0, built.err
    assert "Successfully tagged kubeletwin/pause:latest" in built.out
    command = run(r'C:\docker\docker.exe image inspect -f "{{json .Config.Cmd}}" kubeletwin/pause')
    assert json.loads(command.out) == ["cmd", "/S", "/C", "cmd /c ping -t localhost > nul"]
    again = run(r"C:\docker\docker.exe build -q -t kubeletwin/pause C:\k").out
    assert (
        again.strip()
        == run(r'C:\docker\docker.exe image inspect -f "{{.Id}}" kubeletwin/pause').out.strip()
    )
    assert run(r"C:\docker\docker.exe run -d --name p kubeletwin/pause").code == 0
    assert (
        run(r'C:\docker\docker.exe ps -f name=p --format "{{.Image}}"').out == "kubeletwin/pause\n"
    )


def test_containers_end_with_the_engine_and_images_outlive_a_reboot(
    docker: WindowsMachine, run: Run
) -> None:
    run(rf"C:\docker\docker.exe run -d --name long {NANO} ping -t localhost")
    docker.reboot()
    for _ in range(100):
        if docker.docker.engine is not None:
            break
        docker.pause(1)
    assert run(r"C:\docker\docker.exe ps -q").out == ""
    assert run(r'C:\docker\docker.exe ps -a --format "{{.Names}}"').out == "long\n"
    assert run(r"C:\docker\docker.exe images -q").out != ""


def test_layers_belong_to_the_engine(docker: WindowsMachine, run: Run) -> None:
    run(rf"C:\docker\docker.exe pull {NANO}")
    docker.services.stop("docker")
    removed = run(
        r"powershell -NoProfile -Command Remove-Item -Recurse -Force C:\ProgramData\docker"
    )
    assert "denied" in removed.err
    docker.services.start("docker")
    assert run(r"C:\docker\docker.exe system prune -a -f").code == 0
    docker.services.stop("docker")
    assert run(r"C:\docker\dockerd.exe --unregister-service").code == 0
    assert (
        run("powershell -NoProfile -Command Remove-Item -Recurse -Force C:/ProgramData/docker").err
        == ""
    )
    assert docker.services.find("docker") is None


def test_an_unknown_option_is_refused(docker: WindowsMachine, run: Run) -> None:
    refused = run(r"C:\docker\docker.exe ps --nonsense")
    assert refused.code == 125
    assert "unknown flag: --nonsense" in refused.err
    assert (
        "not simulated in the lab: docker.exe commit" in run(r"C:\docker\docker.exe commit x").err
    )


def test_a_container_is_made_started_looked_into_and_killed(
    docker: WindowsMachine, run: Run
) -> None:
    made = run(rf"C:\docker\docker.exe create --name long {NANO} ping -t localhost")
    assert (made.code, len(made.out.strip())) == (0, 64)
    assert run(r"C:\docker\docker.exe start long").out == "long\n"
    assert "Reply from" in run(r"C:\docker\docker.exe logs long").out
    assert run(r"C:\docker\docker.exe exec long cmd /c echo inside").out == "inside\r\n"
    state = r'C:\docker\docker.exe container inspect -f "{{.State.Running}}" long'
    assert run(state).out == "true\n"
    assert run(r"C:\docker\docker.exe kill long").out == "long\n"
    assert run(state).out == "false\n"


def test_networks_are_listed_and_inspected_and_nat_stays(docker: WindowsMachine, run: Run) -> None:
    assert "nat" in run(r'C:\docker\docker.exe network ls --format "{{.Name}}"').out.split()
    assert run(r'C:\docker\docker.exe network inspect -f "{{.Driver}}" nat').out == "nat\n"
    assert run(r"C:\docker\docker.exe network rm nosuch").code == 1
