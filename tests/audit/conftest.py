import shutil

import pytest

from k8swin_nb.audit.signatures import Trusted
from tests.audit.records import allow, keygen, make_record


@pytest.fixture(autouse=True)
def no_key_of_the_developer(monkeypatch):
    for name in ("SSH_AUTH_SOCK", "K8SWIN_SIGN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("K8SWIN_OPERATOR", "alice")


@pytest.fixture(scope="session")
def keys(tmp_path_factory):
    if not shutil.which("ssh-keygen"):
        pytest.skip("needs ssh-keygen")
    folder = tmp_path_factory.mktemp("keys")
    keygen(folder, "alice")
    keygen(folder, "mallory")
    allow(folder / "allowed", folder / "alice")
    return folder


@pytest.fixture(scope="session")
def trusted(keys):
    return Trusted(allowed_signers=keys / "allowed")


@pytest.fixture(scope="session")
def kept(keys, tmp_path_factory):
    """A signed run, which no test changes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("K8SWIN_OPERATOR", "alice")
        return make_record(tmp_path_factory.mktemp("runs"), f"ssh:{keys / 'alice'}")
