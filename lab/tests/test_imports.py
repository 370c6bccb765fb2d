"""What the contracts on imports cannot say: which of the cycles that they name are there for types alone."""

from __future__ import annotations

import pytest

NET = "k8swin_lab.powershell.dotnet"
RECURSION = [
    ("registry", "conversion"),
    ("registry", "text"),
    ("conversion", "members"),
    ("conversion", "exceptions"),
    ("psobject", "members"),
]


def test_at_run_time_the_recursion_of_net_is_the_only_cycle_of_imports():
    grimp = pytest.importorskip("grimp", reason="needs grimp, which import-linter brings")
    graph = grimp.build_graph("k8swin_lab", exclude_type_checking_imports=True, cache_dir=None)
    for importer, imported in RECURSION:
        graph.remove_import(importer=f"{NET}.{importer}", imported=f"{NET}.{imported}")
    packages = {name.rpartition(".")[0] for name in graph.modules} - {""}
    cycles = {package: graph.nominate_cycle_breakers(package) for package in packages}
    assert {package: found for package, found in cycles.items() if found} == {}
