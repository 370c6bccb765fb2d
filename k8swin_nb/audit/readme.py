"""What lies beside a run in its archive for a stranger: how to check it with the tools of every system, and the sums for it."""

from __future__ import annotations

from collections.abc import Sequence

from k8swin_nb.audit.signers import NAMESPACE
from k8swin_nb.audit.statement import Seal, Subject
from k8swin_nb.audit.tree import EVENTS
from k8swin_nb.shown import shown_line

_README = """The record of run {run}
{underline}

This file was packed by `k8swin audit export`. When it was packed, the record was: {word}.
Do not take that on trust. What follows needs no toolkit, no network and no key.

{run}/{events}   what was done, one JSON object a line: who, when, on which host, with which script, how it ended
{run}/logs/           what scripts printed; each line of the record that names a file has its SHA-256
{run}/scripts/        the text of each script, under its own SHA-256
{run}/seals/          statements of what every file held when it was sealed (in-toto, version 1), and their signatures
{run}/*.ipynb         the notebooks as they were executed; {run}/index.html shows all of it as one page

All commands are typed in the folder that holds this file. The last seal is {run}/{seal}.

1. Who sealed it
{who}
2. Whether the files are those that were sealed

    sha256sum -c --quiet SHA256SUMS
    head -c {bytes} {run}/{events} | sha256sum
        expected: {sha256}

3. Whether SHA256SUMS and that digest say what the seal says; nothing is printed when they do

    while read -r sum name; do grep -q "$sum" {run}/{seal} || echo "not sealed: $name"; done < SHA256SUMS
    grep -q {sha256} {run}/{seal} || echo "not sealed: {events}"

4. Whether a line of the record was changed, put in or taken out: each names the SHA-256 of the line before it

    prev=$(printf 'record of run {run}' | sha256sum | cut -d' ' -f1)
    while IFS= read -r line; do
        case $line in *"\\"previous\\": \\"$prev\\""*) ;; *) echo "broken before: $line" | cut -c1-120;; esac
        prev=$(printf '%s' "$line" | sha256sum | cut -d' ' -f1)
    done < {run}/{events}

    Lines behind byte {bytes} of {events} are not covered by the seal: of those that are there, the first says that it was made.

With the toolkit, all of it and more: k8swin audit verify FILE-OF-THIS-ARCHIVE --allowed-signers allowed_signers

What nobody can tell from these files: what was done without the toolkit; whether more was written and taken away together
with every seal that covers it; whether a clock was right; whether who held the key told the truth. A seal without a
signature can be made anew by anybody.
"""

_SSH = """
   By an SSH key. `allowed_signers` is a file of yours: a line for each person whom you trust, with a key that you have from
   that person and not from here:

       alice@example.org namespaces="{namespace}" ssh-ed25519 AAAA...

   Then, with that name:

    ssh-keygen -Y verify -f allowed_signers -I alice@example.org -n {namespace} -s {seal}.sig < {seal}
"""

_CERTIFICATE = """
   By an X.509 certificate. `ca.pem` holds the authority's certificate, which you have from the authority and not from here:

    openssl cms -verify -binary -purpose any -inform DER -in {seal}.p7s -content {seal} -CAfile ca.pem -out /dev/null

   A certificate that has ended since is judged as of the seal's time with: -attime $(date -d {time} +%s)
   Whose certificate it is: openssl pkcs7 -inform DER -in {seal}.p7s -print_certs -noout
"""

_KEYLESS = """
   By a keyless identity; IDENTITY is who you expect, ISSUER who vouches for that:

    cosign verify-blob --offline --bundle {seal}.sigstore.json --certificate-identity IDENTITY --certificate-oidc-issuer ISSUER {seal}
"""

_NOBODY = """
   Nobody has signed the last seal. What follows tells whether the files are as the seal says, not who made the seal.
"""


def readme(seal: Seal, names: Sequence[str], word: str) -> str:
    """Return the text for a stranger.

    Args:
        seal: The last seal.
        names: The files that are packed.
        word: The verdict when it was packed.
    """
    record = seal.subjects.get(EVENTS, Subject(EVENTS, "", 0))
    path = f"{seal.run}/{seal.name}"
    ways = [
        text.format(namespace=NAMESPACE, seal=path, time=shown_line(seal.time, most=40))
        for ending, text in ((".sig", _SSH), (".p7s", _CERTIFICATE), (".sigstore.json", _KEYLESS))
        if seal.name + ending in names
    ]
    return _README.format(
        run=seal.run,
        underline="=" * (len(seal.run) + 18),
        word=word,
        events=EVENTS,
        seal=seal.name,
        bytes=record.bytes,
        sha256=record.sha256,
        who="".join(ways) or _NOBODY,
    )


def sums(seal: Seal) -> str:
    """Return what `sha256sum -c` reads: each file that the seal covers as a whole."""
    lines = []
    for name, subject in sorted(seal.subjects.items()):
        if subject.prefix:
            continue
        path = f"{seal.run}/{name}"
        plain = path.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
        lines.append(f"{'' if plain == path else chr(92)}{subject.sha256}  {plain}\n")
    return "".join(lines)
