"""containerd's configuration on Linux: what Kubernetes needs is changed in the file, everything else stays as it is."""

import json
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8swin_nb.phases.linux.containerd import CRI, IMAGES, RUNTIME, NotMergeable, merged
from k8swin_nb.secret import Secret

PAUSE = "registry.k8s.io/pause:3.10.2"
SITE = """\
# of the site
version = 2
root = "/data/containerd"
disabled_plugins = [
  "cri",  # the vendor's
  "io.containerd.snapshotter.v1.zfs",
]

[plugins."io.containerd.grpc.v1.cri".registry]
  config_path = "/etc/containerd/certs.d"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.nvidia]
  runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.nvidia.options]
    BinaryName = "/usr/bin/nvidia-container-runtime"

[proxy_plugins.stargz]
  type = "snapshot"
  address = "/run/stargz.sock"
"""


def test_a_sites_settings_and_comments_stay():
    found = merged(SITE, PAUSE, 2)
    table = tomllib.loads(found)
    cri = table["plugins"][CRI]
    assert table["root"] == "/data/containerd"
    assert table["proxy_plugins"] == {"stargz": {"type": "snapshot", "address": "/run/stargz.sock"}}
    assert cri["registry"] == {"config_path": "/etc/containerd/certs.d"}
    assert cri["containerd"]["runtimes"]["nvidia"]["options"] == {
        "BinaryName": "/usr/bin/nvidia-container-runtime",
        "SystemdCgroup": True,
    }
    assert cri["containerd"]["runtimes"]["runc"] == {
        "runtime_type": "io.containerd.runc.v2",
        "options": {"SystemdCgroup": True},
    }
    assert cri["sandbox_image"] == PAUSE
    assert table["disabled_plugins"] == ["io.containerd.snapshotter.v1.zfs"]
    assert found.startswith("# of the site\nversion = 2\n")


def test_signs_that_end_a_line_elsewhere_end_none_of_a_sites_comments_and_values():
    odd = '# a \u2028 b \x85 c\naddress = "x\u2029y"\n'
    found = merged(odd + SITE, PAUSE, 2)
    assert found.startswith(odd) and tomllib.loads(found)["address"] == "x\u2029y"


@pytest.mark.parametrize("text", ["", 'disabled_plugins = ["cri"]\n', SITE])
@pytest.mark.parametrize("series", [1, 2])
def test_what_was_merged_is_not_changed_again(text, series):
    once = merged(text, PAUSE, series)
    assert merged(once, PAUSE, series) == once


@pytest.mark.parametrize(("series", "version"), [(1, 2), (2, 3)])
def test_a_vendors_file_gets_the_format_of_the_installed_containerd(series, version):
    table = tomllib.loads(merged('disabled_plugins = ["cri"]\n', PAUSE, series))
    assert table["version"] == version
    assert table["disabled_plugins"] == []


def test_in_the_newer_formats_the_newer_tables_are_changed():
    text = f"version = 3\n[plugins.'{IMAGES}']\n  snapshotter = 'overlayfs'\n"
    plugins = tomllib.loads(merged(text, PAUSE, 2))["plugins"]
    assert plugins[IMAGES] == {"snapshotter": "overlayfs", "pinned_images": {"sandbox": PAUSE}}
    assert plugins[RUNTIME]["containerd"]["runtimes"]["runc"]["options"] == {"SystemdCgroup": True}


def test_flannels_folders_are_among_those_of_cni():
    text = f"version = 2\n[plugins.'{CRI}'.cni]\n  bin_dir = '/usr/lib/cni'\n  conf_dir = '/etc/cni/net.d'\n"
    assert tomllib.loads(merged(text, PAUSE, 1))["plugins"][CRI]["cni"]["bin_dir"] == "/opt/cni/bin"
    text = f"version = 3\n[plugins.'{RUNTIME}'.cni]\n  bin_dirs = ['/usr/lib/cni']\n"
    cni = tomllib.loads(merged(text, PAUSE, 2))["plugins"][RUNTIME]["cni"]
    assert cni["bin_dirs"] == ["/usr/lib/cni", "/opt/cni/bin"]


@pytest.mark.parametrize(
    "text",
    [
        "version = 1\n",
        "[plugins.cri]\nsandbox_image = 'x'\n",
        "version = 9\n",
        "version = 2\nplugins = {}\n",
        'version = 2\nplugins."io.containerd.grpc.v1.cri".sandbox_image = "x"\n',
        "version = \n",
    ],
)
def test_what_cannot_be_edited_is_refused_and_not_guessed_at(text):
    with pytest.raises(NotMergeable, match=r"config\.toml"):
        merged(text, PAUSE, 2)


def test_a_format_that_the_installed_containerd_does_not_read_is_refused():
    with pytest.raises(NotMergeable, match="wanted 2"):
        merged("version = 3\n", PAUSE, 1)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_an_images_name_stays_data_whatever_is_in_it(name):
    try:
        found = merged(SITE, name, 2)
    except NotMergeable:
        return
    expected = tomllib.loads(merged(SITE, PAUSE, 2).replace(json.dumps(PAUSE), json.dumps("x")))
    expected["plugins"][CRI]["sandbox_image"] = name
    assert tomllib.loads(found) == expected


def test_registries_get_their_folder_and_logins_beside_what_a_site_has():
    known = {"mirror.example:5000": ("robot", Secret('pass"of\\the-robot'))}
    for series, plugin in ((1, CRI), (2, IMAGES)):
        table = tomllib.loads(merged("", PAUSE, series, registries=True, known=known))
        registry = table["plugins"][plugin]["registry"]
        assert registry["config_path"].split(":")[0] == "/etc/containerd/certs.d"
        assert registry["configs"]["mirror.example:5000"]["auth"] == {
            "username": "robot",
            "password": 'pass"of\\the-robot',
        }
    theirs = SITE.replace("/etc/containerd/certs.d", "/srv/certs.d")
    once = merged(theirs, PAUSE, 2, registries=True, known=known)
    registry = tomllib.loads(once)["plugins"][CRI]["registry"]
    assert registry["config_path"] == "/srv/certs.d:/etc/containerd/certs.d"
    assert merged(once, PAUSE, 2, registries=True, known=known) == once
    # Without registries in a description nothing of this is touched.
    assert "configs" not in tomllib.loads(merged(SITE, PAUSE, 2))["plugins"][CRI]["registry"]


def test_a_login_that_is_described_no_more_is_taken_back_and_a_sites_own_stays():
    robot = {"m.example:5000": ("robot", Secret("pass-of-the-robot-17"))}
    both = {**robot, "n.example": ("other", Secret("pass-of-the-other-18"))}
    theirs = (
        SITE
        + """
[plugins."io.containerd.grpc.v1.cri".registry.configs."site.example".auth]
  username = "robot"
  password = "pass-of-the-robot-17"
"""
    )
    for existing, series in (("", 2), ("", 1), (SITE, 2), (theirs, 2)):
        without = merged(existing, PAUSE, series, registries=True)
        one = merged(existing, PAUSE, series, registries=True, known=robot)
        two = merged(one, PAUSE, series, registries=True, known=both)
        assert "pass-of-the-other-18" in two
        assert merged(two, PAUSE, series, registries=True, known=robot) == one
        # Also where the last registry is taken out of a description.
        assert tomllib.loads(merged(two, PAUSE, series)) == tomllib.loads(without)
        assert merged(without, PAUSE, series) == without
    changed = merged(
        two, PAUSE, 2, registries=True, known={"n.example": ("new", both["n.example"][1])}
    )
    assert "pass-of-the-robot-17" in changed  # the site's, under another host
    assert '"m.example:5000"' not in changed and 'username = "new"' in changed


def test_a_login_beside_which_the_site_wrote_something_leaves_that():
    robot = {"m.example": ("robot", Secret("pass-of-the-robot-17"))}
    text = merged("", PAUSE, 2, registries=True, known=robot)
    beside = text.replace('  username = "robot"', '  identitytoken = "x"\n  username = "robot"')
    auth = tomllib.loads(merged(beside, PAUSE, 2))["plugins"][IMAGES]["registry"]["configs"]
    assert auth == {"m.example": {"auth": {"identitytoken": "x"}}}


def test_mirrors_in_the_old_form_exclude_hosts_files_and_no_password_is_in_the_error():
    old = SITE.replace("config_path = ", "# config_path = ")
    old += '\n[plugins."io.containerd.grpc.v1.cri".registry.mirrors."docker.io"]\n  endpoint = ["https://m"]\n'
    known = {"m": ("robot", Secret("pass-of-the-robot-17"))}
    with pytest.raises(NotMergeable, match="reads no hosts files") as caught:
        merged(old, PAUSE, 2, registries=True, known=known)
    assert "pass-of-the-robot-17" not in str(caught.value)
    inline = "version = 2\nplugins = { x = { } }\n"
    with pytest.raises(NotMergeable) as caught:
        merged(inline, PAUSE, 2, registries=True, known=known)
    assert "pass-of-the-robot-17" not in str(caught.value)
