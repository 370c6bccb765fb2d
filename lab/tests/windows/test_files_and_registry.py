from __future__ import annotations

import sys
import threading

import pytest
from k8swin_lab.machines.registry import Registry
from k8swin_lab.machines.windows_files import AccessList, AccessRule, WindowsFiles


def test_every_spelling_of_a_path_is_the_same_file() -> None:
    files = WindowsFiles()
    files.make_directory(r"C:\Run\flannel")
    files.write("/run/flannel/subnet.env", b"x")
    assert files.read("\\\\?\\c:\\RUN\\Flannel\\SUBNET.env") == b"x"
    assert files.stat(r"c:\run\flannel\subnet.env").path == r"C:\Run\flannel\subnet.env"


def test_a_symbolic_link_to_a_folder_leads_into_it() -> None:
    files = WindowsFiles()
    files.make_directory(r"C:\etc\kubernetes\pki")
    files.make_directory(r"C:\var\lib\kubelet\etc\kubernetes")
    files.link(r"C:\var\lib\kubelet\etc\kubernetes\pki", r"C:\etc\kubernetes\pki")
    files.write(r"C:\var\lib\kubelet\etc\kubernetes\pki\ca.crt", b"ca")
    assert files.read(r"C:\etc\kubernetes\pki\ca.crt") == b"ca"
    with pytest.raises(FileExistsError):
        files.link(r"C:\var\lib\kubelet\etc\kubernetes\pki", r"C:\x")


def test_a_missing_parent_folder_is_not_made_by_writing() -> None:
    with pytest.raises(FileNotFoundError):
        WindowsFiles().write(r"C:\none\a.txt", b"")


def test_a_full_folder_is_removed_only_recursively() -> None:
    files = WindowsFiles()
    files.make_directory(r"C:\a\b")
    with pytest.raises(OSError, match="not empty"):
        files.remove(r"C:\a")
    files.remove(r"C:\a", recursive=True)
    assert not files.exists(r"C:\a")


def test_protected_access_lists_inherit_nothing() -> None:
    files = WindowsFiles()
    files.write(r"C:\a.txt", b"")
    assert any(rule.inherited for rule in files.access(r"C:\a.txt").rules)
    files.set_access(r"C:\a.txt", AccessList("x", True, [AccessRule("y", "F")]))
    assert [rule.identity for rule in files.access(r"C:\a.txt").rules] == ["y"]


def test_registry_names_compare_without_case_and_keep_their_spelling() -> None:
    registry = Registry()
    registry.set(r"HKLM\SOFTWARE\Vendor\Thing", "Value", 7)
    assert registry.get(r"hkey_local_machine\software\VENDOR\thing", "VALUE") == 7
    assert registry.subkeys(r"HKLM\SOFTWARE") == ["Vendor"]


def test_volatile_keys_are_gone_after_a_boot() -> None:
    registry = Registry()
    registry.create(r"HKLM\SOFTWARE\Pending", volatile=True)
    registry.create(r"HKLM\SOFTWARE\Stays")
    registry.drop_volatile()
    assert registry.subkeys(r"HKLM\SOFTWARE") == ["Stays"]


def test_keys_are_listed_while_another_thread_adds_some() -> None:
    registry = Registry()

    def add(first: int, last: int) -> None:
        for n in range(first, last):
            registry.create(rf"HKLM\SOFTWARE\k{n}")

    add(0, 2000)
    added = threading.Thread(target=add, args=(2000, 2100))
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        added.start()
        while added.is_alive():
            registry.subkeys(r"HKLM\SOFTWARE")
    finally:
        sys.setswitchinterval(before)
        added.join()
    assert len(registry.subkeys(r"HKLM\SOFTWARE")) == 2100
