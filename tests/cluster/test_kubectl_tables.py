"""Tables of a cluster: kubectl's columns, the state in words and colour."""

import pandas as pd
import pytest

from k8swin_nb.cluster.api import ApiTable
from k8swin_nb.cluster.kubectl_tables import KubeTable, nodes, pods, state_of


class Api:
    """Answers with a prepared table and remembers what was asked."""

    def __init__(self, *rows, columns=("NAME", "STATUS"), namespaces=(), left_out=0):
        self.answer = ApiTable(columns, rows, namespaces or ("",) * len(rows), left_out)
        self.asked = []

    def table(self, path, *, wide=True, cancel=None):
        self.asked.append(path)
        return self.answer


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("Ready", "ok"),
        ("NotReady", "failed"),
        ("Ready,SchedulingDisabled", "waiting"),
        ("Running", "ok"),
        ("Completed", "ok"),
        ("Pending", "waiting"),
        ("ContainerCreating", "waiting"),
        ("Init:0/2", "waiting"),
        ("CrashLoopBackOff", "failed"),
        ("ErrImagePull", "failed"),
        ("Unknown", "failed"),
    ],
)
def test_every_status_has_a_state(status, state):
    assert state_of(status) == state


def test_nodes_are_a_dataframe_with_kubectls_columns():
    table = nodes(Api(("a", "Ready"), ("b", "NotReady")))
    assert isinstance(table, pd.DataFrame)
    assert list(table.columns) == ["NAME", "STATUS"]
    assert list(table[table.STATUS == "Ready"].NAME) == ["a"]


def test_the_state_is_shown_by_a_glyph_beside_the_word():
    text = nodes(Api(("a", "Ready"), ("b", "NotReady")))._repr_html_()
    assert "✓ Ready" in text
    assert "✗ NotReady" in text


def test_what_a_cluster_says_is_escaped():
    assert "<script>" not in nodes(Api(("<script>", "Ready")))._repr_html_()


def test_a_part_of_a_table_is_shown_like_the_whole():
    part = nodes(Api(("a", "Ready"), ("b", "NotReady"))).head(1)
    assert isinstance(part, KubeTable)
    assert "✓ Ready" in part._repr_html_()


def test_pods_of_all_namespaces_begin_with_the_namespace():
    api = Api(("p", "Running"), namespaces=("kube-system",))
    assert list(pods(api).columns) == ["NAMESPACE", "NAME", "STATUS"]
    assert list(pods(api, "kube-system").columns) == ["NAME", "STATUS"]
    assert api.asked == ["/api/v1/pods", "/api/v1/namespaces/kube-system/pods"]


def test_the_caption_says_when_not_all_were_read():
    one = ("p", "Running")
    assert pods(Api(one)).caption == "1 pod in all namespaces"
    assert pods(Api(one, one, left_out=7)).caption == "the first 2 of 9 pods in all namespaces"
    assert nodes(Api(one, left_out=None)).caption == "the first 1 of more nodes"


def test_a_namespace_is_a_name_in_the_path_and_nothing_else():
    api = Api()
    pods(api, "../secrets?x=")
    assert api.asked == ["/api/v1/namespaces/..%2Fsecrets%3Fx%3D/pods"]
