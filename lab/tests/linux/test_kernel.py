from __future__ import annotations

import pytest


def test_bridge_settings_come_with_the_module(run):
    missing = run("sysctl -n net.bridge.bridge-nf-call-iptables")
    path = "/proc/sys/net/bridge/bridge-nf-call-iptables"
    assert missing.err == f"sysctl: cannot stat {path}: No such file or directory\n"
    assert run("modprobe br_netfilter").code == 0
    assert run("sysctl -n net.bridge.bridge-nf-call-iptables").out == "1\n"
    assert "br_netfilter" in run("lsmod").out


def test_an_unknown_module_is_refused(run):
    found = run("modprobe nosuch")
    assert found.code == 1
    assert found.err.startswith(
        "modprobe: FATAL: Module nosuch not found in directory /lib/modules/"
    )


def test_settings_are_lost_at_a_reboot_unless_a_file_holds_them(machine, run):
    run("sysctl -w net.ipv4.ip_forward=1")
    machine.reboot()
    assert run("sysctl net.ipv4.ip_forward").out == "net.ipv4.ip_forward = 0\n"
    machine.write_file("/etc/sysctl.d/90.conf", "net.ipv4.ip_forward = 1\n")
    machine.write_file("/etc/modules-load.d/90.conf", "# one\nbr_netfilter\n")
    machine.reboot()
    assert run("sysctl -n net.ipv4.ip_forward").out == "1\n"
    assert "br_netfilter" in machine.kernel.modules


def test_writing_a_file_of_proc_changes_the_setting(machine, run):
    machine.write_proc("/proc/sys/net/ipv4/ip_forward", b"1\n")
    assert run("sysctl -n net.ipv4.ip_forward").out == "1\n"
    assert machine.proc_files()["/proc/sys/net/ipv4/conf/all/forwarding"] == b"1\n"


def test_a_file_of_settings_goes_on_after_a_bad_line(machine, run):
    machine.write_file("/root/s.conf", "nosuch.name = 1\n# comment\nvm.swappiness=10\n")
    found = run("sysctl -p /root/s.conf")
    assert found.code != 0
    assert found.out == "vm.swappiness = 10\n"


def test_the_host_name_is_kept_in_its_file(machine, run):
    assert run("hostnamectl set-hostname newname").code == 0
    assert machine.read_text("/etc/hostname") == "newname\n"
    machine.reboot()
    assert run("hostname").out == "newname\n"


def test_control_groups_are_a_matter_of_the_machine(machine):
    assert machine.filesystem_type("/sys/fs/cgroup") == "cgroup2fs"
    assert machine.filesystem_type("/etc") == "ext2/ext3"


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("uname -srm", "Linux 6.1.0-41-amd64 x86_64\n"),
        ("nproc", "2\n"),
        ("dpkg --print-architecture", "amd64\n"),
        ("getent passwd ubuntu", "ubuntu:x:1000:1000::/home/ubuntu:/bin/bash\n"),
        (
            "ip -br link show lo",
            "lo               UNKNOWN        00:00:00:00:00:00 <LOOPBACK,UP,LOWER_UP> \n",
        ),
        (
            "ip route get 192.168.160.9",
            "192.168.160.9 dev eth0 src 192.168.160.10 uid 0 \n    cache \n",
        ),
        ("swapon --show=NAME,SIZE", "NAME      SIZE\n/swap.img   2G\n"),
        ("iptables -V", "iptables v1.8.9 (nf_tables)\n"),
    ],
)
def test_facts_are_printed_as_the_real_programs_print_them(machine, run, line, shown):
    if line.startswith("iptables"):
        run("apt-get update")
        run("apt-get install -y iptables")
    assert run(line).out == shown


def test_ports_can_be_asked_for_one_by_one(run):
    assert "0.0.0.0:22" in run("ss -Hltn 'sport = :22'").out
    assert run("ss -Hltn 'sport = :6443'").out == ""
