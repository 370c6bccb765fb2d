"""Who works, from where, and with which version: read from real checkouts, wheels and logins."""

import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from k8swin_nb.workflow import origin
from k8swin_nb.workflow.record import Record

ROOT = Path(__file__).resolve().parents[2]
ASK = "import json; from k8swin_nb.workflow.origin import toolkit; print(json.dumps(toolkit()))"


def git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@b.example", "-c", "init.defaultBranch=main")
    done = subprocess.run(
        ["git", *who, *words], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def toolkit(package: Path, python: str = sys.executable, **environment: str) -> dict[str, object]:
    """Return what the toolkit in a folder says of itself."""
    done = subprocess.run(
        [python, "-c", ASK],
        env={**os.environ, "PYTHONPATH": str(package), **environment},
        cwd=package.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, object] = json.loads(done.stdout)
    return found


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout of the toolkit, with one commit."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    shutil.copy(ROOT / "pyproject.toml", folder)
    copy = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "k8swin_nb", folder / "k8swin_nb", ignore=copy)
    (folder / ".gitignore").write_text("__pycache__/\n")
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "All of it")
    return folder


def test_a_checkout_says_its_commit_and_whether_it_was_changed(checkout: Path) -> None:
    commit = git(checkout, "rev-parse", "HEAD")
    told = toolkit(checkout)
    assert (told["commit"], told["changed"]) == (commit, False)
    elsewhere = checkout.parent / "elsewhere"
    elsewhere.mkdir()
    git(elsewhere, "init", "-q")
    git(elsewhere, "commit", "-q", "--allow-empty", "-m", "Another one")
    # As in a hook: git itself would be led to the other repository.
    led = toolkit(checkout, GIT_DIR=str(elsewhere / ".git"), GIT_WORK_TREE=str(elsewhere))
    assert (led["commit"], led["changed"]) == (commit, False)
    (checkout / "k8swin_nb" / "added.py").write_text("")
    assert toolkit(checkout)["changed"] is True
    tree = checkout.parent / "tree"
    git(checkout, "worktree", "add", "-q", str(tree))
    assert (toolkit(tree)["commit"], toolkit(tree)["changed"]) == (commit, False)


def test_the_commit_of_a_repository_in_which_the_toolkit_lies_is_never_taken(
    checkout: Path,
) -> None:
    site = checkout.parent / "site"
    packages = site / "packages"
    shutil.copytree(checkout / "k8swin_nb", packages / "k8swin_nb")
    shutil.copytree(checkout / "k8swin_nb", site / "k8swin_nb")
    (site / "pyproject.toml").write_text('[project]\nname = "site-of-ours"\n')
    git(site, "init", "-q")
    git(site, "add", ".")
    git(site, "commit", "-qm", "The site's own")
    for folder in (packages, site):
        assert (toolkit(folder)["commit"], toolkit(folder)["changed"]) == ("", None)


@pytest.mark.parametrize("damage", ["no git", "no commit", "broken", "no project"])
def test_nothing_that_is_wrong_with_a_checkout_is_an_error(checkout: Path, damage: str) -> None:
    environment = {}
    if damage == "no git":
        environment["PATH"] = str(checkout)
    elif damage == "no commit":
        shutil.rmtree(checkout / ".git")
        git(checkout, "init", "-q")
    elif damage == "broken":
        (checkout / ".git" / "HEAD").write_bytes(b"\xff\0")
    else:
        (checkout / "pyproject.toml").write_text("[[[")
    told = toolkit(checkout, **environment)
    assert told["commit"] == "" and told["version"]


def test_an_installed_wheel_says_the_commit_it_was_built_from_and_whether_it_was_edited(
    checkout: Path,
) -> None:
    commit = git(checkout, "rev-parse", "HEAD")
    place = checkout.parent / "venv"
    # Beside the libraries of this one, which are not what is tried.
    venv.create(place, with_pip=False, system_site_packages=False)
    python = str(place / "bin" / "python")
    packages = next((place / "lib").glob("python*")) / "site-packages"
    libraries = next(path for path in map(Path, sys.path) if (path / "yaml").is_dir())
    (packages / "libraries.pth").write_text(f"{libraries}\n")
    for name in ("README.md", "LICENSE", "notebooks", "params"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, checkout / name)
        elif source.exists():
            shutil.copy(source, checkout)
    build = [sys.executable, "-m", "build", "--wheel"]
    built = subprocess.run(build, cwd=checkout, capture_output=True, text=True)
    assert built.returncode == 0, built.stdout[-2000:] + built.stderr
    (wheel,) = (checkout / "dist").glob("*.whl")
    pip = [sys.executable, "-m", "pip", "--python", python, "-q", "install", "--no-deps"]
    done = subprocess.run(
        [*pip, "--no-index", str(wheel)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": ""},
    )
    assert done.returncode == 0, done.stderr
    empty = checkout.parent / "empty"
    empty.mkdir()
    told = toolkit(empty, python)
    assert (told["commit"], told["changed"]) == ("", False)
    (info,) = packages.glob("k8swin_nb-*.dist-info")
    # As pip writes it for a wheel that it built of `git+https://...`.
    source = {"vcs": "git", "commit_id": commit, "requested_revision": "main"}
    (info / "direct_url.json").write_text(
        json.dumps({"url": "https://git.example/k8swin_nb", "vcs_info": source})
    )
    assert toolkit(empty, python)["commit"] == commit
    with (packages / "k8swin_nb" / "scripts" / "linux" / "swap.apply.sh").open("a") as script:
        script.write("# edited\n")
    told = toolkit(empty, python)
    assert (told["commit"], told["changed"]) == (commit, True)


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({"K8SWIN_OPERATOR": "Kim", "SUDO_USER": "alex"}, ("Kim", "K8SWIN_OPERATOR")),
        ({"LOGNAME": "kim"}, ("kim", "login name")),
        ({"LOGNAME": "root", "SUDO_USER": "kim"}, ("root", "login name; sudo says kim")),
        ({"LOGNAME": "jo", "JUPYTERHUB_USER": "kim"}, ("jo", "login name; JupyterHub says kim")),
    ],
)
def test_an_operator_is_told_with_how_he_is_known(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], told: tuple[str, str]
) -> None:
    for name in ("K8SWIN_OPERATOR", "SUDO_USER", "JUPYTERHUB_USER"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert origin.operator() == told


@pytest.mark.skipif(sys.platform == "win32", reason="needs numbers of users")
def test_a_user_without_a_name_is_known_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("K8SWIN_OPERATOR", "LOGNAME", "USER", "LNAME", "USERNAME", "SUDO_USER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 4_000_123)
    assert origin.operator() == ("uid 4000123", "uid")


@pytest.mark.parametrize(
    ("said", "address"),
    [
        ("192.0.2.7 50122 192.0.2.1 22", "192.0.2.7"),
        ("fe80::1%eth0 50122 fe80::2%eth0 22", "fe80::1%eth0"),
        ("", ""),
        ("\x1b]0;x\x07 1 2 3", ""),
    ],
)
def test_where_a_login_came_from_is_an_address_or_nothing(
    monkeypatch: pytest.MonkeyPatch, said: str, address: str
) -> None:
    monkeypatch.delenv("SSH_CLIENT", raising=False)
    monkeypatch.setenv("SSH_CONNECTION", said)
    assert origin.came_from() == address


def test_the_first_event_says_who_why_from_where_and_with_what(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("K8SWIN_OPERATOR", "Kim")
    monkeypatch.setenv("SSH_CONNECTION", "192.0.2.7 50122 192.0.2.1 22")
    event = Record(tmp_path, "run", "02_master", reason="CHG-4711").opened()
    assert (event["operator"], event["operator_by"]) == ("Kim", "K8SWIN_OPERATOR")
    assert (event["reason"], event["from"]) == ("CHG-4711", "192.0.2.7")
    assert set(event["toolkit"]) == {"version", "commit", "changed"}
    assert event["controller"] and event["system"] and event["python"]
