"""The Dashboard: which one goes with a Kubernetes version, what it may do, and where its token is kept."""

import base64
import json
import time

import pytest
import yaml

from k8swin_nb.description import check_description
from k8swin_nb.errors import ParamsError
from k8swin_nb.phases.pods import dashboard
from k8swin_nb.phases.pods import dashboard_manifest as manifest
from k8swin_nb.redact import redact
from k8swin_nb.workflow.step import State
from k8swin_nb.workflow.step_run import StepRun
from tests.runs import Hosts, at, make_run
from tests.test_description import described

UID = "7c1b4f6e-0000-4000-8000-000000000001"


def token(uid: str = UID, *, ends: float = 3600) -> str:
    said = {
        "exp": int(time.time() + ends),
        "kubernetes.io": {"serviceaccount": {"name": "k8swin-viewer", "uid": uid}},
    }
    body = base64.urlsafe_b64encode(json.dumps(said).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJSUzI1NiJ9.{body}.c2lnbmF0dXJl"


def version(**changes) -> str:
    return manifest.dashboard_version(check_description(described(dashboard=True, **changes)))


@pytest.fixture
def make(tmp_path):
    """Make what the steps are given on a control plane whose scripts answer what a cluster would."""

    def make(answers=None, **changes) -> StepRun:
        return at(make_run(tmp_path, Hosts(answers), dashboard=True, **changes))

    return make


@pytest.mark.parametrize(
    ("kubernetes", "wanted"),
    [("1.20.2", "2.3.1"), ("1.23.17", "2.5.1"), ("1.25.16", "2.7.0"), ("1.36.4", "2.7.0")],
)
def test_each_kubernetes_gets_the_dashboard_that_was_made_for_it(kubernetes, wanted):
    assert version(kubernetes_version=kubernetes) == wanted


def test_a_kubernetes_whose_tokens_do_not_end_is_refused():
    with pytest.raises(ParamsError, match="no tokens that expire"):
        version(kubernetes_version="1.19.16")


def test_a_release_that_needs_helm_is_refused():
    with pytest.raises(ParamsError, match="Helm"):
        version(dashboard_version="7.14.0")


def test_a_newer_kubernetes_than_the_dashboard_was_made_for_is_told(make):
    assert "up to 1.25" in dashboard.check_version(make()).detail
    assert "up to" not in dashboard.check_version(make(kubernetes_version="1.25.3")).detail


def test_it_runs_on_linux_and_its_token_may_only_look(make):
    found = list(yaml.safe_load_all(manifest.manifest(make())))
    (deployment,) = [d for d in found if d["kind"] == "Deployment"]
    assert deployment["spec"]["template"]["spec"]["nodeSelector"] == {"kubernetes.io/os": "linux"}
    bound = {
        d["roleRef"]["name"]: d["subjects"][0]["name"]
        for d in found
        if d["kind"] == "ClusterRoleBinding"
    }
    assert bound == {"view": "k8swin-viewer", "k8swin-viewer-nodes": "k8swin-viewer"}
    verbs = {v for d in found if d["kind"] == "ClusterRole" for r in d["rules"] for v in r["verbs"]}
    assert verbs == {"get", "list", "watch"}


def test_the_secrets_are_left_empty_for_the_dashboard_to_write(make):
    # What we own a field of, the next apply would take back.
    for document in yaml.safe_load_all(manifest.manifest(make())):
        if document["kind"] == "Secret":
            assert not {"data", "stringData"} & set(document)


def test_the_token_is_written_for_the_operator_alone_and_found_good(make, tmp_path):
    made = token()
    step = make(
        {
            "linux/dashboard_token.apply.sh": json.dumps({"token": made}),
            "linux/dashboard_account.check.sh": f"{UID}\n",
        }
    )
    assert dashboard.check_token(step).state is State.NEEDED
    dashboard.write_token(step)
    path = tmp_path / ".k8swin" / "dashboard-k8swin.token"
    assert path.read_text().strip() == made
    assert path.stat().st_mode & 0o777 == 0o600
    verdict = dashboard.check_token(step)
    assert verdict.state is State.OK
    assert made not in verdict.detail
    assert made not in redact(f"it was {made}")


@pytest.mark.parametrize(
    ("kept", "mode", "told"),
    [
        (token("another"), 0o600, "of another account"),
        (token(ends=60), 0o600, "ends"),
        (token(), 0o644, "others may read"),
        ("nonsense", 0o600, "of another account"),
    ],
)
def test_a_token_that_is_not_good_is_replaced(make, tmp_path, kept, mode, told):
    path = tmp_path / ".k8swin" / "dashboard-k8swin.token"
    path.parent.mkdir()
    path.write_text(kept)
    path.chmod(mode)
    verdict = dashboard.check_token(make({"linux/dashboard_account.check.sh": UID}))
    assert verdict.state is State.NEEDED
    assert told in verdict.detail


def test_how_to_open_it_names_the_tunnel_and_the_file_but_no_token(make):
    run = make().run
    assert dashboard.dashboard_rows(run) == [("state", "not deployed yet")]
    run.facts.keep(run.master, dashboard.ADDRESS, "10.96.7.7")
    told = dict(dashboard.dashboard_rows(run))
    assert "-L 8443:10.96.7.7:443" in told["1. open a way to it"]
    assert "dashboard-k8swin.token" in told["3. choose Token, and paste"]
