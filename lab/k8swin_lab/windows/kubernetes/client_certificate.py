"""How a kubelet comes to its certificate: a key of its own, a request that the cluster signs, a kubeconfig.

As pkg/kubelet/certificate: with `rotateCertificates` the kubelet writes its kubeconfig and runs while it still waits for the
certificate; without, it waits first and ends when the API server refuses the request.
"""

from __future__ import annotations

import base64
import datetime
from typing import Any

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from k8swin_lab.kubernetes.authority import key_pem
from k8swin_lab.machines.program import Process
from k8swin_lab.windows.kubernetes.connection import (
    ConnectionFailed,
    Kubeconfig,
    read_kubeconfig,
    request,
)
from k8swin_lab.windows.kubernetes.flags import last, numbers
from k8swin_lab.windows.machine_of import full_path, machine_of

SIGNER = "kubernetes.io/kube-apiserver-client-kubelet"
_GONE = "The system cannot find the file specified."
_POLL = 0.2
_RETRY = 2.0


class Credentials:
    """The kubeconfig of one kubelet, and the certificate that it points to.

    Args:
        process: the kubelet.
        flags: its command line.
        name: of the node.
        version: of the kubelet.
    """

    def __init__(
        self, process: Process, flags: dict[str, list[str]], name: str, version: str
    ) -> None:
        self._process = process
        self._machine = machine_of(process)
        self._name = name
        self._version = numbers(version)
        self._path = full_path(process, last(flags, "--kubeconfig"))
        self._given = bool(last(flags, "--kubeconfig"))
        given = last(flags, "--bootstrap-kubeconfig")
        self._bootstrap = full_path(process, given) if given else ""
        folder = full_path(process, last(flags, "--cert-dir") or r"C:\var\lib\kubelet\pki")
        self._current = folder + r"\kubelet-client-current.pem"
        self._first: Kubeconfig | None = None  # with the token, until there is a certificate

    def prepare(self) -> None:
        """Find the kubeconfig, or write it for the certificate to come.

        Raises:
            ConnectionFailed: there is neither a valid one nor one to bootstrap with.
        """
        files = self._machine.files
        if not self._given:
            raise ConnectionFailed("no client provided, cannot use webhook authentication")
        if files.exists(self._path):
            if self._valid():
                return
            if not self._bootstrap or not files.exists(self._bootstrap):
                read_kubeconfig(self._machine, self._path)  # says what is wrong with it
                raise ConnectionFailed(
                    "part of the existing bootstrap client certificate in "
                    f"{self._path} is expired and there is no bootstrap kubeconfig"
                )
        if not self._bootstrap:
            raise ConnectionFailed(f"stat {self._path}: {_GONE}")
        if not files.exists(self._bootstrap):
            raise ConnectionFailed(
                f"unable to load bootstrap kubeconfig: stat {self._bootstrap}: {_GONE}"
            )
        self._first = read_kubeconfig(self._machine, self._bootstrap)
        files.make_directory(self._current.rpartition("\\")[0])
        text = kubeconfig_text(
            self._first.server,
            self._first.authority,
            "default-auth",
            certificate_file=self._current,
        )
        files.write(self._path, text.encode())

    def _valid(self) -> bool:
        try:
            config = read_kubeconfig(self._machine, self._path)
            if not config.certificate:
                return bool(config.token)
            certificate = x509.load_pem_x509_certificate(config.certificate)
        except (ConnectionFailed, ValueError):
            return False
        now = datetime.datetime.fromtimestamp(self._machine.now(), datetime.UTC)
        return certificate.not_valid_after_utc > now

    def current(self) -> Kubeconfig:
        """What to connect with now.

        Raises:
            ConnectionFailed: the files are not there any more.
        """
        return read_kubeconfig(self._machine, self._path)

    def pending(self) -> bool:
        """Whether the certificate has still to be signed."""
        return self._first is not None

    def obtain(self) -> bool:
        """Ask for a certificate and wait for it; False when the kubelet is stopped first.

        Raises:
            ConnectionFailed: the request is refused or denied.
        """
        if self._first is None:
            return True
        key = ec.generate_private_key(ec.SECP256R1())
        name = self._request(self._first, key)
        path = f"{self._base()}/{name}"
        while not self._process.cancelled.wait(_POLL * self._machine.pace):
            found = request(self._machine, self._first, "GET", path, agent="kubelet")
            status = found.get("status") or {}
            for condition in status.get("conditions") or []:
                if condition["type"] in ("Denied", "Failed"):
                    raise ConnectionFailed(
                        f"cannot watch on the certificate signing request: certificate signing request is "
                        f"{condition['type'].lower()}, reason: {condition.get('reason', '')}, message: "
                        f"{condition.get('message', '')}"
                    )
            if status.get("certificate"):
                made = base64.b64decode(status["certificate"])
                self._machine.files.write(self._current, made + key_pem(key))
                self._first = None
                return True
        return False

    def obtained(self, say: Any) -> bool:
        """Ask again and again, as a kubelet that runs; False when it is stopped first."""
        while True:
            try:
                return self.obtain()
            except ConnectionFailed as error:
                say(f"Failed while requesting a signed certificate from the control plane: {error}")
                if self._process.cancelled.wait(_RETRY * self._machine.pace):
                    return False

    def _base(self) -> str:
        version = "v1" if self._version >= (1, 19) else "v1beta1"
        return f"/apis/certificates.k8s.io/{version}/certificatesigningrequests"

    def _request(self, config: Kubeconfig, key: ec.EllipticCurvePrivateKey) -> str:
        subject = x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "system:nodes"),
                x509.NameAttribute(NameOID.COMMON_NAME, f"system:node:{self._name}"),
            ]
        )
        made = (
            x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
        )
        usages = ["digital signature", "client auth"]
        if self._version < (1, 27):
            usages.insert(1, "key encipherment")
        spec: dict[str, Any] = {
            "request": base64.b64encode(made.public_bytes(Encoding.PEM)).decode(),
            "usages": usages,
        }
        if self._version >= (1, 19):
            spec["signerName"] = SIGNER
        kind = {
            "apiVersion": self._base().split("/", 2)[2].rpartition("/")[0],
            "kind": "CertificateSigningRequest",
        }
        body = {**kind, "metadata": {"generateName": "csr-"}, "spec": spec}
        try:
            found = request(self._machine, config, "POST", self._base(), body, agent="kubelet")
        except ConnectionFailed as error:
            raise ConnectionFailed(
                f"cannot create certificate signing request: {error}", error.code
            ) from error
        return str(found["metadata"]["name"])


def kubeconfig_text(
    server: str, authority: bytes, user: str, *, token: str = "", certificate_file: str = ""
) -> str:
    """A kubeconfig with one cluster, one user and one context."""
    login: dict[str, str] = (
        {"token": token}
        if token
        else {"client-certificate": certificate_file, "client-key": certificate_file}
    )
    return yaml.safe_dump(
        {
            "apiVersion": "v1", "kind": "Config", "preferences": {}, "current-context": "default-context",
            "clusters": [{"name": "default-cluster", "cluster": {
                "certificate-authority-data": base64.b64encode(authority).decode(), "server": server}}],
            "contexts": [{"name": "default-context", "context": {"cluster": "default-cluster", "user": user}}],
            "users": [{"name": user, "user": login}],
        },
        width=10**6,
    )  # fmt: skip
