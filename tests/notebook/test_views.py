"""What a notebook shows of a plan: tables, the map, the form."""

import xml.etree.ElementTree as ET

import pytest

from k8swin_nb.description import check_description
from k8swin_nb.phases.network import subnet_form as form
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


def test_the_map_is_well_formed_and_draws_every_network_in_its_place():
    svg = ET.fromstring(AddressMap(PLAN)._repr_svg_())
    bars = svg.findall("{http://www.w3.org/2000/svg}rect")
    assert len(bars) == 8  # the ground, four networks, and three that programs take
    bars = bars[1:]
    pods, services = (float(bar.get("x")) for bar in bars[:2])
    assert services < pods  # 10.96 lies before 10.244
    right = max(float(bar.get("x")) + float(bar.get("width")) for bar in bars)
    assert right <= float(svg.get("width"))


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


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"pod_subnet": "10.100.0.0/16"}, "overlaps"),
        ({"pod_subnet": "10.244.0.1/16"}, "host bits"),
        ({"service_subnet": "nonsense"}, "not an IPv4 network"),
    ],
)
def test_the_form_says_what_is_wrong_in_words(typed, told):
    fails, _ = form.problems(PARAMS, typed)
    assert any(told in text for text in fails)
    assert "✗" in form.verdict_html(fails, [])


def test_the_form_says_what_follows_when_nothing_is_wrong():
    fails, notes = form.problems(PARAMS, {"service_subnet": "10.192.0.0/12"})
    assert fails == []
    assert any("10.192.0.10" in note for note in notes)
    assert any("room for 256 nodes, 2 are planned" in note for note in notes)
    assert any("room for 1048572 services" in note for note in notes)


def test_the_form_judges_the_topology_and_the_sites_networks_too():
    fails, _ = form.problems(PARAMS, {"host_subnet": "10.3.0.0/24"})
    assert any("host-gw needs all nodes on one layer-2 segment" in text for text in fails)
    fails, notes = form.problems(PARAMS, {"host_subnet": "10.3.0.0/24", "topology": "vxlan"})
    assert fails == []
    assert any("topology vxlan" in note for note in notes)
    fails, _ = form.problems(
        PARAMS, {"site_networks": form.split_networks("10.5.0.0/16, 10.244.9.0/24")}
    )
    assert fails == ["`pod_subnet` 10.244.0.0/16 overlaps `site_networks[1]` 10.244.9.0/24"]


def test_a_collision_is_marked_on_the_map_and_in_its_words():
    plan = network_plan(check_description(described(pod_subnet="172.17.0.0/16")))
    drawing = AddressMap(plan)
    assert repr(drawing).count("✗ overlaps") == 3  # the pods', docker0's, and Windows' range
    assert drawing._repr_svg_().count('stroke-width="3"') == 3
    assert "✗" not in repr(AddressMap(network_plan(check_description(described()))))


def test_headless_the_form_is_a_static_table():
    assert "10.244.0.0/16" in repr(form.form(make_run()))


def test_where_ipywidgets_is_not_installed_the_form_is_a_static_table(monkeypatch):
    monkeypatch.setattr(form, "find_spec", lambda name: None)
    run = make_run(description=PARAMS)
    run.interactive = True
    assert "10.244.0.0/16" in repr(form.form(run))


def test_typing_into_the_form_judges_at_once():
    run = make_run(description=PARAMS)
    run.interactive = True
    box = form.form(run)
    topology, pods = box.children[:2]
    verdict, drawing, lines = box.children[-3:]
    assert "do not collide" in verdict.value
    pods.value = "10.96.0.0/16"
    assert "overlaps" in verdict.value
    assert lines.value == ""
    assert "✗ overlaps" in drawing.value
    pods.value = "nonsense"
    assert drawing.value == ""
    pods.value = "10.200.0.0/16"
    topology.value = "vxlan"
    assert "pod_subnet: 10.200.0.0/16" in lines.value
    assert "topology: vxlan" in lines.value
    assert "site_networks: [172.30.0.0/16]" in lines.value
