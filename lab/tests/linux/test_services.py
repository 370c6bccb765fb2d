from __future__ import annotations

import pytest
from k8swin_lab.machines.linux import LinuxMachine
from k8swin_lab.machines.program import NotSimulated

UNIT = "[Unit]\nDescription=A test\n\n[Service]\nExecStart=/usr/sbin/cron\n\n[Install]\nWantedBy=multi-user.target\n"


@pytest.fixture
def unit(machine: LinuxMachine) -> LinuxMachine:
    machine.write_file("/etc/systemd/system/test.service", UNIT)
    return machine


def test_a_unit_that_is_not_there_is_named(run):
    assert (
        run("systemctl start foo").err
        == "Failed to start foo.service: Unit foo.service not found.\n"
    )
    assert (
        run("systemctl stop foo").err
        == "Failed to stop foo.service: Unit foo.service not loaded.\n"
    )
    assert run("systemctl is-enabled foo").code == 1
    assert run("systemctl is-active foo").out == "inactive\n"
    assert run("systemctl status foo").code == 4


def test_enabling_makes_the_link_and_disabling_removes_it(unit, run):
    made = run("systemctl enable test")
    link = "/etc/systemd/system/multi-user.target.wants/test.service"
    assert made.err == f"Created symlink {link} → /etc/systemd/system/test.service.\n"
    assert run("systemctl is-enabled test").out == "enabled\n"
    assert run("systemctl disable test").err == f'Removed "{link}".\n'
    assert run("systemctl is-enabled test").code == 1


def test_enabled_units_start_at_boot_and_others_do_not(unit, run):
    run("systemctl start test")
    unit.reboot()
    assert run("systemctl is-active test").code == 3
    run("systemctl enable test")
    unit.reboot()
    assert run("systemctl is-active test").out == "active\n"


def test_a_masked_unit_does_not_start(unit, run):
    assert run("systemctl mask cron").code == 0
    assert run("systemctl restart cron").err.endswith("Unit cron.service is masked.\n")
    run("systemctl unmask cron")
    assert run("systemctl restart cron").code == 0


def test_properties_are_shown_one_by_one(unit, run):
    run("systemctl start test")
    found = run("systemctl show -p ActiveState -p SubState test")
    assert found.out == "ActiveState=active\nSubState=running\n"
    assert run("systemctl show -p LoadState --value foo").out == "not-found\n"


def test_a_drop_in_changes_the_unit(unit, run):
    folder = "/etc/systemd/system/test.service.d"
    unit.write_file(f"{folder}/10.conf", "[Unit]\nDescription=Another\n")
    assert run("systemctl show -p Description --value test").out == "Another\n"
    assert "Drop-In: /etc/systemd/system/test.service.d\n" in run("systemctl status test").out


def test_a_service_whose_program_is_missing_fails(unit, run):
    unit.write_file("/etc/systemd/system/test.service", UNIT.replace("cron", "nosuch"))
    run("systemctl start test")
    assert run("systemctl is-failed test").out == "failed\n"
    assert "Failed to locate executable" in run("journalctl -u test").out


def test_others_than_root_may_look_but_not_touch(unit, run):
    assert run("systemctl is-active cron", user="ubuntu").code == 0
    assert run("systemctl stop cron", user="ubuntu").code == 1


def test_swap_is_a_unit_that_fstab_makes(machine, run):
    line = "systemctl list-units --type=swap --state=active --plain --no-legend"
    assert run(line).out.split()[0] == "swap.img.swap"
    assert run("systemctl show -p UnitFileState --value swap.img.swap").out == "generated\n"
    run("swapoff -a")
    assert run(line).out == ""
    machine.reboot()
    assert run("swapon --show=NAME --noheadings").out == "/swap.img\n"


def test_a_masked_swap_unit_stays_off_after_a_reboot(machine, run):
    run("systemctl mask --now swap.img.swap")
    machine.reboot()
    assert run("swapon --show").out == ""


def test_a_reboot_has_a_new_boot_id_and_takes_the_network_away(machine):
    before = machine.boot_id
    machine.reboot()
    assert machine.boot_id != before
    assert not machine.reachable


def test_what_is_not_simulated_is_said(run):
    with pytest.raises(NotSimulated, match="systemctl edit"):
        run("systemctl edit cron")
