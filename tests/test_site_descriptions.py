"""What sites' own descriptions say can be said here, or is refused by name, with the reason and the way.

The translated ones follow public descriptions in their words: a kubespray inventory (inventory/sample of
kubernetes-sigs/kubespray), kubeadm's reference configuration (kubernetes.io, kubeadm-config.v1beta4), an RKE2
configuration (docs.rke2.io, configuration and registries), a K2s setup (Siemens-Healthineers/K2s, its config.yaml), and
an Ansible inventory of Windows nodes.
"""

import base64
import re
from pathlib import Path

import pytest
import yaml

from k8swin_nb.api import Cluster
from k8swin_nb.compatibility import check_versions
from k8swin_nb.description import Description, check_description
from k8swin_nb.errors import ParamsError
from k8swin_nb.host_description import HostDescription
from k8swin_nb.node_fields import OWNED, SETTINGS
from k8swin_nb.phases.linux.kubeadm import certificate_names, kubeadm_init
from k8swin_nb.phases.linux.registries import registry_files
from k8swin_nb.plan import check_plan
from tests.test_description import MASTER, WORKER, described, refused


def master(**more):
    return described(hosts=[{**MASTER, **more}, WORKER])


def initial(**changes) -> dict[str, dict]:
    """kubeadm's documents of a description, by kind."""
    description = check_description(described(**changes))
    host = Cluster(description).hosts("control-plane")[0]
    text = kubeadm_init(description, check_plan(description), host)
    return {document["kind"]: document for document in yaml.safe_load_all(text)}


def test_an_endpoint_by_name_another_port_and_further_names_reach_kubeadm():
    made = initial(
        control_plane_endpoint="api.site.example:443",
        api_port=7443,
        api_certificate_names=["*.site.example", "10.9.9.9"],
    )
    cluster = made["ClusterConfiguration"]
    assert cluster["controlPlaneEndpoint"] == "api.site.example:443"
    assert made["InitConfiguration"]["localAPIEndpoint"]["bindPort"] == 7443
    assert cluster["apiServer"]["certSANs"] == [
        "10.1.0.2",
        "linuxmaster",
        "api.site.example",
        "*.site.example",
        "10.9.9.9",
    ]
    # What a cluster has that was made before there were these parameters stays as it is.
    before = initial()["ClusterConfiguration"]
    assert before["controlPlaneEndpoint"] == "10.1.0.2:6443"
    assert before["apiServer"]["certSANs"] == ["10.1.0.2", "linuxmaster"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("https://api.example", "is a URL"),
        ("api.example:70000", "is no name or IPv4 address with a port"),
        ("Api.example", "small letters"),
        ("localhost:6443", "leads every host to itself"),
        ("127.0.0.1", "leads every host to itself"),
        ("10.01.0.2", "leading zeros"),
        ("[fd00::1]:6443", "is of IPv6"),
        ("api.example.", "write `api.example`"),
    ],
)
def test_an_endpoint_that_is_none_is_refused(text, says):
    assert says in str(refused(control_plane_endpoint=text))


def test_an_endpoint_has_an_address_of_its_own_only_as_a_name_and_is_no_worker():
    assert "no name that it could belong to" in str(
        refused(control_plane_endpoint="10.1.0.9", control_plane_address="10.1.0.9")
    )
    assert "is no control plane" in str(refused(control_plane_endpoint="winworker01"))
    inside = check_description(described(control_plane_endpoint="10.244.0.5"))
    with pytest.raises(ParamsError, match="lies in `pod_subnet`"):
        check_plan(inside)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"maxPod": 1}, "is no setting of the kubelet"),
        ({"max-pods": 1}, "write `maxPods`"),
        ({"maxPods": "110"}, "expected a whole number"),
        ({"maxPods": True}, "expected a whole number"),
        ({"syncFrequency": 60}, "expected a time such as `4m0s`"),
        ({"evictionHard": {"memory.available": 5}}, "expected a mapping of texts"),
        ({"featureGates": {"X": "true"}}, "expected a mapping of true and false"),
        ({"clusterDNS": ["10.0.0.1"]}, "set `service_subnet`"),
        ({"failSwapOn": False}, "turn swap off"),
        ({"registerWithTaints": []}, "`taints` of a host"),
        ({"cgroupDriver": "cgroupfs"}, "container runtime"),
    ],
)
def test_settings_of_a_kubelet_are_held_against_its_own_names_and_kinds(settings, says):
    assert says in str(refused(kubelet_settings=settings))
    with pytest.raises(ParamsError) as caught:
        check_description(master(kubelet_settings=settings))
    assert says in str(caught.value)


def test_settings_that_are_this_tools_are_known_settings():
    assert set(OWNED) - {"apiVersion", "kind"} <= set(SETTINGS)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"labels": {"kubernetes.io/os": "linux"}}, "kept by the kubelet itself"),
        ({"labels": {"-x": "y"}}, "is no key"),
        ({"labels": {"x": "a b"}}, "is no value of a label"),
        ({"labels": {"x": 1}}, "arrived as the number"),
        ({"taints": ["x=y"]}, "is no taint"),
        ({"taints": ["x=y:NoSuchEffect"]}, "is no taint"),
        ({"taints": ["node.kubernetes.io/not-ready:NoExecute"]}, "by Kubernetes itself"),
        ({"taints": ["x=1:NoSchedule", "x=2:NoSchedule"]}, "one of a key and effect"),
    ],
)
def test_labels_and_taints_are_held_against_kubernetes_own_rules(more, says):
    with pytest.raises(ParamsError) as caught:
        check_description(master(**more))
    assert says in str(caught.value)


def test_hosts_files_of_registries_are_containerds_on_both_systems(tmp_path):
    authority = "-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----"
    key = "-----BEGIN PRIVATE KEY-----\nQUJD\n-----END PRIVATE KEY-----"
    (tmp_path / "ca.pem").write_text(f"{key}\n{authority}\n")
    description = check_description(
        described(
            registries=[
                {"name": "docker.io", "mirrors": ["https://m.example:5000/v2/hub"]},
                {"name": "m.example:5000", "ca": str(tmp_path / "ca.pem")},
            ]
        )
    )

    def files(system):
        lines = registry_files(description, system).splitlines()
        return {
            path: base64.b64decode(content).decode()
            for path, content in (line.split() for line in lines)
        }

    linux, windows = files("linux"), files("windows")
    hub = linux["/etc/containerd/certs.d/docker.io/hosts.toml"]
    assert 'server = "https://registry-1.docker.io"' in hub
    assert '[host."https://m.example:5000/v2/hub"]' in hub and "override_path = true" in hub
    assert 'ca = "/etc/containerd/certs.d/m.example:5000/k8swin-ca.crt"' in hub
    # Windows has no colon in names, and containerd looks for the port between underscores.
    assert r"C:\etc\containerd\certs.d\m.example_5000_\hosts.toml" in windows
    assert all(":" not in path[2:] for path in windows)
    assert "PRIVATE KEY" not in "".join([*linux.values(), *windows.values()])


@pytest.mark.parametrize(
    ("registry", "says"),
    [
        ({"name": "docker.io"}, "neither `mirrors` nor `ca` nor a login"),
        ({"name": "https://m.example", "mirrors": []}, "write `m.example`"),
        ({"name": "docker.io", "mirrors": ["m.example"]}, "is no address of a mirror"),
        ({"name": "docker.io", "mirrors": ["https://a:b@m.example"]}, "holds a login"),
        ({"name": "m.example", "user": "robot"}, "a login has both"),
        ({"name": "m.example", "user": "a:b", "credential": "env:X"}, "is no login name"),
        ({"name": "M.example", "ca": "x"}, "write `m.example`"),
        ({"name": "m.example:99999", "ca": "x"}, "is no registry"),
        (
            {"name": "docker.io", "mirrors": ["https://m.example:99999"]},
            "is no address of a mirror",
        ),
        ({"name": "docker.io", "mirrors": ["https://M.example"]}, "in small letters"),
        ({"name": "registry-1.docker.io", "ca": "x"}, "write `docker.io`"),
        ({"name": "_default", "mirrors": ["https://m.example"]}, "write `*`"),
        ({"name": "*", "ca": "x"}, "has `mirrors` alone"),
        ({"name": "m.example", "rewrite": {}}, "images keep their names"),
        ({"name": "m.example", "tls": {}}, "did you mean `ca`"),
        ({"name": "m.example", "endpoint": ["https://x"]}, "did you mean `mirrors`"),
        ({"name": "m.example", "user": "robot", "credential": "hunter2"}, "literal value"),
        ({"name": "m.example", "password": "hunter2"}, "looks like a secret"),
        ({"name": "m.example", "insecure_skip_verify": True}, "name its authority in `ca`"),
    ],
)
def test_a_registry_that_cannot_be_used_is_refused_and_no_password_repeated(registry, says):
    error = str(refused(registries=[registry]))
    assert says in error and "hunter2" not in error


def test_a_mirror_of_all_registries_is_containerds_default_on_both_systems():
    """containerd's docs/hosts.md: the folder `_default` is for registries without a folder of their own."""
    every = {"name": "*", "mirrors": ["https://m.example/v2/all"]}
    description = check_description(described(registries=[every]))
    (line,) = registry_files(description, "linux").splitlines()
    path, content = line.split()
    assert path == "/etc/containerd/certs.d/_default/hosts.toml"
    text = base64.b64decode(content).decode()
    assert text.startswith('[host."https://m.example/v2/all"]') and "server" not in text
    (line,) = registry_files(description, "windows").splitlines()
    assert line.startswith(r"C:\etc\containerd\certs.d\_default\hosts.toml ")


def test_accounts_of_robots_and_two_logins_are_taken(tmp_path):
    (tmp_path / "word").write_text("pass-of-the-robot-17")
    login = {"credential": f"file:{tmp_path / 'word'}"}
    names = ["robot$project+ci", "a329212+rke", "_json_key"]
    hosts = [f"r{number}.example:5000" for number in range(len(names))]
    entries = [
        {"name": host, "user": user, **login} for host, user in zip(hosts, names, strict=True)
    ]
    description = check_description(described(registries=entries))
    assert [registry.user for registry in description.registries] == names


def test_networks_of_others_go_with_windows_where_they_have_a_windows_half():
    check_versions(check_description(described(pod_network="calico")))
    with pytest.raises(ParamsError, match="no agent for Windows"):
        check_versions(check_description(described(pod_network="cilium")))
    check_versions(check_description(described(pod_network="cilium", hosts=[MASTER])))
    with pytest.raises(ParamsError, match="host-process"):
        check_versions(check_description(described(pod_network="calico", profile="classic")))


def test_the_descriptions_of_the_page_are_whole_and_right():
    text = (Path(__file__).parent.parent / "docs" / "site-descriptions.md").read_text()
    blocks = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert len(blocks) >= 3
    for block in blocks:
        description = check_description(yaml.safe_load(block))
        check_versions(description)
        plan = check_plan(description)
        for host in Cluster(description).hosts("control-plane"):
            assert kubeadm_init(description, plan, host)
        assert registry_files(description, "windows") or not description.registries


def test_a_certificate_names_the_master_whatever_the_endpoint_is():
    description = check_description(described(control_plane_endpoint="10.1.0.2"))
    host = Cluster(description).hosts("control-plane")[0]
    assert certificate_names(description, host) == ["10.1.0.2", "linuxmaster"]


KUBESPRAY = """
kube_version: 1.33.1
kube_network_plugin: flannel
kube_service_addresses: 10.233.0.0/18
kube_pods_subnet: 10.233.64.0/18
kube_network_node_prefix: 24
kube_apiserver_port: 6443
kube_proxy_mode: ipvs
loadbalancer_apiserver: {address: 1.2.3.4, port: 1234}
apiserver_loadbalancer_domain_name: elb.some.domain
supplementary_addresses_in_ssl_keys: [10.0.0.1]
etcd_deployment_type: host
enable_dual_stack_networks: false
containerd_registries_mirrors: []
kubelet_max_pods: 110
container_manager: containerd
helm_enabled: false
http_proxy: ""
no_proxy: ""
dns_domain: cluster.local
"""
KUBEADM = """
networking: {podSubnet: 10.244.0.0/16, serviceSubnet: 10.96.0.0/12}
controlPlaneEndpoint: cluster-endpoint:6443
certSANs: [api.example]
etcd: {external: {endpoints: [https://10.0.0.5:2379]}}
imageRepository: registry.example
nodeRegistration: {taints: []}
apiServer: {extraArgs: []}
clusterName: c
"""
RKE2 = """
tls-san: [api.example]
cluster-cidr: 10.42.0.0/16
service-cidr: 10.43.0.0/16
cluster-dns: 10.43.0.10
cni: calico
node-label: [a=b]
node-taint: [a=b:NoExecute]
kubelet-arg: [max-pods=200]
system-default-registry: registry.example
server: https://api.example:9345
datastore-endpoint: x
disable: [rke2-ingress-nginx]
kube-apiserver-arg: [x=y]
"""
K2S = """
kind: k2s
apiVersion: v1
nodes: []
masterNetworkCIDR: 172.19.1.0/24
podNetworkCIDR: 172.20.0.0/16
podNetworkWorkerCIDR: 172.20.1.0/24
servicesCIDR: 172.21.0.0/16
kubeDnsServiceIP: 172.21.0.10
clusterCIDRNatExceptions: []
mirrorRegistries: []
defaultRegistry: registry.example
"""
ANSIBLE = """
all: {}
win_nodes: {}
vars: {}
ansible_winrm_server_cert_validation: ignore
ansible_connection: winrm
ansible_become_method: runas
"""


@pytest.mark.parametrize(
    "words",
    [KUBESPRAY, KUBEADM, RKE2, K2S, ANSIBLE],
    ids=["kubespray", "kubeadm", "rke2", "k2s", "ansible"],
)
def test_each_foreign_word_gets_the_field_or_the_reason(words):
    for word, value in yaml.safe_load(words).items():
        said = str(refused(**{word: value}))
        assert f"unknown parameter `{word}`" in said
        told = said.split(f"unknown parameter `{word}`", 1)[1].split("(hint")[0]
        assert len(told.strip(" ;\n.")) > 12, said


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("ansible_host", "`address`"),
        ("ansible_user", "`user`"),
        ("ansible_port", "ssh_port"),
        ("ansible_winrm_transport", "`winrm_auth`"),
        ("ansible_winrm_server_cert_validation", "winrm_fingerprint"),
        ("ansible_connection", "`os: windows` by WinRM"),
        ("ansible_become", "`sudo`"),
        ("node_labels", "`labels`"),
        ("node-taint", "`taints`"),
        ("pod_subnet", "for the whole cluster"),
    ],
)
def test_a_foreign_word_of_a_host_gets_the_field_or_the_reason(word, meant):
    with pytest.raises(ParamsError) as caught:
        check_description(master(**{word: "x"}))
    assert meant in str(caught.value)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"labels": ["a=b"]}, '`{a: "b"}`'),
        ({"labels": {"a": True}}, 'in quotes: "true"'),
        ({"labels": {"a": None}}, 'write `""`'),
        ({"labels": None}, "leave it out, or write `{}`"),
        ({"taints": [{"key": "a", "value": "b", "effect": "NoSchedule"}]}, "`a=b:NoSchedule`"),
        ({"taints": [{"key": "a", "effect": "NoExecute"}]}, "`a:NoExecute`"),
        ({"taints": ["a:noschedule"]}, "write `NoSchedule`"),
        ({"ssh_port": "22"}, "write 22, without quotes"),
        ({"role": "controlplane"}, "write `control-plane`"),
        ({"role": ["etcd"]}, "is a list, expected one of"),
        ({"os": "Linux"}, "write `linux`"),
        ({"name": "linuxmaster.example.com"}, "write `linuxmaster`, without its domain"),
        ({"address": "node1.example.com"}, "a name is for `ssh_host`"),
        ({"address": "10.1.0.2/24"}, "write `10.1.0.2`"),
        ({"kubelet_settings": {"node-ip": "x"}}, "`address` of a host"),
        ({"kubelet_settings": {"pod-max-pids": 1}}, "write `podPidsLimit`"),
    ],
)
def test_a_value_in_another_tools_form_is_told_in_ours(more, says):
    with pytest.raises(ParamsError) as caught:
        check_description(master(**more))
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"kubernetes_version": "v1.31.12+k3s1"}, "write `1.31.12`"),
        ({"pod_network": "canal"}, "write `other`"),
        ({"topology": "VXLAN"}, "write `vxlan`"),
        ({"flannel_interfaces": ["eth.*"]}, "is a pattern"),
        ({"api_certificate_names": ["fd00::1"]}, "is of IPv6"),
        ({"api_certificate_names": ["https://x:6443"]}, "without `https://` and a port"),
        ({"api_certificate_names": ["api.example."]}, "write `api.example`"),
        ({"control_plane_workloads": "true"}, "write true, without quotes"),
        ({"hosts": [MASTER, {**WORKER, "winrm_port": 5985}]}, "write `winrm_scheme: http`"),
    ],
)
def test_a_value_of_a_cluster_in_another_tools_form_is_told_in_ours(given, says):
    assert says in str(refused(**given))


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("nodelocaldns_ip", "CoreDNS"),
        ("enable_nodelocaldns", "CoreDNS"),
        ("kubelet_enforce_node_allocatable", "`kubelet_settings`"),
        ("podPidsLimit", "`kubelet_settings: {podPidsLimit: ...}`"),
        ("calico_vxlan_vni", "`pod_network`"),
        ("flannel_vxlan_vni", "VNI 4096"),
        ("etcd-s3-skip-ssl-verify", "etcd is kubeadm's own"),
        ("crictl_download_url", "lock files"),
        ("docker_ubuntu_repo_gpgkey", "`docker_apt_source`"),
        ("kube_oidc_url", "flags of the API server"),
        ("service-node-port-range", "flags of the API server"),
        ("kube_vip_arp_enabled", "`control_plane_endpoint`"),
        ("metallb_speaker_enabled", "add-ons"),
        ("cloud_provider", "cloud providers"),
        ("node-external-ip", "`ssh_host` or `winrm_host`"),
        ("write-kubeconfig-mode", "how that tool itself works"),
        ("ansible_winrm_read_timeout_sec", "a login needs nothing of it"),
        ("validate_certs", "winrm_fingerprint"),
        ("ndots", "CoreDNS"),
        ("gcr_image_repo", "`image_repository`"),
    ],
)
def test_families_of_words_are_told_truly(word, meant):
    """Words of kubespray's sample inventory and RKE2's server reference that a likeness of letters once misled."""
    said = str(refused(**{word: "x"})).split("(hint")[0]
    assert meant in said, said


def test_an_inventorys_mapping_of_hosts_is_told_that_hosts_are_a_list():
    assert "here it is a list" in str(refused(hosts={"linuxmaster": {"ansible_host": "10.1.0.2"}}))


def test_a_list_given_as_text_is_told_the_right_option():
    assert "-y 'api_certificate_names: [...]'" in str(refused(api_certificate_names="api.example"))
    assert "-y 'kubelet_settings: {...}'" in str(refused(kubelet_settings="maxPods=1"))


def test_several_control_planes_are_refused_with_the_way():
    second = {**MASTER, "name": "linuxmaster2", "address": "10.1.0.4"}
    error = str(refused(hosts=[MASTER, second, WORKER]))
    assert "expected exactly 1" in error and "kubeadm join --control-plane" in error


def test_every_advice_leads_to_a_field_that_there_is():
    from k8swin_nb import foreign_words

    known = set(Description.model_fields) | set(HostDescription.model_fields)
    assert foreign_words.fields() <= known
