"""The bytes that the scripts give to CNI plugins on a worker, judged by the plugins themselves."""

import json
import subprocess

import pytest
from k8swin_lab.internet.binaries import stand_in
from k8swin_lab.machines.windows_network import HnsNetwork

from k8swin_nb.description import check_description
from k8swin_nb.phases.windows.cni import cni_conf, dockershim_cni_conf
from k8swin_nb.plan import network_plan
from tests.scripts.cni_programs import flannel, host_local
from tests.test_description import described

NETWORKS = "/var/lib/cni/networks"
PLUGINS = r"C:\opt\cni\bin"
DELEGATE = """\
#!/bin/sh
cat >"$(dirname "$0")/delegated"
echo '{"cniVersion":"0.3.0","ips":[{"version":"4","address":"10.244.7.3/24"}]}'
"""
"""What flannel hands on to: it keeps what it is given."""


@pytest.fixture
def real_host_local(machine, tmp_path):
    """A worker whose host-local.exe is the real program; its files are in a folder of the test."""
    program = host_local()
    questions = []

    def answer(process):
        given = process.stdin.read()
        questions.append(given)
        env = {name: value for name, value in process.env.items() if name.startswith("CNI_")}
        done = subprocess.run(
            [str(program)],
            input=given.replace(NETWORKS.encode(), str(tmp_path).encode()),
            env=env,
            capture_output=True,
            check=False,
        )
        process.out(done.stdout.decode())
        process.err(done.stderr.decode())
        return done.returncode

    machine.programs["host-local"] = answer
    return questions


@pytest.fixture
def on_overlay(machine):
    """A worker with flanneld's overlay network and the plugins."""
    machine.features.install(machine.features.find("Containers"))
    machine.reboot()
    machine.net.hns_networks.append(
        HnsNetwork(
            "vxlan0",
            "Overlay",
            [{"AddressPrefix": "10.244.7.0/24", "GatewayAddress": "10.244.7.1"}],
            management_address=machine.address,
        )
    )
    machine.files.make_directory(PLUGINS)
    for program in ("host-local", "win-overlay"):
        machine.files.write(rf"{PLUGINS}\{program}.exe", stand_in(program, "1.9.1"))


def test_host_local_reserves_kube_proxys_address_for_the_script(
    run, on_overlay, real_host_local, tmp_path
):
    values = {"HnsNetwork": "vxlan0", "CniPlugins": PLUGINS}
    first = run("source_vip.apply", **values)
    assert first.code == 0, first.err
    again = run("source_vip.apply", **values)
    assert again.code == 0, again.err
    reserved = again.said.partition(" ")[0]
    assert reserved.startswith("10.244.7.")
    (kept,) = tmp_path.rglob(reserved)
    assert kept.read_text().split()[0] == "k8swin-kube-proxy"
    assert {bytes(question[:1]) for question in real_host_local} == {b"{"}


def test_host_local_refuses_what_begins_with_a_byte_order_mark(tmp_path):
    """Why the bytes matter: https://github.com/ansible/ansible/issues/22934 for what 5.1 would send."""
    question = b'{"cniVersion":"0.3.0","name":"x","ipam":{"type":"host-local","ranges":[[{"subnet":"10.0.0.0/24"}]]}}'
    env = {"CNI_COMMAND": "VERSION", "CNI_PATH": str(tmp_path)}
    env |= {"CNI_COMMAND": "DEL", "CNI_CONTAINERID": "a", "CNI_IFNAME": "b", "CNI_NETNS": "c"}
    done = subprocess.run(
        [str(host_local())],
        input=b"\xef\xbb\xbf" + question,
        env=env,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1
    assert b"invalid character" in done.stdout


@pytest.mark.parametrize(
    ("changes", "conf", "delegate"),
    [
        ({}, cni_conf, "win-bridge"),
        ({"topology": "vxlan"}, cni_conf, "win-overlay"),
        ({"profile": "classic"}, dockershim_cni_conf, "win-bridge"),
    ],
    ids=["host-gw", "vxlan", "classic"],
)
def test_flannels_plugin_hands_on_what_the_configuration_says(
    run,
    machine,
    tmp_path,
    changes,
    conf,
    delegate,
):
    program = flannel()
    plan = network_plan(check_description(described(**changes)))
    written = {
        "CniConf": conf(plan, "10.1.0.7"),
        "CniFolder": r"C:\etc\cni\net.d",
        "CniFile": "10-flannel.conf",
        "WindowsNetConf": "{}",
        "NetConfFiles": r"C:\k\net-conf.json",
    }
    machine.files.make_directory(r"C:\etc\cni\net.d")
    assert run("cni.apply", **written).code == 0
    configuration = machine.files.read(r"C:\etc\cni\net.d\10-flannel.conf")
    plugin = tmp_path / delegate
    plugin.write_text(DELEGATE)
    plugin.chmod(0o700)
    (tmp_path / "subnet.env").write_text(
        "FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_SUBNET=10.244.7.1/24\nFLANNEL_MTU=1500\nFLANNEL_IPMASQ=true\n"
    )
    # Where the plugin looks is the one thing that differs on this computer.
    here = {"subnetFile": str(tmp_path / "subnet.env"), "dataDir": str(tmp_path / "data")}
    given = configuration[:1] + json.dumps(here)[1:-1].encode() + b"," + configuration[1:]
    env = {"CNI_COMMAND": "ADD", "CNI_CONTAINERID": "pod", "CNI_NETNS": "ns", "CNI_IFNAME": "eth0"}
    done = subprocess.run(
        [str(program)],
        input=given,
        env={**env, "CNI_PATH": str(tmp_path)},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    handed = json.loads((tmp_path / "delegated").read_bytes())
    wanted = json.loads(configuration)
    assert handed["type"] == delegate
    assert handed["name"] == plan.hns_network
    assert handed["ipam"] == {"type": "host-local", "subnet": "10.244.7.0/24"}
    assert handed["policies"] == wanted["delegate"]["policies"]
    assert handed["dns"] == wanted["delegate"]["dns"]
