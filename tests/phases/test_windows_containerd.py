"""A containerd that was on a Windows server before: its settings stay, and Kubernetes' are put among them."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8swin_nb.phases.linux.containerd import CRI, IMAGES, RUNTIME, NotMergeable
from k8swin_nb.phases.windows.configuration import containerd_config
from k8swin_nb.phases.windows.containerd import merged
from tests.runs import make_run

SITE = r"""# of the site
version = 2
root = 'D:\containerd\root'

[plugins.'io.containerd.grpc.v1.cri'.registry]
  config_path = 'D:\certs.d'
"""


@pytest.fixture
def description():
    return make_run().description


def test_a_servers_own_settings_stay(description):
    table = tomllib.loads(merged(SITE, description))
    cri = table["plugins"][CRI]
    assert table["root"] == r"D:\containerd\root"
    assert cri["registry"] == {"config_path": r"D:\certs.d"}
    assert cri["cni"] == {"conf_dir": r"C:\etc\cni\net.d", "bin_dir": r"C:\opt\cni\bin"}
    assert cri["sandbox_image"].endswith("/pause:3.10.2")


def test_what_was_merged_is_not_changed_again(description):
    once = merged(SITE, description)
    assert merged(once, description) == once


def test_the_pipe_is_the_one_that_the_kubelet_asks(description):
    text = "version = 3\n[grpc]\n  address = '\\\\.\\pipe\\own'\n"
    assert tomllib.loads(merged(text, description))["grpc"]["address"] == (
        r"\\.\pipe\containerd-containerd"
    )


def test_what_cannot_be_edited_is_refused(description):
    with pytest.raises(NotMergeable, match="is no TOML"):
        merged("{", description)
    with pytest.raises(NotMergeable, match="version = 1"):
        merged("version = 1\n", description)


@given(st.from_regex(r"[ -~]{1,40}", fullmatch=True))
def test_a_registrys_name_stays_data_in_the_configuration_of_a_new_worker(name):
    description = make_run().description
    changed = description.model_copy(update={"image_repository": name})
    plugins = tomllib.loads(containerd_config(changed))["plugins"]
    assert plugins[IMAGES]["pinned_images"]["sandbox"] == f"{name}/pause:3.10.2"
    assert set(plugins) == {IMAGES, RUNTIME}
