<#
.SYNOPSIS
How far are the updates of Windows? One line: state, updates left, whether a reboot is wanted, what it says.
.DESCRIPTION
A file that speaks of work under way while no task runs is left over: that is `interrupted`.
#>
param()
$ErrorActionPreference = 'Stop'
# uses: Test-JobRunning

$runs = Test-JobRunning 'windows-update'
$file = 'C:\k8swin\jobs\windows-update\status.json'
if (-not (Test-Path $file)) {
    if ($runs) { 'searching 0 False no status yet' } else { 'pending 0 False the task does not run' }
    exit 0
}
$status = Get-Content -Path $file -Raw | ConvertFrom-Json
$state = $status.state
if (-not $runs -and $state -ne 'done' -and $state -ne 'failed') {
    # The task may have ended between the two looks: the file is read again before it is judged.
    Start-Sleep -Seconds 1
    $status = Get-Content -Path $file -Raw | ConvertFrom-Json
    $state = $status.state
    if ($state -ne 'done' -and $state -ne 'failed') { $state = 'interrupted' }
}
"$state $($status.left) $($status.reboot) $($status.detail)"
