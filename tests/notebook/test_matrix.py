"""The connectivity matrix as a table, a list and a picture."""

import xml.etree.ElementTree as ET

from k8swin_nb.phases.verify.matrix import MatrixPicture, connections_table, matrix_table

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
    tips = [title.text for title in svg.iter(f"{SVG}title")]
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


def test_a_picture_of_very_many_connections_stays_small_and_says_what_it_leaves_out():
    record = {"state": "pass", "evidence": "e" * 200, "reason": "", "command": "c" * 200}
    records = [
        {**record, "from": f"node{a}", "to": f"node{b}"} for a in range(120) for b in range(120)
    ]
    picture = MatrixPicture(records)
    assert len(picture._repr_svg_()) < 2_000_000
    assert "12800 of them are in the list alone" in repr(picture)
