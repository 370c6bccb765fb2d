"""Longer texts of kubeadm: help, and default configurations."""

from __future__ import annotations

from k8swin_lab.linux.kubeadm.versions import (
    CONTAINERD_SOCKET,
    DOCKERSHIM_SOCKET,
    image_repository,
    minor,
    own_api,
)

HELP = """

    ┌──────────────────────────────────────────────────────────┐
    │ KUBEADM                                                  │
    │ Easily bootstrap a secure Kubernetes cluster             │
    └──────────────────────────────────────────────────────────┘

Usage:
  kubeadm [command]

Available Commands:
  certs       Commands related to handling Kubernetes certificates
  config      Manage configuration for a kubeadm cluster persisted in a ConfigMap in the cluster
  help        Help about any command
  init        Run this command in order to set up the Kubernetes control plane
  join        Run this on any machine you wish to join an existing cluster
  reset       Performs a best effort revert of changes made to this host by 'kubeadm init' or 'kubeadm join'
  token       Manage bootstrap tokens
  version     Print the version of kubeadm
"""

_CONFIG_HELP = """
There is a ConfigMap in the kube-system namespace called "kubeadm-config" that kubeadm uses to store
internal configuration about the cluster.

Usage:
  kubeadm config [flags]
  kubeadm config [command]

Available Commands:
  images      Interact with container images used by kubeadm
  migrate     Read an older version of the kubeadm configuration API types from a file, and output the similar config object for the newer version
  print       Print configuration
@VALIDATE@
Flags:
  -h, --help                help for config
"""
_VALIDATE = """\
  validate    Read a file containing the kubeadm configuration API and report any validation problems
"""


def config_help(minor: int) -> str:
    """Return what `kubeadm config --help` prints."""
    more = _VALIDATE if minor >= 26 else ""
    if minor < 19:
        more = "  view        View the kubeadm configuration stored inside the cluster\n"
    return _CONFIG_HELP.replace("@VALIDATE@\n", more + "\n")


_TIMEOUTS = """\
timeouts:
  controlPlaneComponentHealthCheck: 4m0s
  discovery: 5m0s
  etcdAPICall: 2m0s
  kubeletHealthCheck: 4m0s
  kubernetesAPICall: 1m0s
  tlsBootstrap: 5m0s
  upgradeManifests: 5m0s
"""


def _registration(version: str, name: str) -> list[str]:
    number = minor(version)
    socket = CONTAINERD_SOCKET if number >= 24 else DOCKERSHIM_SOCKET
    lines = [f"  criSocket: {socket}"]
    if number >= 22:
        lines.append("  imagePullPolicy: IfNotPresent")
    if number >= 31:
        lines.append("  imagePullSerial: true")
    lines.append(f"  name: {name}")
    lines.append("  taints: null")
    return lines


def init_defaults(version: str) -> str:
    """Return what `kubeadm config print init-defaults` prints."""
    number, api = minor(version), own_api(version)
    short = ".".join(version.split(".")[:2])
    registration = "\n".join(_registration(version, "node"))
    if number < 22:
        registration = registration.replace(
            "  taints: null",
            "  taints:\n  - effect: NoSchedule\n    key: node-role.kubernetes.io/master",
        )
    newer = number >= 31
    lines = [
        "apiServer: {}" if newer else "apiServer:\n  timeoutForControlPlane: 4m0s",
        f"apiVersion: kubeadm.k8s.io/{api}",
        *(["caCertificateValidityPeriod: 87600h0m0s", "certificateValidityPeriod: 8760h0m0s"] if newer else []),
        "certificatesDir: /etc/kubernetes/pki",
        "clusterName: kubernetes",
        "controllerManager: {}",
        "dns: {}" if number >= 22 else "dns:\n  type: CoreDNS",
        *(["encryptionAlgorithm: RSA-2048"] if newer else []),
        "etcd:\n  local:\n    dataDir: /var/lib/etcd",
        f"imageRepository: {image_repository(f'v{version}')}",
        "kind: ClusterConfiguration",
        f"kubernetesVersion: {'' if number >= 22 else 'v'}{short}.0",
        "networking:\n  dnsDomain: cluster.local\n  serviceSubnet: 10.96.0.0/12",
        *(["proxy: {}"] if newer else []),
        "scheduler: {}",
    ]  # fmt: skip
    return f"""\
apiVersion: kubeadm.k8s.io/{api}
bootstrapTokens:
- groups:
  - system:bootstrappers:kubeadm:default-node-token
  token: abcdef.0123456789abcdef
  ttl: 24h0m0s
  usages:
  - signing
  - authentication
kind: InitConfiguration
localAPIEndpoint:
  advertiseAddress: 1.2.3.4
  bindPort: 6443
nodeRegistration:
{registration}
{_TIMEOUTS if newer else ""}---
""" + "".join(f"{line}\n" for line in lines)


def join_defaults(name: str, version: str) -> str:
    """Return what `kubeadm config print join-defaults` prints."""
    newer = minor(version) >= 31
    return (
        f"""\
apiVersion: kubeadm.k8s.io/{own_api(version)}
caCertPath: /etc/kubernetes/pki/ca.crt
discovery:
  bootstrapToken:
    apiServerEndpoint: kube-apiserver:6443
    token: abcdef.0123456789abcdef
    unsafeSkipCAVerification: true
{"" if newer else "  timeout: 5m0s" + chr(10)}\
  tlsBootstrapToken: abcdef.0123456789abcdef
kind: JoinConfiguration
nodeRegistration:
"""
        + "".join(f"{line}\n" for line in _registration(version, name))
        + (_TIMEOUTS if newer else "")
    )


def reading_configuration(phase: str, version: str) -> list[str]:
    """Return what kubeadm says when it reads the cluster's configuration."""
    if minor(version) >= 31:
        return [
            f'[{phase}] Reading configuration from the "kubeadm-config" ConfigMap in namespace "kube-system"...',
            f"[{phase}] Use 'kubeadm init phase upload-config kubeadm --config your-config-file' to re-upload it.",
        ]
    return [
        f"[{phase}] Reading configuration from the cluster...",
        f"[{phase}] FYI: You can look at this config file with 'kubectl -n kube-system get cm kubeadm-config -o yaml'",
    ]


def reset_epilogue(version: str) -> str:
    """Return what kubeadm reset says at its end."""
    if minor(version) >= 32:
        return (
            "\nThe reset process does not perform cleanup of CNI plugin configuration,\n"
            "network filtering rules and kubeconfig files.\n\n"
            "For information on how to perform this cleanup manually, please see:\n"
            "    https://k8s.io/docs/reference/setup-tools/kubeadm/kubeadm-reset/\n\n"
        )
    cni = "" if minor(version) < 17 else (
        "The reset process does not clean CNI configuration. To do so, you must remove /etc/cni/net.d\n\n"
    )  # fmt: skip
    return (
        f"\n{cni}"
        "The reset process does not reset or clean up iptables rules or IPVS tables.\n"
        'If you wish to reset iptables, you must do so manually by using the "iptables" command.\n\n'
        "If your cluster was setup to utilize IPVS, run ipvsadm --clear (or similar)\n"
        "to reset your system's IPVS tables.\n\n"
        "The reset process does not clean your kubeconfig files and you must remove them manually.\n"
        "Please, check the contents of the $HOME/.kube/config file.\n"
    )
