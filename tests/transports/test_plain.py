"""Which scripts may share a process: those that look, and no other. What is doubtful may not."""

from __future__ import annotations

import pytest

from k8swin_nb.transports.plain import looks_only

LOOKS = [
    "hostname",
    "'hello'",
    "Get-Service containerd, kubelet | Format-Table Name, Status",
    "$env:COMPUTERNAME",
    "(Get-Service kubelet).Status",
    "Get-Process | Where-Object { $_.CPU -gt 5 } | Sort-Object CPU -Descending |\n"
    "    Select-Object -First 5 Name, @{n='MB';e={$_.WS / 1MB}}",
    "param([Parameter(Mandatory = $true)][string]$Name)\nGet-Service -Name $Name",
    "$a = Get-Item C:\\k\nif ($a.Exists) { 'yes' } else { 'no' }",
    'foreach ($x in 1..3) { "n $x" }',
    "1..3 | % { $_ * 2 }",
    "throw 'no'",
    "Get-Date # now; Stop-Service is a word here",
    "[int]'5' + 1",
    "(Get-Date).ToString('o')",
    "Get-Content C:\\x.txt -Tail 5",
    "$PSVersionTable.PSVersion.Major",
    "if ((Get-Service kubelet).Status -eq 'Running') { 'it runs' }",
]

CHANGES = [
    "exit 3",
    "Stop-Service x",
    "Get-Process x | % Kill",
    "Get-Process x | ForEach-Object -MemberName Kill",
    "$env:A = '1'",
    "$global:x = 1",
    "$script:x += 1",
    "[Environment]::Exit(3)",
    "& hostname",
    "cmd /c ver",
    "sort.exe",
    "more",
    "7z x a",
    "Set-Location C:\\",
    "'a' > C:\\x",
    "(Get-Process x).Kill()",
    '"$(Stop-Service x)"',
    "Invoke-Expression 'x'",
    "$x.IsReadOnly = $true",
    "Get-Service -OutVariable global:x",
    "Get-Service -ov global:x",
    "& { 'x' }",
    ". C:\\x.ps1",
    ".\\x.ps1",
    "function f { 1 }",
    "Get-`\nService",
    "$s = 'Stop-Service'; & $s x",
    "Add-Type 'x'",
    "[System.IO.File]::Delete('x')",
    "#requires -Version 5\n1",
    "$x.'Kill'()",
    "$m='Kill'; $x.$m()",
    "Get-Service @a",
    "iex 'a'",
    "while (1) { more }",
    "if (1) { del x }",
    "if (1) { 1 } else { del x }",
    "return Stop-Service x",
    "foreach ($x in Stop-Service y) { 1 }",
    "'a' | Out-File x",
    "$h[0] = 1",
    "kubectl get x",
    "a = 3",
    "label = 4",
    "Import-Module x",
    "$x++",
    "$input",
    "Get-Content x -Wait",
    "break",
    "('a') + (Stop-Computer)",
    "'a', (del x)",
    "trap { } 1",
    "@'\nx\n'@",
    "$a = del x",
    "switch (1) { 1 { del x } }",
    "Get-Date\n\u2013 del",
    "\u2018a\u2019; del",
    "<# Get-Date #> del x",
    "Get-Date <# # #> ; del x",
    "'it''s'; del x",
    '"a `" $(del x)"',
    '"a""$(del x)"',
    "Write-Host 'a",
    "${a}",
    "Select-Object @{n='a';e={del x}}",
    "Get-CimInstance Win32_Process | Invoke-CimMethod -MethodName Terminate",
    "try { 1 } catch { del x }",
    "1 | del",
    "Sort-Object {del x}",
]


@pytest.mark.parametrize("script", LOOKS)
def test_a_script_that_looks_may_share_a_process(script: str):
    assert looks_only(script)


@pytest.mark.parametrize("script", CHANGES)
def test_a_script_that_may_leave_something_behind_gets_its_own(script: str):
    assert not looks_only(script)
    assert not looks_only(f"Get-Date\n{script}\n'end'")


def test_no_script_that_changes_a_windows_host_shares_a_process():
    from importlib import resources

    folder = resources.files("k8swin_nb.scripts").joinpath("windows")
    texts = {
        file.name: file.read_text(encoding="utf-8")
        for file in folder.iterdir()
        if file.name.endswith((".apply.ps1", ".job.ps1"))
    }
    assert len(texts) > 10
    assert [name for name, text in texts.items() if looks_only(text)] == []
