"""The login user's kubeconfig: this cluster is put among the user's own and taken out again, and nothing else changes."""

import pytest
import yaml

from k8swin_nb.phases.linux.user_kubeconfig import NotMergeable, merged, without


def config(name: str, server: str, ca: str = "Q0E=", user: str = "kubernetes-admin") -> dict:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {"name": name, "cluster": {"server": server, "certificate-authority-data": ca}}
        ],
        "users": [{"name": user, "user": {"client-key-data": f"key of {name}"}}],
        "contexts": [{"name": f"{user}@{name}", "context": {"cluster": name, "user": user}}],
        "current-context": f"{user}@{name}",
    }


ADMIN = yaml.safe_dump(config("plant1", "https://10.1.0.2:6443", "T1VSUw=="))
SITE = config("a-office", "https://198.51.100.7:6443")


def names(text: str, kind: str) -> list[str]:
    return [entry["name"] for entry in yaml.safe_load(text)[kind]]


def test_a_user_without_one_gets_the_administrators_as_it_is():
    assert merged("", ADMIN) == ADMIN


def test_the_users_own_cluster_context_and_credentials_stay():
    found = yaml.safe_load(merged(yaml.safe_dump(SITE), ADMIN))
    assert found["clusters"][0] == SITE["clusters"][0]
    assert found["users"][0] == SITE["users"][0]
    assert found["contexts"][0] == SITE["contexts"][0]
    assert found["current-context"] == "kubernetes-admin@a-office"
    context = found["contexts"][1]
    assert context == {
        "name": "kubernetes-admin@plant1",
        "context": {"cluster": "plant1", "user": "kubernetes-admin-plant1"},
    }
    assert found["users"][1]["user"] == {"client-key-data": "key of plant1"}


def test_whose_it_is_is_told_by_its_entry_and_not_by_the_first_one():
    once = merged(yaml.safe_dump(SITE), ADMIN)
    assert merged(once, ADMIN) == once


def test_a_cluster_that_was_made_anew_replaces_its_own_entries():
    old = merged(yaml.safe_dump(SITE), ADMIN)
    new = yaml.safe_load(ADMIN)
    new["clusters"][0]["cluster"]["certificate-authority-data"] = "TkVX"
    new["users"][0]["user"]["client-key-data"] = "new key"
    found = yaml.safe_load(merged(old, yaml.safe_dump(new)))
    assert len(found["clusters"]) == len(found["users"]) == len(found["contexts"]) == 2
    assert found["clusters"][1]["cluster"]["certificate-authority-data"] == "TkVX"
    assert found["users"][1]["user"] == {"client-key-data": "new key"}


def test_the_users_own_namespace_in_a_context_stays():
    own = yaml.safe_load(ADMIN)
    own["contexts"][0]["context"]["namespace"] = "shop"
    assert merged(yaml.safe_dump(own), ADMIN) == yaml.safe_dump(own)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (yaml.safe_dump(config("plant1", "https://10.9.9.9:6443")), "another cluster under"),
        ("clusters: {a: b}", "no list of clusters"),
        ("- a", "no kubeconfig"),
        ("a: [", "no YAML"),
        ("clusters: [{name: x, cluster: text}]", "no list of clusters"),
        ("clusters: [{name: [x], cluster: {}}]", "a name that is no text"),
        ("users: [{user: {}}]", "a name that is no text"),
        ("contexts: [{name: x, context: {user: {a: b}}}]", "a name that is no text"),
        ("a: !!bool x", "no YAML that can be written back"),
        ("a: 1\na: 2", "stands twice"),
    ],
)
def test_what_cannot_be_told_apart_is_refused(text, says):
    with pytest.raises(NotMergeable, match=says):
        merged(text, ADMIN)


def test_what_else_stands_there_stays_as_it_is_written_whatever_it_is():
    own = "extra: {1: a, b: 022, c: 12:30}\nusers: [{name: x, user: {password: 0123456}}]\n"
    found = yaml.safe_load(merged(own, ADMIN))
    assert found["extra"] == {1: "a", "b": "022", "c": "12:30"}
    assert found["users"][0]["user"] == {"password": "0123456"}


def test_a_removal_takes_this_cluster_and_leaves_the_others():
    left = without(merged(yaml.safe_dump(SITE), ADMIN), "T1VSUw==")
    assert yaml.safe_load(left) == SITE


def test_nothing_is_left_where_nothing_else_was():
    assert without(ADMIN, "T1VSUw==") == ""
    assert without(ADMIN, "b3RoZXI=") == ADMIN
    assert without(ADMIN, "") == ADMIN


def test_credentials_that_another_clusters_context_uses_stay():
    both = yaml.safe_load(ADMIN)
    both["clusters"].append(SITE["clusters"][0])
    both["contexts"].append(
        {"name": "office", "context": {"cluster": "a-office", "user": "kubernetes-admin"}}
    )
    left = without(yaml.safe_dump(both), "T1VSUw==")
    assert names(left, "users") == ["kubernetes-admin"]
    assert names(left, "contexts") == ["office"]
