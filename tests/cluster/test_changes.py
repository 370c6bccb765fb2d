"""What became of a table's rows between two looks."""

import pandas as pd
import pytest

from tests.cluster.api_server import node, nodes, pod, pods


def looks(server, *times):
    """Return the tables of pods at several times."""
    found = []
    for items in times:
        server.serves(nodes=nodes(node("w1"), node("w2")), pods=pods(*items))
        found.append(server.tables().table("pods"))
    return found


def rows(changes):
    return [
        tuple(None if pd.isna(v) else v for v in row) for row in changes.itertuples(index=False)
    ]


def test_rows_are_new_gone_or_changed_from_what_to_what_and_ages_are_no_change(server):
    before, after = looks(
        server,
        [pod("same"), pod("moved"), pod("old", "x")],
        [pod("same"), pod("moved", node="w2", restarts=2, metadata={"creationTimestamp": "2026-11-02T00:00:00Z"}),
         pod("new", ready=False, status={"phase": "Pending", "containerStatuses": []})],
    )  # fmt: skip
    after["AGE"] = after["AGE"] + pd.Timedelta("1h")
    changes = after.diff(before)
    assert list(changes.columns) == ["CHANGE", "NAMESPACE", "NAME", "COLUMN", "OLD", "NEW"]
    assert rows(changes) == [
        ("new", "default", "new", None, None, "Pending"),
        ("gone", "x", "old", None, "Running", None),
        ("changed", "default", "moved", "RESTARTS", "0", "2"),
        ("changed", "default", "moved", "NODE", "w1", "w2"),
        ("changed", "default", "moved", "CREATED", "2026-11-01 00:00:00", "2026-11-02 00:00:00"),
    ]
    assert changes.caption.startswith("1 new, 1 gone, 1 changed; pods of https://127.0.0.1:")
    assert "● changed" in changes._repr_html_() and repr(changes)


def test_nothing_that_changed_is_an_empty_table_of_the_same_columns(server):
    before, after = looks(server, [pod("a")], [pod("a")])
    changes = after.diff(before)
    assert len(changes) == 0 and changes.caption.startswith("nothing changed")
    assert {str(dtype) for dtype in changes.dtypes} == {"string"}


def test_rows_that_one_name_tells_apart_are_compared_with_none_some_and_others(server):
    def nodes_of(*names):
        server.serves(nodes=nodes(*map(node, names)))
        return server.tables().table("nodes")

    none, some, others = nodes_of(), nodes_of("w1", "w2"), nodes_of("w2", "w3")
    new = [("new", "w1", None, None, "Ready"), ("new", "w2", None, None, "Ready")]
    assert rows(some.diff(none)) == new
    assert rows(none.diff(some)) == [("gone", *row[1:3], row[4], None) for row in new]
    assert rows(others.diff(some)) == [
        ("new", "w3", None, None, "Ready"), ("gone", "w1", None, "Ready", None),
    ]  # fmt: skip
    server.serves(nodes=nodes(node("w1", "False"), node("w2")))
    lost = server.tables().table("nodes").diff(some)
    assert rows(lost)[0] == ("changed", "w1", "STATUS", "Ready", "NotReady")
    assert "● changed" in lost._repr_html_() and "1 changed" in lost.caption
    assert len(none.diff(none)) == len(some.diff(some)) == 0


def test_what_appears_or_goes_away_in_a_cell_is_a_change(server):
    before, after = looks(server, [pod("a", status={"podIP": None})], [pod("a")])
    assert rows(after.diff(before)) == [("changed", "default", "a", "IP", None, "10.244.1.7")]
    assert rows(before.diff(after)) == [("changed", "default", "a", "IP", "10.244.1.7", None)]


def test_tables_that_cannot_be_compared_are_refused_and_numbers_stay_pandas_own(server):
    before, after = looks(server, [pod("a")], [pod("a", restarts=3)])
    with pytest.raises(ValueError, match="nodes is compared with one of pods"):
        after.diff(server.tables().table("nodes"))
    with pytest.raises(ValueError, match="NAME"):
        after.diff(before[["STATUS"]])
    assert after[["RESTARTS"]].diff(1)["RESTARTS"].isna().all()
    assert len(after.diff(pd.DataFrame(before))) == 1
    assert len(pd.concat([after, after]).diff(before)) == 1
