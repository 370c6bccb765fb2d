from __future__ import annotations

import json

import pytest
from k8swin_lab.machines.linux import LinuxMachine
from k8swin_lab.machines.program import NotSimulated

from lab.tests.linux.conftest import Result, run_on

APP = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      hostNetwork: true
      tolerations: [{operator: Exists}]
      containers:
      - name: web
        image: registry.k8s.io/e2e-test-images/agnhost:2.63.0
        args: [netexec, --http-port=80]
"""


@pytest.fixture
def kubectl(cluster: LinuxMachine):
    def kubectl(line: str, stdin: str = "") -> Result:
        return run_on(
            cluster, f"kubectl {line}", stdin=stdin, KUBECONFIG="/etc/kubernetes/admin.conf"
        )

    return kubectl


def test_without_a_kubeconfig_there_is_nobody_to_ask(cluster: LinuxMachine):
    found = run_on(cluster, "kubectl get nodes")
    text = "The connection to the server localhost:8080 was refused - did you specify the right host or port?\n"
    assert (found.code, found.err) == (1, text)


def test_a_kubeconfig_that_is_named_must_be_there(cluster: LinuxMachine):
    found = run_on(cluster, "kubectl --kubeconfig /nosuch get nodes")
    assert found.err == "error: stat /nosuch: no such file or directory\n"


def test_an_unknown_authority_is_not_trusted(cluster: LinuxMachine):
    assert run_on(cluster, "curl -sS https://192.168.160.10:6443/livez").code == 60
    trusted = "curl -sS --cacert /etc/kubernetes/pki/ca.crt https://192.168.160.10:6443/livez"
    assert run_on(cluster, trusted).out == "ok"


def test_nodes_are_shown_in_every_form(kubectl):
    head, row = kubectl("get nodes").out.splitlines()
    assert head.split() == ["NAME", "STATUS", "ROLES", "AGE", "VERSION"]
    assert row.split()[0] == "linuxmaster"
    assert kubectl("get nodes -o name").out == "node/linuxmaster\n"
    assert json.loads(kubectl("get node linuxmaster -o json").out)["kind"] == "Node"
    assert kubectl("get nodes -o custom-columns=N:.metadata.name,X:.nosuch").out == (
        "N             X\nlinuxmaster   <none>\n"
    )
    assert len(kubectl("get nodes --no-headers").out.splitlines()) == 1


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("get node nosuch", 'Error from server (NotFound): nodes "nosuch" not found\n'),
        ("get foo", 'error: the server doesn\'t have a resource type "foo"\n'),
        (
            "get --raw /nosuch",
            "Error from server (NotFound): the server could not find the requested resource\n",
        ),
        ("foo", 'error: unknown command "foo" for "kubectl"\n'),
        (
            "create ns default",
            'Error from server (AlreadyExists): namespaces "default" already exists\n',
        ),
        ("wait --for=condition=Ready pod -l app=nosuch", "error: no matching resources found\n"),
        ("label node linuxmaster", "error: at least one label update is required\n"),
        (
            "create token default --duration=60s",
            'error: failed to create token: TokenRequest.authentication.k8s.io "" is invalid: '
            "spec.expirationSeconds: Invalid value: 60: may not specify a duration less than 10 minutes\n",
        ),
    ],
)
def test_errors_have_kubectls_words(kubectl, line, text):
    found = kubectl(line)
    assert (found.code, found.err) == (1, text)


def test_an_empty_list_says_where_it_looked(kubectl):
    assert kubectl("get pods -n nosuch").err == "No resources found in nosuch namespace.\n"


def test_a_raw_request_returns_what_the_server_sent(kubectl):
    assert kubectl("get --raw /readyz").out == "ok"


def test_a_manifest_is_applied_changed_compared_and_deleted(kubectl):
    assert kubectl("diff -f -", APP).code == 1
    assert kubectl("apply -f -", APP).out == "deployment.apps/web created\n"
    assert kubectl("apply -f -", APP).out == "deployment.apps/web unchanged\n"
    assert kubectl("diff -f -", APP).out == ""
    changed = APP.replace("replicas: 2", "replicas: 1")
    assert "-  replicas: 2\n+  replicas: 1\n" in kubectl("diff -f -", changed).out
    assert kubectl("apply -f -", changed).out == "deployment.apps/web configured\n"
    assert kubectl("rollout status deploy/web --timeout=100s").out.endswith(
        "successfully rolled out\n"
    )
    assert kubectl("exec deploy/web -- hostname").out == "linuxmaster\n"
    assert "Started HTTP server" in kubectl("logs deploy/web").out
    assert kubectl("scale deploy web --replicas=0").out == "deployment.apps/web scaled\n"
    assert (
        kubectl("delete -f -", APP).out == 'deployment.apps "web" deleted from default namespace\n'
    )


def test_an_image_is_set_by_its_container(kubectl):
    kubectl("apply -f -", APP)
    where = "get deploy web -o jsonpath={.spec.template.spec.containers[0]."
    name = kubectl(where + "name}").out
    assert (
        kubectl(f"set image deploy/web {name}=nginx:9").out == "deployment.apps/web image updated\n"
    )
    assert kubectl(where + "image}").out == "nginx:9"
    # One that is so already is no change, and nothing is said.
    assert kubectl(f"set image deployment web {name}=nginx:9").out == ""
    wrong = kubectl("set image deploy/web nobody=x")
    assert wrong.code == 1 and wrong.err == 'error: unable to find container named "nobody"\n'
    assert kubectl("set image deploy/web").code == 1
    assert kubectl("set image deploy/nosuch a=b").code == 1


def test_server_side_apply_leaves_no_difference(kubectl):
    line = "--server-side --force-conflicts -f -"
    config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c1}\ndata: {a: b}\n"
    assert kubectl(f"diff {line}", config).code == 1
    assert kubectl(f"apply {line}", config).out == "configmap/c1 serverside-applied\n"
    assert kubectl(f"diff {line}", config).code == 0
    assert kubectl("get cm c1 -o 'jsonpath={.data.a}'").out == "b"
    kubectl("delete cm c1")


def test_labels_and_taints_are_set_once(kubectl):
    assert kubectl("label node linuxmaster a=b").out == "node/linuxmaster labeled\n"
    assert kubectl("label node linuxmaster a=b").out == "node/linuxmaster not labeled\n"
    refused = kubectl("label node linuxmaster a=c")
    assert refused.err == "error: 'a' already has a value (b), and --overwrite is false\n"
    assert kubectl("label node linuxmaster a-").out == "node/linuxmaster unlabeled\n"
    assert kubectl("taint nodes linuxmaster k=v:NoSchedule").out == "node/linuxmaster tainted\n"
    assert kubectl("taint nodes linuxmaster k-").out == "node/linuxmaster untainted\n"
    assert kubectl("taint nodes linuxmaster k-").err == 'error: taint "k" not found\n'
    assert kubectl("cordon linuxmaster").out == "node/linuxmaster cordoned\n"
    assert kubectl("cordon linuxmaster").out == "node/linuxmaster already cordoned\n"
    kubectl("uncordon linuxmaster")


def test_a_token_is_a_jwt_with_an_end(kubectl):
    import base64

    token = kubectl("create token default --duration=1h").out.strip()
    body = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    assert claims["exp"] - claims["iat"] == 3600


def test_what_is_not_simulated_is_said(kubectl):
    with pytest.raises(NotSimulated, match="kubectl set env"):
        kubectl("set env deploy/web A=b")
    with pytest.raises(NotSimulated, match="kubectl top"):
        kubectl("top nodes")
    with pytest.raises(NotSimulated, match="go-template"):
        kubectl("get nodes -o go-template={{.kind}}")
