"""Bearer tokens: signed service-account tokens and kubeadm's bootstrap tokens."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, hmac, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from k8swin_lab.kubernetes import timestamps
from k8swin_lab.kubernetes.errors import Object
from k8swin_lab.kubernetes.resources import named
from k8swin_lab.kubernetes.store import Store
from k8swin_lab.kubernetes.users import User, service_account_user

BOOTSTRAP_TYPE = "bootstrap.kubernetes.io/token"
LEGACY_ISSUER = "kubernetes/serviceaccount"


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class ServiceAccountSigner:
    """The service-account key pair: makes tokens (RS256 JWT) and reads them back."""

    def __init__(self, issuer: str, key_pem: bytes | None = None) -> None:
        self.issuer = issuer
        if key_pem is None:
            self.key = rsa.generate_private_key(65537, 2048)
        else:
            loaded = serialization.load_pem_private_key(key_pem, None)
            if not isinstance(loaded, rsa.RSAPrivateKey):
                raise ValueError(f"sa.key is a {type(loaded).__name__}, expected an RSA key")
            self.key = loaded
        public = self.key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        digest = hashes.Hash(hashes.SHA256())
        digest.update(public)
        self.key_id = _encode(digest.finalize())

    def sign(self, claims: Object) -> str:
        header = {"alg": "RS256", "kid": self.key_id}
        parts = [
            _encode(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims)
        ]
        text = ".".join(parts)
        signature = self.key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{text}.{_encode(signature)}"

    def read(self, token: str) -> Object | None:
        """Return the claims of a token this key signed, else None; expiry is the caller's."""
        text, _, signature = token.rpartition(".")
        try:
            self.key.public_key().verify(
                _decode(signature), text.encode(), padding.PKCS1v15(), hashes.SHA256()
            )
            claims: Any = json.loads(_decode(text.partition(".")[2]))
        except (InvalidSignature, ValueError):
            return None
        return claims if isinstance(claims, dict) else None

    def bound_token(
        self,
        account: Object,
        now: float,
        *,
        seconds: int,
        audiences: Sequence[str] = (),
        bound: Object | None = None,
    ) -> str:
        """Return a token as the TokenRequest subresource gives it."""
        metadata = account["metadata"]
        extra: Object = {
            "namespace": metadata["namespace"],
            "serviceaccount": {"name": metadata["name"], "uid": metadata["uid"]},
        }
        if bound:
            extra[str(bound["kind"]).lower()] = {"name": bound["name"], "uid": bound.get("uid", "")}
        return self.sign(
            {
                "aud": list(audiences) or [self.issuer],
                "exp": int(now) + seconds,
                "iat": int(now),
                "iss": self.issuer,
                "kubernetes.io": extra,
                "nbf": int(now),
                "sub": f"system:serviceaccount:{metadata['namespace']}:{metadata['name']}",
            }
        )

    def legacy_token(self, secret: Object, account: Object) -> str:
        """Return the token that goes into a Secret; it does not expire."""
        where, name = account["metadata"]["namespace"], account["metadata"]["name"]
        prefix = "kubernetes.io/serviceaccount"
        return self.sign(
            {
                "iss": LEGACY_ISSUER,
                f"{prefix}/namespace": where,
                f"{prefix}/secret.name": secret["metadata"]["name"],
                f"{prefix}/service-account.name": name,
                f"{prefix}/service-account.uid": account["metadata"]["uid"],
                "sub": f"system:serviceaccount:{where}:{name}",
            }
        )


def account_user(store: Store, claims: Object, now: float) -> User | None:
    """Return the service account of verified claims while it (and the token's Secret) exists."""
    if claims.get("exp", now + 1) <= now:
        return None
    prefix = "kubernetes.io/serviceaccount"
    if claims.get("iss") == LEGACY_ISSUER:
        where, name = claims[f"{prefix}/namespace"], claims[f"{prefix}/service-account.name"]
        uid = claims[f"{prefix}/service-account.uid"]
        if store.get(named("secrets"), where, claims[f"{prefix}/secret.name"]) is None:
            return None
    else:
        extra = claims["kubernetes.io"]
        where, name = extra["namespace"], extra["serviceaccount"]["name"]
        uid = extra["serviceaccount"]["uid"]
    account = store.get(named("serviceaccounts"), where, name)
    if account is None or account["metadata"]["uid"] != uid:
        return None
    return service_account_user(where, name, uid)


def secret_values(secret: Object) -> dict[str, str]:
    return {
        key: base64.b64decode(value).decode("utf-8", "replace")
        for key, value in (secret.get("data") or {}).items()
    }


def token_expired(values: dict[str, str], now: float) -> bool:
    expiration = values.get("expiration")
    if not expiration:
        return False
    try:
        return timestamps.parse(expiration) <= now
    except ValueError:
        return True


def bootstrap_user(store: Store, token: str, now: float) -> User | None:
    """Return the user of a bootstrap token that exists, has not expired and may authenticate."""
    token_id, _, token_secret = token.partition(".")
    secret = store.get(named("secrets"), "kube-system", f"bootstrap-token-{token_id}")
    if secret is None or secret.get("type") != BOOTSTRAP_TYPE:
        return None
    values = secret_values(secret)
    if (
        values.get("token-secret") != token_secret
        or values.get("token-id") != token_id
        or values.get("usage-bootstrap-authentication") != "true"
        or token_expired(values, now)
        or secret["metadata"].get("deletionTimestamp")
    ):
        return None
    extra = [group for group in values.get("auth-extra-groups", "").split(",") if group]
    return User.authenticated(f"system:bootstrap:{token_id}", ("system:bootstrappers", *extra))


def detached_signature(content: str, token_id: str, token_secret: str) -> str:
    """Return the JWS (HS256, payload detached) by which a join trusts the cluster-info."""
    header = _encode(json.dumps({"alg": "HS256", "kid": token_id}, separators=(",", ":")).encode())
    mac = hmac.HMAC(token_secret.encode(), hashes.SHA256())
    mac.update(f"{header}.{_encode(content.encode())}".encode())
    return f"{header}..{_encode(mac.finalize())}"
