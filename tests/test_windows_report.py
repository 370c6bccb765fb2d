"""The report of a test of Windows servers says what happened, and nothing of the site."""

import json

import pytest

from k8swin_nb.description import check_description
from k8swin_nb.redact import REDACTOR
from tests.test_description import described
from tests.windows.nameless import Nameless
from tests.windows.report import Report

pytestmark = pytest.mark.usefixtures("forgotten_secrets")

WINDOWS = {
    "name": "prodwin7",
    "address": "10.1.0.77",
    "os": "windows",
    "role": "worker",
    "user": r"PLANTDOM\jdoe",
    "credential": "env:NONE",
}


@pytest.fixture
def report():
    values = described(cluster_name="plant1")
    return Report(check_description({**values, "hosts": [values["hosts"][0], WINDOWS]}))


def written(report, folder):
    report.write(folder)
    page, data = (folder / "report.md").read_text(), (folder / "report.json").read_text()
    json.loads(data)
    return page + data


def test_no_name_and_no_address_of_the_site_is_in_it(report, tmp_path):
    REDACTOR.add("s3cret-of-the-site")
    said = (
        r"PRODWIN7 at 10.1.0.77 (10.1.0.78, fe80::1c2:3d4:5e6:7f80) refused PLANTDOM\jdoe, "
        "jane.doe@plant.example, S-1-5-21-1004336348-1177238915-682003330-512, "
        "00-15-5D-01-02-03; plant1: s3cret-of-the-site"
    )
    report.server("prodwin7", {"machine": said})
    report.test("test_it", "failed", 1.0, said)
    event = {
        "event": "step", "notebook": "04_join_windows-prodwin7", "step": "join", "host": "prodwin7",
        "outcome": "failed", "seconds": 2.5, "detail": said,
    }  # fmt: skip
    report.steps("join", [event])
    whole = written(report, tmp_path / "report").casefold()
    for word in (
        "prodwin7", "10.1.0.7", "1c2:3d4", "plantdom", "jdoe", "jane.doe", "1004336348", "00-15-5d",
        "plant1", "s3cret",
    ):  # fmt: skip
        assert word not in whole, word
    assert "server-1 at server-1-address" in whole
    assert "04_join_windows/join" in whole


def test_the_same_thing_has_the_same_word(report):
    told = report.text("10.9.9.9 asked 10.9.9.8, and 10.9.9.9 waited")
    assert told == "address-1 asked address-2, and address-1 waited"


def test_what_is_the_plans_own_stays_readable(report):
    text = "10.244.3.7 asks 10.96.0.10 on 127.0.0.1; build 10.0.20348.2402, Kubernetes v1.36.4, 22:35:28"
    assert report.text(text) == text


def test_a_name_within_a_longer_word_stays():
    assert Nameless({"win": "server-1"}).text("windows win, win-1") == "windows server-1, win-1"


def test_a_new_line_makes_no_new_row(report, tmp_path):
    report.server("prodwin7", {"system": "one\n| two"})
    assert "| system | one \\| two |" in written(report, tmp_path / "report")
