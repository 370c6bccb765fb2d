"""kubeadm certs: when the certificates on this host expire."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import yaml
from cryptography import x509

from k8swin_lab.linux.files import machine_of
from k8swin_lab.linux.kubeadm.files import PKI
from k8swin_lab.machines.linux import LinuxMachine
from k8swin_lab.machines.program import NotSimulated, Process

_CERTIFICATES = {
    "admin.conf": "ca", "apiserver": "ca", "apiserver-etcd-client": "etcd-ca",
    "apiserver-kubelet-client": "ca", "controller-manager.conf": "ca",
    "etcd-healthcheck-client": "etcd-ca", "etcd-peer": "etcd-ca", "etcd-server": "etcd-ca",
    "front-proxy-client": "front-proxy-ca", "scheduler.conf": "ca", "super-admin.conf": "ca",
}  # fmt: skip
_AUTHORITIES = ("ca", "etcd-ca", "front-proxy-ca")


def certs(process: Process, words: list[str]) -> int:
    """Run kubeadm certs check-expiration."""
    if words != ["check-expiration"]:
        raise NotSimulated(f"kubeadm certs {' '.join(words)}".strip())
    machine = machine_of(process)
    process.out(
        '[check-expiration] Reading configuration from the "kubeadm-config" ConfigMap in namespace "kube-system"...\n'
        "[check-expiration] Use 'kubeadm init phase upload-config kubeadm --config your-config-file' to re-upload it.\n\n"
        f"{'CERTIFICATE':<26} {'EXPIRES':<24} {'RESIDUAL TIME':<15} {'CERTIFICATE AUTHORITY':<23} EXTERNALLY MANAGED\n"
    )
    for name, authority in _CERTIFICATES.items():
        found = _load(machine, name)
        if found is None:
            process.out(f"!MISSING! {name:<16}\n")
            continue
        process.out(f"{name:<26} {_date(found):<24} {_left(found):<15} {authority:<23} no      \n")
    process.out(
        f"\n{'CERTIFICATE AUTHORITY':<23} {'EXPIRES':<24} {'RESIDUAL TIME':<15} EXTERNALLY MANAGED\n"
    )
    for name in _AUTHORITIES:
        found = _load(machine, name)
        if found is not None:
            process.out(f"{name:<23} {_date(found):<24} {_left(found):<15} no      \n")
    return 0


def _load(machine: LinuxMachine, name: str) -> x509.Certificate | None:
    try:
        if name.endswith(".conf"):
            loaded = yaml.safe_load(machine.read_text(f"/etc/kubernetes/{name}"))
            pem = base64.b64decode(loaded["users"][0]["user"]["client-certificate-data"])
        else:
            path = name.replace("etcd-", "etcd/", 1) if name.startswith("etcd-") else name
            pem = machine.path(f"{PKI}/{path}.crt").read_bytes()
    except OSError:
        return None
    return x509.load_pem_x509_certificate(pem)


def _date(certificate: x509.Certificate) -> str:
    return certificate.not_valid_after_utc.strftime("%b %d, %Y %H:%M UTC")


def _left(certificate: x509.Certificate) -> str:
    days = (certificate.not_valid_after_utc - datetime.now(UTC)).days
    return f"{days // 365}y" if days >= 730 else f"{days}d"
