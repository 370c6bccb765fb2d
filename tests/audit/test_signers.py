"""Seals are signed and judged by the real programs, and nobody is ever asked for anything."""

import contextlib
import datetime as dt
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from k8swin_nb.audit.sealing import ASKED, seal_run
from k8swin_nb.audit.signatures import Trusted
from k8swin_nb.audit.signers import check_signer, signer
from k8swin_nb.audit.verifying import verify
from k8swin_nb.errors import ParamsError
from tests.audit.records import NAMESPACE, WHO, allow, begin, keygen, make_record, public

NOW = dt.datetime.now(dt.UTC)
DAY = dt.timedelta(days=1)


@contextlib.contextmanager
def agent(monkeypatch, key):
    """Give a real agent that holds a key."""
    told = subprocess.run(["ssh-agent", "-s"], capture_output=True, text=True, check=True).stdout
    found = dict(re.findall(r"(SSH_\w+)=([^;]+);", told))
    monkeypatch.setenv("SSH_AUTH_SOCK", found["SSH_AUTH_SOCK"])
    try:
        subprocess.run(["ssh-add", "-q", str(key)], check=True, capture_output=True)
        yield
    finally:
        os.kill(int(found["SSH_AGENT_PID"]), signal.SIGTERM)


def finished(runs):
    record = begin(runs)
    record.write("notebook-finished")
    return record.folder


@pytest.mark.parametrize("kind", [("-t", "rsa", "-b", "3072"), ("-t", "ecdsa"), ("-t", "ed25519")])
def test_a_key_of_each_kind_signs_as_the_docs_say(tmp_path, kind):
    key = keygen(tmp_path, "key", *kind)
    folder = make_record(tmp_path / "runs", f"ssh:{key}")
    allowed = allow(tmp_path / "allowed_signers", key)
    words = ["ssh-keygen", "-Y", "verify", "-f", str(allowed), "-I", WHO, "-n", NAMESPACE]
    for name in ("seals/0001.json", "seals/0002.json"):
        done = subprocess.run([*words, "-s", f"{name}.sig"], cwd=folder, input=(folder / name).read_bytes(), capture_output=True)  # fmt: skip
        assert b"Good" in done.stdout, done
    assert verify(folder, Trusted(allowed_signers=allowed)).code == 0


def test_a_key_in_an_agent_signs_by_its_public_half(tmp_path, monkeypatch):
    key = keygen(tmp_path, "key")
    allowed = allow(tmp_path / "allowed", key)
    with agent(monkeypatch, key):
        key.unlink()
        folder = make_record(tmp_path / "runs", f"ssh:{key}.pub")
    assert verify(folder, Trusted(allowed_signers=allowed)).code == 0


def test_a_key_with_a_passphrase_is_used_from_an_agent_and_else_the_run_goes_on_unsigned(tmp_path, monkeypatch):  # fmt: skip
    key = keygen(tmp_path, "key")
    with agent(monkeypatch, key):
        words = ["ssh-keygen", "-q", "-p", "-P", "", "-N", "geheim42", "-f", str(key)]
        subprocess.run(words, check=True, capture_output=True)
        assert check_signer(f"ssh:{key}") == ""
        make_record(tmp_path / "with", f"ssh:{key}")
    monkeypatch.delenv("SSH_AUTH_SOCK")
    told = check_signer(f"ssh:{key}")
    assert "unsigned" in told and f"ssh-add {key}" in told
    folder = finished(tmp_path / "runs")
    sealed = seal_run(folder, ASKED, f"ssh:{key}")
    assert "passphrase" in sealed.unsigned and not sealed.signatures
    verdict = verify(folder)
    assert verdict.code == 3
    assert any("it was to be signed" in finding.text for finding in verdict.findings)


def test_nobody_is_asked_though_there_is_a_terminal(tmp_path):
    if sys.platform == "win32":
        pytest.skip("needs a pseudo terminal")
    import pty

    key = keygen(tmp_path, "key")
    subprocess.run(
        ["ssh-keygen", "-q", "-p", "-P", "", "-N", "geheim42", "-f", str(key)], check=True
    )
    code = f"from k8swin_nb.audit.signers import check_signer; print('told', check_signer('ssh:{key}'))"
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(sys.executable, [sys.executable, "-c", code])
    said = b""
    with contextlib.suppress(OSError):
        while part := os.read(terminal, 4096):
            said += part
    os.waitpid(pid, 0)
    os.close(terminal)
    assert b"told seals will be unsigned" in said and b"Enter passphrase" not in said, said


def test_an_openssh_certificate_signs_and_its_end_counts(tmp_path):
    ca, key = keygen(tmp_path, "ca"), keygen(tmp_path, "key")
    allowed = allow(
        tmp_path / "allowed", ca, f'cert-authority,namespaces="{NAMESPACE}"', "*@example.org"
    )

    def certify(valid):
        words = ["ssh-keygen", "-q", "-s", str(ca), "-I", "alice", "-n", WHO, "-V", valid]
        subprocess.run([*words, f"{key}.pub"], check=True)

    for valid, code, what in (
        ("-1d:+1d", 0, []),
        ("20200101:20210101", 3, ["signature-void", "signer-unknown"]),
    ):
        certify(valid)
        folder = finished(tmp_path / valid.replace(":", "_"))
        seal_run(folder, ASKED, f"ssh:{key}-cert.pub")
        verdict = verify(folder, Trusted(allowed_signers=allowed))
        assert (verdict.code, [f.what for f in verdict.findings]) == (code, what), verdict.findings


@pytest.mark.parametrize(("options", "what"), [
    (f'namespaces="{NAMESPACE}",valid-before="20200101"', "signature-void"),
    (f'namespaces="{NAMESPACE}",valid-after="20900101"', "signature-void"),
    ('namespaces="git"', "signature-void"),
    (f'namespaces="{NAMESPACE},git"', ""),
    ("", ""),
])  # fmt: skip
def test_what_the_list_says_of_a_key_counts(kept, keys, tmp_path, options, what):
    verdict = verify(
        kept, Trusted(allowed_signers=allow(tmp_path / "allowed", keys / "alice", options))
    )
    assert verdict.code == (3 if what else 0)
    assert what in [*(f.what for f in verdict.findings), ""]


def test_a_key_that_is_revoked_counts_no_more(kept, keys, tmp_path):
    revocations = tmp_path / "revoked.krl"
    subprocess.run(["ssh-keygen", "-q", "-k", "-f", revocations, keys / "alice.pub"], check=True)
    for revoked in (keys / "alice.pub", revocations):
        verdict = verify(kept, Trusted(keys / "allowed", revoked=revoked))
        assert verdict.code == 3 and "signature-void" in [f.what for f in verdict.findings]
    assert verify(kept, Trusted(keys / "allowed", revoked=keys / "mallory.pub")).code == 0


def test_one_key_of_two_names_is_found_by_the_one_that_may_seal(kept, keys, tmp_path):
    key = public(keys / "alice")
    (tmp_path / "allowed").write_text(f'git@x namespaces="git" {key}\n{WHO} namespaces="{NAMESPACE}" {key}\n')  # fmt: skip
    assert verify(kept, Trusted(tmp_path / "allowed")).code == 0


class Authority:
    """A certificate authority of a test, with certificates that it makes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "plant CA")])
        made = self._builder(self.name, self.key.public_key(), NOW - 30 * DAY, NOW + 30 * DAY)
        made = made.add_extension(x509.BasicConstraints(True, None), True)
        self.path = folder / "ca.pem"
        self.path.write_bytes(made.sign(self.key, hashes.SHA256()).public_bytes(Encoding.PEM))

    def _builder(self, subject, public_key, begin, end):
        builder = x509.CertificateBuilder().issuer_name(self.name).subject_name(subject)
        builder = builder.public_key(public_key).serial_number(x509.random_serial_number())
        return builder.not_valid_before(begin).not_valid_after(end)

    def certify(self, name, key=None, begin=NOW - DAY, end=NOW + DAY, *, apart=False):
        key = key or ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        made = self._builder(subject, key.public_key(), begin, end)
        made = made.add_extension(x509.BasicConstraints(False, None), True).sign(
            self.key, hashes.SHA256()
        )
        pem = made.public_bytes(Encoding.PEM)
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        path = self.folder / f"{name}.pem"
        path.write_bytes(pem if apart else private + pem)
        if apart:
            path.with_suffix(".key").write_bytes(private)
        return path, made

    def revoke(self, *certificates):
        builder = x509.CertificateRevocationListBuilder().issuer_name(self.name)
        builder = builder.last_update(NOW).next_update(NOW + DAY)
        for one in certificates:
            item = x509.RevokedCertificateBuilder().serial_number(one.serial_number)
            builder = builder.add_revoked_certificate(item.revocation_date(NOW).build())
        path = self.folder / "crl.pem"
        path.write_bytes(builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.PEM))
        return path


needs_openssl = pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl")


@needs_openssl
@pytest.mark.parametrize("apart", [True, False])
@pytest.mark.parametrize(
    "make",
    [
        lambda: rsa.generate_private_key(65537, 2048),
        lambda: ec.generate_private_key(ec.SECP384R1()),
    ],
)
def test_a_certificate_signs_and_openssl_agrees(tmp_path, make, apart):
    authority = Authority(tmp_path)
    path, _ = authority.certify("alice", make(), apart=apart)
    folder = make_record(tmp_path / "runs", f"certificate:{path}")
    words = ["openssl", "cms", "-verify", "-binary", "-purpose", "any", "-inform", "DER", "-in", "seals/0002.json.p7s",
             "-content", "seals/0002.json", "-CAfile", str(authority.path), "-out", "/dev/null"]  # fmt: skip
    assert subprocess.run(words, cwd=folder, capture_output=True).returncode == 0
    verdict = verify(folder, Trusted(ca=authority.path))
    assert verdict.code == 0 and "CN=alice" in verdict.who[0]
    assert verify(folder).code == 3
    assert not any(b"PRIVATE KEY" in p.read_bytes() for p in folder.rglob("*") if p.is_file())


@needs_openssl
def test_a_certificate_of_another_authority_or_revoked_proves_nothing(tmp_path):
    authority = Authority(tmp_path)
    path, certificate = authority.certify("alice")
    folder = make_record(tmp_path / "runs", f"certificate:{path}")
    (tmp_path / "other").mkdir()
    other = Authority(tmp_path / "other")
    assert verify(folder, Trusted(ca=other.path)).code == 3
    for revoked, what in (
        (authority.revoke(certificate), "revoked on"),
        (other.revoke(), "none of these authorities"),
    ):
        verdict = verify(folder, Trusted(ca=authority.path, revoked=revoked))
        assert verdict.code == 3
        assert any(f.what == "signature-void" and what in f.text for f in verdict.findings)
    assert verify(folder, Trusted(ca=authority.path, revoked=authority.revoke())).code == 0


@needs_openssl
def test_a_certificate_is_judged_as_of_the_seals_time(tmp_path, monkeypatch):
    from k8swin_nb.audit import sealing

    authority = Authority(tmp_path)
    path, _ = authority.certify("alice")
    for days, code in ((0, 0), (3, 3), (-3, 3)):
        # A seal that says another time than that of its certificate.
        monkeypatch.setattr(sealing, "utc_now", lambda days=days: (NOW + days * DAY).isoformat())
        folder = finished(tmp_path / str(days))
        seal_run(folder, ASKED, f"certificate:{path}")
        verdict = verify(folder, Trusted(ca=authority.path))
        assert verdict.code == code, verdict.findings
        assert ("signature-void" in [f.what for f in verdict.findings]) == bool(code)


@needs_openssl
def test_a_certificate_that_has_ended_signs_nothing(tmp_path):
    path, _ = Authority(tmp_path).certify("ended", begin=NOW - 3 * DAY, end=NOW - 2 * DAY)
    with pytest.raises(ParamsError, match="which is not now"):
        check_signer(f"certificate:{path}")


@pytest.mark.parametrize(("sign", "text"), [
    ("gpg:0xABC", "expected `ssh:PATH`"),
    ("ssh:", "expected `ssh:PATH`"),
    ("-----BEGIN OPENSSH PRIVATE KEY-----", "holds a private key"),
    ("ssh:/nowhere/key", "cannot be read"),
    ("certificate:/nowhere/key", "cannot be read"),
    ("ssh:{folder}/text", "is no SSH key"),
    ("certificate:{folder}/text", "no certificate in PEM"),
    ("ssh:{folder}/lonely.pub", "neither in an agent nor beside it"),
    ("certificate:{folder}/lonely.pem", "no private key"),
    ("certificate:{folder}/odd.pem", "neither RSA nor"),
    ("ssh:{folder}", "it is a folder"),
])  # fmt: skip
def test_a_wrong_way_to_sign_is_told_before_anything_is_changed(tmp_path, sign, text):
    (tmp_path / "text").write_text("hello\n")
    keygen(tmp_path, "lonely").unlink()
    authority = Authority(tmp_path)
    authority.certify("lonely", apart=True)
    (tmp_path / "lonely.key").unlink()
    authority.certify("odd", ed25519.Ed25519PrivateKey.generate())
    with pytest.raises(ParamsError, match=re.escape(text)):
        check_signer(sign.format(folder=tmp_path))


def test_without_a_keyless_program_that_is_told(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ParamsError, match="neither `cosign` nor `sigstore`"):
        check_signer("sigstore")


def test_without_ssh_keygen_a_signature_is_not_judged_and_nothing_is_proven(kept, trusted, monkeypatch, tmp_path):  # fmt: skip
    monkeypatch.setenv("PATH", str(tmp_path))
    verdict = verify(kept, trusted)
    assert verdict.code == 3
    assert "signature-unjudged" in [f.what for f in verdict.findings]


def test_the_environment_says_who_signs_where_no_parameter_does(
    tmp_path, keys, trusted, monkeypatch
):
    monkeypatch.setenv("K8SWIN_SIGN", f"ssh:{keys / 'mallory'}")
    assert "mallory" in str(signer(None)) and "alice" in str(signer(f"ssh:{keys / 'alice'}"))
    assert verify(make_record(tmp_path, f"ssh:{keys / 'alice'}"), trusted).code == 0
    monkeypatch.setenv("K8SWIN_SIGN", "nonsense")
    with pytest.raises(ParamsError, match="`K8SWIN_SIGN` is `nonsense`"):
        check_signer(None)


def test_a_relative_path_of_a_key_starts_at_the_project_where_it_is_not_here(tmp_path, monkeypatch):
    (tmp_path / "params").mkdir()
    (tmp_path / "notebooks").mkdir()
    key = keygen(tmp_path, "key")
    monkeypatch.chdir(tmp_path / "notebooks")
    assert signer("ssh:key").path == key


PROGRAM = """#!{python}
import json, pathlib, sys
words = sys.argv[1:]
if "--help" in words:
    sys.exit(0)
bundle = pathlib.Path(words[words.index("--bundle") + 1])
if words[0].startswith("sign"):
    bundle.write_text(json.dumps({{"of": pathlib.Path(words[-1]).read_text()}}))
elif "WHO" not in words or json.loads(bundle.read_text())["of"] != pathlib.Path(words[-1]).read_text():
    sys.exit("ERROR  the signature is of something else")
"""


@pytest.mark.parametrize("name", ["cosign", "sigstore"])
def test_a_keyless_program_signs_and_judges_by_its_own_options(tmp_path, monkeypatch, name):
    # The programs need the network for an identity: a stand-in keeps what it is given beside the bundle.
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / name
    program.write_text(PROGRAM.format(python=sys.executable))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    folder = make_record(tmp_path / "runs", "sigstore")
    assert (folder / "seals/0002.json.sigstore.json").is_file()
    assert verify(folder).code == 3
    assert verify(folder, Trusted(identity="WHO", issuer="https://issuer")).code == 0
    assert verify(folder, Trusted(identity="OTHER", issuer="https://issuer")).code == 1
