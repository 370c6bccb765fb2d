"""What a notebook shows of a plan: tables, the map, the form."""

import xml.etree.ElementTree as ET

import pytest

from k8swin_nb.notebook import subnet_form as form
from k8swin_nb.notebook.address_map import AddressMap
from k8swin_nb.notebook.tables import plan_table, preflight_table
from k8swin_nb.params import check_params
from k8swin_nb.plan import network_plan
from tests.test_params import described

PARAMS = check_params(described(site_networks=["172.30.0.0/16"]))
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
    assert len(bars) == 5  # the ground, and four networks
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
    facts = {
        "h": {
            "preflight": [
                {
                    "check": "<b>",
                    "holds": False,
                    "severity": "warn",
                    "found": "&",
                    "wanted": "x",
                    "fix": "y",
                }
            ]
        }
    }
    assert "<b>" not in preflight_table(facts)._repr_html_().replace("<b>✗", "")


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
    assert "10.192.0.10" in notes[0]


def test_headless_the_form_is_a_static_table():
    assert "10.244.0.0/16" in repr(form.subnet_form(PARAMS))


def test_typing_into_the_form_judges_at_once(monkeypatch):
    monkeypatch.setattr(form, "is_interactive", lambda: True)
    box = form.subnet_form(PARAMS)
    pods, verdict, lines = box.children[0], box.children[-2], box.children[-1]
    assert "do not collide" in verdict.value
    pods.value = "10.96.0.0/16"
    assert "overlaps" in verdict.value
    assert lines.value == ""
    pods.value = "10.200.0.0/16"
    assert "pod_subnet: 10.200.0.0/16" in lines.value
