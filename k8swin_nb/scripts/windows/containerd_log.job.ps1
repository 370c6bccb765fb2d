<#
.SYNOPSIS
Keep containerd's log from filling the disk: once it is large it becomes the newest of three old ones.
.DESCRIPTION
Runs as a task of the system's, every night. containerd keeps its log open, lets others write to it and appends: what is
in it is copied and then cut off, as the log cannot be renamed while containerd runs.
#>
param()
$ErrorActionPreference = 'Stop'

$log = 'C:\var\log\containerd\containerd.log'
if (-not (Test-Path -LiteralPath $log) -or (Get-Item -LiteralPath $log).Length -lt 50MB) { exit 0 }
foreach ($number in 2, 1) {
    if (Test-Path -LiteralPath "$log.$number") { Move-Item -LiteralPath "$log.$number" -Destination "$log.$($number + 1)" -Force }
}
$from = [System.IO.File]::Open($log, 'Open', 'ReadWrite', 'ReadWrite')
try {
    $to = [System.IO.File]::Open("$log.1", 'Create', 'Write', 'Read')
    try { $from.CopyTo($to) } finally { $to.Dispose() }
    $from.SetLength(0)
} finally {
    $from.Dispose()
}
