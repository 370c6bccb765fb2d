"""Whose a signature of a seal is, judged by the tools that made it: `ssh-keygen`, `openssl`, `cosign` or `sigstore`.

Nothing is asked of a network. What cannot be judged here, because a tool or a list of those who are trusted is missing, is
said to be unknown and never taken as good.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from k8swin_nb.audit.signers import NAMESPACE, Unsigned, call, keyless_told, told
from k8swin_nb.errors import ParamsError
from k8swin_nb.reading import Unreadable, file_bytes
from k8swin_nb.shown import shown_line

if TYPE_CHECKING:
    import subprocess

    from cryptography.x509 import Certificate

SIGNATURE_BYTES = 256 * 1024
"""What a signature may have."""

LIST_BYTES = 16 * 1024 * 1024
"""What a list of an auditor may have."""

LINES_TRIED = 32
"""Lines of such a list in which one key may stand."""

_GOOD = re.compile(
    r'Good "[^"]*" signature(?: for (?P<who>.+?))? with (?P<key>\S+(?: \S+)*? SHA256:\S+)'
)

_NO_MORE = re.compile(r"expired|not yet valid|revoked|not permitted for use|no valid principals")


@dataclass(frozen=True, slots=True)
class Trusted:
    """Whom an auditor trusts; each None: nobody of that kind."""

    allowed_signers: Path | None = None
    """A file as `ssh-keygen -Y verify -f` takes it."""

    ca: Path | None = None
    """Certificates of authorities, PEM."""

    revoked: Path | None = None
    """What counts no more: a key revocation list or public keys for `ssh-keygen -r`, or a revocation list in PEM."""

    identity: str = ""
    """Of a keyless signature, whose it is to be."""

    issuer: str = ""
    """And who vouches for that, an URL."""

    def check(self) -> None:
        """Raise ParamsError when one of the files cannot be read, or is not what it should be."""
        for option, path in (
            ("--allowed-signers", self.allowed_signers),
            ("--ca", self.ca),
            ("--revoked", self.revoked),
        ):
            if path is None:
                continue
            try:
                content = file_bytes(path, LIST_BYTES)
            except (OSError, Unreadable) as error:
                reason = getattr(error, "strerror", None) or str(error)
                raise ParamsError(f"{option} `{path}` cannot be read: {reason}") from None
            if option == "--ca" and b"-----BEGIN CERTIFICATE-----" not in content:
                raise ParamsError(f"--ca `{path}` holds no certificate in PEM")
            if b"PRIVATE KEY-----" in content:
                raise ParamsError(
                    f"{option} `{path}` holds a private key, expected what is public",
                    hint="an auditor needs no private key; ask for the public one",
                )
        if bool(self.identity) != bool(self.issuer):
            raise ParamsError("--identity and --issuer go together")


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of one signature."""

    name: str
    """Its file below the run's folder."""

    kind: str
    outcome: str
    """`trusted`; `unknown`: good, and of nobody who is known; `void`: it counts no more, or not yet; `bad`: it is of
    something else; `unjudged`: what would judge it is missing."""

    who: str = ""
    key: str = ""
    why: str = ""

    def as_json(self) -> dict[str, str]:
        return {
            name: getattr(self, name) for name in ("name", "kind", "outcome", "who", "key", "why")
        }


def judge(
    name: str, kind: str, signature: bytes, content: bytes, time: str, trusted: Trusted
) -> Judged:
    """Return what a signature of a seal is worth.

    Args:
        name: The signature's file, for what is said of it.
        kind: `ssh`, `certificate` or `sigstore`.
        signature: What its file holds.
        content: The seal's bytes.
        time: When the seal says that it was made; keys and certificates are judged as of then.
        trusted: Whom the auditor trusts.
    """
    work = {"ssh": _ssh, "certificate": _certificate, "sigstore": _keyless}[kind]
    with tempfile.TemporaryDirectory(prefix="k8swin-audit-") as folder:
        place = Path(folder)
        (place / "signature").write_bytes(signature)
        (place / "seal").write_bytes(content)
        try:
            outcome = work(place, content, _when(time), trusted)
        except Unsigned as error:
            outcome = {"outcome": "unjudged", "why": f"{error}; {error.hint or ''}".rstrip("; ")}
    return Judged(name, kind, **outcome)


def _when(time: str) -> datetime:
    try:
        found = datetime.fromisoformat(time)
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    except ValueError:
        return datetime.now(UTC)


def _ssh(place: Path, content: bytes, when: datetime, trusted: Trusted) -> dict[str, str]:
    sign = ["-s", str(place / "signature")]
    alone = call(["ssh-keygen", "-Y", "check-novalidate", "-n", NAMESPACE, *sign], content)
    good = _GOOD.search(alone.stdout.decode("utf-8", "replace"))
    if alone.returncode != 0 or good is None:
        return {"outcome": "bad", "why": _bad_ssh(alone)}
    key = shown_line(good["key"], most=200)
    if trusted.allowed_signers is None:
        return {
            "outcome": "unknown",
            "key": key,
            "why": "no --allowed-signers says whose key it is",
        }
    at = [f"-Overify-time={when.astimezone(UTC):%Y%m%d%H%M%S}"]
    pem = trusted.revoked is not None and _is_pem(trusted.revoked)
    revokes = [] if trusted.revoked is None or pem else ["-r", str(trusted.revoked.absolute())]
    listed = file_bytes(trusted.allowed_signers, LIST_BYTES).splitlines(keepends=True)
    allowed = place / "allowed"
    void = ""
    for _ in range(LINES_TRIED):
        allowed.write_bytes(b"".join(listed))
        names = ["ssh-keygen", "-Y", "find-principals", "-f", str(allowed), *at, *sign]
        found = call(names, b"")
        who = found.stdout.decode("utf-8", "replace").partition("\n")[0].partition(",")[0].strip()
        if found.returncode == 0 and who and not who.startswith("-"):
            verify = ["ssh-keygen", "-Y", "verify", "-f", str(allowed), "-I", who, "-n", NAMESPACE]
            found = call([*verify, *at, *revokes, *sign], content)
            about = {"who": shown_line(who, most=200), "key": key}
            if found.returncode == 0:
                return {"outcome": "trusted", **about}
            # ssh-keygen does not say that a key is revoked: it is what the list makes of a good signature.
            if revokes and call([*verify, *at, *sign], content).returncode == 0:
                return {"outcome": "void", "why": "the key is revoked", **about}
        said = told(found).replace(f"{allowed}:", "line ")
        if _NO_MORE.search(said):
            void = void or said
        # A key may stand in several lines, of which it names the first alone.
        line = re.search(rb"allowed:(\d+):", found.stderr)
        if (
            line is None
            or not 0 < int(line[1]) <= len(listed)
            or not listed[int(line[1]) - 1].strip()
        ):
            break
        listed[int(line[1]) - 1] = b"\n"
    if void:
        return {"outcome": "void", "key": key, "why": f"at {when:%Y-%m-%d %H:%M} UTC: {void}"}
    return {"outcome": "unknown", "key": key, "why": f"its key is not among those allowed: {said}"}


def _bad_ssh(done: subprocess.CompletedProcess[bytes]) -> str:
    said = told(done)
    if "namespace" in said:
        return f"it was made for something else than a seal: {said}"
    if "incorrect signature" in said or "Signature verification failed" in said:
        return f"it is not of this seal as it stands: {said}"
    return said


def _is_pem(path: Path) -> bool:
    return b"BEGIN X509 CRL" in file_bytes(path, LIST_BYTES)


def _certificate(place: Path, content: bytes, when: datetime, trusted: Trusted) -> dict[str, str]:
    from cryptography.hazmat.primitives.serialization import pkcs7

    try:
        held = pkcs7.load_der_pkcs7_certificates((place / "signature").read_bytes())
    except ValueError as error:
        return {"outcome": "bad", "why": f"it is no CMS signature: {shown_line(error, most=200)}"}
    leaf = held[0]
    about = {
        "who": shown_line(leaf.subject.rfc4514_string(), most=200),
        "key": f"certificate {leaf.serial_number:x} of {shown_line(leaf.issuer.rfc4514_string(), most=200)}",
    }
    command = ["openssl", "cms", "-verify", "-binary", "-inform", "DER"]
    command += [
        "-in",
        str(place / "signature"),
        "-content",
        str(place / "seal"),
        "-out",
        "/dev/null",
    ]
    alone = call([*command, "-noverify"], b"")
    if alone.returncode != 0:
        return {
            "outcome": "bad",
            "why": f"it is not of this seal as it stands: {told(alone)}",
            **about,
        }
    if trusted.ca is None:
        return {"outcome": "unknown", "why": "no --ca says whose certificate it is", **about}
    at = ["-attime", str(int(when.timestamp())), "-purpose", "any"]
    done = call([*command, "-CAfile", str(trusted.ca.absolute()), "-no-CApath", *at], b"")
    if done.returncode != 0:
        said = told(done)
        expired = "expired" in said or "not yet valid" in said
        return {"outcome": "void" if expired else "unknown", "why": said, **about}
    if why := _revoked(leaf, trusted):
        return {"outcome": "void", "why": why, **about}
    late = leaf.not_valid_after_utc < datetime.now(UTC)
    note = (
        "the certificate has ended since; that the seal was made before is its own word"
        if late
        else ""
    )
    return {"outcome": "trusted", "why": note, **about}


def _revoked(leaf: Certificate, trusted: Trusted) -> str:
    """Return since when a certificate does not count, by the auditor's revocation list; empty: it counts."""
    from cryptography import x509

    if trusted.revoked is None or trusted.ca is None or not _is_pem(trusted.revoked):
        return ""
    try:
        revocations: Any = x509.load_pem_x509_crl(file_bytes(trusted.revoked, LIST_BYTES))
        authorities = x509.load_pem_x509_certificates(file_bytes(trusted.ca, LIST_BYTES))
    except ValueError as error:
        return f"the revocation list cannot be read, so nobody knows: {shown_line(error, most=100)}"
    if not any(revocations.is_signature_valid(ca.public_key()) for ca in authorities):
        return "the revocation list is of none of these authorities, so nobody knows"
    found = revocations.get_revoked_certificate_by_serial_number(leaf.serial_number)
    return (
        f"the certificate was revoked on {found.revocation_date_utc:%Y-%m-%d %H:%M} UTC"
        if found
        else ""
    )


def _keyless(place: Path, content: bytes, when: datetime, trusted: Trusted) -> dict[str, str]:
    program = next((name for name in ("cosign", "sigstore") if shutil.which(name)), "")
    if not program:
        return {"outcome": "unjudged", "why": "neither `cosign` nor `sigstore` is on PATH"}
    if not trusted.identity:
        return {"outcome": "unknown", "why": "no --identity and --issuer say whose it is to be"}
    done = call(_keyless_command(program, place, trusted), b"")
    if done.returncode != 0:
        said = keyless_told(done)
        wrong = re.search(r"signature|malformed", said, re.I)
        return {"outcome": "bad" if wrong else "unknown", "why": said}
    return {"outcome": "trusted", "who": trusted.identity, "key": trusted.issuer}


def _keyless_command(program: str, place: Path, trusted: Trusted) -> Sequence[str]:
    bundle, seal = str(place / "signature"), str(place / "seal")
    if program == "cosign":
        whose = [
            "--certificate-identity",
            trusted.identity,
            "--certificate-oidc-issuer",
            trusted.issuer,
        ]
        return ["cosign", "verify-blob", "--offline", "--bundle", bundle, *whose, seal]
    whose = ["--cert-identity", trusted.identity, "--cert-oidc-issuer", trusted.issuer]
    return ["sigstore", "verify", "identity", "--offline", "--bundle", bundle, *whose, seal]
