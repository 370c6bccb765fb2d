"""A Windows machine of the lab joins the cluster that stands on real hosts: nothing but the wire lies between them.

It runs after test_real_host.py has left a cluster standing, and builds one where there is none.
"""

import base64
import json
import os
from pathlib import Path

import pytest
import yaml
from cryptography import x509

from tests.real import lab_machine
from tests.real.test_real_host import HOSTS, KUBERNETES, PROFILE, Site, run

WANTED = os.environ.get("REAL_LAB_WORKER") == "true"
WHY_NOT = "" if not (HOSTS and WANTED) else lab_machine.why_not(HOSTS[0])
# Kubernetes before containerd runs on Windows Server 2019 alone.
BUILD = 17763 if int(KUBERNETES.split(".")[1]) < 24 else 20348
KUBECTL = "kubectl --kubeconfig /etc/kubernetes/admin.conf"

pytestmark = [
    pytest.mark.real,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not HOSTS, reason="REAL_HOSTS names no host"),
    pytest.mark.skipif(not WANTED, reason="REAL_LAB_WORKER is not true"),
    pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT or "-"),
    pytest.mark.skipif(PROFILE != "current", reason="the classic profile has Windows on Docker"),
]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("worker")
    site = Site(folder)
    with lab_machine.windows_machine(HOSTS[0], folder, BUILD) as status:
        (machine,) = status["machines"]
        values = yaml.safe_load(site.path.read_text())
        worker = {
            "name": machine["name"],
            "address": machine["address"],
            "os": "windows",
            "role": "worker",
            "user": machine["user"],
            "winrm_port": machine["winrm_https_port"],
            "credential": machine["credential"],
            "ca": status["ca"],
        }
        values |= {
            "test_os": "windows",
            "artifacts": str(artifacts(Path(status["home"]), values)),
            "hosts": [*values["hosts"], worker],
        }
        values.pop("test_image", None)
        site.path.write_text(yaml.safe_dump(values))
        if "NotFound" in site.run(site.hosts[0], f"{KUBECTL} get nodes 2>&1 || echo NotFound"):
            _, errors = run(site, folder, "01_network", "02_master", "03_flannel")
            assert errors == {}
        yield site
    site.pool.close()


def artifacts(home: Path, values: dict) -> Path:
    """The lab's own lock, for the versions that this site has; the hashes of others are read where they are published."""
    text = (home / "artifacts.yaml").read_text()
    lock = yaml.safe_load(text)
    for name in ("kubernetes_version", "containerd_version"):
        text = text.replace(lock[name], values.get(name, lock[name]))
    changed = yaml.safe_load(text)
    for name, entry in changed["artifacts"].items():
        if entry["url"] != lock["artifacts"][name]["url"]:
            entry["sha256"] = "first-use" if name == "containerd" else "published"
    path = home / "artifacts-of-the-site.yaml"
    path.write_text(yaml.safe_dump(changed))
    return path


def asked(site, command: str) -> dict:
    """What kubectl on the control plane answers, as an object."""
    return json.loads(site.run(site.hosts[0], f"{KUBECTL} {command} -o json"))


def route_to_pods(site) -> None:
    """Stand in for a flanneld that sets no routes, as that of the oldest hosts does not."""
    node = asked(site, "get node winworker01")
    cidr, address = node["spec"]["podCIDR"], node["status"]["addresses"][0]["address"]
    found = site.run(site.hosts[0], f"ip route show {cidr}")
    if not found.strip():
        site.run(site.hosts[0], f"ip route add {cidr} via {address}")


def test_it_joins_runs_pods_and_a_second_run_changes_nothing(site, tmp_path):
    steps, errors = run(site, tmp_path, "04_join_windows")
    assert errors == {}
    assert steps["04_join_windows/join/winworker01"] == "changed"
    route_to_pods(site)
    steps, errors = run(site, tmp_path, "05_test_app")
    assert errors == {}
    pods = asked(site, "get pods -l app=win-webserver")["items"]
    assert {pod["spec"]["nodeName"] for pod in pods} == {"winworker01"}
    assert {pod["status"]["phase"] for pod in pods} == {"Running"}
    name = pods[0]["metadata"]["name"]
    assert "GET /hostname" in site.run(site.hosts[0], f"{KUBECTL} logs {name}")
    assert "Windows" in site.run(site.hosts[0], f"{KUBECTL} exec {name} -- cmd.exe /c ver")

    steps, errors = run(site, tmp_path, "04_join_windows", "05_test_app")
    assert errors == {}
    assert {name: how for name, how in steps.items() if how not in ("ok", "skipped")} == {}


def test_its_certificate_was_signed_by_the_cluster_and_its_lease_is_renewed(site):
    requests = asked(site, "get csr")["items"]
    (own,) = [one for one in requests if one["spec"]["username"].startswith("system:bootstrap:")
              and "winworker01" in decoded(one)]  # fmt: skip
    assert own["spec"]["signerName"] == "kubernetes.io/kube-apiserver-client-kubelet"
    assert own["status"]["certificate"]
    lease = asked(site, "-n kube-node-lease get lease winworker01")
    assert lease["spec"]["holderIdentity"] == "winworker01"
    assert lease["metadata"]["resourceVersion"] != "1"
    node = asked(site, "get node winworker01")
    assert node["metadata"]["annotations"]["flannel.alpha.coreos.com/public-ip"]


def decoded(request: dict) -> str:
    """The subject of a certificate request."""
    pem = base64.b64decode(request["spec"]["request"])
    return x509.load_pem_x509_csr(pem).subject.rfc4514_string()


def test_it_is_removed_again(site, tmp_path):
    worker = yaml.safe_load(site.path.read_text())["hosts"][-1]
    confirm = f"real: {worker['name']}"
    _, errors = run(site, tmp_path, "90_teardown", ip=worker["address"], confirm=confirm)
    assert errors == {}
    names = {node["metadata"]["name"] for node in asked(site, "get nodes")["items"]}
    assert "winworker01" not in names
    assert "linuxmaster" in names
