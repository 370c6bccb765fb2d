"""`%nodes`, `%pods` and the like: kubectl's options, on the open cluster."""

from types import SimpleNamespace

import pytest
from IPython.core.interactiveshell import InteractiveShell

from k8swin_nb.cluster.asked import AsksTables
from k8swin_nb.errors import InventoryError
from k8swin_nb.notebook import context, kubectl_magic, table_magics
from k8swin_nb.notebook.completion import candidates
from k8swin_nb.notebook.magic_line import MagicUsageError
from k8swin_nb.notebook.table_magics import PARSERS, TableMagics
from tests.cluster.api_server import Server, listed, node, nodes, pod, pods


class Opened(AsksTables):
    """A cluster whose API server is a test's own."""

    def __init__(self, tables):
        self.tables = tables
        self.inventory = SimpleNamespace(hosts=[SimpleNamespace(name="w1")])

    def _cluster_tables(self, cancel=None):
        return self.tables

    def known_names(self, kind):
        return self.tables.names(kind)


@pytest.fixture
def server(tmp_path, monkeypatch):
    made = Server(tmp_path)
    made.serves(
        nodes=nodes(node("w1"), node("win1", os="windows", kernel="10.0.20348.1")),
        pods=pods(pod("web-1"), pod("web-2", node="win1"), pod("db", restarts=2)),
        services=listed("Service"), events=listed("Event"), namespaces=listed("Namespace", {"metadata": {"name": "plant"}}),
        deployments=listed("Deployment"), statefulsets=listed("StatefulSet"),
        daemonsets=listed("DaemonSet"), jobs=listed("Job"),
    )  # fmt: skip
    opened = context.Context(Opened(made.tables()))
    monkeypatch.setattr(context, "_current", opened)
    yield made
    made.close()


@pytest.fixture
def shell(server):
    made = InteractiveShell.instance()
    made.register_magics(TableMagics)
    yield made
    made.reset(new_session=False)
    InteractiveShell.clear_instance()


def asked(server, word):
    return [r.path for r in server.requests if word in r.path.partition("?")[0]]


def test_options_are_kubectls_and_choose_on_the_server(shell, server):
    table = shell.run_line_magic("pods", "")
    assert len(table) == 3 and list(table.columns)[:3] == ["NAMESPACE", "NAME", "READY"]
    shell.run_line_magic(
        "pods", "-n plant -l app=web --field-selector status.phase!=Running --node win1"
    )
    shell.run_line_magic("pods", "-A")
    first, second, third = asked(server, "/pods")
    assert first.startswith("/api/v1/namespaces/default/pods")
    assert second.startswith("/api/v1/namespaces/plant/pods?labelSelector=app%3Dweb&fieldSelector=")
    assert third == "/api/v1/pods"


def test_names_systems_and_columns_are_chosen(shell):
    assert shell.run_line_magic("pods", "-A web-*")["NAME"].tolist() == ["web-1", "web-2"]
    assert shell.run_line_magic("pods", "db --wide")["RESTARTS"].tolist() == [2]
    assert shell.run_line_magic("nodes", "--os windows")["NAME"].tolist() == ["win1"]
    assert "IP" in shell.run_line_magic("pods", "-w") and "IP" not in shell.run_line_magic(
        "pods", ""
    )
    assert "IP" in shell.run_line_magic("pods", "-o wide") and "wide" not in shell.user_ns
    with pytest.raises(MagicUsageError, match="%kubectl get pods -o json"):
        shell.run_line_magic("pods", "-o json")
    with pytest.raises(MagicUsageError, match=r"did you mean `web-[12]`"):
        shell.run_line_magic("pods", "web-9")
    with pytest.raises(MagicUsageError, match=r"there are: 0, .* and 80 more$"):
        PARSERS["pods"].nearest("x", map(str, range(100)), "pod")
    with pytest.raises(MagicUsageError, match="did you mean `--namespace`"):
        shell.run_line_magic("pods", "--namespaces x")
    with pytest.raises(MagicUsageError, match="not allowed with"):
        shell.run_line_magic("pods", "-A -n x")


def test_every_example_of_the_help_runs(shell):
    for name, parser in PARSERS.items():
        function = shell.find_line_magic(name)
        examples = [line.strip() for line in function.__doc__.splitlines() if f"%{name}" in line]
        examples = [line for line in examples if not line.startswith("usage")]
        assert examples and "--wide" in function.__doc__
        for line in examples:
            ran = shell.run_cell(line)
            assert ran.success, line
        assert parser.options()


def test_a_table_goes_into_a_variable_or_is_shown_also_where_python_drops_it(shell, monkeypatch):
    shown = []
    monkeypatch.setattr(table_magics, "display", shown.append)
    shell.run_cell("for space in ('default', 'plant'):\n    %pods -n {space}")
    assert len(shown) == 2
    shell.run_cell("%pods -o kept\nmine = %nodes")
    assert len(shown) == 2 and len(shell.user_ns["kept"]) == 3 and len(shell.user_ns["mine"]) == 2
    shell.run_cell("%nodes\n%pods")
    assert len(shown) == 3  # the last one is shown by IPython


def test_tab_completes_what_is_known_and_asks_for_it_meanwhile(shell, server):
    def found(line):
        return candidates(line, len(line), 0, PARSERS)[0]

    assert found("%pods --na") == ["--namespace"]
    shell.run_line_magic("pods", "-A")
    assert found("%pods -n d") == ["default"]
    assert found("%pods --node wi") == ["win1"]
    tables = context.current().cluster.tables
    with tables._asking:
        assert asked(server, "/namespaces")
    line = "%kubectl get pods -n p"
    assert candidates(line, len(line), 0, kubectl_magic.PARSERS)[0] == ["plant"]
    assert found("%pods -n p") == ["plant"] and found("%nodes wi") == ["win1"]


def test_without_a_cluster_that_is_told_with_what_to_do(shell, monkeypatch):
    monkeypatch.setattr(context.Context, "described", property(lambda self: False))
    with pytest.raises(InventoryError, match="no cluster is open") as caught:
        shell.run_line_magic("nodes", "")
    assert "%k8swin open" in caught.value.hint
