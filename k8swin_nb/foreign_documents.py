"""Whole documents of other tools that are given as a description: what they are, and what their words are called here.

They are told by what stands in them and not by their names, so that one which is no YAML, such as an inventory in INI, a
template or several documents in one file, is named as what it is and not by the first sign that a parser stumbles over.
"""

from __future__ import annotations

import re
from pathlib import Path

from k8swin_nb.errors import ParamsError
from k8swin_nb.foreign_words import meant

_LOOKED_AT = 100_000
"""Characters of a document that are looked at."""

_NAMED = 8
"""How many words of a document are named with what they are called here."""

_AMBIGUOUS = frozenset(
    [
        "version",
        "versions",
        "server",
        "endpoint",
        "roles",
        "host",
        "registry",
        "plugin",
        "machine",
        "hostname",
        "prefix",
        "proxy",
    ]
)
"""Words that mean one thing in one tool and something else in another."""

_GROUPS = {
    "kubeadm.k8s.io": "kubeadm",
    "kubelet.config.k8s.io": "the kubelet",
    "kubeproxy.config.k8s.io": "kube-proxy",
    "k0sctl.k0sproject.io": "k0sctl",
    "k0s.k0sproject.io": "k0s",
    "kubeone.k8c.io": "KubeOne",
    "kubeone.io": "KubeOne",
    "kubekey.kubesphere.io": "KubeKey",
    "kops.k8s.io": "kOps",
    "kops": "kOps",
    "cluster.x-k8s.io": "Cluster API",
    "rke.cattle.io": "Rancher",
    "provisioning.cattle.io": "Rancher",
    "helm.cattle.io": "RKE2's Helm controller",
    "k3d.io": "k3d",
    "kind.x-k8s.io": "kind",
    "operator.tigera.io": "Calico's operator",
    "apps.cloudblue.com": "sealos",
}
"""Tools by the group of `apiVersion`; a group of several parts is found by its end too."""

_FORMS: tuple[tuple[str, str], ...] = (
    (r"\A\s*\$ANSIBLE_VAULT;", "is encrypted by ansible-vault"),
    (r"(?m)^sops:\s*$|ENC\[AES256_GCM,", "is encrypted by sops"),
    (r"\A\s*<(!DOCTYPE|html|\?xml)", "is a page or XML"),
    (r"(?mi)^[\"']?kind[\"']?: *[\"']?k2s\b", "is a setup of K2s"),
    (r"\bsmallsetup[\"']? *:", "is the configuration of K2s"),
    (r"(?m)^machine:\s*$(?s:.*)^cluster:\s*$|^version: v1alpha1\s*$", "is a machine configuration of Talos"),
    (r"(?m)^baseDomain:", "is an install-config of OpenShift"),
    (r"(?m)^ *name: *[\"']?windows-instances\b", "is WMCO's list of Windows instances"),
    (
        r"(?m)^(resource|variable|module|provider|terraform|locals|output|data)\b[^:\n]*\{\s*$|^\w+\s*=\s*[\[{]",
        "is a file of Terraform",
    ),
    (r"(?m)^\[(plugins|host|registry|proxy_plugins|grpc)\b[^\]]*\]", "is a configuration in TOML"),
    (r"(?m)^\[[\w.-]+(:(vars|children))?\][ \t]*(#.*)?$", "is an inventory of Ansible in INI"),
    (r"(?m)^- *(name:.*\n(?:[ \t]+.*\n)*?[ \t]+)?hosts: *\S.*\n(?:[ \t]+.*\n)*?[ \t]+(roles|tasks|become|gather_facts):", "is a playbook of Ansible"),
    (r"(?m)^[\w-]+:[ \t]*\n(?:[ \t]+#.*\n)*[ \t]+(hosts|children|vars):", "is an inventory of Ansible"),
    (r"(?m)^(export )?[A-Z][A-Z0-9_]*=", "is a file of a shell's variables"),
)  # fmt: skip

_TEMPLATE = re.compile(r"\{\{-? *[.$\w\"'(]|\{%-? *\w|^ *(- )?\$\{\w+\}", re.MULTILINE)

_KEY = re.compile(
    r"(?m)(?:^|[{,])[\s-]*[\"']?([A-Za-z_][\w.-]*)[\"']?\s*[:=]|\s(ansible_\w+|ip|access_ip)="
)
_API_VERSION = re.compile(r"(?m)^\s*[\"']?apiVersion[\"']?: *[\"']?([\w.-]+)(?:/\w+)?[\"']?,?\s*$")
_KIND = re.compile(r"(?m)^\s{0,4}[\"']?kind[\"']?: *[\"']?(\w+)")


def foreign_document(text: str, *, parsed: bool = False) -> str:
    """Return what another tool's document is, to stand behind its name; empty when it is not known as one.

    Args:
        text: The document.
        parsed: It could be read as YAML, so that it has no commands of a template in it, but for texts in quotes.
    """
    text = re.sub(r"(?m)^[ \t]*#.*$", "", text[:_LOOKED_AT].replace("\r\n", "\n"))
    groups = [found[1] for found in _API_VERSION.finditer(text)]
    tools = [tool for group in groups if (tool := _tool(group))]
    kinds = list(dict.fromkeys(found[1] for found in _KIND.finditer(text)))[:3]
    if tools and kinds:
        return f"is {' and '.join(kinds)} of {tools[0]}"
    for form, what in _FORMS:
        if re.search(form, text):
            return what
    if not parsed and _TEMPLATE.search(text):
        return "is a template that nobody has filled in"
    if groups and kinds:
        return f"is {' and '.join(kinds)}, objects of Kubernetes' API"
    return ""


def refuse_foreign(text: str, file: Path, *, parsed: bool = False) -> None:
    """Refuse a document that is another tool's, with what its words are called here.

    Raises:
        ParamsError: when it is known as one.
    """
    if not (what := foreign_document(text, parsed=parsed)):
        return
    words = words_of(text)
    called = f"; here {words}" if words else ""
    raise ParamsError(
        f"`{file}` {what}, and no description, which is one flat mapping with all machines in `hosts`{called}",
        hint="copy `params/example.yaml`; docs/site-descriptions.md translates whole examples",
    )


def words_of(text: str) -> str:
    """Return what words of another tool's document are called here, as one phrase; empty when there are none."""
    found: dict[str, str] = {}
    for key in _KEY.finditer(text[:_LOOKED_AT]):
        word = key[1] or key[2]
        name = meant(word)
        if name and word not in _AMBIGUOUS and word != name and name not in found.values():
            found.setdefault(word, name)
    return ", ".join(f"{word} is `{name}`" for word, name in list(found.items())[:_NAMED])


def _tool(group: str) -> str:
    parts = group.split(".")
    return next((tool for n in range(len(parts)) if (tool := _GROUPS.get(".".join(parts[n:])))), "")
