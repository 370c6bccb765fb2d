"""The kubelet's command line: which options a version has, and which of them the lab gives an effect."""

from __future__ import annotations

_BOOLEANS = {
    "allow-privileged", "cgroups-per-qos", "enable-debugging-handlers", "fail-swap-on", "logtostderr",
    "register-node", "rotate-certificates", "kernel-memcg-notification",
}  # fmt: skip
_WITH_EFFECT = {
    "bootstrap-kubeconfig", "cgroup-driver", "cni-bin-dir", "cni-conf-dir", "config", "container-runtime",
    "container-runtime-endpoint", "fail-swap-on", "hostname-override", "kubeconfig", "network-plugin",
    "node-ip", "node-labels", "pod-manifest-path", "register-with-taints",
}  # fmt: skip
# They say how something is done that looks the same either way here: certificates, logs, quality of service.
_WITHOUT_VISIBLE_EFFECT = {
    "allow-privileged", "anonymous-auth", "authentication-token-webhook", "authorization-mode", "cadvisor-port",
    "cert-dir", "cgroups-per-qos", "client-ca-file", "cluster-dns", "cluster-domain", "enable-debugging-handlers",
    "enforce-node-allocatable", "feature-gates", "hairpin-mode", "image-pull-progress-deadline", "kube-reserved",
    "kubelet-cgroups", "log-dir", "log-file", "logtostderr", "max-pods", "pod-infra-container-image",
    "read-only-port", "register-node", "resolv-conf", "root-dir", "rotate-certificates", "runtime-cgroups",
    "serialize-image-pulls", "system-reserved", "tls-cipher-suites", "v", "volume-plugin-dir",
}  # fmt: skip
_GONE = {
    "allow-privileged": 15,
    "cadvisor-port": 12,
    "cni-bin-dir": 24,
    "cni-conf-dir": 24,
    "container-runtime": 27,
    "image-pull-progress-deadline": 24,
    "log-dir": 26,
    "log-file": 26,
    "logtostderr": 26,
    "network-plugin": 24,
    "pod-infra-container-image": 35,
}
"""The minor version of Kubernetes 1 from which an option is no longer there."""


class KubeletOptionError(Exception):
    """The kubelet ends; the text is its last line."""


def parse(words: list[str], minor: int) -> dict[str, str]:
    """Return the options of a kubelet's command line by name.

    Args:
        words: without the program.
        minor: of the kubelet's version.

    Raises:
        KubeletOptionError: an option that this version does not have, or that the lab does not know.
    """
    found: dict[str, str] = {}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if not word.startswith("-"):
            raise KubeletOptionError(f"unknown command: [{word}]")
        name, equals, value = word.lstrip("-").partition("=")
        if minor >= _GONE.get(name, 1000):
            raise KubeletOptionError(f"failed to parse kubelet flag: unknown flag: --{name}")
        if name not in _WITH_EFFECT | _WITHOUT_VISIBLE_EFFECT:
            raise KubeletOptionError(f"not simulated in the lab: kubelet --{name}")
        if not equals and name not in _BOOLEANS:
            if not rest:
                raise KubeletOptionError(f"flag needs an argument: --{name}")
            value = rest.pop(0)
        found[name] = value if equals or name not in _BOOLEANS else "true"
    return found
