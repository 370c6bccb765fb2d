"""The one writer of tables and its palette: what is escaped, what heads what, and what can be read on which ground."""

import re
import xml.etree.ElementTree as ET

import pytest

from k8swin_nb.tables import Column, Mark, StaticTable, table_html
from k8swin_nb.tables.code import SHARE, highlighted
from k8swin_nb.tables.frames import ShownFrame
from k8swin_nb.tables.palette import BARS, LOOKS, style
from k8swin_nb.tables.picture import Picture

AA = 4.5
"""Contrast that WCAG asks of text."""


def parsed(table: str) -> ET.Element:
    return ET.fromstring(table.replace("<br>", "<br/>"))


def test_text_and_html_hold_the_same_cells():
    table = StaticTable("Two", ("what", "value"), [("a", "1"), ("long name", "2")])
    assert repr(table) == "Two\nwhat       value\na          1\nlong name  2"
    cells = [cell.text for cell in parsed(table._repr_html_()).iter("td")]
    assert cells == ["a", "1", "long name", "2"]
    assert [cell.text for cell in parsed(table._repr_html_()).iter("th")] == ["what", "value"]


def test_a_table_without_headings_has_no_row_for_them():
    table = StaticTable(
        "Run", (Column("", "name"), Column("")), [("run", "r1"), ("notebook", "01")]
    )
    assert repr(table) == "Run\nrun       r1\nnotebook  01"
    shown = parsed(table._repr_html_())
    assert shown.find("thead") is None
    assert [cell.get("scope") for cell in shown.iter("th")] == ["row", "row"]


def test_a_table_without_rows_is_its_caption_and_headings():
    assert repr(StaticTable("None", ("what", "value"), [])) == "None\nwhat  value"
    assert repr(StaticTable("None", ("",), [])) == "None"


@pytest.mark.parametrize("place", ["caption", "heading", "cell", "mark", "name", "code"])
def test_markup_is_escaped_wherever_it_comes_from(place):
    evil = '<script>x</script>&"'
    texts = dict.fromkeys(("caption", "heading", "cell", "mark", "name", "code"), "x") | {
        place: evil
    }
    columns = (Column(texts["heading"], "name"), Column("b", "code"), Column("c"), Column("d"))
    row = (texts["name"], texts["code"], texts["cell"], Mark(texts["mark"], "ok"))
    shown = table_html(texts["caption"], columns, [row])
    assert "<script>" not in shown
    assert evil in "".join(parsed(shown).itertext())


def test_an_empty_line_in_a_cell_does_not_end_the_table_where_it_stands_in_markdown():
    shown = table_html("t", ("a",), [("first\n\n[x](javascript:y)\r\nlast",)])
    assert "\n" not in shown
    assert "first<br><br>[x](javascript:y)<br>last" in shown


def test_every_heading_says_what_it_heads_and_numbers_stand_to_the_right():
    shown = parsed(table_html("t", (Column("step", "name"), Column("s", "number")), [("a", 1.5)]))
    scopes = [(cell.text, cell.get("scope")) for cell in shown.iter("th")]
    assert scopes == [("step", "col"), ("s", "col"), ("a", "row")]
    assert "text-align:right" in shown.find(".//td").get("style")


def test_a_row_that_does_not_fit_its_columns_is_refused():
    with pytest.raises(ValueError, match="zip"):
        table_html("t", ("a", "b"), [("only one",)])


def test_a_mark_is_a_glyph_a_word_and_then_a_colour():
    shown = table_html("t", ("state",), [(Mark("Ready", "ok"),)])
    assert "<b>✓ Ready</b>" in shown
    assert f'style="text-align:left;{style("ok")};white-space:nowrap"' in shown
    assert str(Mark("later step", "neutral", sign="→")) == "→ later step"
    assert "color" not in table_html("t", ("state",), [(Mark("later step", "neutral"),)])


def test_nothing_in_a_table_runs_or_is_fetched():
    shown = table_html("t", ("a",), [(Mark(state, state),) for state in LOOKS])
    assert not re.search(r"<script|\son\w+=|url\(|src=|href=", shown)


# Contrast --------------------------------------------------------------------------------------------------------

JUPYTER = {
    "light": (
        {"success": "#388e3c", "warn": "#f57c00", "error": "#d32f2f"},
        ("#000000", 0.87),
        ("#ffffff", "#f5f5f5", "#e1f5fe"),
    ),
    "dark": (
        {"success": "#4caf50", "warn": "#ff9800", "error": "#f44336"},
        ("#ffffff", 0.87),
        ("#111111", "#212121", "#1b3c4b"),
    ),
    "a page without JupyterLab's variables": ({}, ("#000000", 1.0), ("#ffffff",)),
    "the same, dark": ({}, ("#cccccc", 1.0), ("#1e1e1e",)),
}
"""JupyterLab's hues, text, and the grounds of a cell, of a striped row and of the row that is pointed at."""


def rgb(colour: str) -> tuple[float, ...]:
    return tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))


def luminance(colour: tuple[float, ...]) -> float:
    parts = [c / 255 / 12.92 if c <= 10.3 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def laid(colour: tuple[float, ...], alpha: float, ground: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(c * alpha + g * (1 - alpha) for c, g in zip(colour, ground, strict=True))


def shown_colour(state, hues, text, alpha) -> tuple[tuple[float, ...], float]:
    """Return colour and alpha of a state's CSS, as a browser works `color-mix` out."""
    css = LOOKS[state].text
    if not css:
        return rgb(text), alpha
    if found := re.fullmatch(r"color-mix\(in srgb,currentColor (\d+)%,transparent\)", css):
        return rgb(text), alpha * int(found[1]) / 100
    hue = r"color-mix\(in srgb,var\(--jp-(\w+)-color1,(#\w{6})\) (\d+)%,currentColor\)"
    found = re.fullmatch(hue, css)
    share = int(found[3]) / 100
    whole = share + alpha * (1 - share)
    pairs = zip(rgb(hues.get(found[1], found[2])), rgb(text), strict=True)
    return tuple((h * share + t * alpha * (1 - share)) / whole for h, t in pairs), whole


@pytest.mark.parametrize("theme", JUPYTER)
@pytest.mark.parametrize("state", LOOKS)
def test_every_state_can_be_read_on_light_and_dark_grounds(state, theme):
    hues, (text, alpha), grounds = JUPYTER[theme]
    colour, opacity = shown_colour(state, hues, text, alpha)
    for ground in map(rgb, grounds):
        assert contrast(laid(colour, opacity, ground), ground) >= AA


@pytest.mark.parametrize("state", LOOKS)
def test_every_state_can_be_read_in_pictures(state):
    look = LOOKS[state]
    for ground in ("#ffffff", look.ground):
        assert contrast(rgb(look.ink), rgb(ground)) >= AA


def test_bars_stand_out_from_the_ground_of_a_picture():
    for colour in BARS.values():
        assert contrast(rgb(colour), rgb("#ffffff")) >= 3


@pytest.mark.parametrize("language", ["bash", "powershell", "python"])
@pytest.mark.parametrize("theme", JUPYTER)
def test_highlighted_code_can_be_read_on_light_and_dark_grounds(language, theme):
    _, (text, alpha), grounds = JUPYTER[theme]
    source = '# why\nif ($x -eq \'a\') { "$name" }\nfor i in 1 2; do echo "${A:-b}"; done\nparam([int]$N)\n'
    code = highlighted(source, language)
    hues = re.findall(rf"color: color-mix\(in srgb,(#\w+) {SHARE}%,currentColor\)", code)
    assert hues and len(hues) == code.count("color:")
    hues = ["#" + "".join(c * 2 for c in hue[1:]) if len(hue) == 4 else hue for hue in hues]
    share = SHARE / 100
    whole = share + alpha * (1 - share)
    for hue in hues:
        pairs = zip(rgb(hue), rgb(text), strict=True)
        colour = tuple((h * share + t * alpha * (1 - share)) / whole for h, t in pairs)
        for ground in map(rgb, grounds):
            assert contrast(laid(colour, whole, ground), ground) >= AA


def test_code_that_looks_like_a_colour_is_left_alone():
    assert '"color: #123456"' in highlighted('"color: #123456"', "python")


# DataFrames and pictures -----------------------------------------------------------------------------------------


class Seen(ShownFrame):
    def _mark(self, column, value):
        return Mark(value, "ok") if column == "state" else None


def frame() -> Seen:
    table = Seen([("a", "fine"), ("<b>", "fine")], columns=["name", "state"])
    table.caption = "two"
    return table


def test_a_frame_stays_a_frame_of_its_kind_with_its_caption():
    part = frame()[["name", "state"]].head(1)
    assert isinstance(part, Seen)
    assert (part.caption, len(part)) == ("two", 1)
    assert "<caption" in part._repr_html_()


def test_frames_that_are_joined_or_made_without_a_caption_are_shown():
    import pandas as pd

    joined = pd.concat([frame(), frame()])
    assert joined._repr_html_().count("✓ fine") == 4
    merged = frame().merge(frame(), on="name")
    assert "&lt;b&gt;" in merged._repr_html_()
    assert "<table " in Seen([], columns=["name"])._repr_html_()


class Dot(Picture):
    def __repr__(self):
        return 'one "dot" <here>'

    def _drawing(self):
        return 40, 20, ['<circle r="3"/>']


def test_a_picture_has_a_ground_of_its_own_and_words_for_those_who_do_not_see_it():
    svg = ET.fromstring(Dot()._repr_svg_())
    assert (svg.get("width"), svg.get("viewBox")) == ("40", "0 0 40 20")
    assert svg.get("aria-label") == 'one "dot" <here>'
    assert svg[0].get("fill") == "#ffffff"
    assert ET.fromstring(Dot()._repr_html_()).get("alt") == 'one "dot" <here>'
