"""The lock of the lab's downloads names what the lab serves."""

import hashlib
from pathlib import Path

import pytest
import yaml
from k8swin_lab.description import lock
from k8swin_lab.internet import install
from k8swin_lab.network import HttpRequest, Network

ROOT = Path(__file__).parent.parent.parent
LOCK = yaml.safe_load(lock("artifacts.yaml"))
CLASSIC = yaml.safe_load(lock("artifacts-classic.yaml"))
LINUX = yaml.safe_load(lock("linux-artifacts-classic.yaml"))
BUILT_IN_LINUX = yaml.safe_load((ROOT / "k8swin_nb/phases/linux/artifacts.yaml").read_text())
BUILT_IN = yaml.safe_load(
    (ROOT / "k8swin_nb" / "phases" / "windows" / "artifacts.yaml").read_text()
)


@pytest.fixture(scope="module")
def network():
    network = Network()
    install(network)
    return network


def fetch(network: Network, url: str) -> bytes:
    for _ in range(5):
        answer = network.origins[url.split("/")[2]](HttpRequest("GET", url))
        if answer.status not in (301, 302, 307):
            assert answer.status == 200, url
            return answer.body
        url = answer.headers["location"]
    raise AssertionError(f"too many redirects: {url}")


def test_it_is_for_the_same_downloads_as_the_built_in_lock():
    assert {name: entry["url"] for name, entry in LOCK["artifacts"].items()} == {
        name: entry["url"] for name, entry in BUILT_IN["artifacts"].items()
    }


@pytest.mark.parametrize("name", LINUX["artifacts"])
def test_the_lab_serves_the_tarballs_that_linux_machines_download(network, name):
    entry = LINUX["artifacts"][name]
    assert entry["url"] == BUILT_IN_LINUX["artifacts"][name]["url"]
    algorithm = "sha512" if "sha512" in entry else "sha256"
    content = fetch(network, entry["url"])
    assert hashlib.new(algorithm, content).hexdigest() == entry[algorithm]


@pytest.mark.parametrize("name", CLASSIC["artifacts"])
def test_the_lab_serves_what_the_classic_lock_names(network, name):
    entry = CLASSIC["artifacts"][name]
    algorithm = "sha512" if "sha512" in entry else "sha256"
    content, expected = fetch(network, entry["url"]), entry[algorithm]
    if expected == "published":
        expected = fetch(network, entry["url"] + ".sha256").decode().split()[0]
    if expected != "first-use":
        assert hashlib.new(algorithm, content).hexdigest() == expected


@pytest.mark.parametrize("name", LOCK["artifacts"])
def test_the_lab_serves_what_the_lock_names(network, name):
    entry = LOCK["artifacts"][name]
    expected = entry["sha256"]
    if expected == "published":
        expected = fetch(network, entry["url"] + ".sha256").decode().split()[0]
    assert hashlib.sha256(fetch(network, entry["url"])).hexdigest() == expected
