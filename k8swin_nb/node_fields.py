"""The types of what a description says of nodes: the API server's names, labels, taints, the kubelet's settings.

The settings of the kubelet are those of `KubeletConfiguration` in kubelet.config.k8s.io/v1beta1, with the kinds of
values that kubernetes/kubelet has in config/v1beta1/types.go (July 2026). A kubelet that is given a value of another
kind ends at its start, and on Windows says so in its log alone. Values are never repaired.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator

from k8swin_nb.field_types import DNS_NAME, address, one_line, without_login
from k8swin_nb.reading import shown

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?")
_DURATION = re.compile(r"(0|([0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h))+)")
EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
CONTROL_PLANE_TAINTS = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")
"""Keys of the taints with which kubeadm keeps workloads off a control plane."""

KUBELETS_LABELS = frozenset(
    {"kubernetes.io/hostname", "kubernetes.io/os", "kubernetes.io/arch", "beta.kubernetes.io/os",
     "beta.kubernetes.io/arch", "node.kubernetes.io/windows-build"}
)  # fmt: skip
"""Labels that the kubelet itself keeps: another value is put back by it."""

_KINDS = {
    "bool": """
        rotateCertificates serverTLSBootstrap enableDebuggingHandlers enableContentionProfiling cgroupsPerQOS
        singleProcessOOMKill cpuCFSQuota serializeImagePulls mergeDefaultEvictionSettings enableControllerAttachDetach
        protectKernelDefaults makeIPTablesUtilChains failSwapOn kernelMemcgNotification enableSystemLogHandler
        enableSystemLogQuery enableProfilingHandler enableDebugFlagsHandler seccompDefault registerNode
        localStorageCapacityIsolation failCgroupV1 enableServer runOnce""",
    "whole number": """
        port readOnlyPort registryPullQPS registryBurst eventRecordQPS eventBurst healthzPort oomScoreAdj
        nodeLeaseDurationSeconds imageGCHighThresholdPercent imageGCLowThresholdPercent maxPods podPidsLimit
        nodeStatusMaxImages maxOpenFiles kubeAPIQPS kubeAPIBurst maxParallelImagePulls evictionMaxPodGracePeriod
        podsPerCore iptablesMasqueradeBit iptablesDropBit containerLogMaxFiles containerLogMaxWorkers""",
    "number": "memoryThrottlingFactor",
    "text": """
        staticPodPath podLogsDir staticPodURL address tlsCertFile tlsPrivateKeyFile tlsMinVersion healthzBindAddress
        imagePullCredentialsVerificationPolicy clusterDomain kubeletCgroups systemCgroups cgroupRoot cgroupDriver
        cpuManagerPolicy memoryManagerPolicy topologyManagerPolicy topologyManagerScope hairpinMode podCIDR resolvConf
        contentType containerLogMaxSize configMapAndSecretChangeDetectionStrategy reservedSystemCPUs
        showHiddenMetricsForVersion systemReservedCgroup kubeReservedCgroup volumePluginDir providerID
        memoryReservationPolicy containerRuntimeEndpoint imageServiceEndpoint""",
    "time such as `4m0s`": """
        syncFrequency fileCheckFrequency httpCheckFrequency streamingConnectionIdleTimeout nodeStatusUpdateFrequency
        nodeStatusReportFrequency imageMinimumGCAge imageMaximumGCAge volumeStatsAggPeriod cpuManagerReconcilePeriod
        runtimeRequestTimeout cpuCFSQuotaPeriod evictionPressureTransitionPeriod containerLogMonitorInterval
        shutdownGracePeriod shutdownGracePeriodCriticalPods""",
    "list of texts": """
        tlsCipherSuites preloadedImagesVerificationAllowlist clusterDNS enforceNodeAllocatable allowedUnsafeSysctls""",
    "list": "tlsCurvePreferences shutdownGracePeriodByPodPriority reservedMemory registerWithTaints",
    "mapping of texts": """
        cpuManagerPolicyOptions topologyManagerPolicyOptions qosReserved evictionHard evictionSoft
        evictionSoftGracePeriod evictionMinimumReclaim systemReserved kubeReserved defaultPodSysctls""",
    "mapping of true and false": "featureGates",
    "mapping": """
        staticPodURLHeader authentication authorization memorySwap logging crashLoopBackOff tracing userNamespaces""",
}
SETTINGS = {name: kind for kind, names in _KINDS.items() for name in names.split()}
"""The kubelet's settings, and what kind of value each takes."""

_PLAN = "follows from the plan"
_KUBEADM = "is kubeadm's, and the API server relies on it"
_RUNTIME = "is chosen together with the container runtime"
_STEPS = "is relied on by the steps and checks of this tool"
OWNED = {
    "apiVersion": "is chosen by the Kubernetes version",
    "kind": "is chosen by the Kubernetes version",
    "clusterDNS": f"{_PLAN}: set `service_subnet`",
    "clusterDomain": f"{_PLAN}: it is cluster.local",
    "podCIDR": f"{_PLAN}: set `pod_subnet`",
    "authentication": _KUBEADM,
    "authorization": _KUBEADM,
    "rotateCertificates": _KUBEADM,
    "staticPodPath": _KUBEADM,
    "serverTLSBootstrap": "asks for certificates that somebody has to approve, or logs and exec end",
    "tlsCertFile": _KUBEADM,
    "tlsPrivateKeyFile": _KUBEADM,
    "cgroupDriver": _RUNTIME,
    "containerRuntimeEndpoint": _RUNTIME,
    "imageServiceEndpoint": _RUNTIME,
    "failCgroupV1": "is said by `allow_cgroup_v1`",
    "failSwapOn": "is not asked: 02 and 04 turn swap off",
    "memorySwap": "is not asked: 02 and 04 turn swap off",
    "registerWithTaints": "is said by `taints` of a host",
    "registerNode": _STEPS,
    "providerID": _STEPS,
    "enableServer": _STEPS,
    "address": "follows from `address` of a host",
    "port": _STEPS,
    "healthzPort": _STEPS,
    "healthzBindAddress": _STEPS,
    "staticPodURL": "lets another server start pods on a node",
    "staticPodURLHeader": "lets another server start pods on a node",
    "runOnce": _STEPS,
}
"""Settings that are not a site's to choose here, and why."""


FLAGS = {
    "nodeip": "is `address` of a host",
    "nodelabels": "is said by `labels` of a host",
    "hostnameoverride": "is `name` of a host",
    "cloudprovider": "is not made here: nodes are servers that are there",
    "rootdir": "is where the steps look",
    "certdir": "is where the steps look",
    "config": _STEPS,
    "configdir": _STEPS,
    "kubeconfig": _KUBEADM,
    "bootstrapkubeconfig": _KUBEADM,
    "anonymousauth": _KUBEADM,
    "authorizationmode": _KUBEADM,
    "clientcafile": _KUBEADM,
    "containerruntime": _RUNTIME,
    "containerruntimeendpoint": _RUNTIME,
    "podinfracontainerimage": f"{_PLAN}: set `image_repository`",
    "networkplugin": f"{_PLAN}: set `pod_network`",
    "cnibindir": _RUNTIME,
    "cniconfdir": _RUNTIME,
    "v": "is a flag of the kubelet's own log, and no setting",
    "loglevel": "is a flag of the kubelet's own log, and no setting",
}
"""Flags of the kubelet that are no settings, without hyphens and capitals, and where they are said."""

FLAG_NAMES = {
    "imagegchighthreshold": "imageGCHighThresholdPercent",
    "imagegclowthreshold": "imageGCLowThresholdPercent",
    "minimumimagettlduration": "imageMinimumGCAge",
    "podmaxpids": "podPidsLimit",
    "registryqps": "registryPullQPS",
    "eventqps": "eventRecordQPS",
    "tlsprivatekeyfile": "tlsPrivateKeyFile",
    "clusterdns": "clusterDNS",
}
"""Settings by their flags, where these are called otherwise."""


def _endpoint(text: str) -> str:
    if not text:
        return text
    if "://" in without_login(text) or "/" in text:
        raise ValueError(
            f"`{text}` is a URL; write the name or address alone, such as `api.site.example`"
        )
    _no_ipv6(text)
    host, colon, port = text.partition(":")
    if colon and not (re.fullmatch(r"[1-9][0-9]{0,4}", port) and int(port) <= 65535):
        raise ValueError(
            f"`{text}` is no name or IPv4 address with a port, such as `api.site.example:6443`"
        )
    _name_or_address(host)
    if host in ("localhost", "0.0.0.0") or host.startswith("127."):  # noqa: S104 - refused
        raise ValueError(
            f"`{text}` leads every host to itself; nodes need a way to the control plane"
        )
    return text


def _no_ipv6(text: str) -> None:
    if text.count(":") > 1:
        raise ValueError(f"`{text}` is of IPv6; nodes and the API server have IPv4 addresses here")


def _name_or_address(text: str) -> str:
    plain = text.rstrip(".").lower()
    if plain != text and DNS_NAME.fullmatch(plain):
        what = "a dot at its end" if text.endswith(".") else "capitals"
        raise ValueError(f"`{text}` has {what}; write `{plain}`, in small letters")
    if re.fullmatch(r"[0-9.]+", text):
        return address(text)
    if not DNS_NAME.fullmatch(text):
        raise ValueError(f"`{text}` is no name in DNS, in small letters, and no IPv4 address")
    return text


def _certificate_name(text: str) -> str:
    if "/" not in text:
        _no_ipv6(text)
    if "/" in text or ":" in text:
        raise ValueError(f"`{text}` is no name or address alone, without `https://` and a port")
    _name_or_address(text.removeprefix("*."))
    return text


def _address_or_none(text: str) -> str:
    return address(text) if text else text


def _key(text: str) -> str:
    """Return a label's or taint's key: a name, with a DNS name and a slash in front or without."""
    prefix, slash, name = text.rpartition("/")
    if not _NAME.fullmatch(name) or (slash and not DNS_NAME.fullmatch(prefix)):
        raise ValueError(f"`{text}` is no key such as `zone` or `site.example/zone`")
    return text


def _labels(values: Mapping[str, str]) -> Mapping[str, str]:
    for key, value in values.items():
        _key(key)
        one_line(value)
        if key in KUBELETS_LABELS:
            raise ValueError(f"`{key}` is kept by the kubelet itself, another value would not stay")
        if value and not _NAME.fullmatch(value):
            raise ValueError(
                f"`{key}: {shown(value)}` is no value of a label: at most 63 letters, digits, `-`, `_` and `.`"
            )
    return values


def _taint(text: str) -> str:
    key_value, colon, effect = text.rpartition(":")
    key, _, value = key_value.partition("=")
    meant = {effect.lower(): effect for effect in EFFECTS}.get(effect.lower())
    if colon and meant and meant != effect:
        raise ValueError(f"`{shown(text)}` has the effect {effect}; write `{meant}`")
    if not colon or effect not in EFFECTS or (value and not _NAME.fullmatch(value)):
        raise ValueError(
            f"`{shown(text)}` is no taint such as `site.example/gpu=yes:NoSchedule`; effects are {', '.join(EFFECTS)}"
        )
    _key(key)
    if key.startswith(("node.kubernetes.io/", "node.cloudprovider.kubernetes.io/")):
        raise ValueError(f"`{text}` is set and taken by Kubernetes itself, as the node's state is")
    return text


def _interface(text: str) -> str:
    if re.search(r"[*?\[\]()|^$+\\]", text):
        raise ValueError(
            f"`{shown(text)}` is a pattern; name the interfaces, the first that a node has is taken"
        )
    if not re.fullmatch(r"[^\s/:]{1,15}", text):
        raise ValueError(f"`{shown(text)}` is no name of a Linux interface, such as `eth1`")
    return text


def _fits(kind: str, value: Any) -> bool:
    whole = isinstance(value, int) and not isinstance(value, bool)
    if kind == "bool":
        return isinstance(value, bool)
    if kind == "whole number":
        return whole
    if kind == "number":
        return whole or isinstance(value, float)
    if kind == "text":
        return isinstance(value, str)
    if kind.startswith("time"):
        return isinstance(value, str) and bool(_DURATION.fullmatch(value))
    if kind.startswith("list"):
        texts = kind == "list"
        return isinstance(value, list) and (texts or all(isinstance(one, str) for one in value))
    wanted = {"mapping of texts": str, "mapping of true and false": bool}.get(kind, object)
    return isinstance(value, dict) and all(
        isinstance(name, str) and isinstance(one, wanted) for name, one in value.items()
    )


def _settings(values: Mapping[str, Any]) -> Mapping[str, Any]:
    for name, value in values.items():
        if reason := OWNED.get(name):
            raise ValueError(f"`{name}` {reason}; leave it out")
        kind = SETTINGS.get(name)
        if kind is None:
            folded = {known.lower(): known for known in SETTINGS}
            plain = re.sub("[-_]", "", name).lower()
            if reason := FLAGS.get(plain):
                raise ValueError(f"`{shown(name)}` {reason}; leave it out")
            meant = FLAG_NAMES.get(plain) or folded.get(plain)
            raise ValueError(
                f"`{shown(name)}` is no setting of the kubelet"
                + (f"; write `{meant}`" if meant else ", see KubeletConfiguration (v1beta1)")
            )
        if not _fits(kind, value):
            wanted = {"bool": "true or false"}.get(kind, f"a {kind}")
            raise ValueError(
                f"`{name}` is {type(value).__name__} `{shown(value)}`, expected {wanted}"
            )
        _plain(name, value)
    return values


def _plain(name: str, value: Any) -> None:
    """Refuse what does not come back from YAML as it went in, and texts that nobody sees."""
    if isinstance(value, dict):
        for key, one in value.items():
            _plain(f"{name}.{key}", one)
    elif isinstance(value, list):
        for one in value:
            _plain(name, one)
    elif not isinstance(value, str | int | float | None):
        raise ValueError(
            f"`{name}` holds a {type(value).__name__}, which the kubelet does not take"
        )
    one_line(value)


Endpoint = Annotated[str, AfterValidator(_endpoint)]
AddressOrNone = Annotated[str, AfterValidator(_address_or_none)]
CertificateName = Annotated[str, AfterValidator(_certificate_name)]
Labels = Annotated[dict[str, str], AfterValidator(_labels)]
Taint = Annotated[str, AfterValidator(_taint)]
Interface = Annotated[str, AfterValidator(_interface)]
KubeletSettings = Annotated[dict[str, Any], AfterValidator(_settings)]
