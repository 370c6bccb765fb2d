"""The one writer of tables and its palette: what is escaped, what heads what, and what can be read on which ground."""

import io
import re
import xml.etree.ElementTree as ET

import pytest

from k8swin_nb.host_tools.survey import COLUMNS, HostTable
from k8swin_nb.tables import Column, Mark, StaticTable, table_html
from k8swin_nb.tables.code import HUES, NUMBER, OPENING, SHARE, highlighted
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


def test_words_stay_whole_and_only_what_is_very_long_has_places_to_break():
    token = "x" * 70
    shown = table_html("t", (Column("a", "wrapped"),), [("a-word-of-many-parts " + token,)])
    assert "overflow-wrap:normal" in shown and "anywhere" not in shown
    assert shown.count("<wbr/>") == 2
    assert "".join(parsed(shown).find(".//td").itertext()).endswith(token)


def test_a_table_of_whole_values_has_a_box_that_a_keyboard_moves():
    box = parsed(table_html("pods", (Column("NAME", "whole"),), [("win-webserver-1",)]))
    assert (box.get("role"), box.get("aria-label")) == ("group", "pods")
    assert box.find("table/caption/a").get("tabindex") == "0"
    assert "overflow-x:auto" in box.get("style")
    assert "white-space:nowrap" in box.find(".//td").get("style")
    prose = [Column(name, "wrapped") for name in "abcd"]
    assert parsed(table_html("few", prose[:3], [])).tag == "table"
    assert parsed(table_html("many", prose, [])).find("table/caption/a").get("tabindex") == "0"


def test_what_passes_is_folded_behind_a_word_and_nothing_of_it_is_lost():
    table = StaticTable("t", ("a", "b"), [("1", "2")], folded=[("3", "4")], word=Mark("1 ok", "ok"))
    page = ET.fromstring(f"<p>{table._repr_html_()}</p>")
    assert [cell.text for cell in page.find("table").iter("td")] == ["1", "2"]
    assert [cell.text for cell in page.find("details").iter("td")] == ["3", "4"]
    assert "".join(page.find("details/summary").itertext()) == "✓ 1 ok"
    assert table.rows == [["1", "2"], ["3", "4"]] and "3  4" in repr(table)


def test_a_table_of_which_all_passes_is_one_line():
    page = ET.fromstring(
        "<p>" + StaticTable("All", ("a",), [], folded=[("3",)], word="1 ok")._repr_html_() + "</p>"
    )
    assert page.find("table") is None and page.find("div").text == "All"


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
    "VS Code, light": ({}, ("#3b3b3b", 1.0), ("#ffffff", "#f8f8f8", "#f3f3f3")),
    "VS Code, dark": ({}, ("#cccccc", 1.0), ("#1f1f1f", "#181818", "#252526")),
    "VS Code, high contrast": ({}, ("#ffffff", 1.0), ("#000000",)),
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
    assert set(hues) <= set(HUES.values())
    hues = HUES.values()
    share = SHARE / 100
    whole = share + alpha * (1 - share)
    for hue in hues:
        pairs = zip(rgb(hue), rgb(text), strict=True)
        colour = tuple((h * share + t * alpha * (1 - share)) / whole for h, t in pairs)
        for ground in map(rgb, grounds):
            assert contrast(laid(colour, whole, ground), ground) >= AA


def test_a_line_s_number_can_be_read_and_is_not_copied_with_its_line():
    opacity = float(re.search(r"user-select:none;opacity:([\d.]+)", NUMBER)[1])
    for _, (text, alpha), grounds in JUPYTER.values():
        for ground in map(rgb, grounds):
            assert contrast(laid(rgb(text), alpha * opacity, ground), ground) >= AA
    code = highlighted("a\n" * 11 + "b", "bash")
    assert [n.strip() for n in re.findall(rf"{NUMBER}(.*?)</i>", code)] == [
        str(n) for n in range(1, 13)
    ]
    assert "monospace" in OPENING and code.startswith(OPENING)


@pytest.mark.parametrize("language", ["bash", "powershell", "python"])
def test_a_listing_holds_the_very_text_and_no_colour_runs_over_the_end_of_a_line(language):
    source = "a='x\n\ty' # \u00e7\n\nif <b> && \"$c\n  $d\"; then\n"
    code = highlighted(source, language)
    assert "\n" not in code
    lines = ET.fromstring(code)
    numbers = {id(part) for part in lines.iter("i")}
    text = "".join(
        ("" if id(part) in numbers else part.text or "") + (part.tail or "")
        for part in lines.iter()
        if part is not lines
    )
    assert text == source.rstrip("\n")
    for line in code.removeprefix(OPENING).removesuffix("</pre>").split("&#10;"):
        assert line.count("<span") == line.count("</span>")


# DataFrames and pictures -----------------------------------------------------------------------------------------


class Seen(ShownFrame):
    @property
    def caption(self):
        return f"{len(self)} of {self.source}" if self.source else ""

    def _mark(self, column, value):
        return Mark(value, "ok") if column == "state" else None


def frame() -> Seen:
    table = Seen([("a", "fine"), ("<b>", "fine")], columns=["name", "state"])
    table.source = "there"
    return table


def test_a_frame_stays_a_frame_of_its_kind_with_its_caption():
    part = frame()[["name", "state"]].head(1)
    assert isinstance(part, Seen)
    assert (part.caption, len(part)) == ("1 of there", 1)
    assert "<caption" in part._repr_html_()


def test_frames_that_are_joined_or_made_without_a_caption_are_shown():
    import pandas as pd

    joined = pd.concat([frame(), frame()])
    assert joined._repr_html_().count("✓ fine") == 4
    merged = frame().merge(frame(), on="name")
    assert "&lt;b&gt;" in merged._repr_html_()
    assert "<table " in Seen([], columns=["name"])._repr_html_()


def long(rows: int = 200) -> Seen:
    return Seen({"name": [f"row{i:03}" for i in range(rows)], "state": "fine", "note": "n" * 80})


def test_how_much_of_a_frame_is_shown_is_what_pandas_was_told() -> None:
    import pandas as pd

    html = long()._repr_html_()
    assert html.count(">row") == 10
    assert "row004" in html and "row195" in html and "row005" not in html
    assert "... 190 more rows" in html and "[200 rows x 3 columns]" in repr(long())
    with pd.option_context("display.max_rows", 4, "display.min_rows", None):
        assert long()._repr_html_().count("✓ fine") == 4
        assert repr(long()).count("fine") == 4
    with pd.option_context("display.max_rows", 1000):
        assert long(700)._repr_html_().count("✓ fine") == 700
    with pd.option_context("display.max_rows", None):
        assert "... 200 more rows" in long(700)._repr_html_()
    with pd.option_context("display.max_columns", 2):
        html = long()._repr_html_()
        assert ">state<" not in html and ">note<" in html and "✓" not in html
    assert "n" * 48 not in long()._repr_html_() and "n" * 47 + "..." in long()._repr_html_()
    with pd.option_context("display.max_colwidth", None):
        assert "n" * 80 in long()._repr_html_()
    with pd.option_context("display.notebook_repr_html", False):
        assert long()._repr_html_() is None
    with pd.option_context("display.large_repr", "info", "display.max_rows", 10):
        assert "RangeIndex" in long()._repr_html_() and "RangeIndex" in repr(long())


def test_a_frame_shows_the_names_of_its_rows_where_they_mean_something() -> None:
    grouped = long(3).groupby("name")[["state"]].first()
    assert '<th scope="row"' in grouped._repr_html_() and ">row001<" in grouped._repr_html_()
    assert ">1<" not in long(3)._repr_html_()
    two = long(3).set_index(["name", "state"])._repr_html_()
    assert two.count('<th scope="row"') == 6


def test_a_frame_writes_values_as_people_read_them() -> None:
    from datetime import UTC, datetime, timedelta

    import pandas as pd

    made = Seen(
        {
            "age": [timedelta(days=5, hours=3), pd.NaT],
            "when": [datetime(2026, 11, 1, 2, 3, 4, tzinfo=UTC), pd.NaT],
            "share": [1 / 3, float("nan")],
            "count": pd.array([7, None], dtype="Int64"),
        }
    )
    assert "5d3h" in repr(made) and "2026-11-01 02:03:04" in repr(made) and "0.333333" in repr(made)
    with pd.option_context("display.precision", 2):
        assert ">0.33<" in made._repr_html_()
    assert "NaT" not in made._repr_html_() and "nan" not in repr(made)
    assert made.to_string(index=False, na_rep="-").count("-") >= 4
    assert made.to_string(buf=(kept := io.StringIO())) is None and "5d3h" in kept.getvalue()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "<invalid>"), (-1, "0s"), (0, "0s"), (119, "119s"), (120, "2m"), (200, "3m20s"), (600, "10m"),
        (10_799, "179m"), (10_800, "3h"), (18_120, "5h2m"), (100_000, "27h"), (86_400 * 5 + 10_800, "5d3h"),
        (86_400 * 100, "100d"), (86_400 * 740, "2y10d"), (86_400 * 365 * 9, "9y"),
    ],
)  # fmt: skip
def test_ages_are_written_as_kubectl_does(seconds: int, text: str) -> None:
    """The steps are those of HumanDuration in k8s.io/apimachinery, pkg/util/duration."""
    from datetime import timedelta

    from k8swin_nb.tables.human import duration

    assert duration(timedelta(seconds=seconds)) == text


class Dot(Picture):
    def __repr__(self):
        return 'one "dot" <here>\nin red'

    def _drawing(self):
        return 40, 20, ['<circle r="3"/>']


def test_a_picture_has_a_ground_of_its_own_and_words_for_those_who_do_not_see_it():
    svg = ET.fromstring(Dot()._repr_svg_())
    assert (svg.get("width"), svg.get("viewBox")) == ("40", "0 0 40 20")
    title, told, ground = svg[:3]
    assert (title.text, told.text) == ('one "dot" <here>', 'one "dot" <here>\nin red')
    assert (svg.get("role"), ground.get("fill")) == ("img", "#ffffff")
    assert ET.fromstring(Dot()._repr_html_()).get("alt") == repr(Dot())


def test_why_a_host_cannot_be_worked_with_stands_beside_its_state_and_takes_no_room_otherwise():
    rows = [["a", "ok", *[None] * 8], ["b", "unreachable", *[None] * 7, "nobody answers"]]
    table = HostTable(rows, columns=list(COLUMNS)).astype(COLUMNS)
    heads = [
        cell.text for cell in parsed(table._repr_html_()).iter("th") if cell.get("scope") == "col"
    ]
    assert heads[:3] == ["HOST", "STATE", "REASON"]
    assert "REASON" not in table.iloc[:1]._repr_html_()
    assert list(table.columns) == list(COLUMNS)
    assert "REASON" in table[["HOST", "REASON"]]._repr_html_()
