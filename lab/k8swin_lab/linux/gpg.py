"""gpg, as far as package keyrings need it: taking ASCII armour off, and showing what keys a file holds."""

from __future__ import annotations

import base64
import binascii
import re

from k8swin_lab.arguments import Options, Parsed
from k8swin_lab.linux.files import Files, explain
from k8swin_lab.machines.program import NotSimulated, Process

_OPTIONS = Options(
    flags="--dearmor,--dearmour --batch --yes --no-tty --quiet,-q --no-default-keyring --version --with-colons "
    "--import",
    values="-o,--output --keyring --homedir --import-options",
)
_ARMOUR = re.compile(
    rb"-----BEGIN PGP [A-Z ]+-----\r?\n(?:[\w-]+: .*\r?\n)*\r?\n(.*?)-----END PGP", re.DOTALL
)


def dearmored(content: bytes) -> bytes | None:
    """Return what ASCII armour holds, or None when there is none."""
    found = _ARMOUR.search(content)
    if not found:
        return None
    lines = [line for line in found[1].split() if not line.startswith(b"=")]
    try:
        return base64.b64decode(b"".join(lines))
    except binascii.Error:
        return None


def gpg(process: Process) -> int:
    """Run gpg --dearmor, or --import with the option `show-only`."""
    parsed = _OPTIONS.parse("gpg", process.argv[1:])
    if "--version" in parsed:
        process.out("gpg (GnuPG) 2.2.40\nlibgcrypt 1.10.1\n")
        return 0
    if "--import" in parsed:
        return _shown(process, parsed)
    if "--dearmor" not in parsed:
        raise NotSimulated("gpg without --dearmor")
    files = Files(process)
    source = parsed.operands[0] if parsed.operands else "-"
    try:
        content = files.read(source)
    except OSError as error:
        process.err(
            f"gpg: can't open '{source}': {explain(error)}\ngpg: dearmoring failed: {explain(error)}\n"
        )
        return 2
    plain = dearmored(content)
    if plain is None:
        process.err("gpg: no valid OpenPGP data found.\n")
        return 2
    target = parsed.get("-o") or (f"{source}.gpg" if source != "-" else "-")
    if target != "-" and files.exists(target) and "--yes" not in parsed:
        process.err("gpg: dearmoring failed: File exists\n")
        return 2
    try:
        files.write(target, plain)
    except OSError as error:
        process.err(f"gpg: can't create '{target}': {explain(error)}\n")
        return 2
    return 0


def _shown(process: Process, parsed: Parsed) -> int:
    """Print the keys of a file, which are imported nowhere."""
    if parsed.get("--import-options") != "show-only" or "--with-colons" not in parsed:
        raise NotSimulated("gpg --import without --with-colons and --import-options show-only")
    files = Files(process)
    source = parsed.operands[0] if parsed.operands else "-"
    try:
        content = files.read(source)
    except OSError as error:
        process.err(f"gpg: can't open '{source}': {explain(error)}\n")
        return 2
    plain = dearmored(content) or content
    keys = re.findall(rb"public key ([0-9A-F]{16}) of (.*) fingerprint ([0-9A-F]{40})\n", plain)
    if not keys:
        process.err("gpg: no valid OpenPGP data found.\n")
        return 2
    for _, owner, fingerprint in dict.fromkeys(keys):
        told, whose = fingerprint.decode(), owner.decode().replace(":", "\\x3a")
        process.out(
            f"pub:-:4096:1:{told[-16:]}:1487788586:::-:::scSC::::::23::0:\n"
            f"fpr:::::::::{told}:\nuid:-::::1487788586::{told}::{whose}::::::::::0:\n"
        )
    return 0
