"""gpg, as far as package keyrings need it: taking ASCII armour off."""

from __future__ import annotations

import base64
import binascii
import re

from k8swin_lab.arguments import Options
from k8swin_lab.linux.files import Files, explain
from k8swin_lab.machines.program import NotSimulated, Process

_OPTIONS = Options(
    flags="--dearmor,--dearmour --batch --yes --no-tty --quiet,-q --no-default-keyring --version",
    values="-o,--output --keyring --homedir",
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
    """Run gpg --dearmor."""
    parsed = _OPTIONS.parse("gpg", process.argv[1:])
    if "--version" in parsed:
        process.out("gpg (GnuPG) 2.2.40\nlibgcrypt 1.10.1\n")
        return 0
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
