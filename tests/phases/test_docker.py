"""Docker's configuration is merged with what a host has; what would do harm is refused."""

import json

import pytest

from k8swin_nb.phases.linux.docker import NotMergeable, merged


def test_a_host_without_a_configuration_gets_what_kubernetes_needs():
    assert json.loads(merged("")) == {
        "storage-driver": "overlay2",
        "exec-opts": ["native.cgroupdriver=systemd"],
        "log-driver": "json-file",
        "log-opts": {"max-size": "100m"},
    }


def test_what_a_site_has_set_stays():
    site = {
        "registry-mirrors": ["https://mirror.example"],
        "exec-opts": ["native.umask=normal", "native.cgroupdriver=cgroupfs"],
        "log-opts": {"max-size": "5m", "max-file": "3"},
        "bip": "172.31.0.1/16",
    }
    after = json.loads(merged(json.dumps(site)))
    assert after["registry-mirrors"] == ["https://mirror.example"]
    assert after["bip"] == "172.31.0.1/16"
    assert after["exec-opts"] == ["native.umask=normal", "native.cgroupdriver=systemd"]
    assert after["log-opts"] == {"max-size": "5m", "max-file": "3"}


def test_another_log_driver_is_given_no_options_of_json_file():
    after = json.loads(merged('{"log-driver": "journald"}'))
    assert after["log-driver"] == "journald"
    assert "log-opts" not in after


def test_merging_twice_changes_nothing():
    assert merged(merged("")) == merged("")


def test_a_file_that_says_it_all_already_keeps_its_own_formatting():
    compact = json.dumps(json.loads(merged("")), separators=(",", ":"))
    assert merged(compact + "\n") == compact


@pytest.mark.parametrize(
    ("existing", "message"),
    [
        ("{", "is not JSON"),
        ("[]", "not a JSON object"),
        ('{"storage-driver": "devicemapper"}', "hides the images"),
    ],
)
def test_what_cannot_be_merged_without_harm_is_refused(existing, message):
    with pytest.raises(NotMergeable, match=message):
        merged(existing)
