"""kubeadm, kubelet and containerd read the configuration files that the toolkit writes, and know every word of them."""

import tomllib

import pytest
import yaml

from k8swin_nb.phases.linux.kubeadm import join_configuration, kubeadm_init
from k8swin_nb.phases.windows.configuration import containerd_config
from k8swin_nb.phases.windows.containerd import merged
from tests.programs.named import answer, program
from tests.runs import make_run

TOKEN = "abcdef.0123456789abcdef"
CA_HASH = "sha256:" + "5" * 64
UNKNOWN = "Ignoring unknown key"
"""containerd's words for a setting that its plugin does not have."""


@pytest.fixture
def run(tmp_path):
    return make_run(tmp_path)


def validated(path):
    return answer(program("kubeadm"), "config", "validate", "--config", str(path))


def test_kubeadm_knows_every_word_of_the_configuration_of_init(run, tmp_path):
    file = tmp_path / "init.yaml"
    file.write_bytes(kubeadm_init(run.description, run.plan, run.master))
    told = validated(file)
    assert told.returncode == 0, told.stderr
    assert told.stdout.strip() == "ok"


@pytest.mark.parametrize("name", ["winworker01", "linuxmaster"])
def test_kubeadm_knows_every_word_of_the_configuration_of_join(run, tmp_path, name):
    file = tmp_path / "join.yaml"
    worker = run.inventory.host(name)
    file.write_text(join_configuration(run.description, run.master, worker, TOKEN, CA_HASH))
    told = validated(file)
    assert told.returncode == 0, told.stderr


def test_kubeadm_refuses_a_word_that_it_does_not_know(run, tmp_path):
    file = tmp_path / "init.yaml"
    written = kubeadm_init(run.description, run.plan, run.master)
    file.write_bytes(written.replace(b"serviceSubnet:", b"servicesSubnet:"))
    told = validated(file)
    assert told.returncode != 0
    assert "servicesSubnet" in told.stderr


def test_the_kubelet_decodes_its_configuration_strictly_and_without_a_word(run, tmp_path):
    """It is asked for its version only after the command line; so the file is given to a start that ends at once."""
    documents = yaml.safe_load_all(kubeadm_init(run.description, run.plan, run.master))
    (kubelet,) = [each for each in documents if each["kind"] == "KubeletConfiguration"]
    file = tmp_path / "config.yaml"
    for change, says in ({}, False), ({"noSuchSetting": 1}, True):
        file.write_text(yaml.safe_dump({**kubelet, **change}))
        told = answer(
            program("kubelet"),
            f"--config={file}",
            f"--root-dir={tmp_path / 'root'}",
            f"--cert-dir={tmp_path / 'pki'}",
            f"--kubeconfig={tmp_path / 'none'}",
            "--container-runtime-endpoint=unix:///nowhere.sock",
        )
        assert told.returncode != 0
        assert ("noSuchSetting" in told.stderr) is says
        assert ("strict decoding error" in told.stderr) is says


def dumped(path):
    return answer(program("containerd"), "--config", str(path), "config", "dump")


def test_containerd_reads_the_configuration_of_a_worker_and_knows_every_word(run, tmp_path):
    file = tmp_path / "config.toml"
    file.write_text(containerd_config(run.description))
    told = dumped(file)
    assert told.returncode == 0, told.stderr
    assert UNKNOWN not in told.stderr
    plugins = tomllib.loads(told.stdout)["plugins"]
    assert plugins["io.containerd.cri.v1.runtime"]["cni"]["bin_dirs"] == [r"C:\opt\cni\bin"]
    assert plugins["io.containerd.cri.v1.images"]["registry"]["config_path"] == (
        r"C:\etc\containerd\certs.d"
    )
    assert "pause" in plugins["io.containerd.cri.v1.images"]["pinned_images"]["sandbox"]


def test_containerd_reads_a_sites_configuration_with_what_kubernetes_needs_of_it(run, tmp_path):
    file = tmp_path / "config.toml"
    defaults = answer(program("containerd"), "config", "default").stdout
    file.write_text(merged(defaults, run.description))
    told = dumped(file)
    assert told.returncode == 0, told.stderr
    assert UNKNOWN not in told.stderr
    cni = tomllib.loads(told.stdout)["plugins"]["io.containerd.cri.v1.runtime"]["cni"]
    assert r"C:\opt\cni\bin" in cni["bin_dirs"]


def test_containerd_says_which_word_it_does_not_know(tmp_path):
    file = tmp_path / "config.toml"
    file.write_text("version = 3\n[plugins.'io.containerd.cri.v1.runtime'.cni]\nbin_dirz = ['x']\n")
    assert UNKNOWN in dumped(file).stderr
