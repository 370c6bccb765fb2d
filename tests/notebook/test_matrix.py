"""The connectivity matrix as a table, a list and a picture."""

import xml.etree.ElementTree as ET

import pytest

from k8swin_nb.phases.verify.matrix import MatrixPicture, connections_table, matrix_table
from k8swin_nb.tables.picture import fitting

SVG = "{http://www.w3.org/2000/svg}"


def record(start, end, state, **more):
    return {
        "from": start,
        "to": end,
        "state": state,
        "evidence": "",
        "command": "",
        "reason": "",
        **more,
    }


RECORDS = [
    record("linuxmaster", "ClusterIP", "pass", evidence="win-a", command="curl http://10.96.5.5"),
    record("linuxmaster", "NodePort of winworker01", "fail", evidence="3 of 3 failed: <timeout>"),
    record("winworker01", "ClusterIP", "known limitation", reason="no way to Services"),
    record("winworker01", "NodePort of winworker01", "skipped", reason="no pod"),
]


def test_the_table_is_a_dataframe_by_where_from_and_where_to():
    table = matrix_table(RECORDS)
    assert table.loc["linuxmaster", "ClusterIP"] == "pass"
    assert list(table.columns) == ["ClusterIP", "NodePort of winworker01"]
    assert table.caption == "4 connections: 1 pass, 1 fail, 1 known limitation, 1 skipped"
    assert "✗ fail" in table._repr_html_()


def test_the_list_shows_every_command_in_full():
    shown = connections_table(RECORDS)._repr_html_()
    assert "<code>curl http://10.96.5.5</code>" in shown
    assert "3 of 3 failed: &lt;timeout&gt;" in shown


def test_the_list_ends_with_what_was_skipped_and_has_the_reason_before_the_command():
    table = connections_table(RECORDS)
    assert table["state"].iloc[-1] == "skipped"
    assert table["state"].iloc[0] == RECORDS[0]["state"]
    assert list(table.columns)[-2:] == ["reason", "command"]


def test_the_picture_is_well_formed_and_has_a_cell_with_a_tip_for_every_connection():
    svg = ET.fromstring(MatrixPicture(RECORDS)._repr_svg_())
    tips = [title.text for title in svg.iter(f"{SVG}title")][1:]  # the first is of the whole
    assert len(tips) == 4
    assert any("linuxmaster to ClusterIP: pass" in tip and "curl" in tip for tip in tips)
    words = [text.text for text in svg.iter(f"{SVG}text")]
    assert "1 known limitation" in words


def test_the_picture_is_shown_where_svg_is_not_trusted_and_told_in_words():
    picture = MatrixPicture(RECORDS)
    assert picture._repr_html_().startswith("<img alt=")
    assert "fail: linuxmaster to NodePort of winworker01" in repr(picture)


def test_before_anything_was_tried_there_is_an_empty_table_and_picture():
    assert matrix_table([]).empty
    assert "none was tried yet" in repr(MatrixPicture([]))
    ET.fromstring(MatrixPicture([])._repr_svg_())


@pytest.mark.parametrize("letter", ["i", "m", "W", "<", "名"])
def test_a_name_of_any_letters_is_cut_to_its_place(letter):
    # DejaVu Sans, which is the widest of the usual fonts, has these widths at 13 pixels.
    pixels = {"i": 3.6, "m": 12.7, "W": 12.9, "<": 10.9, "名": 13, "…": 13}
    short = fitting(letter * 200, 190)
    assert 90 < sum(pixels[one] for one in short) <= 190


def many(nodes: int, failing: set[tuple[int, int]]) -> list[dict[str, str]]:
    return [
        record(
            f"windows pod on node{a}",
            f"NodePort of node{b}",
            "fail" if (a, b) in failing else "pass",
            from_kind="windows pods",
            to_kind="NodePorts",
            command="c" * 200,
        )
        for a in range(nodes)
        for b in range(nodes)
    ]


def test_a_picture_of_very_many_connections_can_be_read_and_gives_each_failure_its_place():
    picture = MatrixPicture(many(120, {(7, 9), (80, 3)}))
    svg = ET.fromstring(picture._repr_svg_())
    assert int(svg.get("width")) < 1200
    words = [text.text for text in svg.iter(f"{SVG}text")]
    assert {"118 windows pods", "windows pod on node7", "windows pod on node80"} <= set(words)
    assert {"118 NodePorts", "NodePort of node9", "NodePort of node3"} <= set(words)
    assert words.count("✗") == 3  # in the legend, too
    assert "✓13924" in words
    assert len(picture._repr_svg_()) < 200_000


def test_the_words_of_very_many_connections_begin_with_what_fails_and_say_what_they_leave_out():
    text = repr(MatrixPicture(many(120, {(119, 119)})))
    assert "fail: windows pod on node119 to NodePort of node119" in text
    assert "14200 more of them are in the list alone" in text


def test_more_failures_than_there_are_rows_are_counted_where_they_are_folded():
    picture = MatrixPicture(many(60, {(a, 5) for a in range(60)}))
    svg = ET.fromstring(picture._repr_svg_())
    words = [text.text for text in svg.iter(f"{SVG}text")]
    alone = [word for word in words if word and word.startswith("windows pod on")]
    assert len(alone) == 23
    assert f"✗{60 - len(alone)}" in words


def test_places_that_nobody_gave_a_kind_are_others():
    records = [record(f"a{n}", f"b{n}", "pass") for n in range(100)]
    words = [t.text for t in ET.fromstring(MatrixPicture(records)._repr_svg_()).iter(f"{SVG}text")]
    assert words.count("100 others") == 2
