"""Certificate authorities of the lab: real keys and certificates, made with `cryptography`."""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def _subject(common_name: str, organizations: Sequence[str]) -> x509.Name:
    parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, name) for name in organizations]
    return x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC).replace(microsecond=0)


def key_pem(key: PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )


class CertificateAuthority:
    """A certificate authority: a self-signed certificate and its key, in PEM."""

    def __init__(self, certificate_pem: bytes, key_pem: bytes) -> None:
        self.certificate_pem = certificate_pem
        self.key_pem = key_pem
        self.certificate = x509.load_pem_x509_certificate(certificate_pem)
        loaded = serialization.load_pem_private_key(key_pem, None)
        if not isinstance(loaded, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
            raise ValueError(f"CA key is a {type(loaded).__name__}, expected an RSA or EC key")
        self.key: PrivateKey = loaded

    @classmethod
    def create(cls, common_name: str = "kubernetes", *, days: int = 3650) -> CertificateAuthority:
        """Make a new authority as kubeadm does: RSA 2048, ten years."""
        key = rsa.generate_private_key(65537, 2048)
        name = _subject(common_name, ())
        start = _now() - datetime.timedelta(minutes=5)
        made = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + datetime.timedelta(days=days))
            .add_extension(_usage(signs=True), critical=True)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
            )
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(common_name)]), critical=False)
            .sign(key, hashes.SHA256())
        )
        return cls(made.public_bytes(serialization.Encoding.PEM), key_pem(key))

    def issue(
        self,
        common_name: str,
        organizations: Sequence[str] = (),
        *,
        sans: Sequence[str] = (),
        server: bool = False,
        days: float = 365,
    ) -> tuple[bytes, bytes]:
        """Return a new certificate and its key (PEM); `sans` are names or addresses."""
        key = rsa.generate_private_key(65537, 2048)
        usages = (ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.CLIENT_AUTH,)
        certificate = self._sign(
            _subject(common_name, organizations),
            key.public_key(),
            [_alternative(name) for name in sans],
            usages,
            datetime.timedelta(days=days),
        )
        return certificate, key_pem(key)

    def sign_request(
        self, request_pem: bytes, usages: Sequence[x509.ObjectIdentifier], *, days: int = 365
    ) -> bytes:
        """Return a certificate (PEM) for a request (PEM), whose signature is checked.

        Raises:
            ValueError: it is not a request, or was not signed with its own key.
        """
        request = x509.load_pem_x509_csr(request_pem)
        if not request.is_signature_valid:
            raise ValueError("the signature of the certificate request is not valid")
        lifetime = datetime.timedelta(days=days)
        return self._sign(request.subject, request.public_key(), [], usages, lifetime)

    def _sign(
        self,
        subject: x509.Name,
        public_key: object,
        names: list[x509.GeneralName],
        usages: Sequence[x509.ObjectIdentifier],
        lifetime: datetime.timedelta,
    ) -> bytes:
        start = _now() - datetime.timedelta(minutes=5)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.certificate.subject)
            .public_key(public_key)  # type: ignore[arg-type]
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + lifetime)
            .add_extension(_usage(signs=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()),
                critical=False,
            )
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        made = builder.sign(self.key, hashes.SHA256())
        return made.public_bytes(serialization.Encoding.PEM)

    def public_key_hash(self) -> str:
        """Return the pin that `kubeadm join --discovery-token-ca-cert-hash` takes."""
        spki = self.certificate.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        digest = hashes.Hash(hashes.SHA256())
        digest.update(spki)
        return f"sha256:{digest.finalize().hex()}"

    def issued(self, certificate: x509.Certificate) -> bool:
        """Whether this authority signed a certificate that is valid now."""
        try:
            certificate.verify_directly_issued_by(self.certificate)
        except Exception:
            return False
        now = _now()
        return certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=True,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
