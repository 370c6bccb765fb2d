"""What a notebook shows of a plan: tables, the map, the form."""

import xml.etree.ElementTree as ET

from k8swin_nb.description import check_description
from k8swin_nb.phases.network.address_map import AddressMap
from k8swin_nb.phases.network.views import plan_table
from k8swin_nb.phases.preflight.checks import PREFLIGHT, PreflightCheck
from k8swin_nb.phases.preflight.views import preflight_table
from k8swin_nb.plan import network_plan
from tests.runs import make_run
from tests.test_description import described

PARAMS = check_description(described(site_networks=["172.30.0.0/16"]))
PLAN = network_plan(PARAMS)


def test_the_plan_table_says_the_derived_addresses_in_text_and_html():
    table = plan_table(PLAN)
    for text in (repr(table), table._repr_html_()):
        assert "10.96.0.1" in text
        assert "10.96.0.10" in text
        assert "2 of 256" in text


SVG = "{http://www.w3.org/2000/svg}"


def bars(drawing: AddressMap) -> dict[str, ET.Element]:
    """Return the networks' bars by what they tell who points at them."""
    svg = ET.fromstring(drawing._repr_svg_())
    return {
        bar[0].text.split("\n")[0]: bar
        for bar in svg.iter(f"{SVG}rect")
        if len(bar) and bar[0].text
    }


def test_the_map_is_well_formed_and_draws_every_network_in_its_place():
    drawn = bars(AddressMap(PLAN))
    assert len(drawn) == 7  # four networks, and three that programs take
    places = {name: float(bar.get("x")) for name, bar in drawn.items()}
    services, pods = places["service network 10.96.0.0/12"], places["pod network 10.244.0.0/16"]
    assert services < pods
    assert all(
        float(bar.get("x")) + float(bar.get("width")) <= 880 and float(bar.get("width")) >= 8
        for bar in drawn.values()
    )


def test_each_private_block_has_an_axis_of_its_own():
    plan = network_plan(check_description(described(site_networks=["172.30.0.0/16", "9.1.1.0/24"])))
    svg = ET.fromstring(AddressMap(plan)._repr_svg_())
    words = [text.text for text in svg.iter(f"{SVG}text")]
    headings = ["9.0.0.0/8 public addresses", "10.0.0.0/8 private, RFC 1918"]
    headings += ["172.16.0.0/12 private, RFC 1918", "192.168.0.0/16 private, RFC 1918"]
    assert [word for word in words if word in headings] == headings
    assert {"10.64.0.0", "172.20.0.0", "192.168.64.0"} <= set(words)
    for bar in bars(AddressMap(plan)).values():
        assert 190 <= float(bar.get("x")) <= 818


def test_a_map_of_very_many_networks_stays_a_page_and_says_what_it_leaves_out():
    sites = [f"10.{n}.0.0/24" for n in range(2, 90)]
    drawing = AddressMap(network_plan(check_description(described(site_networks=sites))))
    svg = drawing._repr_svg_()
    assert len(svg) < 100_000
    assert "34 more networks are in the text alone" in svg
    assert "10.89.0.0/24" in repr(drawing)


def test_the_map_is_told_in_words_too():
    text = repr(AddressMap(PLAN))
    assert "10.244.0.0/16" in text
    assert "65 536 addresses" in text


def test_markup_in_a_value_is_escaped():
    run = make_run()
    check = PreflightCheck("L01", "<b>", "h", "warn", False, "&", "x", "y")
    run.facts.keep(run.master, PREFLIGHT, [check])
    shown = preflight_table(run)._repr_html_()
    assert "&lt;b&gt;" in shown and "<b>" not in shown.replace("<b>● warn</b>", "")
    assert "&amp;" in shown


def test_what_stops_comes_first_in_the_preflight_table():
    run = make_run()
    checks = [
        PreflightCheck(f"L{number}", "a", "h", severity, holds, "", "", "do it")
        for number, (severity, holds) in enumerate(
            [("fail", True), ("step", False), ("warn", False), ("info", False), ("fail", False)]
        )
    ]
    run.facts.keep(run.master, PREFLIGHT, checks)
    table = preflight_table(run)
    assert [(row[0], str(row[2])) for row in table.rows] == [
        ("L4 a", "✗ fail"),
        ("L2 a", "● warn"),
        ("L1 a", "→ later step"),
        ("L0 a", "✓ ok"),
        ("L3 a", "✓ ok"),
    ]
    assert [row[5] for row in table.rows] == ["do it"] * 3 + [""] * 2


def test_a_collision_is_marked_on_the_map_and_in_its_words():
    plan = network_plan(check_description(described(pod_subnet="172.17.0.0/16")))
    drawing = AddressMap(plan)
    assert repr(drawing).count("✗ overlaps") == 3  # the pods', docker0's, and Windows' range
    assert drawing._repr_svg_().count('stroke-width="3"') == 3
    told = "✗ overlaps docker0's usual 172.17.0.0/16, Windows' nat range 172.16.0.0/12"
    assert any(text.text == told for text in ET.fromstring(drawing._repr_svg_()).iter(f"{SVG}text"))
    assert "✗" not in repr(AddressMap(network_plan(check_description(described()))))
