"""Keys of package sources: taken by their fingerprint, with the real gpg."""

import re
import shutil
import subprocess

import pytest

from k8swin_nb.scripts import Script

pytestmark = pytest.mark.skipif(shutil.which("gpg") is None, reason="gpg is not here")


def made(folder, *names):
    """Make keys, and return the file that holds them all and their fingerprints."""
    home = folder / "home"
    home.mkdir(mode=0o700)
    gpg = ["gpg", "--homedir", str(home), "--batch", "--quiet"]
    for name in names:
        subprocess.run(
            [*gpg, "--passphrase", "", "--quick-gen-key", name, "ed25519", "sign", "never"],
            check=True, capture_output=True,
        )  # fmt: skip
    armoured = subprocess.run([*gpg, "--armor", "--export"], check=True, capture_output=True).stdout
    path = folder / "key.asc"
    path.write_bytes(armoured)
    listed = subprocess.run(
        [*gpg, "--with-colons", "--list-keys"], check=True, capture_output=True, text=True
    ).stdout
    subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=False)
    return path, re.findall(r"^pub:.*\nfpr:+([0-9A-F]{40}):", listed, re.MULTILINE)


def verified(path, fingerprint):
    text = Script.load("linux/apt_sources.apply.sh").text
    function = re.search(r"^verify_key\(\) \{.*?^\}$", text, re.MULTILINE | re.DOTALL)[0]
    script = f'set -euo pipefail\n{function}\nverify_key "$1" https://mirror.example/key "$2"\n'
    return subprocess.run(
        ["bash", "-c", script, "x", str(path), fingerprint], capture_output=True, text=True
    )


def test_the_expected_key_is_taken_and_another_refused_with_both_fingerprints(tmp_path):
    path, (fingerprint,) = made(tmp_path, "Site")
    assert verified(path, fingerprint).returncode == 0
    other = fingerprint[::-1]
    found = verified(path, other)
    assert found.returncode == 1 and fingerprint in found.stderr and other in found.stderr


def test_a_second_key_in_the_file_is_refused(tmp_path):
    path, fingerprints = made(tmp_path, "Site", "Somebody")
    assert verified(path, fingerprints[0]).returncode == 1


def test_a_key_that_nobody_expects_is_told_by_its_fingerprint(tmp_path):
    path, (fingerprint,) = made(tmp_path, "Site")
    found = verified(path, "")
    assert found.returncode == 0 and fingerprint in found.stdout


def test_what_is_no_key_is_refused(tmp_path):
    path = tmp_path / "page.html"
    path.write_text("<html>log in first</html>")
    assert verified(path, "").returncode == 1
