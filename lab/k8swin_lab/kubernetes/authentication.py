"""Who asks: client certificates of the cluster's CA, bearer tokens, or nobody."""

from __future__ import annotations

from cryptography import x509
from cryptography.x509.oid import NameOID

from k8swin_lab.kubernetes.authority import CertificateAuthority
from k8swin_lab.kubernetes.store import Store
from k8swin_lab.kubernetes.tokens import ServiceAccountSigner, account_user, bootstrap_user
from k8swin_lab.kubernetes.users import ANONYMOUS, User


def certificate_user(authority: CertificateAuthority, der: bytes) -> User | None:
    """Return the user a client certificate names (CN, O), or None when it is not to be trusted."""
    certificate = x509.load_der_x509_certificate(der)
    if not authority.issued(certificate):
        return None
    subject = certificate.subject
    names = [str(part.value) for part in subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    groups = tuple(
        str(part.value) for part in subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    )
    return User.authenticated(names[0], groups) if names else None


def token_user(store: Store, signer: ServiceAccountSigner, token: str, now: float) -> User | None:
    """Return the user of a bearer token, or None."""
    claims = signer.read(token) if token.count(".") == 2 else None
    if claims is not None:
        return account_user(store, claims, now)
    return bootstrap_user(store, token, now)


def authenticate(
    authority: CertificateAuthority,
    store: Store,
    signer: ServiceAccountSigner,
    authorization: str | None,
    certificate_der: bytes | None,
    now: float,
) -> User | None:
    """Return the user of a request; None when credentials were shown and are not valid."""
    if certificate_der is not None:
        user = certificate_user(authority, certificate_der)
        if user is not None:
            return user
        if authorization is None:
            return None
    if authorization is None:
        return ANONYMOUS
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        return ANONYMOUS
    return token_user(store, signer, token.strip(), now)
