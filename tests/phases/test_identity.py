"""Machines that are copies of others, told alike before the first change and when something is wrong."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from k8swin_nb.description import check_description
from k8swin_nb.hosts import inventory_of
from k8swin_nb.phases.preflight import rules
from k8swin_nb.phases.preflight.checks import HostFacts
from k8swin_nb.phases.preflight.identity import owners
from k8swin_nb.phases.troubleshoot.diagnosis import Case, twins
from k8swin_nb.phases.troubleshoot.evidence import Evidence
from k8swin_nb.plan import network_plan
from tests.test_description import described

DESCRIPTION = check_description(described())
INVENTORY = inventory_of(DESCRIPTION)
UUID = "4C4C4544-0042-3510-8052-B4C04F4D4E31"


def test_an_address_is_the_same_in_either_systems_spelling():
    told = [("a", "00-15-5D-00-00-01"), ("b", "00:15:5d:00:00:01"), ("a", "00:15:5d:00:00:01")]
    assert owners(told) == {"00:15:5d:00:00:01": ["a", "b"]}


@pytest.mark.parametrize(
    ("uuid", "copy"),
    [
        (UUID, True),
        ("", False),
        ("00000000-0000-0000-0000-000000000000", False),
        ("FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF", False),
    ],
)
def test_preflight_and_troubleshooting_take_the_same_machines_for_copies(uuid, copy):
    names = [host.name for host in INVENTORY.hosts]
    facts = {name: HostFacts({"product_uuid": uuid}) for name in names}
    checks = rules.duplicates(SimpleNamespace(inventory=INVENTORY), facts)
    assert [check.holds for check in checks] == ([False] if copy else [])
    shown = [Evidence(host, {"host": [f"product-uuid\t{uuid}"]}) for host in INVENTORY.hosts]
    said = list(twins(Case(network_plan(DESCRIPTION), "current", shown, datetime.now(UTC))))
    sentence = f"{names[0]} and {names[1]} have the same product UUID"
    assert said == ([(names[1], sentence)] if copy else [])
