"""Whole documents of other tools, given as a description: each is told in one line as what it is.

They have the form of public ones: kubespray's inventories, kubeadm's reference, k0sctl's and KubeOne's examples, RKE2's
registries.yaml, K2s' setup and config.json (Siemens-Healthineers/K2s), k3s-ansible's inventory-sample.yml, WMCO's
ConfigMap of Windows instances, Talos' machine configuration, Cluster API's manifests.
"""

import pytest
import yaml

from k8swin_nb.description import open_description
from k8swin_nb.errors import ParamsError
from tests.test_description import MASTER, WORKER, described

KUBEADM = """apiVersion: kubeadm.k8s.io/v1beta3
kind: InitConfiguration
localAPIEndpoint: {bindPort: 6443}
---
apiVersion: kubeadm.k8s.io/v1beta3
kind: ClusterConfiguration
controlPlaneEndpoint: api.example:6443
networking:
  podSubnet: 10.244.0.0/16
"""
DOCUMENTS = [
    (
        KUBEADM,
        "is InitConfiguration and ClusterConfiguration of kubeadm",
        "podSubnet is `pod_subnet`",
    ),
    (
        "apiVersion: k0sctl.k0sproject.io/v1beta1\nkind: Cluster\nspec:\n  hosts: []\n",
        "of k0sctl",
        "",
    ),
    (
        "apiVersion: kubeone.k8c.io/v1beta2\nkind: KubeOneCluster\napiEndpoint: {host: x}\n",
        "is KubeOneCluster of KubeOne",
        "apiEndpoint is `control_plane_endpoint`",
    ),
    (
        "apiVersion: controlplane.cluster.x-k8s.io/v1beta1\nkind: KubeadmControlPlane\nspec: {}\n",
        "is KubeadmControlPlane of Cluster API",
        "",
    ),
    ("kind: k2s\napiVersion: v1\nnodes: []\n", "is a setup of K2s", ""),
    (
        '{"smallsetup": {\n    "servicesCIDR": "172.21.0.0/16"}}',
        "is the configuration of K2s",
        "servicesCIDR is `service_subnet`",
    ),
    (
        "kind: ConfigMap\napiVersion: v1\nmetadata:\n  name: windows-instances\ndata: {10.1.42.1: x}\n",
        "is WMCO's list of Windows instances",
        "",
    ),
    ("version: v1alpha1\nmachine: {type: controlplane}\n", "of Talos", ""),
    (
        "[all]\nnode1 ansible_host=10.1.0.2 ip=10.1.0.2\n[kube_node]\nnode1\n",
        "of Ansible in INI",
        "`address`",
    ),
    ("[winworkers]\n", "of Ansible in INI", ""),
    ("all:\n  hosts:\n    node1: {ansible_user: x}\n", "is an inventory of Ansible,", "`user`"),
    ("k3s_cluster:\n  children:\n    server:\n", "is an inventory of Ansible,", ""),
    ("- name: x\n  hosts: all\n  become: true\n", "is a playbook of Ansible", ""),
    ("$ANSIBLE_VAULT;1.1;AES256\n3839\n", "is encrypted by ansible-vault", ""),
    ('nodes = [\n  "10.0.0.1"\n]\n', "is a file of Terraform", ""),
    ("hosts:\n{% for h in x %}\n- address: {{ h }}\n{% endfor %}\n", "is a template", ""),
    ('server = "https://x"\n[host."https://y"]\n', "is a configuration in TOML", ""),
    ("export API=10.0.0.1\nPODS=10.244.0.0/16\n", "is a file of a shell's variables", ""),
    (
        "apiVersion: apps/v1\nkind: Deployment\nspec: {}\n",
        "is Deployment, objects of Kubernetes",
        "",
    ),
]


@pytest.mark.parametrize(("text", "what", "called"), DOCUMENTS, ids=[d[1] for d in DOCUMENTS])
def test_another_tools_document_is_told_in_one_line_as_what_it_is(tmp_path, text, what, called):
    file = tmp_path / "theirs.yaml"
    file.write_text(text)
    with pytest.raises(ParamsError) as caught:
        open_description(file)
    said = str(caught.value)
    assert what in said and called in said
    assert "no description, which is one flat mapping" in said and "\n" not in said
    assert "unknown parameter" not in said


def test_a_description_as_json_or_with_anchors_is_one_as_well(tmp_path):
    import json

    file = tmp_path / "ours.yaml"
    values = {**described(), "hosts": [MASTER, WORKER]}
    file.write_text(json.dumps(values))
    plain = open_description(file)
    assert [host.name for host in plain.hosts] == [MASTER["name"], WORKER["name"]]
    anchored = yaml.safe_dump({**values, "hosts": []}).replace("hosts: []\n", "") + (
        "hosts:\n"
        "- &base {name: linuxmaster, address: 10.1.0.2, os: linux, role: control-plane, user: ubuntu}\n"
        "- {<<: *base, name: linuxworker01, address: 10.1.0.4, role: worker}\n"
    )
    file.write_text(anchored)
    assert open_description(file).hosts[1].user == "ubuntu"


def test_a_description_of_ours_with_an_error_is_not_taken_for_anothers(tmp_path):
    file = tmp_path / "ours.yaml"
    file.write_text("cluster_name: x\nhosts:\n- name: y\n  # {{ a note }}\n\taddress: z\n")
    with pytest.raises(ParamsError, match="a tab stands where spaces belong"):
        open_description(file)
