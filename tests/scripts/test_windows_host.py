"""What is so on a Windows server itself: its boots, features and name."""

import re
import time

import pytest
from k8swin_lab.machines import windows_setup

from tests.scripts.test_windows_scripts import WINDOWS, machine, run  # noqa: F401

NETLOGON = r"HKLM\SYSTEM\CurrentControlSet\Services\Netlogon"


def test_a_boot_is_told_with_its_time_its_age_and_whether_windows_is_through_with_it(machine, run):  # noqa: F811
    """The key is LogonUI's, which ansible.windows waits for after a reboot."""
    said = run("boot_time.check").said
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z \d+\.\d{3} (settled|booting)", said
    )
    machine.registry.create(windows_setup.LOGON_SHOWN, volatile=True)
    assert run("boot_time.check").said.endswith(" settled")
    up = float(said.split()[1])
    assert abs(machine.now() - machine.booted_at - up) < 60


def test_a_reboot_that_somebody_scheduled_for_later_is_called_off_for_ours(machine, run):  # noqa: F811
    """shutdown.exe refuses a second one with 1190, and the first may be hours away; as ansible.windows does."""
    machine.schedule_shutdown(36_000, restart=True)
    machine.registry.create(windows_setup.LOGON_SHOWN, volatile=False)
    before = machine.booted_at
    assert run("reboot.apply").code == 0
    assert machine.registry.key(windows_setup.LOGON_SHOWN) is None
    deadline = time.monotonic() + 60
    while machine.booted_at == before and time.monotonic() < deadline:
        time.sleep(0.02)
    assert machine.booted_at != before


@pytest.mark.parametrize("key", ["JoinDomain", "AvoidSpnSet"])
def test_a_domain_that_was_joined_or_left_wants_a_reboot(machine, run, key):  # noqa: F811
    assert run("reboot.check").code == 0
    machine.registry.create(rf"{NETLOGON}\{key}")
    answer = run("reboot.check")
    assert answer.code == 10
    assert "the domain" in answer.said


def test_a_feature_whose_list_is_not_to_be_had_yet_is_asked_for_again(machine, run, monkeypatch):  # noqa: F811
    features = machine.features
    ready, asked = features.all, []

    class Late(list):
        def __iter__(self):
            asked.append(1)
            return iter(ready if len(asked) > 2 else [])

    monkeypatch.setattr(features, "all", Late())
    assert run("reboot.check").code == 0
    assert len(asked) > 2


def test_a_feature_that_is_never_to_be_had_is_not_taken_for_installed(machine, run, monkeypatch):  # noqa: F811
    monkeypatch.setattr(machine.features, "all", [])
    answer = run("containers.check")
    assert answer.code not in (0, 10, 20)
    assert "Containers" in answer.err


def test_a_feature_that_somebody_removes_is_neither_there_nor_to_be_installed(machine, run):  # noqa: F811
    (feature,) = (f for f in machine.features.all if f.name == "Containers")
    feature.state = "UninstallPending"
    answer = run("containers.check")
    assert (answer.code, "reboot" in answer.out) == (20, True)


DATES = re.compile(r"\.ToString\('[^']*[yHms][^']*'\)|\.ToLower\(\)|\.ToUpper\(\)")


@pytest.mark.parametrize("path", sorted(WINDOWS.glob("*.ps1")), ids=lambda path: path.name)
def test_nothing_is_written_in_the_ways_of_one_culture(path):
    """Thai calendars count 2569, Finnish times have points, and Turkish makes a dotless i of I."""
    assert not DATES.findall(path.read_text(encoding="utf-8"))
