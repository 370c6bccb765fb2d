"""A kubeconfig that a managed machine wrote: what is taken of it, and what is refused."""

import random

import pytest
import yaml

from k8swin_nb.cluster.kubeconfig import read_kubeconfig
from k8swin_nb.errors import ClusterError
from tests.cluster.certificates import Authority, base, kubeconfig
from tests.test_reading import repeated

SERVER = "https://10.1.0.2:6443"
AUTHORITY = Authority()
TOKEN = "a-token-of-no-account"


def text(**how):
    return kubeconfig(SERVER, AUTHORITY, **{"token": TOKEN, **how})


def refused(kubeconfig_text, server=SERVER):
    with pytest.raises(ClusterError) as caught:
        read_kubeconfig(kubeconfig_text, server)
    assert TOKEN not in str(caught.value) + str(caught.value.__cause__)
    assert caught.value.hint
    return str(caught.value)


def test_a_token_and_the_authority_are_taken():
    access = read_kubeconfig(text(), SERVER)
    assert (access.host, access.port) == ("10.1.0.2", 6443)
    assert access.token.reveal() == TOKEN and access.authority == AUTHORITY.pem


def test_a_certificate_with_its_key_is_taken():
    certificate, key = AUTHORITY.client("admin")
    made = kubeconfig(SERVER, AUTHORITY, certificate=certificate, key=key)
    access = read_kubeconfig(made, SERVER)
    assert access.token is None and access.certificate == certificate
    assert access.key.reveal().encode() == key


USER = {
    "exec": {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": "touch",
        "args": ["/tmp/x"],
    },
    "auth-provider": {"name": "gcp", "config": {"cmd-path": "touch", "cmd-args": "/tmp/x"}},
    "tokenFile": "/etc/shadow",
    "client-certificate": "/etc/shadow",
    "client-key": "/root/.ssh/id_ed25519",
    "username": "admin",
    "password": "secret-word",
    "as": "system:admin",
    "as-groups": ["system:masters"],
    "anything": 1,
}
CLUSTER = {
    "insecure-skip-tls-verify": True,
    "tls-server-name": "elsewhere.example",
    "proxy-url": "http://10.9.9.9:3128",
    "certificate-authority": "/etc/ssl/certs/ca.pem",
    "anything": 1,
}


@pytest.mark.parametrize("field", sorted(USER))
def test_a_users_field_that_is_none_of_ours_is_refused_by_name(field):
    assert f"`{field}`" in refused(text(user={field: USER[field]}))
    assert f"`{field}`" in refused(text(token=None, user={field: USER[field]}))


@pytest.mark.parametrize("field", sorted(CLUSTER))
def test_a_clusters_field_that_is_none_of_ours_is_refused_by_name(field):
    assert f"`{field}`" in refused(text(cluster={field: CLUSTER[field]}))


@pytest.mark.parametrize(
    "server",
    ["https://10.1.0.3:6443", "http://10.1.0.2:6443", "https://10.1.0.2", "https://10.1.0.2:6443@evil",
     "https://u:p@10.1.0.2:6443", "https://10.1.0.2:6443/proxy", "https://10.1.0.2:6443?x", "", 7, None,
     "https://[::1", "https://10.1.0.2:port"],
)  # fmt: skip
def test_another_server_than_the_planned_one_is_not_talked_to(server):
    assert "names no cluster at" in refused(text(cluster={"server": server}))


def test_other_clusters_of_the_file_are_left_alone_and_the_planned_one_is_found():
    document = yaml.safe_load(text())
    document["clusters"].insert(
        0, {"name": "other", "cluster": {"server": "https://10.9.9.9:6443"}}
    )
    document["users"].insert(0, {"name": "other", "user": USER})
    document["contexts"].insert(0, {"name": "o", "context": {"cluster": "other", "user": "other"}})
    document["current-context"] = "o"
    assert read_kubeconfig(yaml.safe_dump(document), SERVER).token.reveal() == TOKEN


def test_what_another_program_is_to_be_given_holds_this_access_and_nothing_else():
    assert read_kubeconfig(text(), SERVER, alone=True).token.reveal() == TOKEN
    changes = [
        lambda d: d["users"].append({"name": "other", "user": USER}),
        lambda d: d["clusters"].append({"name": "o", "cluster": {"server": "https://10.9.9.9"}}),
        lambda d: d["contexts"].append({"name": "o", "context": {"cluster": "x", "user": "y"}}),
        lambda d: d["users"].append(None),
        lambda d: d.update({"current-context": "o"}),
        lambda d: d.update({"Users": [{"name": "x", "user": USER}]}),
        lambda d: d.update({"preferences": {"colors": True}}),
        lambda d: d["users"][0].update({"User": USER}),
        lambda d: d["contexts"][0]["context"].update({"anything": 1}),
    ]
    for change in changes:
        document = yaml.safe_load(text())
        change(document)
        made = yaml.safe_dump(document)
        assert read_kubeconfig(made, SERVER).token.reveal() == TOKEN
        with pytest.raises(ClusterError):
            read_kubeconfig(made, SERVER, alone=True)


@pytest.mark.parametrize(
    "change",
    [{"certificate-authority-data": ""}, {"certificate-authority-data": "no base64!"},
     {"certificate-authority-data": 7}, {"certificate-authority-data": base(b"\xff\xfe")}],
)  # fmt: skip
def test_without_the_authority_nothing_is_talked_to(change):
    assert "`certificate-authority-data`" in refused(text(cluster=change))


def test_a_certificate_without_its_key_and_nothing_at_all_are_refused():
    certificate, _ = AUTHORITY.client("admin")
    assert "`client-key-data`" in refused(kubeconfig(SERVER, AUTHORITY, certificate=certificate))
    assert "`client-certificate-data`" in refused(text(token=None))


@pytest.mark.parametrize(
    "broken",
    ["", "null", "[]", "a: [", "- 1", "clusters: 7", "clusters: [null, {}, {name: x}]", "x: !!python/name:os.system",
     "a: &a [*a]", f"{repeated(40)}clusters: [{{name: x, cluster: {{server: *l39}}}}]", "[" * 5000, "a: b\na: c", "clusters: [{name: it, cluster: {server: 2001-99-99}}]"],
)  # fmt: skip
def test_what_is_no_kubeconfig_is_one_error(broken):
    refused(broken)


def test_a_very_long_one_is_not_read():
    assert "has more than" in refused("#" * 300_000)


def test_broken_ones_are_refused_and_never_anything_else():
    source = random.Random(11)
    whole = text(user={"exec": USER["exec"]}) + text()
    for _ in range(400):
        place = source.randrange(len(whole))
        made = (
            whole[:place]
            + source.choice(["", "\n", ": ", "{", "'", "\t", "- ", "é"])
            + whole[place + source.randrange(40) :]
        )
        with pytest.raises(ClusterError):
            read_kubeconfig(made, SERVER)
