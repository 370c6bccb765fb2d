"""Words of other tools' descriptions: what they are called here, or why they cannot be said, and the way then.

From inventories of kubespray and Ansible, configurations of kubeadm, k3s, RKE2 and K2s, and Cluster API's Windows
templates. A word is compared without capitals, hyphens, underscores and dots, since the same thing is `cluster-cidr`,
`clusterCIDR` and `cluster_cidr`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from k8swin_nb.field_types import PIN_IT

_SAME = {
    "address": "ansible_host ip access_ip node-ip node_ip host hostname_or_ip ipaddress",
    "user": "ansible_user ansible_ssh_user remote_user ssh_user username",
    "ssh_port": "ansible_ssh_port",
    "identity": "ansible_ssh_private_key_file private_key private_key_file ssh_key ssh_key_path keypath",
    "sudo_password": "ansible_become_pass ansible_become_password ansible_sudo_pass become_pass become_password",
    "identity_passphrase": "ansible_ssh_passphrase passphrase key_passphrase ssh_key_passphrase",
    "ssh_password": "ansible_ssh_pass ansible_password",
    "winrm_auth": "ansible_winrm_transport winrm_transport",
    "winrm_certificate": "ansible_winrm_cert_pem",
    "winrm_key": "ansible_winrm_cert_key_pem",
    "winrm_delegation": "ansible_winrm_kerberos_delegation",
    "winrm_spn": "ansible_winrm_kerberos_hostname_override kerberos_hostname_override",
    "winrm_keytab": "keytab",
    "winrm_jump": "bastion jump jump_host proxy_jump",
    "jump_hosts": "bastion_host bastions",
    "winrm_fingerprint": "thumbprint fingerprint",
    "winrm_scheme": "ansible_winrm_scheme",
    "ca": "ansible_winrm_ca_trust_path ca_cert ca_file",
    "name": "hostname node-name node_name",
    "role": "roles node_role",
    "os": "os_type ostype ansible_os_family platform_os",
    "cluster_name": "clusterName",
    "kubernetes_version": "kube_version kubernetesVersion k8s_version kubernetes_release rke2_version k3s_version",
    "containerd_version": "containerdVersion",
    "docker_version": "dockerVersion",
    "flannel_version": "flannelVersion",
    "pod_subnet": """
        podSubnet pod_cidr pods_cidr kube_pods_subnet cluster-cidr cluster_cidr podCIDR pod_network_cidr
        pod-network-cidr clusterNetwork podNetworkCIDR cni_cidr""",
    "service_subnet": """
        serviceSubnet service_cidr service-cidr services_cidr kube_service_addresses serviceCIDR
        service-cluster-ip-range servicesCIDR""",
    "host_subnet": "node_cidr hosts_cidr management_subnet masterNetworkCIDR",
    "dns_service_ip": "cluster-dns clusterDNS skydns_server dns_ip kubeDnsServiceIP",
    "topology": "flannel_backend flannel-backend backend network_backend flannel_backend_type cni_backend",
    "pod_network": """
        kube_network_plugin cni cni_plugin network_plugin networkPlugin calico cilium calico_version
        calico_network_backend calico_vxlan_mode calico_ipip_mode cilium_version""",
    "flannel_interfaces": "flannel_interface flannel-iface flannel_iface flannel_interface_regexp",
    "control_plane_endpoint": """
        controlPlaneEndpoint control-plane-endpoint apiserver_loadbalancer_domain_name loadbalancer_apiserver
        kube_vip_address kube_vip load_balancer vip api_endpoint api_vip server apiserver_endpoint""",
    "control_plane_address": "controlPlaneAddress",
    "api_port": """
        kube_apiserver_port bindPort https-listen-port apiserver-bind-port secure_port api_server_port
        localAPIEndpoint""",
    "api_certificate_names": """
        certSANs tls-san tls_san supplementary_addresses_in_ssl_keys apiserver_cert_extra_sans
        apiServerCertSANs extra_sans apiserver-cert-extra-sans""",
    "control_plane_workloads": """
        untaint_control_plane schedule_workloads_on_masters allow_scheduling_on_control_plane
        allowSchedulingOnControlPlanes allow_scheduling_on_masters remove_taint""",
    "labels": "node_labels node-label node-labels nodeLabels",
    "taints": "node_taints node-taint node-taints nodeTaints register-with-taints",
    "kubelet_settings": """
        kubelet kubelet_config kubeletConfiguration kubelet_config_extra_args kubelet_custom_flags
        kubelet_node_custom_flags kubelet-arg kubelet_extra_args kubeletExtraArgs kubelet_max_pods max_pods maxPods
        kube_reserved system_reserved eviction_hard kubelet_config_extra_args""",
    "registries": """
        mirrors containerd_registries_mirrors containerd_registries registry_mirrors registry-mirrors
        containerd_registry_auth mirrorRegistries insecure_registries docker_insecure_registries docker_registry_mirrors
        private_registries system-default-registry-config registry_auth configs""",
    "image_repository": """
        imageRepository kube_image_repo system-default-registry private-registry registry_host image-repository
        defaultRegistry""",
    "coredns_repository": "coredns_image_repo",
    "linux_proxy": "http_proxy https_proxy proxy httpProxy httpsProxy HTTP_PROXY HTTPS_PROXY",
    "kubernetes_apt_source": "kubernetes_repo apt_repository",
    "allow_cgroup_v1": "failCgroupV1",
    "artifacts": "files_repo download_url windows_artifacts",
}

UNCHECKED = re.compile(
    r"cert\w*_(validation|check|verif)|(verify|validate|check|skip|ignore|no|disable)\w*_?(ssl|tls|ca|cert)|"
    r"(ssl|tls)_?(verify|validat|check|insecure)|insecure|(verify|validate)$",
    re.IGNORECASE,
)
"""Keys by which inventories of other tools leave the check of a certificate out."""

_ONE = "one control plane, on one host, is what is made here"
_KUBEADM_WAY = "; add the others yourself with `kubeadm join --control-plane` behind a `control_plane_endpoint`"
_REFUSED = {
    "several control planes are not made here: " + _ONE + _KUBEADM_WAY: """
        kube_control_plane masters controlPlaneNodes control_plane_hosts replicas cluster-init
        certificateKey controlPlane control_plane_count""",
    "etcd elsewhere is not made here: it runs on the control plane's host, as kubeadm puts it there": """
        etcd external_etcd etcd_deployment_type etcd_hosts datastore-endpoint etcd_nodes
        etcd_data_dir""",
    "two families are not made here: pods and services are IPv4": """
        enable_dual_stack_networks ipv6_stack kube_pods_subnet_ipv6 kube_service_addresses_ipv6 ipv6DualStack
        ipv4_stack""",
    "kube-proxy's mode is iptables on Linux and kernelspace on Windows; ipvs has no Windows half, and is left out": """
        kube_proxy_mode proxy-mode proxy_mode ipvs ipvs_mode kube_proxy_strict_arp KubeProxyConfiguration""",
    "kube-proxy is needed: Windows nodes have no other way to services": "kube_proxy_remove disable-kube-proxy",
    "a certificate that nobody checks may be anybody's: name the authority, or the listener's own certificate, in `ca`": """
        ansible_winrm_server_cert_validation server_cert_validation winrm_insecure ignore_certificate
        skip_cert_check insecure winrm_cert_validation""",
    "host keys are always checked: `host_key_policy: accept-new` takes the first that is seen, and records it": """
        ansible_ssh_common_args ansible_ssh_extra_args host_key_checking ansible_host_key_checking""",
    "a registry whose certificate nobody checks may be anybody's: name its authority in `ca` under `registries`": """
        insecure_skip_verify skip_verify insecureSkipVerify""",
    "a host's operating system says how it is reached: `os: linux` by SSH, `os: windows` by WinRM": """
        ansible_connection connection ansible_shell_type""",
    "it is `ssh_port` on Linux and `winrm_port` on Windows": "ansible_port port",
    "`sudo` is what needs root there; `user` says who logs in": """
        ansible_become ansible_become_method ansible_become_user become""",
    "what must not go through a proxy follows from the plan; the site's own exceptions stand in /etc/environment": """
        no_proxy noProxy NO_PROXY additional_no_proxy""",
    "what pods reach with their own address follows from the networks of the plan": """
        clusterCIDRNatExceptions nonMasqueradeCIDR ip_masq_exceptions""",
    "each node is given a /24": "kube_network_node_prefix node-cidr-mask-size node_cidr_mask_size podNetworkMasterCIDR podNetworkWorkerCIDR",
    "it is cluster.local": "dns_domain dnsDomain cluster-domain cluster_domain dns_mode",
    "it follows from `profile`: containerd in `current`, Docker in `classic`": """
        container_manager container_runtime containerRuntime criSocket cri_socket container-runtime-endpoint""",
    "flags of the API server and its kin are not passed on; with kubeadm's ConfigMap kubeadm-config they are set later": """
        apiServer controllerManager scheduler kube-apiserver-arg kube-controller-manager-arg kube-scheduler-arg
        kube_apiserver_extra_args extraArgs kube_oidc_auth oidc_issuer_url audit-policy-file
        kubernetes_audit featureGates kube_feature_gates""",
    "tokens are made when a worker joins, for two hours, and are in no file": """
        bootstrapTokens join_token kubeadm_token""",
    "add-ons are not installed here, but for the test app and the dashboard; use `kubectl apply` behind 03": """
        helm_enabled metrics_server_enabled ingress_nginx_enabled cert_manager_enabled metallb_enabled addons
        disable local_path_provisioner_enabled argocd_enabled""",
    "nodes and their virtual machines are there before this tool is used": """
        vagrant machineTemplate infrastructureRef vmProvider wsl hyperv masterVMMemory""",
}

_NESTED = (
    "is how kubeadm's own files are laid out; here one flat mapping describes the cluster: `pod_subnet`, "
    "`service_subnet`, `control_plane_endpoint`, `api_port`, `api_certificate_names`, `taints` under the host"
)
_GROUPS = (
    "is how an inventory of Ansible is laid out; here all machines stand in one list `hosts`, each with `name`, "
    "`address`, `os`, `role` and `user`"
)
_LAYOUT = {
    "networking": _NESTED,
    "nodeRegistration": _NESTED,
    "apiVersion": _NESTED,
    "kind": _NESTED,
    "spec": _NESTED,
    "metadata": _NESTED,
    "discovery": _NESTED,
    "all": _GROUPS,
    "children": _GROUPS,
    "k8s_cluster": _GROUPS,
    "kube_node": _GROUPS,
    "win_nodes": _GROUPS,
    "vars": _GROUPS,
    "windows": _GROUPS,
    "nodes": _GROUPS,
    "workers": _GROUPS,
}


def _fold(word: str) -> str:
    return re.sub(r"[-_.\s]", "", word).lower()


_OTHER_WORDS = {_fold(word): name for name, words in _SAME.items() for word in words.split()}
_REASONS = {_fold(word): reason for reason, words in _REFUSED.items() for word in words.split()}
_LAYOUTS = {_fold(word): reason for word, reason in _LAYOUT.items()}


def advice(word: str, known: Iterable[str], elsewhere: Iterable[str] = ()) -> str:
    """Return what to do instead of an unknown word, to stand behind its name; empty when nothing is known.

    Args:
        word: As it was written.
        known: The words that are known in its place.
        elsewhere: Those of the other place, the hosts' or the description's.
    """
    folded, here, there = _fold(word), list(known), list(elsewhere)
    if UNCHECKED.search(word) and "regist" not in word and {"hosts", "ssh_port"} & set(here):
        return f": {PIN_IT}"
    same = {_fold(name): name for name in (*there, *here)}
    name = same.get(folded) or _OTHER_WORDS.get(folded, "")
    if not name and (reason := _REASONS.get(folded) or _LAYOUTS.get(folded)):
        return f": {reason}" if folded in _REASONS else f" {reason}"
    if name in here:
        return f", did you mean `{name}`?"
    if name in there:
        where = "under a host" if "address" in there else "for the whole cluster"
        return f", did you mean `{name}`, {where}?"
    close = difflib.get_close_matches(word, here, n=1)
    return f", did you mean `{close[0]}`?" if close else ""
