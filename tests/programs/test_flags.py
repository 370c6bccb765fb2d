"""kubelet, kube-proxy, kubeadm and flanneld take the flags that a Windows worker's services have.

Each program reads its whole command line before it says its version: a flag that it does not know, or a value of the
wrong kind, is an error then. Builds for Linux lack what only Windows has; those flags are taken out and are held by
what the Windows builds print (lab/tests/windows), and by the Windows builds themselves where these are named.
"""

import json
import shlex
import sys
from subprocess import list2cmdline

import pytest

from k8swin_nb.phases.windows import services
from k8swin_nb.phases.windows.services import SOURCE_VIP
from tests.programs.named import answer, program
from tests.runs import make_run

ONLY_ON_WINDOWS = {
    "kubelet": ("--windows-priorityclass", "--windows-service"),
    "kube-proxy": ("--network-name", "--source-vip", "--enable-dsr", "--root-hnsendpoint-name"),
    "flanneld": (),
}

UNKNOWN = "flag provided but not defined"


def arguments_of(name, **changes):
    """The arguments of a service as the program gets them, on this computer's system."""
    run = make_run(**changes)
    worker = run.inventory.host("winworker01")
    run.facts.keep(worker, SOURCE_VIP, "10.244.1.2")
    define = {
        "kubelet": services.kubelet_service,
        "kube-proxy": services.kube_proxy_service,
        "flanneld": services.flanneld_service,
    }[name]
    # list2cmdline quotes nothing but what holds spaces, and none of these does.
    defined = define(run, worker)
    given = str(defined["arguments"])
    if defined["program"].endswith("powershell.exe"):  # which starts it with what stands in a file
        (told,) = [each["text"] for each in defined["files"] if each["path"].endswith(".json")]
        given = list2cmdline(json.loads(told)["arguments"])
    arguments = shlex.split(given.replace("\\", "/"))
    taken = () if sys.platform == "win32" else ONLY_ON_WINDOWS[name]
    return [each for each in arguments if each.partition("=")[0] not in taken]


@pytest.mark.parametrize("topology", ["host-gw", "vxlan"])
@pytest.mark.parametrize("name", ["kubelet", "kube-proxy", "flanneld"])
def test_a_program_takes_the_arguments_of_its_service(name, topology):
    path = program(name)
    arguments = arguments_of(name, topology=topology)
    assert len(arguments) > 3
    told = answer(path, *arguments, "--version")
    assert told.returncode == 0, told.stderr[-2000:]
    # flanneld ends with 0 also when it does not know a flag, and tells its version on standard error.
    assert UNKNOWN not in told.stderr


@pytest.mark.parametrize("name", ["kubelet", "kube-proxy", "flanneld"])
def test_a_flag_that_is_not_there_is_refused(name):
    told = answer(program(name), "--no-such-flag=1", "--version")
    assert told.returncode != 0 or UNKNOWN in told.stderr
    assert "no-such-flag" in told.stderr + told.stdout


def test_kubeadm_takes_the_flags_of_join_and_reset():
    path = program("kubeadm")
    for words in (
        ["join", "--config=C:/k8swin/join.yaml", "--help"],
        ["reset", "--force", "--cri-socket=npipe:////./pipe/containerd-containerd", "--help"],
    ):
        told = answer(path, *words)
        assert told.returncode == 0, told.stderr[-2000:]
    assert json.loads(answer(path, "version", "-o", "json").stdout)["clientVersion"]
