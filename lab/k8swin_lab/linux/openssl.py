"""openssl, as far as pipelines over certificates and random numbers need it."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.x509.oid import NameOID

from k8swin_lab.linux.files import Files, explain, read_all
from k8swin_lab.machines.program import NotSimulated, Process

_SHORT = {
    NameOID.COMMON_NAME: "CN",
    NameOID.ORGANIZATION_NAME: "O",
    NameOID.ORGANIZATIONAL_UNIT_NAME: "OU",
    NameOID.COUNTRY_NAME: "C",
    NameOID.STATE_OR_PROVINCE_NAME: "ST",
    NameOID.LOCALITY_NAME: "L",
}


class _Words:
    """Options of openssl: one dash, values as the next word."""

    def __init__(self, command: str, words: list[str], flags: str, values: str) -> None:
        self.set: dict[str, str] = {}
        self.operands: list[str] = []
        rest = list(words)
        while rest:
            word = rest.pop(0)
            if not word.startswith("-"):
                self.operands.append(word)
            elif word in values.split():
                self.set[word] = rest.pop(0) if rest else ""
            elif word in flags.split():
                self.set[word] = ""
            else:
                raise NotSimulated(f"openssl {command} {word}")

    def __contains__(self, name: str) -> bool:
        return name in self.set


def openssl(process: Process) -> int:
    """Run openssl."""
    verb, *rest = process.argv[1:] or ["help"]
    if verb == "version":
        process.out("OpenSSL 3.0.17 1 Jul 2025 (Library: OpenSSL 3.0.17 1 Jul 2025)\n")
        return 0
    command = _COMMANDS.get(verb)
    if command is None:
        raise NotSimulated(f"openssl {verb}")
    return command(process, rest)


def _input(process: Process, words: _Words) -> bytes | None:
    path = words.set.get("-in")
    if path is None:
        return read_all(process)
    try:
        return Files(process).read(path)
    except OSError as error:
        process.err(f'Can\'t open "{path}" for reading, {explain(error)}\n')
        return None


def _output(process: Process, words: _Words, content: bytes) -> int:
    path = words.set.get("-out")
    if path is None:
        process.stdout.write(content)
        return 0
    try:
        Files(process).write(path, content, 0o600 if b"PRIVATE KEY" in content else 0o644)
    except OSError as error:
        process.err(f'Can\'t open "{path}" for writing, {explain(error)}\n')
        return 1
    return 0


def _x509(process: Process, rest: list[str]) -> int:
    words = _Words(
        "x509", rest,
        "-noout -pubkey -enddate -startdate -dates -subject -issuer -serial -fingerprint -sha256 -sha1"
        " -text -hash -ext -nocert",
        "-in -out -checkend -inform -outform -ext",
    )  # fmt: skip
    content = _input(process, words)
    if content is None:
        process.err("Unable to load certificate\n")
        return 1
    try:
        der = words.set.get("-inform", "PEM").upper() == "DER"
        certificate = (
            x509.load_der_x509_certificate(content)
            if der
            else x509.load_pem_x509_certificate(content)
        )
    except ValueError:
        process.err("Could not read certificate from <stdin>\nUnable to load certificate\n")
        return 1
    if "-text" in words or "-hash" in words:
        raise NotSimulated("openssl x509 -text" if "-text" in words else "openssl x509 -hash")
    for option in words.set:
        if option in _FIELDS:
            process.out(_FIELDS[option](certificate))
        elif option == "-fingerprint":
            kind = hashes.SHA256() if "-sha256" in words else hashes.SHA1()  # noqa: S303 - openssl's default
            name = "sha256" if "-sha256" in words else "SHA1"
            digest = certificate.fingerprint(kind).hex(":").upper()
            process.out(f"{name} Fingerprint={digest}\n")
        elif option == "-ext":
            process.out(_extension(certificate, words.set["-ext"]))
    if "-checkend" in words:
        end = datetime.now(UTC) + timedelta(seconds=float(words.set["-checkend"]))
        expires = certificate.not_valid_after_utc < end
        process.out(f"Certificate will {'' if expires else 'not '}expire\n")
        return 1 if expires else 0
    if "-noout" not in words:
        encoding = (
            serialization.Encoding.DER
            if words.set.get("-outform", "").upper() == "DER"
            else serialization.Encoding.PEM
        )
        return _output(process, words, certificate.public_bytes(encoding))
    return 0


def _extension(certificate: x509.Certificate, name: str) -> str:
    if name != "subjectAltName":
        raise NotSimulated(f"openssl x509 -ext {name}")
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return "No extensions in certificate\n"
    shown = [
        f"IP Address:{one.value}" if isinstance(one, x509.IPAddress) else f"DNS:{one.value}"
        for one in names
    ]
    return f"X509v3 Subject Alternative Name: \n    {', '.join(shown)}\n"


def _name(name: x509.Name) -> str:
    return ", ".join(
        f"{_SHORT.get(part.oid, part.oid.dotted_string)} = {part.value!s}" for part in name
    )


def _date(moment: datetime) -> str:
    return moment.strftime("%b %e %H:%M:%S %Y GMT")


def _public_pem(key: PublicKeyTypes) -> str:
    return key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode()


_FIELDS: dict[str, Callable[[x509.Certificate], str]] = {
    "-pubkey": lambda one: _public_pem(one.public_key()),
    "-enddate": lambda one: f"notAfter={_date(one.not_valid_after_utc)}\n",
    "-startdate": lambda one: f"notBefore={_date(one.not_valid_before_utc)}\n",
    "-dates": lambda one: (
        f"notBefore={_date(one.not_valid_before_utc)}\nnotAfter={_date(one.not_valid_after_utc)}\n"
    ),
    "-subject": lambda one: f"subject={_name(one.subject)}\n",
    "-issuer": lambda one: f"issuer={_name(one.issuer)}\n",
    "-serial": lambda one: f"serial={one.serial_number:X}\n",
}


def _key(process: Process, rest: list[str]) -> int:
    words = _Words(
        "pkey", rest, "-pubin -pubout -noout -RSAPublicKey_in", "-in -out -inform -outform"
    )
    content = _input(process, words)
    if content is None:
        return 1
    try:
        if "-pubin" in words:
            public = serialization.load_pem_public_key(content)
        else:
            private = serialization.load_pem_private_key(content, None)
            if "-pubout" not in words:
                raise NotSimulated("openssl pkey of a private key without -pubout")
            public = private.public_key()
    except ValueError:
        process.err("Could not read public key from <stdin>\n")
        return 1
    if not isinstance(public, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        raise NotSimulated("openssl pkey with a key that is neither RSA nor EC")
    if "-noout" in words:
        return 0
    der = words.set.get("-outform", "PEM").upper() == "DER"
    encoding = serialization.Encoding.DER if der else serialization.Encoding.PEM
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return _output(process, words, public.public_bytes(encoding, form))


def _digest(process: Process, rest: list[str]) -> int:
    names = {f"-{name}": name for name in ("sha1", "sha224", "sha256", "sha384", "sha512", "md5")}
    words = _Words("dgst", rest, " ".join(["-hex -binary -r -c", *names]), "-out")
    algorithm = next((names[option] for option in words.set if option in names), "sha256")
    code = 0
    for path in words.operands or [""]:
        try:
            content = Files(process).read(path) if path else read_all(process)
        except OSError as error:
            process.err(f'Can\'t open "{path}" for reading, {explain(error)}\n')
            code = 1
            continue
        found = hashlib.new(algorithm, content)
        if "-binary" in words:
            _output(process, words, found.digest())
        elif "-r" in words:
            _output(process, words, f"{found.hexdigest()} *{path or 'stdin'}\n".encode())
        else:
            _output(
                process,
                words,
                f"{algorithm.upper().replace('SHA', 'SHA2-') if algorithm not in ('sha1', 'md5') else algorithm.upper()}({path or 'stdin'})= {found.hexdigest()}\n".encode(),
            )
    return code


def _verify(process: Process, rest: list[str]) -> int:
    words = _Words("verify", rest, "-no_check_time", "-CAfile")
    try:
        authorities = x509.load_pem_x509_certificates(Files(process).read(words.set["-CAfile"]))
    except (KeyError, OSError, ValueError):
        process.err("Error loading file\n")
        return 1
    code = 0
    for path in words.operands:
        try:
            certificate = x509.load_pem_x509_certificate(Files(process).read(path))
        except (OSError, ValueError):
            process.err(f"Could not open file or uri for loading certificate file from {path}\n")
            code = 2
            continue
        if trouble := _distrust(certificate, authorities, check_time="-no_check_time" not in words):
            process.err(
                f"{_name(certificate.subject)}\n{trouble}\nerror {path}: verification failed\n"
            )
            code = 2
        else:
            process.out(f"{path}: OK\n")
    return code


def _distrust(
    certificate: x509.Certificate, authorities: list[x509.Certificate], *, check_time: bool
) -> str:
    """Return why a certificate is not trusted, in openssl's words; empty when it is."""
    for authority in authorities:
        try:
            certificate.verify_directly_issued_by(authority)
        except (ValueError, TypeError, InvalidSignature):
            continue
        if check_time and certificate.not_valid_after_utc < datetime.now(UTC):
            return "error 10 at 0 depth lookup: certificate has expired"
        return ""
    return "error 20 at 0 depth lookup: unable to get local issuer certificate"


def _rand(process: Process, rest: list[str]) -> int:
    words = _Words("rand", rest, "-hex -base64", "-out")
    count = int(words.operands[0]) if words.operands else 0
    raw = secrets.token_bytes(count)
    if "-hex" in words:
        return _output(process, words, f"{raw.hex()}\n".encode())
    if "-base64" in words:
        text = base64.b64encode(raw).decode()
        lines = [text[at : at + 64] for at in range(0, len(text), 64)]
        return _output(process, words, ("\n".join(lines) + "\n").encode())
    return _output(process, words, raw)


_COMMANDS: dict[str, Callable[[Process, list[str]], int]] = {
    "x509": _x509,
    "pkey": _key,
    "rsa": _key,
    "dgst": _digest,
    "sha256": lambda process, rest: _digest(process, ["-sha256", *rest]),
    "rand": _rand,
    "verify": _verify,
}
