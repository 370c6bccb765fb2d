"""An authority of a test's own, certificates of it, and kubeconfigs that hold them."""

import base64
import datetime
import ipaddress
import ssl

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOW = datetime.datetime.now(datetime.UTC)


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


class Authority:
    """A certificate authority."""

    def __init__(self, name="kubernetes"):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = _name(name)
        self.certificate = (
            self._built(self.name, self.key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(self.key, hashes.SHA256())
        )
        self.pem = self.certificate.public_bytes(serialization.Encoding.PEM)

    def _built(self, subject, key):
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - datetime.timedelta(days=1))
            .not_valid_after(NOW + datetime.timedelta(days=1))
        )

    def _issued(self, name, use, *more):
        key = ec.generate_private_key(ec.SECP256R1())
        built = self._built(_name(name), key).add_extension(
            x509.ExtendedKeyUsage([use]), critical=False
        )
        for extension in more:
            built = built.add_extension(extension, critical=False)
        certificate = built.sign(self.key, hashes.SHA256())
        return (
            certificate.public_bytes(serialization.Encoding.PEM),
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.TraditionalOpenSSL,
                serialization.NoEncryption(),
            ),
        )

    def client(self, name):
        """Return a client's certificate and key, PEM."""
        return self._issued(name, ExtendedKeyUsageOID.CLIENT_AUTH)

    def server_context(self, folder):
        """Return what a server at 127.0.0.1 shows, which asks clients for a certificate."""
        address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        certificate, key = self._issued("api", ExtendedKeyUsageOID.SERVER_AUTH, address)
        path = folder / "server.pem"
        path.write_bytes(certificate + key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        context.load_verify_locations(cadata=self.pem.decode())
        context.verify_mode = ssl.CERT_OPTIONAL
        return context


def base(content):
    """Return bytes as a kubeconfig has them."""
    return base64.b64encode(content).decode()


def kubeconfig(server, authority, *, cluster=None, user=None, token=None, certificate=b"", key=b""):
    """Return the text of a kubeconfig; `cluster` and `user` add fields to its entries."""
    who = {"token": token} if token else {}
    if certificate:
        who = {"client-certificate-data": base(certificate), "client-key-data": base(key)}
    inside = {
        "server": server,
        "certificate-authority-data": base(authority.pem),
        **(cluster or {}),
    }
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "it", "cluster": inside}],
            "contexts": [{"name": "me@it", "context": {"cluster": "it", "user": "me"}}],
            "users": [{"name": "me", "user": {**who, **(user or {})}}],
            "current-context": "me@it",
            "preferences": {},
        }
    )
