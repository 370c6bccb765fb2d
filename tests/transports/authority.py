"""Certificates for tests: an authority of one's own and what it signs."""

from __future__ import annotations

import datetime
import ssl
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = datetime.timedelta(days=1)


@dataclass
class Issued:
    """A certificate and its key, and the files that hold them."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    folder: Path
    name: str

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def fingerprint(self) -> str:
        return self.certificate.fingerprint(hashes.SHA256()).hex()

    @property
    def pem(self) -> Path:
        path = self.folder / f"{self.name}.pem"
        path.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))
        return path

    def private(self, passphrase: bytes = b"") -> Path:
        path = self.folder / f"{self.name}.key"
        path.write_bytes(
            self.key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.BestAvailableEncryption(passphrase)
                if passphrase
                else serialization.NoEncryption(),
            )
        )
        return path

    def server(self, clients: Path | None = None, chain: tuple[Issued, ...] = ()) -> ssl.SSLContext:
        """Return a server's side of TLS; with an authority for clients it asks for their certificates.

        `chain` is what it sends besides its own certificate.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        whole = self.folder / f"{self.name}-chain.pem"
        whole.write_text("".join(one.pem.read_text() for one in (self, *chain)))
        context.load_cert_chain(whole, self.private())
        if clients is not None:
            context.load_verify_locations(clients)
            context.verify_mode = ssl.CERT_OPTIONAL
        return context


@dataclass
class Authority:
    """Signs certificates."""

    folder: Path
    name: str = "corp-CA"
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    def __post_init__(self) -> None:
        self.own = self._made(self.name, self.key, None, [], 0, 365)

    def issue(
        self, name: str, *names: x509.GeneralName, begins: int = -1, ends: int = 30
    ) -> Issued:
        """Sign a certificate for a server and client; `begins` and `ends` are days from now."""
        key = ec.generate_private_key(ec.SECP256R1())
        return self._made(name, key, self.own, list(names), begins, ends)

    def below(self, name: str) -> Authority:
        """Make an authority that this one vouches for."""
        made = Authority(self.folder, name)
        made.own = self._made(name, made.key, self.own, [], -1, 30, path=True)
        return made

    def by_itself(self, name: str, *names: x509.GeneralName) -> Issued:
        """Make one that is signed with its own key."""
        key = ec.generate_private_key(ec.SECP256R1())
        return self._made(name, key, None, list(names), -1, 30, authority=False)

    def _made(
        self,
        name: str,
        key: ec.EllipticCurvePrivateKey,
        issuer: Issued | None,
        names: list[x509.GeneralName],
        begins: int,
        ends: int,
        *,
        authority: bool = True,
        path: bool = False,
    ) -> Issued:
        now = datetime.datetime.now(datetime.UTC)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer.certificate.subject if issuer else subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + begins * DAY - DAY / 24)
            .not_valid_after(now + ends * DAY)
        )
        if path or (issuer is None and authority):
            builder = builder.add_extension(
                x509.BasicConstraints(ca=True, path_length=None), critical=True
            )
        else:
            usage = x509.ExtendedKeyUsage(
                [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
            )
            builder = builder.add_extension(usage, critical=False)
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        signer = issuer.key if issuer else key
        return Issued(builder.sign(signer, hashes.SHA256()), key, self.folder, name)
