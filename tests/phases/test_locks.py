"""Lock files: one reader for Linux and Windows, what each may hold, and how what is wrong is told."""

import json
from importlib import resources

import pytest
import yaml

from k8swin_nb.description import check_description
from k8swin_nb.errors import ParamsError
from k8swin_nb.phases.linux.artifacts import linux_artifacts
from k8swin_nb.phases.locks import check_locks
from k8swin_nb.phases.windows.artifacts import LAYOUTS, worker_artifacts
from tests.test_description import described

CLASSIC = {
    "profile": "classic",
    "kubernetes_version": "1.13.12",
    "docker_version": "18.06.3",
    "flannel_version": "0.11.0",
    "docker_apt_source": "tarball",
}


def description(**changes):
    return check_description(described(**changes))


def built_in(name: str) -> dict:
    return yaml.safe_load(resources.files("k8swin_nb.phases").joinpath(name).read_text())


def linux(lock) -> str:
    return linux_artifacts(description(**CLASSIC, linux_artifacts=str(lock)))


def windows(lock) -> str:
    return worker_artifacts(description(**CLASSIC, artifacts=str(lock)))


KINDS = [
    (linux, "linux/artifacts.yaml", "the lock of Linux downloads", "linux_artifacts"),
    (windows, "windows/artifacts-classic.yaml", "the artifact lock", "artifacts"),
]


@pytest.fixture
def write(tmp_path):
    def write(content):
        file = tmp_path / "lock.yaml"
        file.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
        return file

    return write


@pytest.mark.parametrize("profile", ["current", "classic"])
def test_the_built_in_locks_hold_what_each_profile_downloads(profile):
    given = description(**(CLASSIC if profile == "classic" else {}))
    assert {entry["name"] for entry in json.loads(worker_artifacts(given))} == set(LAYOUTS[profile])
    names = [line.split()[0] for line in linux_artifacts(given).splitlines()]
    wanted = ["kubernetes-node", "cni-plugins", "crictl", "docker"]
    assert names == (wanted if profile == "classic" else [])


@pytest.mark.parametrize(("read", "name", "what", "parameter"), KINDS)
def test_a_copy_of_the_built_in_lock_says_the_same(write, read, name, what, parameter):
    assert read(write(built_in(name))) == read("")


@pytest.mark.parametrize(("read", "name", "what", "parameter"), KINDS)
@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("artifacts: [", "is not valid: "),
        ("just a word", "is not valid: `the whole file`: input should be"),
        ("", "is not valid: `the whole file`: input should be"),
        ("{artifacts: {}}", "`kubernetes_version`: field required"),
        ("{kubernetes_version: 1.13, artifacts: {}}", "`kubernetes_version`: input should be a valid string"),
        ("{kubernetes_version: '1', artifacts: {}, versoin: '1'}", "`versoin`: extra inputs"),
        ("{kubernetes_version: '1', artifacts: {a: {url: 'https://m/a'}}}", "`artifacts.a`: it has no hash"),
        ("{kubernetes_version: '1', artifacts: {}}", "lacks: "),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_in_the_same_words_with_the_file(
    write, read, name, what, parameter, text, problem
):
    file = write(text)
    with pytest.raises(ParamsError) as caught:
        read(file)
    message = str(caught.value).splitlines()[0]
    assert f"{what} `{file}` " in message
    assert problem in message
    assert caught.value.hint


@pytest.mark.parametrize(("read", "name", "what", "parameter"), KINDS)
def test_a_hint_names_the_file_to_compare_with_and_it_is_there(write, read, name, what, parameter):
    with pytest.raises(ParamsError) as caught:
        read(write("artifacts: ["))
    assert f"k8swin_nb/phases/{name}" in caught.value.hint
    assert built_in(name)["artifacts"]


@pytest.mark.parametrize(("read", "name", "what", "parameter"), KINDS)
def test_a_file_that_cannot_be_read_names_the_parameter(tmp_path, read, name, what, parameter):
    with pytest.raises(ParamsError, match=f"cannot read {what}.*No such file") as caught:
        read(tmp_path / "nowhere.yaml")
    assert f"`{parameter}`" in caught.value.hint
    odd = tmp_path / "odd.yaml"
    odd.write_bytes("k: ü".encode("latin-1"))
    with pytest.raises(ParamsError, match="line 1 is not UTF-8"):
        read(odd)


@pytest.mark.parametrize(("read", "name", "what", "parameter"), KINDS)
def test_a_lock_for_another_version_is_refused(write, read, name, what, parameter):
    lock = built_in(name) | {"kubernetes_version": "1.14.0"}
    with pytest.raises(ParamsError, match=r"is for `kubernetes_version` 1\.14\.0") as caught:
        read(write(lock))
    assert f"set `{parameter}`" in caught.value.hint


@pytest.mark.parametrize(
    ("entry", "on_linux", "on_windows"),
    [
        ({"url": "https://m/a", "sha256": "a" * 64}, True, True),
        ({"url": "http://m/a", "sha512": "a" * 128}, True, True),
        ({"url": "file:///m/a", "sha256": "a" * 64}, True, False),
        ({"url": "ftp://m/a", "sha256": "a" * 64}, False, False),
        ({"url": "https://m/a b", "sha256": "a" * 64}, False, False),
        ({"url": "https://m/a", "sha256": "published"}, False, True),
        ({"url": "https://m/a", "sha256": "first-use"}, False, True),
        ({"url": "https://m/a", "sha256": "latest"}, False, False),
        ({"url": "https://m/a", "sha256": "A" * 64}, False, False),
        ({"url": "https://m/a", "sha512": "published"}, False, False),
        ({"url": "https://m/a", "sha256": "a" * 64, "sha512": "a" * 128}, False, False),
        ({"url": "https://m/a"}, False, False),
    ],
)
def test_where_a_download_may_come_from_and_what_stands_for_its_hash(
    write, entry, on_linux, on_windows
):
    for read, name, allowed in (
        (linux, KINDS[0][1], on_linux),
        (windows, KINDS[1][1], on_windows),
    ):
        lock = built_in(name)
        lock["artifacts"]["docker"] = entry
        if allowed:
            assert entry["url"] in read(write(lock))
        else:
            with pytest.raises(ParamsError, match=r"not valid: `artifacts\.docker"):
                read(write(lock))


def test_a_lock_that_was_corrected_is_read_again(write):
    with pytest.raises(ParamsError):
        linux(write("artifacts: ["))
    assert linux(write(built_in("linux/artifacts.yaml")))


def test_the_check_of_a_description_reads_the_locks_of_its_hosts_alone(tmp_path):
    check_locks(description())
    nowhere = str(tmp_path / "nowhere.yaml")
    with pytest.raises(ParamsError, match="cannot read the artifact lock"):
        check_locks(description(artifacts=nowhere))
    masters = [host for host in described()["hosts"] if host["os"] == "linux"]
    check_locks(description(artifacts=nowhere, hosts=masters))


@pytest.mark.parametrize(
    "url",
    ["https://x/..", "https://x/", "https://x/a/../", "https://x/a\\b", "https://x/a b", "https://x/-o", "https://x/.hidden",
     "https://x/a?file=../b/", "https://x/a\u202eb"],
)  # fmt: skip
def test_a_download_has_a_plain_file_name(tmp_path, url):
    lock = built_in("windows/artifacts-classic.yaml")
    lock["artifacts"]["nssm"]["url"] = url
    path = tmp_path / "lock.yaml"
    path.write_text(yaml.safe_dump(lock))
    if url == "https://x/a?file=../b/":
        (nssm,) = [one for one in json.loads(windows(path)) if one["name"] == "nssm"]
        assert nssm["file"] == "a"
        return
    with pytest.raises(ParamsError, match="nssm"):
        windows(path)


@pytest.mark.parametrize("word", ["published", "first-use"])
def test_without_a_hash_a_download_comes_over_https_alone(tmp_path, word):
    lock = built_in("windows/artifacts-classic.yaml")
    path = tmp_path / "lock.yaml"
    lock["artifacts"]["nssm"] = {"url": "http://mirror.example/nssm.zip", "sha256": word}
    path.write_text(yaml.safe_dump(lock))
    with pytest.raises(ParamsError, match="use https or give the hash"):
        windows(path)
    lock["artifacts"]["nssm"]["sha256"] = "0" * 64
    path.write_text(yaml.safe_dump(lock))
    assert "mirror.example" in windows(path)


def test_a_download_that_stands_twice_in_a_lock_is_refused(tmp_path):
    path = tmp_path / "lock.yaml"
    path.write_text("artifacts:\n  a: {url: x}\n  a: {url: y}\n")
    with pytest.raises(ParamsError, match="`a` stands twice, in line 2 and in line 3"):
        windows(path)
