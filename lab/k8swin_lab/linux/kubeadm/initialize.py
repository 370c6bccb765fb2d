"""kubeadm init: from a prepared host to a control plane."""

from __future__ import annotations

import re
import secrets
import string
from typing import TYPE_CHECKING

from k8swin_lab.arguments import Parsed
from k8swin_lab.internet.catalogue import components
from k8swin_lab.internet.pulling import PullError
from k8swin_lab.kubernetes import bootstrap
from k8swin_lab.kubernetes.cluster import Cluster
from k8swin_lab.kubernetes.kubelet import Kubelet
from k8swin_lab.kubernetes.services import ServiceRouter
from k8swin_lab.linux.files import machine_of
from k8swin_lab.linux.kubeadm import files, versions
from k8swin_lab.linux.kubeadm.api_endpoint import ApiEndpoint
from k8swin_lab.linux.kubeadm.configuration import Configuration, Object
from k8swin_lab.linux.kubeadm.errors import in_phase
from k8swin_lab.linux.kubeadm.preflight import Finding, init_checks, report
from k8swin_lab.machines.linux import LinuxMachine
from k8swin_lab.machines.program import Process
from k8swin_lab.machines.units import UnitError

if TYPE_CHECKING:
    from k8swin_lab.network import HttpHandler


def initialize(process: Process, configuration: Configuration, parsed: Parsed, version: str) -> int:
    """Run kubeadm init.

    Raises:
        KubeadmError: with the phase that failed.
    """
    machine = machine_of(process)

    def say(text: str) -> None:
        process.out(f"{text}\n")

    ignored = parsed.all("--ignore-preflight-errors") + list(
        configuration.registration.get("ignorePreflightErrors") or []
    )
    skipped = parsed.get("--skip-phases").split(",") + list(
        configuration.init.get("skipPhases") or []
    )
    say(f"[init] Using Kubernetes version: {configuration.version}")
    if "preflight" not in skipped:
        _preflight(process, machine, configuration, ignored, version)
    authorities = files.write_pki(machine, configuration, say)
    files.write_kubeconfigs(machine, configuration, authorities.cluster, say)
    cluster = _make_cluster(machine, configuration, authorities)
    settings = _settings(configuration)
    manifests = bootstrap.static_pod_manifests(cluster, settings)
    say('[etcd] Creating static Pod manifest for local etcd in "/etc/kubernetes/manifests"')
    say('[control-plane] Using manifest folder "/etc/kubernetes/manifests"')
    for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler"):
        say(f'[control-plane] Creating static Pod manifest for "{name}"')
    files.write_manifests(machine, manifests)
    machine.write_file("/var/lib/etcd/member/snap/db", b"", 0o600)
    machine.path("/var/lib/etcd").chmod(0o700)
    kubelet = files.kubelet_configuration(configuration)
    files.write_kubelet_files(machine, configuration, kubelet, version, say)
    say("[kubelet-start] Starting the kubelet")
    _start(machine, cluster, configuration, manifests)
    _wait(process, machine, configuration)
    bootstrap.init_cluster(cluster, settings)
    for router in [
        one for one in machine.network.routers if getattr(one, "cluster", None) is machine.cluster
    ]:
        machine.network.routers.remove(router)
    machine.network.routers.append(ServiceRouter(cluster))
    if versions.minor(version) < 35:
        socket = configuration.registration["criSocket"]
        annotate_socket(cluster, configuration.registration["name"], socket)
    _finish(process, machine, configuration, settings)
    return 0


def annotate_socket(cluster: Cluster, node: str, socket: str) -> None:
    """Note on the node which runtime kubeadm chose."""
    note = {"kubeadm.alpha.kubernetes.io/cri-socket": socket}
    cluster.client(manager="kubeadm").patch("nodes", node, {"metadata": {"annotations": note}})


def _preflight(
    process: Process,
    machine: LinuxMachine,
    configuration: Configuration,
    ignored: list[str],
    version: str,
) -> None:
    process.out("[preflight] Running pre-flight checks\n")
    found = init_checks(machine, configuration, version)
    report(process, found, ignored, version)
    process.out(
        "[preflight] Pulling images required for setting up a Kubernetes cluster\n"
        "[preflight] This might take a minute or two, depending on the speed of your internet connection\n"
        "[preflight] You can also perform this action beforehand using 'kubeadm config images pull'\n"
    )
    failures = []
    runtime = machine.runtime_at(configuration.registration["criSocket"])
    for image in configuration.images():
        if runtime.image(image) or runtime.cri_error():
            continue
        try:
            runtime.pull(image)
        except PullError as error:
            if runtime is machine.docker:
                text = f"failed to pull image {image}: output: Error response from daemon: {error}\n, error: exit status 1"
                failures.append(Finding("ImagePull", text))
                continue
            code = "NotFound" if str(error).endswith("not found") else "Unknown"
            text = f"failed to pull image {image}: failed to pull image {image}: rpc error: code = {code} desc = {error}"
            failures.append(Finding("ImagePull", text))
    report(process, failures, ignored, version)


def _make_cluster(
    machine: LinuxMachine, configuration: Configuration, authorities: files.Authorities
) -> Cluster:
    networking = configuration.cluster["networking"]
    return Cluster(
        version=configuration.version,
        pod_subnet=networking.get("podSubnet"),
        service_subnet=networking["serviceSubnet"],
        dns_domain=networking["dnsDomain"],
        advertise_address=configuration.init["localAPIEndpoint"]["advertiseAddress"],
        port=configuration.bind_port,
        network=machine.network,
        authority=authorities.cluster,
        service_account_key=authorities.service_accounts,
    )


def _settings(configuration: Configuration) -> bootstrap.InitSettings:
    tags = components(configuration.version)
    token = (configuration.init.get("bootstrapTokens") or [{}])[0]
    kubelet = files.kubelet_configuration(configuration)
    dns = configuration.cluster.get("dns") or {}
    skipped = list(configuration.init.get("skipPhases") or [])
    registration = configuration.registration
    taints: list[Object] = (
        list(versions.control_plane_taints(configuration.version))
        if registration.get("taints") is None
        else registration["taints"]
    )
    return bootstrap.InitSettings(
        node_name=registration["name"],
        kubernetes_version=configuration.version,
        image_repository=configuration.cluster["imageRepository"],
        etcd_tag=tags["etcd"],
        coredns_image=versions.dns_image(
            configuration.cluster["imageRepository"],
            dns.get("imageRepository", ""),
            dns.get("imageTag") or tags["coredns"],
            configuration.version,
        ),
        labels=versions.control_plane_labels(configuration.version),
        kubelet_config_map=versions.kubelet_config_map(configuration.version),
        control_plane_endpoint=configuration.endpoint,
        cluster_configuration=files.to_yaml(configuration.cluster),
        kubelet_configuration=files.to_yaml(kubelet),
        kube_proxy_configuration=files.to_yaml(configuration.proxy) if configuration.proxy else "",
        token=str(token.get("token") or new_token()),
        token_ttl_seconds=seconds(str(token.get("ttl", "24h0m0s"))),
        skip_phases=skipped,
        taints=taints,
    )


def new_token() -> str:
    """Return a bootstrap token."""
    letters = string.ascii_lowercase + string.digits
    text = "".join(secrets.choice(letters) for _ in range(22))
    return f"{text[:6]}.{text[6:]}"


def seconds(text: str) -> float:
    """Return the seconds of a Go duration ("24h0m0s"), or -1 when it is none."""
    if text in ("0", "0s"):
        return 0.0
    if not re.fullmatch(r"(\d+(\.\d+)?(ms|h|m|s))+", text):
        return -1.0
    units = {"h": 3600, "m": 60, "s": 1, "ms": 0.001}
    parts = re.findall(r"(\d+(?:\.\d+)?)(ms|h|m|s)", text)
    return sum(float(number) * units[unit] for number, unit in parts)


def _start(
    machine: LinuxMachine,
    cluster: Cluster,
    configuration: Configuration,
    manifests: dict[str, Object],
) -> None:
    endpoint: HttpHandler = ApiEndpoint(cluster)
    machine.cluster = cluster
    machine.node_name = configuration.registration["name"]
    machine.control_plane = {
        configuration.bind_port: endpoint,
        2379: "etcd",
        2380: "etcd",
        2381: "etcd",
        10257: "kube-controller-manager",
        10259: "kube-scheduler",
    }
    if versions.minor(configuration.version) < 17:
        machine.control_plane |= {10251: "kube-scheduler", 10252: "kube-controller-manager"}
    try:
        machine.units.restart("kubelet.service")
    except UnitError as error:
        raise in_phase("kubelet-start", f"couldn't start the kubelet: {error}") from error
    machine.kubelet = Kubelet(
        cluster, machine, static_pods=dict(manifests), register_labels=machine.node_labels()
    )
    machine.kubelet.start(cluster)


def _wait(process: Process, machine: LinuxMachine, configuration: Configuration) -> None:
    number = versions.minor(configuration.version)
    process.out(
        "[wait-control-plane] Waiting for the kubelet to boot up the control plane as static Pods from "
        'directory "/etc/kubernetes/manifests"'
        + (
            "\n[kubelet-check] Waiting for a healthy kubelet at http://127.0.0.1:10248/healthz. "
            "This can take up to 4m0s\n"
            if number >= 30
            else ". This can take up to 4m0s\n"
        )
    )
    if not machine.kubelet_running():
        process.out(unhealthy_kubelet())
        raise in_phase("wait-control-plane", "failed while waiting for the kubelet to start: The HTTP call equal to "
                       "'curl -sSL http://127.0.0.1:10248/healthz' returned error: Get "
                       '"http://127.0.0.1:10248/healthz": context deadline exceeded')  # fmt: skip
    address = configuration.init["localAPIEndpoint"]["advertiseAddress"]
    modern = (
        "[kubelet-check] The kubelet is healthy after 501.2ms\n"
        "[control-plane-check] Waiting for healthy control plane components. This can take up to 4m0s\n"
        f"[control-plane-check] Checking kube-apiserver at https://{address}:{configuration.bind_port}/livez\n"
        "[control-plane-check] Checking kube-controller-manager at https://127.0.0.1:10257/healthz\n"
        "[control-plane-check] Checking kube-scheduler at https://127.0.0.1:10259/livez\n"
        "[control-plane-check] kube-controller-manager is healthy after 19.9ms\n"
        "[control-plane-check] kube-scheduler is healthy after 21.6ms\n"
        "[control-plane-check] kube-apiserver is healthy after 1.5s\n"
    )
    old = "[apiclient] All control plane components are healthy after 1.500000 seconds\n"
    process.out(modern if number >= 30 else old)
    cluster = machine.cluster
    name = configuration.registration["name"]
    if cluster is None or not cluster.wait_until(
        lambda: cluster.object("nodes", name) is not None, 10
    ):
        raise in_phase(
            "mark-control-plane",
            f'error applying control-plane label and taints: nodes "{name}" not found',
        )


def unhealthy_kubelet() -> str:
    """Return what kubeadm prints when the kubelet does not get healthy."""
    return (
        "[kubelet-check] The kubelet is not healthy after 4m0.000s\n\n"
        "Unfortunately, an error has occurred, likely caused by:\n"
        "\t- The kubelet is not running\n"
        "\t- The kubelet is unhealthy due to a misconfiguration of the node in some way (required cgroups disabled)\n\n"
        "If you are on a systemd-powered system, you can try to troubleshoot the error with the following commands:\n"
        "\t- 'systemctl status kubelet'\n"
        "\t- 'journalctl -xeu kubelet'\n\n"
    )


def _finish(
    process: Process,
    machine: LinuxMachine,
    configuration: Configuration,
    settings: bootstrap.InitSettings,
) -> None:
    name = configuration.registration["name"]
    taints = " ".join(f"{taint['key']}:{taint['effect']}" for taint in settings.taints)
    token = settings.token
    assert machine.cluster is not None  # noqa: S101 - made above
    pin = machine.cluster.authority.public_key_hash()
    tainted = (
        f"[mark-control-plane] Marking the node {name} as control-plane by adding the taints [{taints}]\n"
        if taints
        else ""
    )
    process.out(
        '[upload-config] Storing the configuration used in ConfigMap "kubeadm-config" in the "kube-system" Namespace\n'
        f'[kubelet] Creating a ConfigMap "{settings.kubelet_config_map}" in namespace kube-system with the configuration for the kubelets in the cluster\n'
        "[upload-certs] Skipping phase. Please see --upload-certs\n"
        f"[mark-control-plane] Marking the node {name} as control-plane by adding the labels: "
        f"[{' '.join(settings.labels)}]\n"
        f"{tainted}"
        f"[bootstrap-token] Using token: {token}\n"
        "[bootstrap-token] Configuring bootstrap tokens, cluster-info ConfigMap, RBAC Roles\n"
        "[bootstrap-token] Configured RBAC rules to allow Node Bootstrap tokens to get nodes\n"
        "[bootstrap-token] Configured RBAC rules to allow Node Bootstrap tokens to post CSRs in order for nodes to get long term certificate credentials\n"
        "[bootstrap-token] Configured RBAC rules to allow the csrapprover controller automatically approve CSRs from a Node Bootstrap Token\n"
        "[bootstrap-token] Configured RBAC rules to allow certificate rotation for all node client certificates in the cluster\n"
        '[bootstrap-token] Creating the "cluster-info" ConfigMap in the "kube-public" namespace\n'
        '[kubelet-finalize] Updating "/etc/kubernetes/kubelet.conf" to point to a rotatable kubelet client certificate and key\n'
        "[addons] Applied essential addon: CoreDNS\n"
        "[addons] Applied essential addon: kube-proxy\n\n"
        f"Your Kubernetes {'master' if versions.minor(configuration.version) < 14 else 'control-plane'} has"
        " initialized successfully!\n\n"
        "To start using your cluster, you need to run the following as a regular user:\n\n"
        "  mkdir -p $HOME/.kube\n"
        "  sudo cp -i /etc/kubernetes/admin.conf $HOME/.kube/config\n"
        "  sudo chown $(id -u):$(id -g) $HOME/.kube/config\n\n"
        "Alternatively, if you are the root user, you can run:\n\n"
        "  export KUBECONFIG=/etc/kubernetes/admin.conf\n\n"
        "You should now deploy a pod network to the cluster.\n"
        'Run "kubectl apply -f [podnetwork].yaml" with one of the options listed at:\n'
        "  https://kubernetes.io/docs/concepts/cluster-administration/addons/\n\n"
        "Then you can join any number of worker nodes by running the following on each as root:\n\n"
        f"kubeadm join {configuration.endpoint} --token {token} \\\n"
        f"\t--discovery-token-ca-cert-hash {pin} \n"
    )
