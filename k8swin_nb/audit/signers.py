"""Who signs a seal: an SSH key, an X.509 certificate, or a keyless identity, by the tools that sites have for it.

Nothing here asks a person anything: what would ask fails, with what to do. A private key is named by its path, is read by
the tool that signs with it, and stands in no text of ours.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from k8swin_nb.description import project_root
from k8swin_nb.errors import K8swinError, ParamsError
from k8swin_nb.reading import Unreadable, expanded, file_bytes
from k8swin_nb.shown import shown_line

NAMESPACE = "k8swin-seal"
"""Namespace of SSH signatures: one that was made of the same bytes for something else is no signature of a seal."""

VARIABLE = "K8SWIN_SIGN"
"""Environment variable that says who signs, where no parameter does."""

WAYS = "`ssh:PATH` (a key), `certificate:PATH` (PEM) or `sigstore`"

SECONDS = 60.0
"""How long a tool may take; a key on a token waits for a touch."""

MOST = 1024 * 1024
"""Bytes that a tool may answer."""

_PROBE = b"k8swin: whether this key can sign without asking\n"
_ASKS = re.compile(r"passphrase|agent refused|sign_and_send|confirm|touch", re.I)


@dataclass(frozen=True, slots=True)
class Signer:
    """Who is to sign."""

    kind: str
    """`ssh`, `certificate` or `sigstore`."""

    path: Path | None = None

    @property
    def ending(self) -> str:
        """What a signature's file is called behind the name of the seal."""
        return {"ssh": ".sig", "certificate": ".p7s", "sigstore": ".sigstore.json"}[self.kind]

    def __str__(self) -> str:
        return f"{self.kind}:{self.path}" if self.path else self.kind


class Unsigned(K8swinError):
    """A seal could not be signed; what is sealed is sealed all the same."""


def signer(sign: str | None, environment: Mapping[str, str] | None = None) -> Signer | None:
    """Return who signs, from a parameter or the environment; None: nobody.

    Raises:
        ParamsError: when it is not one of the ways to sign.
    """
    source = "`sign`" if sign else f"`{VARIABLE}`"
    text = (
        sign or (os.environ if environment is None else environment).get(VARIABLE) or ""
    ).strip()
    if not text:
        return None
    kind, _, path = text.partition(":")
    if kind == "sigstore" and not path:
        return Signer("sigstore")
    if kind in ("ssh", "certificate") and path:
        return Signer(kind, _whole(expanded(path)))
    if "PRIVATE KEY" in text:
        raise ParamsError(
            f"{source} holds a private key, expected the path of its file",
            hint="keep the key in a file that only you can read, and treat this one as lost",
        )
    raise ParamsError(f"{source} is `{shown_line(text, most=80)}`, expected {WAYS}")


def _whole(path: Path) -> Path:
    """Return an absolute path: a relative one starts where this runs, and else at the project's folder."""
    if not path.is_absolute() and not path.exists() and (project_root() / path).exists():
        path = project_root() / path
    return path.absolute()


def check_signer(sign: str | None) -> str:
    """Say before anything is changed whether seals will be signed.

    Returns:
        Nothing, or why they will be unsigned although the key is there: it has a passphrase and is in no agent.

    Raises:
        ParamsError: when the way to sign is wrong: no such file, no key, no program.
    """
    found = signer(sign)
    if found is None:
        return ""
    if found.path is not None:
        _there(found.path)
    try:
        if found.kind == "sigstore":
            _keyless_program()
        else:
            sign_bytes(found, _PROBE, namespace="k8swin-probe")
    except Unsigned as error:
        if found.kind == "ssh" and _ASKS.search(str(error)):
            return f"seals will be unsigned: {error}" + (f" ({error.hint})" if error.hint else "")
        raise ParamsError(f"nobody can sign by `{found}`: {error}", hint=error.hint) from None
    return ""


def _there(path: Path) -> None:
    try:
        file_bytes(path)
    except (OSError, Unreadable) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ParamsError(
            f"`sign` names `{path}`, which cannot be read: {reason}",
            hint=f"{WAYS}; a relative path starts at the project's folder",
        ) from None


def sign_bytes(by: Signer, content: bytes, *, namespace: str = NAMESPACE) -> bytes:
    """Return a detached signature of some bytes.

    Raises:
        Unsigned: when it cannot be made without asking somebody.
    """
    if by.kind == "ssh":
        return _by_ssh(by.path or Path(), content, namespace)
    if by.kind == "certificate":
        return _by_certificate(by.path or Path(), content)
    return _keyless(content)


def _by_ssh(path: Path, content: bytes, namespace: str) -> bytes:
    # An empty passphrase is given, so that none is asked for; a key in an agent needs none.
    command = ["ssh-keygen", "-q", "-P", "", "-Y", "sign", "-n", namespace, "-f", str(path)]
    done = call(command, content)
    if done.returncode == 0 and b"BEGIN SSH SIGNATURE" in done.stdout:
        return done.stdout
    said = told(done)
    if "passphrase" in said:
        raise Unsigned(
            f"the key `{path}` has a passphrase, and nobody is asked for it",
            hint=f"put it into an agent first: ssh-add {path}",
        )
    if "Couldn't load public key" in said:
        raise Unsigned(f"`{path}` is no SSH key: {said}", hint="make one: ssh-keygen -t ed25519")
    if "No such file" in said or "private key" in said.lower():
        raise Unsigned(
            f"the private key of `{path}` is neither in an agent nor beside it: {said}",
            hint="start the agent and add it, or name the private key's own file",
        )
    raise Unsigned(f"ssh-keygen did not sign with `{path}`: {said}")


def _by_certificate(path: Path, content: bytes) -> bytes:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
    from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
    from cryptography.hazmat.primitives.serialization.pkcs7 import (
        PKCS7Options,
        PKCS7SignatureBuilder,
    )

    try:
        pem = file_bytes(path)
        chain = x509.load_pem_x509_certificates(pem)
    except (OSError, Unreadable, ValueError) as error:
        raise Unsigned(f"`{path}` holds no certificate in PEM: {shown_line(error)}") from None
    beside, key_pem = path.with_suffix(".key"), pem
    if b"PRIVATE KEY-----" not in pem:
        try:
            key_pem = file_bytes(beside)
        except (OSError, Unreadable):
            raise Unsigned(
                f"no private key is in `{path}`, nor in `{beside}` beside it",
                hint="a key of a certificate lies in its PEM file, or beside it under the same name and `.key`",
            ) from None
    try:
        key = load_pem_private_key(key_pem, None)
    except (ValueError, TypeError):
        raise Unsigned(
            f"the key of `{path}` has a passphrase, or is none; nobody is asked for it",
            hint="keep it without one, in a file that only you can read, or sign by `ssh:` with an agent",
        ) from None
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise Unsigned(f"the key of `{path}` is neither RSA nor of an elliptic curve of NIST")
    if key.public_key() != chain[0].public_key():
        raise Unsigned(f"the key is not that of the first certificate in `{path}`")
    if not chain[0].not_valid_before_utc <= datetime.now(UTC) <= chain[0].not_valid_after_utc:
        raise Unsigned(
            f"the certificate in `{path}` counts from {chain[0].not_valid_before_utc:%Y-%m-%d %H:%M} to "
            f"{chain[0].not_valid_after_utc:%Y-%m-%d %H:%M} UTC, which is not now",
            hint="get a new one, or set this computer's clock",
        )
    builder = PKCS7SignatureBuilder().set_data(content)
    builder = builder.add_signer(chain[0], key, hashes.SHA256())
    for further in chain[1:]:
        builder = builder.add_certificate(further)
    return builder.sign(Encoding.DER, [PKCS7Options.DetachedSignature, PKCS7Options.Binary])


def _keyless_program() -> str:
    for name in ("cosign", "sigstore"):
        if shutil.which(name):
            return name
    raise Unsigned(
        "neither `cosign` nor `sigstore` is on PATH",
        hint="pip install sigstore, or sign by `ssh:PATH`",
    )


def _keyless(content: bytes) -> bytes:
    name = _keyless_program()
    with tempfile.TemporaryDirectory(prefix="k8swin-seal-") as folder:
        statement, bundle = Path(folder) / "seal.json", Path(folder) / "bundle.json"
        statement.write_bytes(content)
        command = ["cosign", "sign-blob", "--yes", "--bundle", str(bundle), str(statement)]
        if name == "sigstore":
            command = ["sigstore", "sign", "--oauth-force-oob"]
            command += ["--bundle", str(bundle), str(statement)]
        done = call(command, b"")
        try:
            return file_bytes(bundle)
        except (OSError, Unreadable):
            raise Unsigned(
                f"{name} did not sign: {keyless_told(done)}",
                hint="it needs an identity that the environment gives, as a pipeline's; a browser is not opened",
            ) from None


def call(command: Sequence[str], content: bytes, **more: str) -> subprocess.CompletedProcess[bytes]:
    """Run a tool that can ask nobody: without a terminal, without a window.

    Raises:
        Unsigned: when it is not there, or does not end.
    """
    environment = {
        **{
            k: v
            for k, v in os.environ.items()
            if k not in ("DISPLAY", "WAYLAND_DISPLAY", "SSH_ASKPASS")
        },
        "SSH_ASKPASS_REQUIRE": "never",
        "BROWSER": "false",
        "LC_ALL": "C",
        "TZ": "UTC",
        **more,
    }
    try:
        return subprocess.run(
            command,
            input=content,
            capture_output=True,
            env=environment,
            timeout=SECONDS,
            start_new_session=True,
            check=False,
        )
    except FileNotFoundError:
        raise Unsigned(
            f"`{command[0]}` is not on PATH", hint="install it: OpenSSH has ssh-keygen"
        ) from None
    except subprocess.TimeoutExpired:
        raise Unsigned(
            f"`{command[0]}` did not end within {SECONDS:.0f} s",
            hint="a key on a token waits for a touch",
        ) from None
    except OSError as error:
        raise Unsigned(f"`{command[0]}` cannot be started: {error.strerror}") from None


def told(done: subprocess.CompletedProcess[Any]) -> str:
    """Return what a tool said last, in one line."""
    text = bytes(done.stderr[-4096:] or done.stdout[-4096:]).decode("utf-8", "replace")
    lines = [line for line in text.splitlines() if line.strip()]
    return shown_line("; ".join(lines[-2:]) or f"exit code {done.returncode}", most=300)


def keyless_told(done: subprocess.CompletedProcess[Any]) -> str:
    """Return what a keyless program said of its failure: its logs are drawn in columns, with the error as their last part."""
    text = bytes(done.stderr[-16384:] or done.stdout[-16384:]).decode("utf-8", "replace")
    error = text.rpartition("ERROR")[2].partition("For detailed error information")[0]
    words = [word for word in error.split() if not re.fullmatch(r"\w+\.py:\d+", word)]
    return shown_line(" ".join(words) or f"exit code {done.returncode}", most=300)
