"""TLS to the API server: verified by the cluster's authority, and the client's key in memory."""

from __future__ import annotations

import os
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from k8swin_nb.cluster.kubeconfig import Access
from k8swin_nb.errors import ClusterError
from k8swin_nb.tls_sockets import closing


def tls_context(access: Access) -> ssl.SSLContext:
    """Return what verifies the server by the cluster's authority, and shows who asks.

    Raises:
        ClusterError: when a certificate or the key cannot be read.
    """
    context = closing(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_verify_locations(cadata=access.authority.decode("ascii"))
        if access.key is not None:
            _show_certificate(context, access.certificate, access.key.reveal().encode())
    except (ValueError, TypeError, OSError) as error:
        raise ClusterError(
            f"the kubeconfig's certificates or its key cannot be read: {type(error).__name__}",
            hint="on the control plane compare ~/.kube/config with /etc/kubernetes/admin.conf",
        ) from error
    return context


def _show_certificate(context: ssl.SSLContext, certificate: bytes, key: bytes) -> None:
    """Give a context the client's certificate and key, which OpenSSL reads from files only.

    What the file holds is encrypted with a password that exists in this function alone: whatever ends the process
    at whatever moment, no key is left behind.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.x509 import load_pem_x509_certificates

    password = os.urandom(32).hex()
    pem = serialization.Encoding.PEM
    locked = serialization.load_pem_private_key(key, password=None).private_bytes(
        pem,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(password.encode()),
    )
    chain = b"".join(c.public_bytes(pem) for c in load_pem_x509_certificates(certificate))
    with _passing_file(chain + locked) as path:
        context.load_cert_chain(path, password=password)


@contextmanager
def _passing_file(content: bytes) -> Iterator[str]:
    """Put content under a path for a moment: in memory where the system can, else in a folder of this account."""
    if hasattr(os, "memfd_create"):
        with os.fdopen(os.memfd_create("k8swin"), "wb") as file:
            file.write(content)
            file.flush()
            yield f"/proc/self/fd/{file.fileno()}"
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "client.pem"
        path.touch(mode=0o600)
        path.write_bytes(content)
        yield str(path)
