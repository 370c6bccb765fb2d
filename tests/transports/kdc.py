"""An MIT key distribution centre of its own, on a port of its own; where its programs are not, tests say so and skip."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

REALM = "CORP.EXAMPLE"
SERVER = "winworker01.corp.example"
PASSWORD = "Ti:cket pässw0rd"


@dataclass
class Kdc:
    """A realm with one user and one machine."""

    folder: Path
    environment: dict[str, str]
    user: str = f"operator@{REALM}"

    def admin(self, *words: str) -> None:
        """Ask kadmin.local one thing."""
        self.run("kadmin.local", "-r", REALM, "-q", " ".join(words))

    def kinit(self, *words: str, cache: Path, password: str = PASSWORD) -> None:
        """Get a ticket into a cache."""
        self.run("kinit", "-c", f"FILE:{cache}", *words, self.user, stdin=password + "\n")

    def run(self, *command: str, stdin: str = "") -> str:
        done = subprocess.run(
            [_program(command[0]) or command[0], *command[1:]],
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout


def _program(name: str) -> str | None:
    return shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin")


@pytest.fixture(scope="session")
def kdc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kdc]:
    pytest.importorskip(
        "gssapi", reason="the extra `kerberos` is not installed", exc_type=ImportError
    )
    pytest.importorskip(
        "krb5", reason="the extra `kerberos` is not installed", exc_type=ImportError
    )
    for name in ("krb5kdc", "kdb5_util", "kadmin.local", "kinit"):
        if _program(name) is None:
            pytest.skip(f"there is no {name}: install krb5-kdc, krb5-admin-server and krb5-user")
    folder = tmp_path_factory.mktemp("kdc")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (folder / "krb5.conf").write_text(f"""
[libdefaults]
    default_realm = {REALM}
    dns_lookup_kdc = false
    dns_lookup_realm = false
    dns_canonicalize_hostname = false
    rdns = false
    udp_preference_limit = 1
    forwardable = true
[realms]
    {REALM} = {{
        kdc = 127.0.0.1:{port}
    }}
    NOWHERE.EXAMPLE = {{
        kdc = 127.0.0.1:1
    }}
""")
    (folder / "kdc.conf").write_text(f"""
[kdcdefaults]
    kdc_listen = 127.0.0.1:{port}
    kdc_tcp_listen = 127.0.0.1:{port}
[realms]
    {REALM} = {{
        database_name = {folder}/principal
        key_stash_file = {folder}/stash
        acl_file = {folder}/acl
        supported_enctypes = aes256-cts-hmac-sha1-96:normal aes128-cts-hmac-sha1-96:normal
    }}
""")
    made = Kdc(
        folder,
        {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "KRB5_CONFIG": str(folder / "krb5.conf"),
            "KRB5_KDC_PROFILE": str(folder / "kdc.conf"),
            "LC_ALL": "C.UTF-8",
        },
    )
    made.run("kdb5_util", "-r", REALM, "create", "-s", "-P", "master key")
    made.admin("addprinc", "-pw", f'"{PASSWORD}"', "+requires_preauth", "operator")
    made.admin("addprinc", "-pw", "locked-out", "-allow_tix", "locked")
    for name in (SERVER, "127.0.0.1", "localhost"):
        made.admin("addprinc", "-randkey", f"HTTP/{name}")
        made.admin("ktadd", "-k", f"{folder}/server.keytab", f"HTTP/{name}")
    made.admin("ktadd", "-norandkey", "-k", f"{folder}/operator.keytab", "operator")
    log = (folder / "kdc.log").open("wb")
    process = subprocess.Popen(
        [_program("krb5kdc") or "krb5kdc", "-n", "-r", REALM],
        env=made.environment,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
    )
    try:
        until = time.monotonic() + 100
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                assert process.poll() is None, (folder / "kdc.log").read_text()
                assert time.monotonic() < until
                time.sleep(0.05)
        yield made
    finally:
        process.terminate()
        process.wait(100)
        log.close()
